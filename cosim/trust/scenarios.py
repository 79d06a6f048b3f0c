"""The scenarios that every mutant is played: random networks in every mode, and what random ones miss, said why.

Ordered by what kills soonest, so that most mutants end within a few frames; the ends of everything are in `corners`.
"""

import numpy as np
import torch

from cosim.bench.networks import Steered, fc_weights, not_steerable, random_model, weights
from cosim.trust import corners, guards
from cosim.trust.parts import frames, nowhere, of_weights
from cosim.trust.script import REST, Script, clear_word
from hw.interface import MODES, Mode, Recurrent, Register, modes_of
from sw.integers.integer_model import IntegerModel


def script(config, seed):
    """The whole `Script` of a configuration."""
    g, made = torch.Generator().manual_seed(seed), Script(config)
    made.reset(cycles=2)
    for part in (every_mode, hand_overs, refusals, neighbours, extremes, steered, starving, resets, high_thresholds,
                 late_clears, mode_3, long_run, *corners.ALL, *guards.ALL):
        part(made, g)
    made.words.append(REST)
    return made


def every_mode(made, g):
    """Random networks: each mode streamed and frame by frame, bits, cycles and row reads."""
    c = made.config
    for _ in range(2):
        made.load(random_model(c, g), MODES["t1"])
        for name in modes_of(c):
            made.select(name)
            made.frames(frames(c, 3, g))
            made.frames(frames(c, 2, g), isolated=True)
            made.check()


def hand_overs(made, g):
    """Modes change from frame to frame without a clear: what one leaves is what the next finds."""
    c = made.config
    made.load(random_model(c, g), MODES["t1"])
    names = list(modes_of(c))
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
            made.load(of_weights(c, filled, threshold, g), MODES["t2_merged"])
            for value, count in ((-128, 7), (127, 7), (0, 2), (127, 2), (-128, 4)):
                made.frames(np.full((count, c.features), value, np.int32))
            made.frames(frames(c, 3, g))
            made.check(exact=False)
    for name in ("t1", "t2_union"):  # each lane its own sums: rows of one weight, all values of a feature
        matrices = {key: weights(c, *shape, g) for key, shape in shapes.items()}
        made.load(of_weights(c, matrices, max(1, top // 4), g), MODES[name])
        made.frames(np.arange(-128, 128, dtype=np.int32).repeat(c.features)[:c.features * (256 // c.features)]
                    .reshape(-1, c.features))
        made.check(exact=False)


def steered(made, g):
    """Named patterns of spikes (none, all, one, halves, late) in every mode, which random frames rarely have."""
    c = made.config
    if not_steerable(c):
        return
    network = Steered(c, fc_weights(c, g))
    made.load(network.model, MODES["t1"])
    _, x, _ = network.utterance()
    for name in modes_of(c):
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
        model = of_weights(c, matrices, 1, g)
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
    """Recurrent mode 3 runs as 1 where no sum is kept, and bits of the mode above the fourth are ignored."""
    c = made.config
    if c.changes():
        return
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
