"""A recorded frame as words: for each unit of the accelerator a line of states, one for each cycle, run-length coded.

    encode(["r3", "r3", "."])     -> "r3*2 ."
    decode("r3*2 .")              -> ["r3", "r3", "."]

A state is a letter and, for most, a number; `meaning` has them in words. Lines are small enough to be committed as
JSON and are all that the page draws: it cannot show what was not recorded.
"""

import itertools
import re

import numpy as np

from hw.interface import WEIGHT_BUFFERS, phases

IDLE = "."
GROUPS = {"input": "input", "L0": "layer 0", "L1": "layer 1", "deep": "deeper layers", "fc": "FC", "control": "control"}
SKIPS = ("zero-skip, low half", "zero-skip, high half")
STATE = re.compile(r"([a-z.])(-?\d*)(?:\*(\d+))?$")
KINDS = {  # letter -> (in words, with the state's number; the class that the page colours it by)
    "f": ("feature {} arrives", "arrive"), "s": ("feature {}: next nonzero digits", "scan"),
    "v": ("visits neuron {}", "visit"), "r": ("row {} is read", "read"),
    "a": ("adds the row, shifted by {}", "add"), "n": ("subtracts the row, shifted by {}", "subtract"),
    "h": ("holds: no digit or spike for this set", "hold"), "l": ("takes the input current", "load"),
    "e": ("time step 0: {} of the word's neurons fire", "step0"),
    "g": ("time step 1: {} of the word's neurons fire", "step1"),
    "c": ("captures both sets' sums", "capture"), "b": ("beat {} of logits leaves", "beat"),
}


def encode(states):
    """Run-length code of a list of states."""
    runs = ((state, len(list(group))) for state, group in itertools.groupby(states))
    return " ".join(state if count == 1 else f"{state}*{count}" for state, count in runs)


def decode(line):
    """The states of a line, one a cycle. Raises `ValueError` quoting what is no state."""
    states = []
    for token in line.split():
        found = STATE.match(token)
        if not found or (found[1] not in KINDS and found[1] not in (IDLE, "p")):
            raise ValueError(f"timeline: {token!r} is no state: wanted a letter of .p{''.join(KINDS)}, number, *count")
        states += [found[1] + found[2]] * int(found[3] or 1)
    return states


def group_of(phase):
    """The part of the network that a phase belongs to: a key of `GROUPS`."""
    layer = re.match(r"L(\d+)_", phase)
    if layer:
        return f"L{layer[1]}" if f"L{layer[1]}" in GROUPS else "deep"
    return {"INPUT": "input", "COMBINE": "input", "FC": "fc"}.get(phase, "control")


def meaning(state, names):
    """(words, class) of a state; `names` are the configuration's phases."""
    letter, number = state[0], state[1:]
    if letter == IDLE:
        return "", ""
    if letter == "p":
        return names[int(number)], f"phase-{group_of(names[int(number)])}"
    words, kind = KINDS[letter]
    return words.format(number), kind


def _scanned(config, phase):
    """The layer whose spikes a phase scans."""
    if phase == "FC":
        return len(config.layers) - 1
    layer = int(re.match(r"L(\d+)_", phase)[1])
    return layer - phase.endswith("FORWARD")


def lines(frame):
    """Unit -> line of states of a `recorder.Frame`, in the order of the data's way through the machine."""
    s, config, count = frame.samples, frame.config, len(frame)
    names = [phase.name for phase in phases(config)]

    def states(letter, values, where):
        return [f"{letter}{v}" if w else IDLE for v, w in zip(values, where, strict=True)]

    found = {"sequencer": states("p", s["phase"], s["idle"] == 0),
             "input buffer": states("f", np.cumsum(s["taken"]) - 1, s["taken"]),
             "input scan": states("s", s["digits__index"], s["digits__advance"])}
    rows = [np.asarray(s[f"spikes__visits__{half}"]) >> 1 for half in range(2)]
    valid = [(s[f"spikes__visits__{half}"] & 1) * s["spikes__advance"] for half in range(2)]
    for half, unit in enumerate(SKIPS):
        neurons = [row + (config.half_of(_scanned(config, names[p])) if half and w else 0)
                   for row, p, w in zip(rows[half], s["phase"], valid[half], strict=True)]
        found[unit] = states("v", neurons, valid[half])
    for name, read in frame.reads().items():
        found[f"{name} weights"] = states("r", read, read >= 0)
    slot = np.concatenate([[0], (s["digits__advance"] | valid[0] | valid[1])[:-1]])  # acts on the row read before
    for k in range(2):
        found[f"PE set {k}"] = [_pe(*(s[f"pe{k}_{part}"][i] for part in ("gate", "shift", "negate", "load")), slot[i])
                                for i in range(count)]
    found["LIF"] = [("eg"[s["seen_step"][i]] + str(s["fired"][i])) if s["seen"][i] else IDLE for i in range(count)]
    beats = np.cumsum(s["arrived"]) - 1
    found["logit drain"] = ["c" if s["capture"][i] else f"b{beats[i]}" if s["arrived"][i] else IDLE
                            for i in range(count)]
    return {unit: encode(line) for unit, line in found.items()}


def _pe(gate, shift, negate, load, slot):
    if load:
        return "l"
    if gate:
        return f"{'n' if negate else 'a'}{shift}"
    return "h" if slot else IDLE


def totals(unit_lines, names):
    """What every unit did, by phase: rows (phase, first cycle, cycles, neurons or features visited, rows read of each
    buffer, additions of each PE set, spikes, beats). PE sets and LIF act in the cycle after the slot that asks for it,
    and are counted under that slot's phase. Cycles before and after the slots, and what falls in them, come under "".
    """
    states = {unit: decode(line) for unit, line in unit_lines.items()}
    phase = [names[int(state[1:])] if state != IDLE else "" for state in states["sequencer"]]
    late = [""] + phase[:-1]

    def during(unit, name, when):
        return [state for now, state in zip(when, states[unit], strict=True) if now == name and state != IDLE]

    table = []
    for name in dict.fromkeys(phase):
        visits = sum(len(during(unit, name, phase)) for unit in ("input scan", *SKIPS))
        reads = [len(during(f"{buffer} weights", name, phase)) for buffer in WEIGHT_BUFFERS]
        adds = [sum(state[0] in "an" for state in during(f"PE set {k}", name, late)) for k in range(2)]
        fired = sum(int(state[1:]) for state in during("LIF", name, late))
        beats = sum(state[0] == "b" for state in during("logit drain", name, phase))
        table.append([name, phase.index(name), phase.count(name), visits, *reads, *adds, fired, beats])
    return table
