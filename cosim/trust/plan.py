"""The coverage plan: what a run of the accelerator must have met, as cocotb-coverage's points and bins.

    hits(record, config)   ->  {"point: bin": times} of one run, bins that were not met included

`record`: what `watched.columns` names, a row of 32-bit words a cycle. A bin is met when the thing happened in the RTL,
not when a bench meant it to. The docstring of each function says what its bins are.
"""

import numpy as np
from cocotb_coverage.coverage import CoverPoint, coverage_db

from cosim.trust import plan_options
from cosim.trust.record import Run
from hw.interface import MODES, WEIGHT_BUFFERS, Buffer, Recurrent
from hw.program import Kind, program, sources
from hw.types import Gate, Mask

LENGTHS = {"1 cycle": (1, 1), "2 to 15": (2, 15), "16 to 99": (16, 99), "100 and more": (100, 1 << 30)}
SHARES = {"none": (0, 0), "up to a quarter": (1e-9, 0.25), "up to half": (0.2500001, 0.5),
          "up to three quarters": (0.5000001, 0.75), "nearly all": (0.7500001, 0.9999), "all": (1, 1)}


def _lengths(high):
    """How long a signal is high in a row, each time."""
    edges = np.flatnonzero(np.diff(np.r_[0, high.astype(np.int8), 0]))
    return edges[1::2] - edges[::2]


def _within(values, ranges):
    return [name for name, (low, high) in ranges.items() for value in np.unique(values) if low <= value <= high]


# --- points: each gives (bins, the bins that were met, in any order and number) --------------------------------------
def skipping(run):
    """Every type of zero-skipping: A of the features; B, one time step; C merged; D as published, union; and those
    that they are measured against (step after step).
    """
    types = dict.fromkeys(name for mode in MODES.values() for name in ["A", *_order(run.config, mode)])
    return list(types), [name for _, name in _scans(run) if name in types]


def hand_overs(run):
    """Every type after every type that can come before it, within a frame, from frame to frame, in every mode."""
    names, wanted = [name for _, name in _scans(run)], set()
    for mode in MODES.values():
        order = ["A", *_order(run.config, mode)]
        wanted |= {f"{a} > {b}" for a, b in zip(order, order[1:] + order[:1], strict=True)}
    met = [f"{a} > {b}" for a, b in zip(names, names[1:], strict=False)]
    return sorted(wanted), [name for name in met if name in wanted]


def _order(config, mode):
    """Types of a frame's scans, in order, without those that the same type follows."""
    found = []
    for step in program(config):
        if step.kind is Kind.SCAN:
            found += ["B"] if not mode.two_steps else {
                Recurrent.UNION: ["D union"], Recurrent.PARALLEL: ["D published"],
                Recurrent.SEQUENTIAL: ["D one by one"] * 2}[mode.recurrent]
        elif step.kind is Kind.FC:
            one = ["FC step 0"] if not mode.two_steps else ["C merged"] if mode.merge else ["FC step 0", "FC step 1"]
            found += one * config.passes
    return found


def _scans(run):
    """(cycle, type) of all scans in order, features' included."""
    found = [(at, "A") for at in run.frames()]
    recurrent = run["sequencer.mode"] >> 1 & 3
    for at in run.starts():
        mask, gate = run["sequencer.spikes__mask"][at], run["sequencer.spikes__gate"][at]
        if run.kinds[at] == Kind.FC.value:
            name = {Gate.MERGED.value: "C merged", Gate.STEP0.value: "FC step 0", Gate.STEP1.value: "FC step 1"}[gate]
        elif gate == Gate.STEP0.value:
            name = "B"
        else:
            name = "D union" if mask == Mask.UNION.value else (
                "D one by one" if recurrent[at] == Recurrent.SEQUENTIAL.value else "D published")
        changes = run.config.changes() and run["sequencer.spikes__change"][at]
        found.append((at, name + " of changes" * bool(changes)))
    return sorted(found)


def density(run):
    """How many of a layer's neurons fired, where a scan of them opens: none to all, by layer and time step."""
    bins, met, starts = [], [], run.starts()
    for index, (layer, matrix) in enumerate(sources(run.config)):
        neurons = run.config.layers[layer].neurons
        here = starts[run["sequencer.source"][starts] == index]
        for step in range(2):
            part = run.record[here, run.at[f"spike_select.chosen__{step}"]]
            fired = np.unpackbits(np.ascontiguousarray(part).view(np.uint8), axis=1).sum(1) / neurons
            label = f"layer {layer}{' ' + matrix if matrix else ''}, step {step}: "
            bins += [label + name for name in SHARES]
            met += [label + name for name in _within(fired, SHARES)]
    return bins, met


def rows(run):
    """The first and the last row of each weight buffer: written, and read by a frame."""
    c, bins, met = run.config, [], []
    for name, (count, _) in c.sizes().items():
        last = (c.groups_of(0) - 1) * c.input_rows + c.features - 1 if name == "input" else count - 1
        enable, write = (run[f"{name}_weights.{port}"] != 0 for port in ("enable", "write"))
        address = run[f"{name}_weights.address"]
        for doing, cycles, ends in (("written", write, (0, count - 1)), ("read", enable & ~write, (0, last))):
            for end, row in zip(("first", "last"), ends, strict=True):
                bins.append(f"{name}, {end} row {doing}")
                met += [bins[-1]] * bool((run.live & cycles & (address == row)).any())
    return bins, met


def thresholds(run):
    """A potential one below its threshold, on it, and one above, in each layer."""
    c, bins, met = run.config, [], []
    at = run.when("lif.enable")
    layers, limit, v = run["lif.layer"][at], run["lif.threshold"][at].astype(np.int64), run.compared(at)
    for k in range(len(c.layers)):
        away = np.unique(v[layers == k] - limit[layers == k, None])
        for name, distance in (("one below", -1), ("on it", 0), ("one above", 1)):
            bins.append(f"layer {k}: {name}")
            met += [bins[-1]] * bool((away == distance).any())
    return bins, met


def potentials(run):
    """Potentials before a spike: at both ends of their range, negative, zero, positive, in each layer."""
    c, bins, met = run.config, [], []
    at, top = run.when("lif.enable"), (1 << c.potential_bits - 1) - 1
    v = run.compared(at)
    ranges = {"lowest": (-top - 1, -top - 1), "negative": (-top, -1), "zero": (0, 0), "positive": (1, top - 1),
              "highest": (top, top)}
    for k in range(len(c.layers)):
        bins += [f"layer {k}: {name}" for name in ranges]
        met += [f"layer {k}: {name}" for name in _within(v[run["lif.layer"][at] == k], ranges)]
    return bins, met


def sums(run):
    """The largest sums of both signs that there can be: of the features' groups, of layer 1 on, of the FC."""
    c, bins, met = run.config, [], []

    def ends(label, cycles, names, low, high):
        values = np.concatenate([run.lanes(name, c.accumulator_bits, c.lanes, cycles).ravel() for name in names]
                                ) if len(cycles) else np.zeros(0)
        for name, value in (("least", low), ("most", high)):
            bins.append(f"{label}: {name}, {value}")
            met.extend([bins[-1]] * bool((values == value).any()))

    limit = c.weight_limit
    ends("low digits", run.when("pe_set0.load"), ["pe_set0.accumulators"], -c.features * limit * c.digit_limit,
         c.features * limit * c.digit_limit)
    ends("input current", run.when("pe_set0.load"), ["combine.current"],
         *(x * c.features * limit + (1 << c.input_shift >> 1) >> c.input_shift for x in (-127, 128)))
    last = len(c.layers) - 1
    inputs = c.layers[last - 1].neurons + c.layers[last].neurons * c.layers[last].recurrent if last else 0
    if last:
        at = run.when("lif.enable")
        at = at[run["lif.layer"][at] == last]
        ends(f"layer {last}", at, ["pe_set0.accumulators", "pe_set1.accumulators"], -inputs * limit,
             inputs * (limit - 1))
    ends("FC", run.when("logit_drain.capture"), ["pe_set0.accumulators", "pe_set1.accumulators"],
         -2 * c.last.neurons * limit, 2 * c.last.neurons * (limit - 1))
    return bins, met


def streams(run):
    """Features: starved for 1 cycle to over 100; logits: stalled likewise; loads: kept waiting; frames back to back,
    and with a pause between; the drain holding the FC up; a frame starving at its first feature, and at its last.
    """
    bins, met, live = [], [], run.live
    for label, high in (("features starve", run["starved"] != 0),
                        ("logits wait", (run["logits_valid"] != 0) & (run["logits_ready"] == 0)),
                        ("a load waits", (run["load_valid"] != 0) & (run["load_ready"] == 0))):
        bins += [f"{label}: {name}" for name in LENGTHS]
        met += [f"{label}: {name}" for name in _within(_lengths(high & live), LENGTHS)]
    taken = (run["x_valid"] != 0) & (run["x_ready"] != 0) & live
    idle = (run["idle"] != 0) & live
    cases = {
        "the next frame's features come in while the FC runs": taken & (run.kinds == Kind.FC.value),
        "the drain holds the FC up": (run.kinds == Kind.FC.value) & (run["sequencer.drain_ready"] == 0) & live,
        "the drain holds the last pass up": (run.kinds == Kind.FINAL.value) & (run["sequencer.drain_ready"] == 0)
        & live,
        "a load is taken as soon as a frame's last pass is captured": (run["load_valid"] != 0) & live
        & (run["load_ready"] != 0) & np.r_[False, False, run.kinds[:-2] == Kind.FINAL.value],
        "idle between two frames": idle & np.r_[False, run["idle"][:-1] == 0],
        "a frame begins in the cycle after another's last slot": np.r_[False, run.kinds[:-1] == Kind.FINAL.value]
        & (run.kinds == Kind.INPUT.value) & (run["sequencer.digits__first"] != 0)
        & (run["sequencer.digits__advance"] != 0) & live,
    }
    bins += cases
    met += [name for name, happened in cases.items() if happened.any()]
    return bins, met


def modes(run):
    """Every mode after every mode, from one frame to the next, with the state cleared in between and without."""
    at = run.frames()
    names, cleared = run.modes(at), np.cumsum((run["load_port.clear_state"] != 0) | ~run.live)
    bins = [f"{a} > {b}, state {how}" for a in MODES for b in MODES for how in ("kept", "cleared")]
    met = [f"{a} > {b}, state {'kept' if cleared[i] == cleared[j] else 'cleared'}"
           for a, b, i, j in zip(names, names[1:], at, at[1:], strict=False)]
    return bins, [name for name in met if name in bins]


def reloads(run):
    """Each buffer, and the registers, written after a frame and before another."""
    at, bins = run.frames(), []
    names = {name.upper(): Buffer[name.upper()].value for name in WEIGHT_BUFFERS} | {"REGISTER": Buffer.REGISTER.value}
    if run.config.neuron_bits:
        names["NEURONS"] = Buffer.NEURONS.value
    if run.config.delays():
        names["DELAYS"] = Buffer.DELAYS.value
    met = []
    for name, number in names.items():
        bins.append(f"{name.lower()} between two frames")
        written = np.flatnonzero((run["load_port.taken"] >> number & 1).astype(bool) & run.live)
        met += [bins[-1]] * bool(len(at) and (written > at[0]).any() and (written < at[-1]).any())
    bins.append("255 words refused")
    return bins, met + ["255 words refused"] * bool((run["load_errors"] == 255).any())


def resets(run):
    """A reset in each position of the sequencer, while logits wait, while a frame starves, while a word is on offer."""
    begins = np.flatnonzero(np.diff(run["rst"].astype(np.int8)) == 1)  # the cycle before
    bins = [f"in {step.name}" for step in run.steps]
    met = [bins[position] for position in run["sequencer.position"][begins]]
    cases = {"while logits wait": run["logits_valid"], "while a frame starves": run["starved"], "while idle":
             run["idle"], "with a word on offer": np.r_[run["load_valid"][1:], 0]}
    return bins + list(cases), met + [name for name, high in cases.items() if (high[begins] != 0).any()]


def features(run):
    """Features of both ends, zero, one digit, the most digits; the first and the last of a frame."""
    at = run.when("x_valid", "x_ready")
    x = run["x"][at].astype(np.int64)
    x = np.where(x > 127, x - 256, x)
    bins = {"-128": -128, "-1": -1, "0": 0, "1": 1, "127": 127, "85, most digits": 85, "-85, most digits": -85}
    return list(bins), [name for name, value in bins.items() if (x == value).any()]


POINTS = (skipping, hand_overs, density, rows, thresholds, potentials, sums, streams, modes, reloads, resets, features)


def points(config):
    """Those that a configuration is counted by; sums that are kept apart begin elsewhere, and `tiny` has `sums`."""
    return (*(p for p in POINTS if p is not sums or not config.serial_combine), *plan_options.points(config))


def hits(record, config):
    """"point: bin" -> times, of every bin of the plan."""
    run, found = Run(record, config), {}
    for point in points(config):
        bins, met = point(run)
        name = f"{config.name}.{point.__name__}"
        coverage_db.pop(name, None)

        @CoverPoint(name, bins=bins)
        def sample(value):
            """cocotb-coverage counts it."""

        for value in met:
            sample(value)
        for value, times in coverage_db[name].detailed_coverage.items():
            found[f"{point.__name__}: {value}"] = times
    return found


def merged(runs):
    """Hits of several runs added up."""
    return {name: sum(run[name] for run in runs) for name in runs[0]}
