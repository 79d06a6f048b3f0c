"""Networks made for benches: random ones, and one whose spikes the features steer by hand."""

import torch

from sw.integers import integer_model
from sw.integers.integer_model import IntegerModel


def weights(config, rows, columns, generator):
    """Random weights over the whole range, the most negative included."""
    limit = config.weight_limit
    return torch.randint(-limit, limit, (rows, columns), generator=generator, dtype=torch.int32)


def fc_weights(config, generator, fill=None):
    """FC weights over the whole range, or all `fill`; of a configuration that packs them, two of four."""
    fc = weights(config, *config.matrices()["fc"], generator)
    if fill is not None:
        fc.fill_(fill)
    return integer_model.two_of_four(fc) if config.fc_two_of_four else fc


def random_model(config, generator, time_steps=2):
    """Random weights everywhere; thresholds near the currents' spread, so that about a quarter of the neurons fire.

    Where neurons have thresholds, leaks, biases or delays of their own, these are drawn over their whole range, both
    ends included.
    """
    c = config
    spread = 0.6 * c.weight_limit  # of a uniform weight
    thresholds, before = [], c.features ** 0.5 * 74 * spread / (1 << c.input_shift)
    for k, layer in enumerate(c.layers):
        recurrent = (layer.neurons / 3) ** 0.5 * spread
        thresholds.append(0.3 * (before ** 2 + recurrent ** 2) ** 0.5 if k == 0 else 0.3 * max(before, recurrent))
        before = recurrent
    matrices = [weights(c, *shape, generator) for name, shape in c.matrices().items() if name != "fc"]
    matrices.append(fc_weights(c, generator))
    thresholds = _thresholds(c, thresholds)
    neurons = {name: _table(name, count, least, most, thresholds, generator)
               for name, (count, least, most) in c.neuron_tables().items()}
    own = torch.tensor([layer.threshold == "neuron" for layer in c.layers])
    return IntegerModel(c, matrices, thresholds.masked_fill(own, 0), neurons, time_steps)


def _table(name, count, least, most, thresholds, generator):
    """Values (count,) of a table of single neurons: drawn where they matter, and the two ends of their range."""
    if name.startswith("thresholds"):
        typical = int(thresholds[int(name.removeprefix("thresholds"))])
        values = torch.randint(1, 3 * typical + 1, (count,), generator=generator).clamp(least, most)
    elif name.startswith("biases"):
        some = max(1, int(thresholds.max()) // 4)
        values = torch.randint(-some, some + 1, (count,), generator=generator).clamp(least, most)
    else:
        values = torch.randint(least, most + 1, (count,), generator=generator)
    ends = torch.randperm(count, generator=generator)[:2]
    values[ends[0]], values[ends[-1]] = least, most
    return values.to(torch.int32)


def random_frames(config, frames, generator):
    """Features over the whole range, a fifth of them zero: (T, F)."""
    x = torch.randint(-128, 128, (frames, config.features), generator=generator, dtype=torch.int32)
    return x.masked_fill(torch.rand(x.shape, generator=generator) < 0.2, 0)


def random_utterances(config, seed, frames=(9, 14)):
    """Two utterances (T, F) of int8 values, numpy: one over the whole range, one of small values."""
    numbers = torch.Generator().manual_seed(1000 + seed)
    whole, small = (random_frames(config, count, numbers) for count in frames)
    return [whole.numpy(), (small >> 3).numpy()]


def not_steerable(config):
    """Why features cannot name the neurons that fire in this configuration; "" where they can."""
    if config.features < 6:
        return f"features={config.features}: at least 6 are wanted"
    for k, layer in enumerate(config.layers):
        if layer.synapse_shift or layer.reset == "subtract" and not layer.leak_shift:
            return f"layer {k} carries currents or potentials over to the next frame"
    return ""


class Steered:
    """A network in which features name the neurons that fire, in all layers alike, and no state is left behind.

    Feature 0 drives the low half of the neurons of layer 0, feature 1 the high half, the others one neuron each
    (`singles`): at `BOTH` in both time steps, at `LATE` in step 1 only. A later layer repeats the one before, as far as
    it has the neurons: one forward weight, exactly at the threshold.
    """

    BOTH, LATE = 127, 80

    def __init__(self, config, fc):
        c = self.config = config
        if not_steerable(c):
            raise ValueError(f"{c.name}: {not_steerable(c)}")
        n, half, top = c.layers[0].neurons, c.half_of(0), c.weight_limit - 1
        edges = [0, half - 1, half, n - 1]
        self.singles = (edges + [i for i in range(n) if i not in edges])[:c.features - 2]
        matrices = {name: torch.zeros(shape, dtype=torch.int32) for name, shape in c.matrices().items()}
        matrices["input"][0, :half] = top
        matrices["input"][1, half:] = top
        for feature, neuron in enumerate(self.singles, 2):
            matrices["input"][feature, neuron] = top
        for name, matrix in matrices.items():
            if name.startswith("forward"):
                matrix.fill_diagonal_(top)
        rounding = (1 << c.input_shift) >> 1
        first = 0.9 * (self.BOTH * top + rounding >> c.input_shift)  # LATE reaches it after one leak
        thresholds = _thresholds(c, [first, *[top] * (len(c.layers) - 1)])
        tables = {}
        for name, (count, *_) in c.neuron_tables().items():
            value = int(thresholds[int(name[-1])]) if name.startswith("thresholds") else 2 * name.startswith("leaks")
            tables[name] = torch.full((count,), value, dtype=torch.int32)
        own = torch.tensor([layer.threshold == "neuron" for layer in c.layers])
        self.model = IntegerModel(c, {**matrices, "fc": fc}, thresholds.masked_fill(own, 0), tables)

    def frame(self, *neurons, low=0, high=0, late=()):
        """Features (F,) that fire the named neurons, `late` ones in step 1 only; `low` and `high` drive the halves."""
        x = torch.zeros(self.config.features, dtype=torch.int32)
        x[0], x[1] = low, high
        for group, drive in ((neurons, self.BOTH), (late, self.LATE)):
            for neuron in group:
                x[2 + self.singles.index(neuron)] = drive
        return x

    def utterance(self):
        """All patterns in a row: (names, x (T, F), spikes (T, L, 2, N) that they must make, N of the widest layer)."""
        cases, c = self.patterns(), self.config
        x, first = (torch.stack(part) for part in zip(*cases.values(), strict=True))
        spikes, n = torch.zeros(len(x), len(c.layers), 2, c.widest, dtype=torch.bool), c.widest
        for k, layer in enumerate(c.layers):
            n = min(n, layer.neurons)
            spikes[:, k, :, :n] = first[:, :, :n]
        return list(cases), x, spikes

    def patterns(self):
        """Named frames with the spikes they must make in layer 0: name -> (x (F,), spikes (2, N_0))."""
        n, half, both, late = self.config.layers[0].neurons, self.config.half_of(0), self.BOTH, self.LATE
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
