"""Scenarios at the ends of everything: counters, thresholds, delays, sums, waits, resets, hand-overs after a clear.

Each is here because something lived without it: a mutant, or a bin of the coverage plan that nothing met.
"""

import numpy as np
import torch

from cosim.bench.networks import random_model, weights
from cosim.trust.parts import eager, frames, of_weights
from hw.interface import MODES, Register, modes_of
from sw import golden
from sw.integers.integer_model import IntegerModel


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
            model = of_weights(c, matrices, 1, g)
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
    drawn = of_weights(c, matrices, 1, g)  # half of the neurons fire
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
    ends = [eager(of_weights(c, {name: torch.full(shape, value, dtype=torch.int32)
                             for name, shape in c.matrices().items()}, 1, g)) for value in (high, low)]
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
    made.load(eager(of_weights(c, mixed, 1, g)), MODES["t2_merged"])
    made.frames(np.full((9, c.features), 127, np.int32))
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
    for first in modes_of(c):
        for then in modes_of(c):
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


ALL = (far_counters, at_thresholds, latest_spikes, any_order, largest_sums, waits, cleared_hand_overs,
       resets_everywhere)
