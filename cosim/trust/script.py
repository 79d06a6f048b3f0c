"""Scripts for `trial.cpp`: what to do to an accelerator, and what the golden model says must come of it.

A script is 32-bit words, an operation after the other; `Script` writes them and keeps what the machine holds: model,
mode, state, counters. Everything expected comes from `sw.golden`, nothing from another run of the RTL.

    RESET cycles, payload | LOAD n, n x (payload, flags) | FRAMES as `Script.frames` writes it | REST
    CHECK (look, value) a counter
    PARTIAL features, cycles, payload, features … | ABANDON features, cycles, features …
    UPSET what, value, cycles, exactly, features, features …: `guards.upset` | FLIP payload | GUARDS failed, errors
    STATES n, n x (word of neurons, time step, (value, mask) … of potentials, then of spikes), of the frames that follow
    WARP value: every counter holds it from now on
"""

import numpy as np
import torch

from cosim.rtl.geometry import words as words_of
from hw.interface import ALL_MODES, Buffer, Mode, Recurrent, Register, phases
from hw.types import load_layout, logits_layout
from sw import golden
from sw.integers import images
from sw.integers.integer_model import IntegerModel

RESET, LOAD, FRAMES, CHECK, PARTIAL, REST, ABANDON, STATES, WARP, UPSET, FLIP, GUARDS = range(1, 13)
NONE = 0xffffffff  # no word is offered
BEHIND = 1 << 31   # a word is offered when so many beats are left, not when so many features are in
FLOWING = 1 << 31  # features run on with the reader ready
EXISTS, CLEARS = 1, 2
AFTER_RESET = Mode(two_steps=False, recurrent=Recurrent.SEQUENTIAL, merge=False)
STALLING = ("INPUT", "FC", "FINAL")  # phases that wait for neighbours


class Script:
    """Writes a script for a configuration; `words` are those so far."""

    def __init__(self, config):
        self.config, self.words = config, []
        load, beat = load_layout(config), logits_layout(config)
        self.places = [load[name].offset for name in ("buffer", "row", "slice", "data")]
        self.last, self.load_size, self.beat_size = beat["last"].offset, words_of(load.size), words_of(beat.size)
        self.model, self.mode = None, AFTER_RESET
        self.forget()
        self.spent, self.base = 0, 0

    def forget(self):
        """State and history as after a clear."""
        self.state = golden.State.zero(self.config, 1, 2)

    # --- operations ------------------------------------------------------------------------------------------
    def reset(self, model=None, cycles=1):
        """`model` is what the machine then is: thresholds of 1, mode 0, weights as they were. A word that does nothing
        is on offer all the while: nobody remembers it.
        """
        self.words += [RESET, cycles, *self.word(clear_word(0))]
        self.model, self.mode, self.spent, self.base = model, AFTER_RESET, 0, 0
        self.forget()

    def load(self, model, mode, order=None):
        """Weights, tables and registers; state and counters start from zero. `order`: random numbers that shuffle
        what comes before the registers.
        """
        words = list(images.load_words(model, mode))
        if order:
            tables = sum(word[0] != Buffer.REGISTER.value for word in words)
            words[:tables] = [words[i] for i in torch.randperm(tables, generator=order).tolist()]
        self.send(words)
        self.model, self.mode, self.spent, self.base = model, mode, 0, 0
        self.forget()

    def warp(self, value):
        """Every counter holds `value`, which no simulation would live to see it count to."""
        self.words += [REST, WARP, value]
        self.spent, self.base = 0, value

    def swap(self, model):
        """Other weights between two frames; state, registers and tables stay."""
        self.send(word for word in images.load_words(model, self.mode) if word[0] < Buffer.REGISTER.value)
        self.model = IntegerModel(self.config, model.matrices, self.model.thresholds, self.model.neurons)

    def send(self, words):
        """Words that exist: (buffer, row, slice, data)."""
        words = list(words)
        if any(word[0] < Buffer.REGISTER.value or word[0] == Buffer.DELAYS.value for word in words):
            self.state.scanned.clear()  # sums that are kept are made anew
        self._load([(word, EXISTS | CLEARS * _clears(word)) for word in words])

    def refuse(self, words):
        """Words that lead nowhere."""
        self._load([(word, 0) for word in words])

    def set(self, register, value):
        self.send([(Buffer.REGISTER.value, register.value, 0, value)])

    def threshold(self, layer, value):
        """A layer's threshold alone; state goes on. It stands in the table where other layers' neurons have theirs."""
        thresholds = self.model.thresholds.clone()
        thresholds[layer] = value
        self.model = IntegerModel(self.config, self.model.matrices, thresholds, self.model.neurons)
        if "threshold" in self.config.neuron_fields():
            self.send(images.table_words(self.model))
        else:
            self.set(Register[f"THRESHOLD{layer}"], value)

    def select(self, name, clear=3):
        """A mode by name; `clear` as the register takes it."""
        self.set(Register.MODE, ALL_MODES[name].bits)
        self.set(Register.CLEAR, clear)
        self.mode = ALL_MODES[name]
        if clear & 1:
            self.forget()
        if clear & 2:
            self.spent, self.base = 0, 0

    def frames(self, x, *, isolated=False, pause=(1, 0), stall=(1, 0), given=0, cleared_at=None, cleared_behind=None):
        """Frames x (T, F), of whose first one `given` features are in the machine already.

        `pause`, `stall`: (seed, per mille of the cycles) of features and of the reader. `cleared_at`: a clear of state
        is offered when so many features are taken, within a frame; it takes effect behind that frame.
        `cleared_behind`: likewise when so many beats of the last frame are left.
        """
        offered = [] if cleared_at is None else [x[:cleared_at // self.config.features + 1]]
        parts = [*offered, x[len(offered[0]):]] if offered else [x]
        logits = []
        for k, part in enumerate(parts):
            if k:
                self.forget()
            trace = self._golden(part)
            self._states(trace)
            logits.append(trace.results[0].numpy())
        when, word = (cleared_at - given, self.word(clear_word(1))) if offered else (NONE, [0] * self.load_size)
        if cleared_behind is not None:
            when, word = BEHIND | cleared_behind, self.word(clear_word(1))
            self.forget()
        values = (x.ravel()[given:] & 0xff).tolist()
        self.words += [FRAMES, len(values), len(x), int(isolated), *pause, *stall, when, *word, EXISTS, *values]
        for frame in np.concatenate(logits):
            self.words += self._beats(frame)

    def check(self, exact=True):
        """Counters against golden's, all of them or those that do not depend on the neighbours."""
        self.words += [REST, CHECK]
        spent, reads = self.spent
        for phase in phases(self.config):
            self.words += [int(exact or phase.name not in STALLING), self._count(spent[phase.value])]
        for count in reads:
            self.words += [1, self._count(count)]

    def partial(self, features, cycles=40):
        """Part of a frame, and a load in its middle that must wait: it would change everything."""
        self.words += [PARTIAL, len(features), cycles, *self.word(clear_word(3)), *(features & 0xff).tolist()]

    def abandon(self, x, cycles, flowing=False):
        """Frames that a reset overtakes; the reader is stalled, unless they are `flowing`."""
        self.words += [ABANDON, x.size, cycles | FLOWING * flowing, *(x.ravel() & 0xff).tolist()]

    def save(self, path):
        np.array(self.words, np.uint32).tofile(path)

    # --- what they are made of -------------------------------------------------------------------------------
    def _count(self, more):
        return self.base + int(more) & 0xffffffff

    def _load(self, words):
        self.words += [LOAD, len(words)]
        for word, flags in words:
            self.words += [*self.word(word), flags]

    def word(self, word):
        """The 32-bit words of a word of the load port."""
        return _split(sum(value << at for value, at in zip(word, self.places, strict=True)), self.load_size)

    def _beats(self, frame):
        c = self.config
        beats = frame.reshape(-1, c.results_per_beat).tolist()
        for i, beat in enumerate(beats):
            code = sum((v & (1 << c.result_bits) - 1) << k * c.result_bits for k, v in enumerate(beat))
            code |= (i == len(beats) - 1) << self.last
            yield from _split(code, self.beat_size)

    def _states(self, trace):
        """What every time step of every word of neurons leaves, in the order of the program."""
        c, found = self.config, []
        for frame in range(trace.spikes.shape[1]):
            for k, layer in enumerate(c.layers):
                n = layer.neurons
                u, s = (part[0, frame, k, :, :n].tolist() for part in (trace.potentials, trace.spikes))
                for word in range(c.words_of(k)):
                    lanes = slice(word * c.lif_lanes, min(n, (word + 1) * c.lif_lanes))
                    for step in range(self.mode.time_steps):
                        found += [c.first_word(k) + word, step, *_masked(u[step][lanes], c.potential_bits, c.lif_lanes),
                                  *_masked(s[step][lanes], 1, c.lif_lanes)]
        each = 2 + 2 * (words_of(c.lif_lanes * c.potential_bits) + words_of(c.lif_lanes))
        self.words += [STATES, len(found) // each, *found]

    def _golden(self, x):
        """Golden's trace of frames that follow; moves state and counters on."""
        steps, features = self.mode.time_steps, torch.as_tensor(x.astype(np.int32))[None]
        old = self.state
        given = golden.State(old.potentials, old.synapses, [s[:, :, :steps] for s in old.spikes], old.scanned)
        trace = golden.run(self.model, features, steps, given)
        cost = golden.cycles(self.config, self.mode, features, trace)
        spikes = []
        for before, after in zip(old.spikes, trace.state.spikes, strict=True):
            new = after[:, :len(x)]
            if steps == 1:  # those of step 1 are zero, in these frames
                new = torch.cat([new, torch.zeros_like(new)], 2)
            spikes.append(torch.cat([new, before], 1)[:, :before.shape[1]])
        self.state = golden.State(trace.state.potentials, trace.state.synapses, spikes, trace.state.scanned)
        spent, reads = (part.sum((0, 1)).numpy() for part in (cost.phases, cost.reads))
        self.spent = (spent, reads) if self.spent == 0 else (self.spent[0] + spent, self.spent[1] + reads)
        return trace


def clear_word(bits):
    """Bit 0: state, bit 1: counters."""
    return (Buffer.REGISTER.value, Register.CLEAR.value, 0, bits)


def _clears(word):
    return word[:2] == (Buffer.REGISTER.value, Register.CLEAR.value) and bool(word[3] & 2)


def _masked(values, bits, lanes):
    """(value, mask) of each 32-bit word of `lanes` values, of which the first few count."""
    code = sum((int(v) & (1 << bits) - 1) << i * bits for i, v in enumerate(values))
    mask, count = (1 << len(values) * bits) - 1, words_of(lanes * bits)
    return [part for pair in zip(_split(code, count), _split(mask, count), strict=True) for part in pair]


def _split(code, count):
    return [code >> 32 * i & 0xffffffff for i in range(count)]
