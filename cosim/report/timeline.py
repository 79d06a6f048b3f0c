"""One recorded frame as a picture, a lane for each unit and a column for each cycle; its tables; what the page's script
needs to name what is under the pointer."""

import html
import itertools

from cosim.report import units
from cosim.report.figures import Absent, Bar

FILE = "timeline.json"
COMMAND = "sottovoce report --simulate --publish"
LANE, BAR = 14, 11  # height of a lane, and of the bars in it, in units of the picture; a cycle is 1 wide
LEGEND = (("sequencer: input", "phase-input"), ("layer 0", "phase-L0"), ("layer 1", "phase-L1"),
          ("deeper layers", "phase-deep"), ("FC", "phase-fc"), ("control", "phase-control"),
          ("features and logits: one moves", "arrive"), ("scan and zero-skip: a visit", "visit"),
          ("memory: a row is read", "read"), ("PE set: adds", "add"), ("subtracts", "subtract"),
          ("holds, the row is not for it", "hold"), ("takes the input current", "load"),
          ("LIF: time step 0", "step0"), ("time step 1", "step1"), ("drain: captures", "capture"))
MOVES = {"arrive": "arrive", "beat": "arrive", "scan": "visit"}  # classes that share a colour


def recorded(results):
    """The recorded frames of the results. Raises `Absent`."""
    return results.need(FILE, "timelines", COMMAND)


def runs(line, names):
    """(first cycle, cycles, class) of each run of one class in a line of states; idle is left out."""
    kinds = [units.meaning(state, names)[1] for state in units.decode(line)]
    at = 0
    for kind, group in itertools.groupby(MOVES.get(kind, kind) for kind in kinds):
        length = len(list(group))
        if kind:
            yield at, length, kind
        at += length


def picture(frame, ident):
    """SVG of a recorded frame: as wide as its cycles; title and description are its accessible name."""
    names, lanes = frame["phases"], frame["units"]
    drawn, shown = [], set()
    for lane, line in enumerate(lanes.values()):
        paths = {}
        for at, length, kind in runs(line, names):
            paths.setdefault(kind, []).append(f"M{at} {lane * LANE + 1}h{length}v{BAR}h-{length}z")
        shown |= set(paths)
        drawn += [f'<path class="c-{kind}" d="{"".join(path)}"/>' for kind, path in paths.items()]
    height = LANE * len(lanes)
    svg = (f'<svg id="{ident}-svg" viewBox="0 0 {frame["cycles"]} {height}" preserveAspectRatio="none" role="img" '
           f'aria-labelledby="{ident}-title {ident}-desc">'
           f'<title id="{ident}-title">{html.escape(heading(frame))}</title>'
           f'<desc id="{ident}-desc">{html.escape(described(frame))}</desc>{"".join(drawn)}</svg>')
    labels = "".join(f"<li>{html.escape(unit)}</li>" for unit in lanes)
    return svg, labels, tuple(entry for entry in LEGEND if entry[1] in shown)


def heading(frame):
    return (f"Frame {frame['frame']} of {frame['recording']}, {frame['config']} in mode {frame['mode']}: "
            f"{frame['cycles']} cycles")


def described(frame):
    """The frame in sentences: what a listener hears in place of the picture."""
    parts = []
    for name, first, cycles, visits, *_ in units.totals(frame["units"], frame["phases"]):
        if name:
            parts.append(f"{name} from cycle {first}, {cycles} cycle{'s' * (cycles != 1)}"
                         + (f", {visits} visits" if visits else ""))
    return f"Lanes from top to bottom: {', '.join(frame['units'])}. Phases: {'; '.join(parts)}."


HEAD = ("phase", "first cycle", "cycles", "visits", "input rows", "rec. 0 rows", "rec. 1 rows", "FC 0 rows",
        "FC 1 rows", "PE 0 adds", "PE 1 adds", "spikes", "beats")


def table(frame):
    """Rows of `HEAD`: what every unit did under each phase, and in all."""
    rows = units.totals(frame["units"], frame["phases"])
    shown = [[name or "arrival and drain", *values] for name, *values in rows]
    sums = [sum(column) for column in list(zip(*shown, strict=True))[2:]]
    return tuple(tuple(row) for row in [*shown, ["in all", 0, *sums]])


def script_data(frame):
    """What the page's script reads."""
    return {"cycles": frame["cycles"], "phases": frame["phases"], "units": frame["units"],
            "kinds": {letter: words for letter, (words, _) in units.KINDS.items()}}


def by_phase(results):
    """Cycles of each phase, one recorded mode beside the other: a table with bars."""
    frames = recorded(results)
    if not frames:
        raise Absent(f"{FILE} has no frame: `{COMMAND}` records one.")
    names, counts = [], {}
    for frame in frames:
        counts[frame["mode"]] = {row[0] or "arrival and drain": row[2]
                                 for row in units.totals(frame["units"], frame["phases"])}
        names += [name for name in counts[frame["mode"]] if name not in names]
    names.sort(key=lambda name: name == "arrival and drain")
    most = max(count for modes in counts.values() for count in modes.values())
    rows = tuple((name, *(Bar(counts[f["mode"]].get(name, 0), str(counts[f["mode"]].get(name, 0)), most)
                          for f in frames)) for name in names)
    return {"head": ("phase", *(f"{f['mode']}, {f['cycles']} in all" for f in frames)), "rows": rows,
            "made": (results.made(FILE, "timelines", COMMAND),), "note": f"Frame {frames[0]['frame']} of "
            f"{frames[0]['recording']}, as the RTL ran it; the golden model counts the same."}
