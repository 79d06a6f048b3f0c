"""Networks made for benches: random ones, and one whose spikes the features steer by hand."""

import torch

from sw.integers.integer_model import IntegerModel


def weights(config, rows, columns, generator):
    """Random weights over the whole range, the most negative included."""
    limit = config.weight_limit
    return torch.randint(-limit, limit, (rows, columns), generator=generator, dtype=torch.int32)


def random_model(config, generator, time_steps=2):
    """Random weights everywhere; thresholds near the currents' spread, so that about a quarter of the neurons fire."""
    c = config
    spread = 0.6 * c.weight_limit  # of a uniform weight
    current = c.features ** 0.5 * 74 * spread / (1 << c.input_shift)
    recurrent = (c.neurons / 3) ** 0.5 * spread
    thresholds = [0.3 * (current ** 2 + recurrent ** 2) ** 0.5, 0.3 * recurrent]
    matrices = [weights(c, *shape, generator) for shape in c.matrices().values()]
    return IntegerModel(c, matrices, _thresholds(c, thresholds), time_steps=time_steps)


def random_frames(config, frames, generator):
    """Features over the whole range, a fifth of them zero: (T, F)."""
    x = torch.randint(-128, 128, (frames, config.features), generator=generator, dtype=torch.int32)
    return x.masked_fill(torch.rand(x.shape, generator=generator) < 0.2, 0)


class Steered:
    """A network in which features name the neurons that fire, in both layers alike, and no state is left behind.

    Feature 0 drives the low half of the neurons, feature 1 the high half, the others one neuron each (`singles`): at
    `BOTH` in both time steps, at `LATE` in step 1 only. L1 repeats L0: one forward weight, exactly at the threshold.
    """

    BOTH, LATE = 127, 80

    def __init__(self, config, fc):
        c = self.config = config
        if c.features < 6:
            raise ValueError(f"features={c.features}: the steered benches want at least 6")
        n, top = c.neurons, c.weight_limit - 1
        edges = [0, c.half - 1, c.half, n - 1]
        self.singles = (edges + [i for i in range(n) if i not in edges])[:c.features - 2]
        drive = torch.zeros(c.features, n, dtype=torch.int32)
        drive[0, :c.half] = top
        drive[1, c.half:] = top
        for feature, neuron in enumerate(self.singles, 2):
            drive[feature, neuron] = top
        zero = torch.zeros(n, n, dtype=torch.int32)
        half = (1 << c.input_shift) >> 1
        threshold = 0.9 * (self.BOTH * top + half >> c.input_shift)  # LATE reaches it after one leak
        self.model = IntegerModel(c, [drive, zero, top * torch.eye(n, dtype=torch.int32), zero.clone(), fc],
                                  _thresholds(c, [threshold, top]))

    def frame(self, *neurons, low=0, high=0, late=()):
        """Features (F,) that fire the named neurons, `late` ones in step 1 only; `low` and `high` drive the halves."""
        x = torch.zeros(self.config.features, dtype=torch.int32)
        x[0], x[1] = low, high
        for group, drive in ((neurons, self.BOTH), (late, self.LATE)):
            for neuron in group:
                x[2 + self.singles.index(neuron)] = drive
        return x

    def utterance(self):
        """All patterns in a row: (names, x (T, F), spikes (T, 2, N) that they must make)."""
        cases = self.patterns()
        return list(cases), *(torch.stack(part) for part in zip(*cases.values(), strict=True))

    def patterns(self):
        """Named frames with the spikes they must make: name -> (x (F,), spikes (2, N))."""
        n, half, both, late = self.config.neurons, self.config.half, self.BOTH, self.LATE
        first, middle, upper, last = self.singles[:4]
        every = range(n)
        cases = {  # features, neurons of time step 0, neurons of time step 1
            "none": (self.frame(), (), ()),
            "all": (self.frame(low=both, high=both), every, every),
            "low half": (self.frame(low=both), range(half), range(half)),
            "high half": (self.frame(high=both), range(half, n), range(half, n)),
            "all late": (self.frame(low=late, high=late), (), every),
            "low half, high late": (self.frame(low=both, high=late), range(half), every),
            "first": (self.frame(first), (first,), (first,)),
            "last": (self.frame(last), (last,), (last,)),
            "middle": (self.frame(middle, upper), (middle, upper), (middle, upper)),
            "last late": (self.frame(late=(last,)), (), (last,)),
            "first, last late": (self.frame(first, late=(last,)), (first,), (first, last)),
            "none again": (self.frame(), (), ()),
        }
        return {name: (x, torch.stack([_at(n, s0), _at(n, s1)])) for name, (x, s0, s1) in cases.items()}


def _at(n, neurons):
    spikes = torch.zeros(n, dtype=torch.bool)
    spikes[list(neurons)] = True
    return spikes


def _thresholds(config, units):
    """Thresholds in units of a recurrent weight's last bit, as the potential's format."""
    top = (1 << (config.potential_bits - 1)) - 1
    return torch.tensor([min(top, max(1, round(t * (1 << config.potential_fraction)))) for t in units])
