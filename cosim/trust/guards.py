"""Scenarios of what the first scenarios' machines lack: sums that are kept, watchdog, parity.

`flipped` has what parity must count: how often each row of the weight buffers is read, by golden's spikes.
"""

import numpy as np
import torch

from cosim.bench.networks import random_model
from cosim.trust.parts import frames, of_weights
from cosim.trust.script import FLIP, FLOWING, GUARDS, UPSET
from hw.interface import ALL_MODES, MODES, WEIGHT_BUFFERS, Buffer, modes_of
from hw.program import program
from hw.watchdog import patience
from sw import golden
from sw.integers import images
from sw.integers.integer_model import IntegerModel

# registers that `UPSET` overwrites: the sequencer's position, the feature scan's index, the watchdog's timer, the
# sequencer's time step
POSITION, INDEX, TIMER, STEP = range(4)
ANY = 0xffffffff


def kept_sums(made, g):
    """Spikes that all stay, all come and all go, in every mode of change; one word of each buffer in between."""
    c = made.config
    if not c.changes():
        return
    same = {name: torch.full(shape, c.weight_limit - 1, dtype=torch.int32) for name, shape in c.matrices().items()}
    for model in (of_weights(c, same, 1, g), random_model(c, g)):
        made.load(model, ALL_MODES["t2_change"])
        for name in ("t2_change", "t1_change", "t2_union", "t2_change", "t2_unmerged", "t2_change", "t1", "t1_change"):
            made.select(name, clear=2)
            for value, count in ((127, 4), (-128, 6), (0, 2), (127, 2)):
                made.frames(np.full((count, c.features), value, np.int32))
            made.frames(frames(c, 4, g), pause=(5, 100), stall=(9, 300))
            made.frames(frames(c, 3, g))
            made.check(exact=False)
    model = random_model(c, g)
    made.load(model, ALL_MODES["t2_change"])
    words = [word for word in images.load_words(model, ALL_MODES["t2_change"]) if word[0] < Buffer.REGISTER.value]
    for number in range(len(WEIGHT_BUFFERS)):
        made.frames(frames(c, 3, g))
        made.send([next(word for word in words if word[0] == number)])  # as it was: sums are made anew all the same
        made.frames(frames(c, 2, g))
    made.check()


def upset(made, g, what, value, cycles=0, exactly=ANY, stalled=False):
    """A register is overwritten, so many cycles into a frame (0: idle); nothing more is on offer and the reader is
    ready. The machine bites, `exactly` so many cycles later where that is said, is idle in the next, and counts it.
    State is as nobody knows, until it is cleared. `stalled`: the reader is not ready for the first 40 cycles after it,
    and a beat on offer is not bitten away.
    """
    x = frames(made.config, 1, g).ravel() & 0xff if cycles else np.zeros(0, int)
    made.words += [UPSET, what, value, cycles | FLOWING * stalled, exactly, len(x), *x.tolist()]


def watchdog(made, g):
    """Every position that the program lacks; a feature that nobody will bring: the timer to its last cycle. Neighbours
    that are later than it takes, and the longest frames, are no hang. Bites are counted, up to 255, and cleared.
    """
    c = made.config
    if not c.watchdog:
        return
    made.load(random_model(c, g), MODES["t2_merged"])
    last = len(program(c))
    for position in range(last, 1 << (last - 1).bit_length()):
        for cycles in (0, 20, 70):
            upset(made, g, POSITION, position, cycles, 0)
        made.select("t2_merged")
        made.frames(frames(c, 1, g))
    for index in (1, c.features - 1):
        upset(made, g, INDEX, index, 0, patience(c))
        upset(made, g, INDEX, index, 0, patience(c))
        made.select("t2_merged")
        made.frames(frames(c, 2, g))
    for have in (1, c.features - 1):
        x = frames(c, 1, g)
        made.partial(x[0, :have], cycles=3 * patience(c))
        made.frames(x, given=have)
    made.frames(frames(c, 1, g), stall=(5, 999))
    for _ in range(257):
        upset(made, g, POSITION, last, 0, 0)
    longest = of_weights(c, {name: torch.full(shape, c.weight_limit - 1, dtype=torch.int32)
                             for name, shape in c.matrices().items()}, 1, g)
    made.load(longest, MODES["t2_sequential"])
    for name in modes_of(c):
        made.select(name)
        made.frames(np.full((6, c.features), 0x55, np.int32))


def visits(config, x, trace):
    """Reads of each row in mode t2_union: buffer -> [rows]. x (T, F), trace of one utterance."""
    c, found = config, {name: [0] * rows for name, (rows, _) in config.sizes().items()}
    fired = {matrix: spikes[0].any(1).sum(0).tolist() for matrix, spikes in trace.scanned.items()}  # times a neuron is
    for group in range(c.groups_of(0)):
        for i, count in enumerate((torch.as_tensor(x) != 0).sum(0).tolist()):
            found["input"][group * c.input_rows + i] += count
    for block in c.blocks():
        for i, count in enumerate(fired[block.matrix]):
            bank, row = divmod(i, c.half_of(block.source))
            found[f"recurrent{bank}"][block.base + row] += count
    for i, count in enumerate(fired["fc"]):
        for first in range(c.full_passes):
            for bank in range(2):
                found[f"fc{bank}"][first * c.last.neurons + i] += count
        if c.split_pass:
            bank, row = divmod(i, c.half_of(len(c.layers) - 1))
            found[f"fc{bank}"][c.full_passes * c.last.neurons + row] += count
    return found


def flipped(made, g):
    """In each buffer, in each slice, the row that is read most, one that is not and the last: parity that is wrong is
    counted as often as its row is read. Both banks at once are two rows. A row that is loaded again is right again.
    """
    c = made.config
    if not c.parity:
        return
    model, x = random_model(c, g), frames(c, 5, g)
    x[:, 1] = 0
    made.load(model, MODES["t2_union"])
    words = {word[:3]: word for word in images.load_words(model, MODES["t2_union"])}
    reads = visits(c, x, golden.run(model, torch.as_tensor(x)[None], 2))
    both = [[("recurrent0", 0), ("recurrent1", 0)], [("fc0", 0), ("fc1", 0)]]
    chosen = [[(name, row)] for name in WEIGHT_BUFFERS for counts in [reads[name]] for row in sorted(
        {counts.index(max(counts)), counts.index(min(counts)), len(counts) - 1})]
    for rows in chosen + both:
        for part in range(min(c.sizes()[name][1] for name, _ in rows) // c.load_bits):
            made.select("t2_union")
            bad = [words[Buffer[name.upper()].value, row, part] for name, row in rows]
            for word in bad:
                made.words += [FLIP, *made.word(word)]
            made.state.scanned.clear()
            made.frames(x)
            failed = sum(1 << WEIGHT_BUFFERS.index(name) for name, row in rows if reads[name][row])
            made.words += [GUARDS, failed, sum(reads[name][row] for name, row in rows)]
            made.send(bad)
    made.select("t2_union")
    made.words += [GUARDS, 0, 0]
    made.frames(x)
    made.words += [GUARDS, 0, 0]
    _every_row(made, model, words, frames(c, 2, g))


def _every_row(made, model, words, x):
    """Each row of each buffer in turn, the last one that a scan reads too; and each bit of the counter, which wraps."""
    c = made.config
    reads = visits(c, x, golden.run(model, torch.as_tensor(x)[None], 2))

    def wrong(name, row, before=None):
        made.select("t2_union")
        bad = words[Buffer[name.upper()].value, row, 0]
        made.words += [FLIP, *made.word(bad)]
        made.state.scanned.clear()
        if before is not None:
            made.warp(before)
        made.frames(x)
        count = reads[name][row]
        made.words += [GUARDS, (count > 0) << WEIGHT_BUFFERS.index(name), count]
        made.send([bad])

    for name, counts in reads.items():
        for row in range(len(counts)):
            wrong(name, row)
    often = max(range(c.features), key=reads["input"].__getitem__)
    for bit in range(1, 33):
        wrong("input", often, (1 << bit) - 1)
    made.select("t2_union")
    made.words += [GUARDS, 0, 0]
    made.frames(x)


def bites_anywhere(made, g):
    """The timer runs out in every step of a frame, in mode of change too; once while a beat waits, once with a reset
    behind it. The next frame is golden's, and its sums are made anew.
    """
    c = made.config
    if not c.watchdog:
        return
    made.load(random_model(c, g), MODES["t2_union"])
    for name in ("t2_change", "t1") if c.changes() else ("t2_union", "t1"):
        for cycles in range(1, 200, 2):
            made.select(name, clear=2)
            upset(made, g, TIMER, patience(c), cycles, 0)
            made.select(name, clear=1 + cycles // 2 % 2 * 2)  # `hung` stays or goes
            made.frames(frames(c, 2, g))
    for cycles in range(60, 180, 4):
        upset(made, g, TIMER, patience(c), cycles, stalled=True)
        made.select("t2_union")
        made.frames(frames(c, 1, g))
    for what, value in ((STEP, 1), (POSITION, len(program(c)))):  # at the first step, what is of later ones
        upset(made, g, what, value, 0, 0)
        made.reset(None)
        made.load(random_model(c, g), MODES["t2_union"])
        made.frames(frames(c, 1, g))


def wrong_ends(made, g):
    """The first and the last row of each buffer, in a network whose neurons all fire: both are read. A reset clears
    the report and not the wrong row, which is counted again; one that no frame reads is not."""
    c = made.config
    if not c.parity:
        return
    model, x = random_model(c, g), frames(c, 1, g)
    x[:, 0] = 1
    made.load(model, MODES["t1"])
    bad = next(word for word in images.load_words(model, MODES["t1"]) if word[:3] == (Buffer.INPUT.value, 0, 0))
    made.words += [FLIP, *made.word(bad)]
    made.state.scanned.clear()
    made.frames(x)
    made.words += [GUARDS, 1, 1]
    made.frames(np.zeros((2, c.features), np.int32))
    made.words += [GUARDS, 1, 1]
    made.reset(None)
    made.load(model, MODES["t1"])  # every row is written, and right
    made.frames(x)
    made.words += [GUARDS, 0, 0]
    same = {name: torch.full(shape, c.weight_limit - 1, dtype=torch.int32) for name, shape in c.matrices().items()}
    model, x = of_weights(c, same, 1, g), np.full((3, c.features), 127, np.int32)
    made.load(model, MODES["t2_union"])
    words = {word[:3]: word for word in images.load_words(model, MODES["t2_union"])}
    reads = visits(c, x, golden.run(model, torch.as_tensor(x)[None], 2))
    for name, counts in reads.items():
        for row in (0, max(row for row, count in enumerate(counts) if count)):
            made.select("t2_union")
            bad = words[Buffer[name.upper()].value, row, 0]
            made.words += [FLIP, *made.word(bad)]
            made.state.scanned.clear()
            made.frames(x)
            made.words += [GUARDS, 1 << WEIGHT_BUFFERS.index(name), counts[row]]
            made.send([bad])
    made.select("t2_union")
    made.words += [GUARDS, 0, 0]
    made.frames(x)


def forgotten_sums(made, g):
    """Frames on change; then each thing that ends kept sums, alone: a clear of state, a reset, a bite, one step more
    or less; and what does not: frames of other modes.
    """
    c = made.config
    if not c.changes():
        return
    model = random_model(c, g)
    made.load(model, ALL_MODES["t2_change"])
    for one, other in (("t1_change", "t2_change"), ("t2_change", "t1_change")):
        for name in (one, other, "t1", "t1_change", *(n for n in MODES if n != "t1"), "t2_change"):
            made.select(name, clear=2)
            made.frames(frames(c, 1, g))
            if ALL_MODES[name].two_steps:  # behind each other mode, one frame by change
                made.select("t2_change", clear=2)
                made.frames(frames(c, 2, g))
    made.check(exact=False)
    for name in ("t1_change", "t2_change"):
        made.select(name)
        made.frames(frames(c, 3, g))
        made.select(name, clear=1)
        made.frames(frames(c, 2, g))
        made.check(exact=False)
        if c.watchdog:  # idle: it bites, and all stays as it was but the sums
            upset(made, g, POSITION, len(program(c)), 0, 0)
            made.state.scanned.clear()
            made.select(name, clear=2)
            made.frames(frames(c, 2, g))
        if not c.neuron_tables():  # tables in flip-flops are gone
            made.reset(IntegerModel(c, model.matrices, torch.ones_like(model.thresholds), model.neurons))
            made.select(name, clear=2)
            made.frames(frames(c, 2, g))
        made.load(model, ALL_MODES[name])
        made.frames(frames(c, 2, g))


ALL = (kept_sums, watchdog, flipped, bites_anywhere, wrong_ends, forgotten_sums)
