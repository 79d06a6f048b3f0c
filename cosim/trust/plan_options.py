"""The coverage plan of the options: watchdog, parity, kept sums. Points as in `cosim/trust/plan.py`.

What golden checks meanwhile makes each bin worth something: the frame after a bite, the count of wrong rows, the sums.
"""

import numpy as np

from hw.interface import ALL_MODES, WEIGHT_BUFFERS, Buffer, Recurrent
from hw.program import Kind
from hw.types import Gate
from hw.watchdog import patience


def guards(run):
    """A bite in every step of the program, by the timer; in every position that it lacks, and at its first with
    registers of later steps at work; one that waits for the reader. Waits longer than the patience, of either
    neighbour, that end without a bite. `hung` and `bites` rise, end at 255, are cleared, and go in a reset. A frame
    that ends after a bite, which golden holds to its logits.
    """
    bite, position = run["bite"] != 0, run["sequencer.position"]
    steps, astray = len(run.steps), run["watchdog.sequencer__astray"] != 0
    out = bite & ~astray & run.live
    held = run.live & (run["watchdog.stalled"] != 0) & (astray | (run["watchdog.timer"] == patience(run.config)))
    cases = {f"the timer, in {step.name}": out & (position == k) for k, step in enumerate(run.steps)}
    cases |= {f"astray, at {k}": bite & astray & (position == k)
              for k in range(steps, 1 << (steps - 1).bit_length())}
    hung, ends = run["hung"] != 0, run.kinds == Kind.FINAL.value
    falls = np.r_[False, hung[:-1] & ~hung[1:]]
    reset = run["rst"] != 0
    cases |= {
        "astray, at the first step amid later ones": bite & astray & (position == 0),
        "it waits for the reader": held,
        "255 bites": run["bites"] == 255,
        "hung, then cleared": falls & ~reset & np.r_[False, ~reset[:-1]],
        "hung, then a reset": np.r_[False, hung[:-1]] & reset,
        "a frame ends after a bite": run.live & hung & ends & (run["sequencer.watched__ends"] != 0),
    }
    for name, wait in (("features later than the patience", run["starved"]), ("a reader slower than it",
                                                                              run["watchdog.stalled"])):
        cases[name] = _longer(run.live & (wait != 0) & ~bite, patience(run.config))
    return list(cases), [name for name, happened in cases.items() if happened.any()]


def _longer(high, count):
    """Where a signal has been high for more than `count` cycles in a row."""
    at = np.arange(len(high))
    return at - np.maximum.accumulate(np.where(high, -1, at)) > count


def parity(run):
    """A wrong row read: the first, the last and another of each buffer; two at once; each buffer alone in the report;
    the same row wrong, loaded, right; the counter past 2^32; the report cleared, and gone in a reset.
    """
    c, bins, met = run.config, [], []
    failed, errors, reset = run["parity_failed"], run["parity_errors"], run["rst"] != 0
    wrong = {name: (run[f"{name}_check.wrong"] != 0) & run.live for name in WEIGHT_BUFFERS}
    for index, (name, (count, _)) in enumerate(c.sizes().items()):
        last = (c.groups_of(0) - 1) * c.input_rows + c.features - 1 if name == "input" else count - 1
        address = np.r_[0, run[f"{name}_weights.address"][:-1]].astype(np.int64)
        read = np.r_[False, (run[f"{name}_weights.enable"][:-1] != 0) & (run[f"{name}_weights.write"][:-1] == 0)]
        rows, right = address[wrong[name]], read & run.live & ~wrong[name]
        healed = any((right & (address == row) & (np.arange(len(right)) > np.flatnonzero(
            wrong[name] & (address == row))[0])).any() for row in np.unique(rows))
        for what, happened in (("first row", (rows == 0).any()), ("last row", (rows == last).any()),
                               ("another row", ((rows > 0) & (rows < last)).any()), ("right again", healed),
                               ("alone in the report", (failed == 1 << index).any())):
            bins.append(f"{name}: {what}")
            met += [bins[-1]] * bool(happened)
    fewer = np.r_[False, errors[1:] < errors[:-1]]
    falls = np.r_[False, (failed[:-1] != 0) & (failed[1:] == 0)]
    cases = {"two rows at once": sum(w.astype(int) for w in wrong.values()) > 1,
             "no row for a frame, after a wrong one": run.live & (failed != 0) & (run.kinds == Kind.FINAL.value)
             & ~_since(np.any(list(wrong.values()), axis=0), run.frames()),
             "the counter wraps": fewer & (failed != 0) & run.live,
             "cleared": falls & run.live & np.r_[False, run.live[:-1]],
             "a reset": np.r_[False, failed[:-1] != 0] & reset}
    return bins + list(cases), met + [name for name, happened in cases.items() if happened.any()]


def _since(happened, begins):
    """Whether something happened since the last of `begins`, for each cycle."""
    count = np.r_[0, np.cumsum(happened)]
    start = np.zeros(len(happened), int)
    start[begins] = begins
    return count[1:] > count[np.maximum.accumulate(start)]


def kept_sums(run):
    """Frames of mode `change` one after another: anew and kept in every order; anew for each of the reasons there are,
    alone; kept past other modes and past a write of registers.
    """
    at, c = run.frames(), run.config
    by_change = (run["sequencer.mode"][at] >> 1 & 3) == Recurrent.CHANGE.value
    kept, two = run["sequencer.kept__use"][at] != 0, run["sequencer.mode"][at] & 1
    names = _modes(run, at)
    loads = [*WEIGHT_BUFFERS, *(["delays"] if c.delays() else [])]
    reasons = {f"{name} loaded": run["load_port.taken"] >> Buffer[name.upper()].value & 1 for name in loads}
    reasons |= {"the state cleared": run["load_port.clear_state"], "a reset": run["rst"]}
    reasons |= {"a bite": run["bite"]} if c.watchdog else {}
    counts = {name: np.r_[0, np.cumsum(high != 0)] for name, high in reasons.items()}
    written = np.r_[0, np.cumsum(run["load_port.taken"] >> Buffer.REGISTER.value & 1)]
    orders = [f"{a}, then {b}" for a in ("anew", "kept") for b in ("anew", "kept")]
    bins = [*orders, *(f"anew: {name}" for name in reasons), "anew: two steps after one", "anew: one step after two",
            "kept: registers written", *(f"kept: after {name}" for name in ALL_MODES)]
    met = []
    for i, j in zip(range(len(at)), range(1, len(at)), strict=False):
        if not by_change[j]:
            continue
        if by_change[i]:
            met.append(f"{'kept' if kept[i] else 'anew'}, then {'kept' if kept[j] else 'anew'}")
        why = [name for name, total in counts.items() if total[at[j] + 1] > total[at[i] + 1]]
        if kept[j]:
            met += [f"kept: after {names[i]}"] + ["kept: registers written"] * bool(
                written[at[j]] > written[at[i] + 1])
        elif len(why) == 1 and two[i] == two[j]:
            met.append(f"anew: {why[0]}")
        elif not why and two[i] != two[j]:
            met.append("anew: two steps after one" if two[j] else "anew: one step after two")
    return bins, met


def _modes(run, at):
    known = {mode.bits: name for name, mode in ALL_MODES.items()}
    return [known.get(int(bits), "") for bits in run["sequencer.mode"][at]]


def changes(run):
    """A scan of changes, by step of the program: none, one, several, all of the neurons; only added, only subtracted,
    both in one scan; a merged value that moves by two, up and down.
    """
    bins, met = [], []
    at = run.when("sequencer.spikes__start", "sequencer.spikes__advance")
    at = at[run["sequencer.spikes__change"][at] != 0]
    bits = {name: _bits(run, name, at) for name in ("chosen__0", "chosen__1", "before__0", "before__1")}
    present = _bits(run, "present", at).sum(1)
    gates = run["sequencer.spikes__gate"][at]
    two = (run["sequencer.mode"][at] & 1)[:, None]
    rose = np.stack([bits[f"chosen__{k}"] - bits[f"before__{k}"] for k in range(2)], 1)  # (scans, 2, neurons)
    rose[:, 1] *= two
    for position, step in enumerate(run.steps):
        if step.kind not in (Kind.SCAN, Kind.FC):
            continue
        here = run["sequencer.position"][at] == position
        moved, merged = rose[here], step.kind is Kind.FC
        if merged:
            moved = np.where(gates[here, None] == Gate.MERGED.value, moved.sum(1), moved[:, 0])[:, None]
        visited, all_ = (moved != 0).any(1).sum(1), present[here]
        up, down = (moved > 0).any((1, 2)), (moved < 0).any((1, 2))
        cases = {"none": visited == 0, "one": visited == 1, "several": (visited > 1) & (visited < all_),
                 "all": visited == all_, "only added": up & ~down, "only subtracted": down & ~up, "both": up & down}
        cases |= {"by two, up": (moved == 2).any((1, 2)), "by two, down": (moved == -2).any((1, 2))} if merged else {}
        bins += [f"{step.name}: {name}" for name in cases]
        met += [f"{step.name}: {name}" for name, happened in cases.items() if happened.any()]
    return bins, met


def _bits(run, name, rows):
    part = np.ascontiguousarray(run.record[rows, run.at[f"spike_select.{name}"]])
    return np.unpackbits(part.view(np.uint8), axis=1, bitorder="little")[:, :2 * run.config.half].astype(np.int8)


def points(config):
    """Those that a configuration has."""
    return (*[guards] * config.watchdog, *[parity] * config.parity,
            *[kept_sums, changes] * bool(config.changes()))
