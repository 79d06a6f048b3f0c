"""The scenarios that every mutant is played: random networks in every mode, and what random ones miss, said why.

Ordered by what kills soonest, so that most mutants end within a few frames.
"""

import numpy as np
import torch

from cosim.bench.networks import Steered, not_steerable, random_frames, random_model, weights
from cosim.trust.script import REST, Script, clear_word
from hw.interface import MODES, Buffer, Mode, Recurrent, Register
from hw.load_port import load_targets
from hw.types import load_layout
from sw import golden
from sw.integers.integer_model import IntegerModel


def frames(config, count, g):
    """Random features (T, F), numpy."""
    return random_frames(config, count, g).numpy()


def nowhere(config):
    """Words of the load port that lead nowhere: the first and last row and slice that there are not, and the rest."""
    layout, targets = load_layout(config), load_targets(config)
    top_row, top_slice = ((1 << layout[name].width) - 1 for name in ("row", "slice"))
    register = Buffer.REGISTER.value
    found = [(b, 0, 0, 3) for b in range(1 << layout["buffer"].width) if b not in targets and b != register]
    for buffer, (rows, slices) in targets.items():
        found += [(buffer, row, 0, 3) for row in sorted({rows, top_row}) if rows <= row <= top_row]
        found += [(buffer, 0, part, 3) for part in sorted({slices, top_slice}) if slices <= part <= top_slice]
    known = {Register.MODE.value, Register.CLEAR.value}
    known |= {Register[f"THRESHOLD{k}"].value for k, x in enumerate(config.layers) if x.threshold == "layer"}
    found += [(register, row, 0, 3) for row in range(top_row + 1) if row not in known]
    return found + [(register, row, part, 3) for row in known for part in range(1, top_slice + 1)]


def script(config, seed):
    """The whole `Script` of a configuration."""
    g, made = torch.Generator().manual_seed(seed), Script(config)
    made.reset(cycles=2)
    for part in (every_mode, hand_overs, refusals, neighbours, extremes, steered, starving, resets, high_thresholds,
                 late_clears, mode_3, long_run, far_counters, at_thresholds, latest_spikes,
                 any_order, largest_sums, waits, cleared_hand_overs, resets_everywhere):
        part(made, g)
    made.words.append(REST)
    return made


def every_mode(made, g):
    """Random networks: each mode streamed and frame by frame, bits, cycles and row reads."""
    c = made.config
    for _ in range(2):
        made.load(random_model(c, g), MODES["t1"])
        for name in MODES:
            made.select(name)
            made.frames(frames(c, 3, g))
            made.frames(frames(c, 2, g), isolated=True)
            made.check()


def hand_overs(made, g):
    """Modes change from frame to frame without a clear: what one leaves is what the next finds."""
    c = made.config
    made.load(random_model(c, g), MODES["t1"])
    names = list(MODES)
    for first in names:
        for then in names:
            for name in (first, then):
                made.select(name, clear=2)
                made.frames(frames(c, 1, g))
    made.check(exact=False)


def refusals(made, g):
    """Words that lead nowhere, between frames: counted up to 255, and nothing else changes, row reads included."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_union"])
    made.frames(frames(c, 1, g))
    wrong = nowhere(c)
    for _ in range(1 + 260 // len(wrong)):
        made.refuse(wrong)
    made.frames(frames(c, 2, g))
    made.check(exact=False)


def neighbours(made, g):
    """Late features and slow readers, long and short: no bit changes, no waiting beat, no frame is lost or doubled."""
    c = made.config
    made.load(random_model(c, g), MODES["t1"])
    for name in ("t1", "t2_unmerged", "t2_union"):
        for pause, stall in ((500, 500), (900, 0), (0, 950), (0, 995)):
            made.select(name)
            made.frames(frames(c, 3, g), pause=(7 + pause, pause), stall=(11 + stall, stall))
            made.check(exact=False)


def extremes(made, g):
    """The largest sums that there are, of both signs, long enough for potentials to saturate and to come back."""
    c = made.config
    top = (1 << (c.potential_bits - 1)) - 1
    shapes = c.matrices()
    for sign in (-c.weight_limit, c.weight_limit - 1):
        for threshold in (1, top):
            filled = {name: torch.full(shape, sign, dtype=torch.int32) for name, shape in shapes.items()}
            made.load(_model(c, filled, threshold, g), MODES["t2_merged"])
            for value, count in ((-128, 7), (127, 7), (0, 2), (127, 2), (-128, 4)):
                made.frames(np.full((count, c.features), value, np.int32))
            made.frames(frames(c, 3, g))
            made.check(exact=False)
    for name in ("t1", "t2_union"):  # each lane its own sums: rows of one weight, all values of a feature
        matrices = {key: weights(c, *shape, g) for key, shape in shapes.items()}
        made.load(_model(c, matrices, max(1, top // 4), g), MODES[name])
        made.frames(np.arange(-128, 128, dtype=np.int32).repeat(c.features)[:c.features * (256 // c.features)]
                    .reshape(-1, c.features))
        made.check(exact=False)


def _model(config, matrices, threshold, g):
    """A model of one threshold for all; tables of neurons random, except thresholds."""
    tables = {}
    for name, (count, least, most) in config.neuron_tables().items():
        tables[name] = torch.full((count,), threshold, dtype=torch.int32) if name.startswith("thresholds") else \
            torch.randint(least, most + 1, (count,), generator=g, dtype=torch.int64).to(torch.int32)
    own = torch.tensor([layer.threshold == "neuron" for layer in config.layers])
    return IntegerModel(config, matrices, torch.full((len(config.layers),), threshold).masked_fill(own, 0), tables)


def steered(made, g):
    """Named patterns of spikes (none, all, one, halves, late) in every mode, which random frames rarely have."""
    c = made.config
    if not_steerable(c):
        return
    network = Steered(c, weights(c, c.last.neurons, c.outputs, g))
    made.load(network.model, MODES["t1"])
    _, x, _ = network.utterance()
    for name in MODES:
        made.select(name)
        made.frames(x.numpy())
        made.check()


def starving(made, g):
    """A frame stops coming, at its first and its last feature too: a load waits, nothing is idle, `starved` says so."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_merged"])
    for have in (1, c.features // 2, c.features - 1):
        x = frames(c, 2, g)
        made.partial(x[0, :have])
        made.frames(x, given=have)
    made.check(exact=False)


def resets(made, g):
    """A reset in each state of a frame, with the reader stalled; then the machine is as documented: thresholds of 1,
    one time step, no state, weights as they were.
    """
    c = made.config
    model = random_model(c, g)
    kept = not c.neuron_tables()  # tables in flip-flops are gone
    made.load(model, MODES["t2_union"])
    for cycles in range(1, 40 * len(c.layers) * c.groups_of(0) + 8 * c.features, 11):
        made.abandon(frames(c, 3, g), cycles)
        ones = IntegerModel(c, model.matrices, torch.ones_like(model.thresholds), model.neurons) if kept else model
        made.reset(ones)
        if kept:
            made.frames(frames(c, 1, g))
        if not kept or cycles % 2:
            made.load(model, MODES["t2_union"])
            made.frames(frames(c, 1, g))


def high_thresholds(made, g):
    """Thresholds of every bit, one at a time, against potentials that reach them: none may be cut on its way."""
    c = made.config
    for bit in range(c.potential_bits):  # from the sign's place on, none fires
        matrices = {name: weights(c, *shape, g) for name, shape in c.matrices().items()}
        matrices["input"] = torch.full(c.matrices()["input"], c.weight_limit - 1, dtype=torch.int32)
        model = _model(c, matrices, 1, g)
        if not any(name.startswith("thresholds") for name in model.neurons):
            object.__setattr__(model, "thresholds", torch.full_like(model.thresholds, 1 << bit))  # 2^15 is no model's
        made.load(model, MODES["t2_merged"])
        for value in (127, 40, 9, 2):
            made.frames(np.full((1, c.features), value, np.int32))


def late_clears(made, g):
    """A clear of state offered within a frame, behind a stream that never pauses: it waits its turn, and gets it."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_union"])
    for at in (1, c.features + c.features // 2, 3 * c.features - 1):
        made.frames(frames(c, 5, g), cleared_at=at)
        made.frames(frames(c, 1, g))
    made.send([clear_word(0)])  # clears nothing
    made.frames(frames(c, 1, g))
    made.check(exact=False)


def mode_3(made, g):
    """Recurrent mode 3 runs as 1, and bits of the mode above the fourth are ignored."""
    c = made.config
    made.load(random_model(c, g), Mode(recurrent=Recurrent.PARALLEL))
    for extra in (4, 0x10, 0x7ffffff0):
        made.set(Register.MODE, Mode(recurrent=Recurrent.PARALLEL).bits | extra)
        made.frames(frames(c, 2, g))
    made.check(exact=False)


def long_run(made, g):
    """Many frames without a clear: counters past their low bits."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_sequential"])
    for _ in range(6):
        made.frames(frames(c, 100, g))
    made.check()


def far_counters(made, g):
    """Counters near every power of two, and at random places: each bit counts, up to the thirty-second, and wraps."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_merged"])
    places = [(1 << bit) - 1 for bit in range(1, 33)]
    for place in places + torch.randint(0, 1 << 32, (6,), generator=g, dtype=torch.int64).tolist():
        made.warp(place)
        made.frames(frames(c, 2, g))
        made.check()


def at_thresholds(made, g):
    """Thresholds equal to a potential, which fires, and one above it, which does not: from small ones to the largest
    that a frame in which everything fired before can leave. A wrong bit of a threshold, of an adder or of the
    comparison moves the one or the other.
    """
    c = made.config
    top, limit = (1 << (c.potential_bits - 1)) - 1, c.weight_limit
    for k, layer in enumerate(c.layers):
        if layer.threshold != "layer":
            continue
        for low in (limit - 1, 1, 1 - limit):  # all weights at their end; positive ones; any
            matrices = {name: torch.randint(low, limit, shape, generator=g, dtype=torch.int32)
                        for name, shape in c.matrices().items()}
            model = _model(c, matrices, 1, g)
            made.load(model, MODES["t2_merged"])
            before = np.full((_latest(c) + 2, c.features), 127, np.int32)
            after = np.concatenate([np.full((1, c.features), 127, np.int32), frames(c, 2, g)])
            for threshold in _around(_reached(model, k, before, after, top), 8, top):
                made.threshold(k, 1)
                made.select("t2_merged")
                made.frames(before)
                made.threshold(k, threshold)
                made.frames(after)


def latest_spikes(made, g):
    """Every spike as late as it can be: each bit of the oldest frame that is kept is added."""
    c = made.config
    if not c.delays():
        return
    matrices = {name: weights(c, *shape, g) for name, shape in c.matrices().items()}
    drawn = _model(c, matrices, 1, g)  # half of the neurons fire
    tables = {name: torch.full_like(table, c.neuron_tables()[name][2]) if name.startswith("delays") else table
              for name, table in drawn.neurons.items()}
    made.load(IntegerModel(c, matrices, drawn.thresholds, tables), MODES["t2_union"])
    made.frames(frames(c, 4 * _latest(c), g))
    made.check()


def _latest(config):
    """Frames of the longest delay."""
    return max(config.history_of(k) for k in range(len(config.layers)))


def _reached(model, k, before, after, top):
    """Potentials of layer k in frames `after`, whose threshold nothing reaches."""
    start = golden.run(model, torch.as_tensor(before)[None], 2).state
    thresholds = model.thresholds.clone()
    thresholds[k] = top
    high = IntegerModel(model.config, model.matrices, thresholds, model.neurons)
    trace = golden.run(high, torch.as_tensor(after)[None], 2, start)
    return torch.unique(trace.potentials[0, :, k, :, :model.config.layers[k].neurons]).tolist()


def _around(values, count, top):
    """Each of `count` of the values, and one more than it; those that a threshold can be."""
    values = [v for v in values if v >= 1]
    chosen = {values[i] for i in np.linspace(0, len(values) - 1, count).astype(int)} if values else ()
    return sorted({t for v in chosen for t in (v, v + 1) if t <= top})


def any_order(made, g):
    """Weights and tables arrive in any order, and again: a word reaches its own buffer only."""
    c = made.config
    for name in ("t1", "t2_union"):
        made.load(random_model(c, g), MODES[name], order=g)
        made.frames(frames(c, 3, g))
        made.check()


def largest_sums(made, g):
    """Every sum at its largest, of both signs: all digits of the low group; all spikes of two layers, met by weights
    that came in after them; the FC.
    """
    c = made.config
    low, high = -c.weight_limit, c.weight_limit - 1
    ends = [_model(c, {name: torch.full(shape, value, dtype=torch.int32) for name, shape in c.matrices().items()}, 1, g)
            for value in (high, low)]
    for first, then in ((0, 1), (1, 0)):
        made.load(ends[first], MODES["t2_merged"])
        for value in (127, 127, c.digit_limit, -c.digit_limit, -128):
            made.frames(np.full((1, c.features), value, np.int32))
        for value in (127, -128, 127):
            made.frames(np.full((2, c.features), 127 if first == 0 else -128, np.int32))
            made.swap(ends[then])
            made.frames(np.full((1, c.features), value, np.int32))
            made.swap(ends[first])
    mixed = {name: torch.full(shape, low if name == "fc" else high, dtype=torch.int32)
             for name, shape in c.matrices().items()}
    made.load(_model(c, mixed, 1, g), MODES["t2_merged"])
    made.frames(np.full((4, c.features), 127, np.int32))
    made.check()


def waits(made, g):
    """Everybody waits for long; a clear offered while a frame's last logits leave is taken as soon as it can be."""
    c = made.config
    made.load(random_model(c, g), MODES["t2_union"])
    x = frames(c, 2, g)
    made.partial(x[0, :3], cycles=150)
    made.frames(x, given=3)
    made.frames(frames(c, 1, g), stall=(5, 990))
    for left in range(1, c.outputs // c.logits_per_beat + 1):
        made.frames(frames(c, 1, g), cleared_behind=left)
        made.frames(frames(c, 1, g), cleared_behind=left, stall=(3 + left, 500))
    made.frames(frames(c, 1, g))
    made.check(exact=False)


def cleared_hand_overs(made, g):
    """Modes change from frame to frame with a clear: the next finds nothing."""
    c = made.config
    made.load(random_model(c, g), MODES["t1"])
    for first in MODES:
        for then in MODES:
            for name in (first, then):
                made.select(name)
                made.frames(frames(c, 1, g))
    made.check(exact=False)


def resets_everywhere(made, g):
    """A reset in every cycle of a frame, the reader ready; and while a frame starves."""
    c = made.config
    model = random_model(c, g)
    x = torch.as_tensor(frames(c, 1, g))[None]
    kept = not c.neuron_tables()
    ones = IntegerModel(c, model.matrices, torch.ones_like(model.thresholds), model.neurons) if kept else model
    ways = [(mode, golden.cycles(c, mode, x, golden.run(model, x, mode.time_steps)).phases.sum())
            for mode in (MODES["t1"], MODES["t2_union"])]
    for mode, cycles in ways:
        for at in range(1, int(cycles) + 2, 1 + int(cycles) // 120):
            made.load(model, mode) if at == 1 or not kept else made.set(Register.MODE, mode.bits)
            made.abandon(frames(c, 1, g), at, flowing=True)
            made.reset(ones)
            if kept:
                made.frames(frames(c, 1, g))
    made.load(model, MODES["t1"])
    made.abandon(frames(c, 1, g)[:, :4], 3 * c.features, flowing=True)
    made.reset(ones)
