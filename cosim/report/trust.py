"""Figures of verification: coverage, proofs, mutants, faults and soak, from trust.json, whatever of it there is."""

from cosim.report.figures import Absent, Bar, Made, plain

FILE = "trust.json"
COVERED = {"line_coverage": "lines of the emitted Verilog", "branch_coverage": "branches",
           "toggle_coverage": "toggles of nets"}
COUNTED = {"mutants": "mutants made", "killed": "killed by a test", "equivalent": "shown to change nothing",
           "survivors": "alive: no test tells them apart", "bad_inputs_tried": "bad inputs tried",
           "bad_inputs_handled": "of them refused in one line",
           "soak_frames": "frames of soak, random modes and pauses",
           "soak_differences": "of them different from the golden model"}
SHOWN = {*COVERED, *COUNTED, "functional_bins", "functional_covered", "waived", "proofs", "fault_curve", "recipes",
         "mutants_score", "guards", "guard_macros"}
CHECKS = (  # what, the command, keys of its figure, how they are said, what it would have caught
    ("mutants", "sottovoce mutants", ("killed", "mutants", "equivalent", "mutants_score"),
     "{} of {} killed, {} equivalent: {} %",
     "Thresholds cut to 14 bits on their way in, reads that count loads, counters of 16 bits, a clear of state that "
     "clears counters, idle while a frame starves: all lived once."),
    ("bins of the plan", "sottovoce coverage", ("functional_covered", "functional_bins", "waived"),
     "{} of {} met, {} waived",
     "No load had waited for less than a frame, no reset had come during an LIF step, and no sum of the low digits had "
     "reached its end, while every test passed."),
    ("lines, branches, toggles", "sottovoce coverage", ("line_coverage", "branch_coverage", "toggle_coverage"),
     "{} %, {} %, {} %", "Hardware that nothing exercises."),
    ("proofs", "sottovoce proofs", ("proofs",), "{} proofs",
     "Mode and thresholds that followed the payload of a word that was not valid: no test had noticed."),
    ("watchdog and parity, priced", "sottovoce guard-price", ("guards",), "{} machines",
     "A sequencer in a state that its program lacks, which counted on as if nothing were; a weight's bit that turned "
     "over, which nobody noticed."),
    ("an hour of speech", "sottovoce soak", ("soak_frames", "soak_differences"), "{} frames, {} differ",
     "What only long state shows: saturation, memory that grows, a run that cannot go on."),
    ("bad inputs", "sottovoce doors", ("bad_inputs_handled", "bad_inputs_tried"), "{} of {} refused in one line",
     "A configuration's name that wrote outside its folder, tables with NaN that scored, YAML that never ended."),
    ("damage", "sottovoce faults", ("fault_curve",), "{} points",
     "Nothing: it says what a flipped bit costs, by layer and bit, before somebody finds out in the field."),
)


def _values(results):
    values = results.of(FILE)
    if not values:
        raise Absent(f"{FILE} is absent: no coverage, proof or mutant is published yet.")
    return values


def _made(results, *parts):
    """Recipes of the parts that there are; of all, where none has such a name."""
    recipes = results.of(FILE).get("recipes", {})
    named = [name for name in recipes if any(part in name for part in parts)] or list(recipes)
    return tuple(results.made(FILE, name) for name in named) or (Made("see docs/verification.md", FILE),)


def _share(value):
    """A share as per cent, given as such or from 0 to 1."""
    return 100 * value if value <= 1 else value


def _number(value):
    """A count: itself, or of how many things there is a list."""
    return len(value) if isinstance(value, (list, dict)) else value


def checks(results):
    """Each check in a line: its figure, what it would have caught, its command."""
    values, rows = _values(results), []
    for name, command, keys, said, caught in CHECKS:
        known = all(key in values for key in keys)
        rows.append((name, said.format(*(plain(_number(values[key])) for key in keys)) if known else "not measured",
                     caught, command))
    return {"head": ("check", "figure", "what it would have caught", "command"), "rows": tuple(rows),
            "made": _made(results)}


def coverage(results):
    """Functional bins, lines, branches, toggles."""
    values, rows = _values(results), []
    if "functional_bins" in values:
        bins, hit = _number(values["functional_bins"]), _number(values["functional_covered"])
        rows.append(("bins of the functional plan", Bar(100 * hit / bins, f"{100 * hit / bins:.1f} %", 100),
                     f"{plain(hit)} of {plain(bins)}, {plain(_number(values.get('waived', 0)))} waived"))
    for key, name in COVERED.items():
        if isinstance(values.get(key), (int, float)):
            rows.append((name, Bar(_share(values[key]), f"{_share(values[key]):.1f} %", 100), "–"))
    if not rows:
        raise Absent(f"{FILE} has no coverage.")
    return {"head": ("what", "covered", "counts"), "rows": tuple(rows), "made": _made(results, "cover", "functional")}


def counts(results):
    """Mutants, bad inputs, soak."""
    values = _values(results)
    rows = tuple((name, plain(_number(values[key]))) for key, name in COUNTED.items() if key in values)
    if not rows:
        raise Absent(f"{FILE} has no mutants, bad inputs or soak.")
    return {"head": ("what", "count"), "rows": rows, "made": _made(results, "mutant", "soak", "bad", "fault")}


def proofs(results):
    """Formal proofs, one a row."""
    found = _values(results).get("proofs")
    if not found:
        raise Absent(f"{FILE} has no proofs.")
    columns = [key for key in ("name", "method", "depth", "solver", "seconds", "result", "broken_by")
               if any(key in row for row in found)]
    rows = tuple(tuple(plain(_told(row.get(key))) for key in columns) for row in found)
    return {"head": tuple(key.replace("_", " ") for key in columns), "rows": rows, "made": _made(results, "proof")}


def _told(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def others(results):
    """Plain values of the file that this page has no words for, by their own names."""
    values = _values(results)
    rows = tuple((key.replace("_", " "), plain(value)) for key, value in values.items()
                 if key not in SHOWN and isinstance(value, (int, float, str)))
    if not rows:
        raise Absent(f"{FILE} has nothing besides.")
    return {"head": ("what", "value"), "rows": rows, "made": _made(results)}


def more(results):
    """Whether the file has something that this page has no words for."""
    return any(key not in SHOWN for key in results.of(FILE))
