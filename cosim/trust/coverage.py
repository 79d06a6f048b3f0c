"""Coverage: what constrained random runs met of the plan's bins, and which lines, branches and toggles of the RTL.

    sottovoce coverage                            `CONFIGURATIONS`, seeds 1 to 3, merged
    sottovoce coverage --config tiny --seeds 7    one, and another seed

The scenarios that mutants are played (`cosim/trust/scenarios.py`) run on the design itself, compiled with Verilator's
own coverage; every cycle is recorded, and the plan (`cosim/trust/plan.py`) finds in the record what happened. Golden
checks all of it meanwhile. A bin, line, branch or toggle that was not met is named; a reason stands beside it
(`REASONS`, `WAIVED`) or none does. 1 where less is covered than is promised.
"""

import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

from cosim import results
from cosim.errors import HarnessError
from cosim.rtl import builder, geometry, harness, probes
from cosim.trust import mutants, plan, scenarios, watched
from hw import store
from hw.flow.lib.tools import Progress
from sw import options

ROOM = Path(__file__).parents[1]
KINDS = {"line": 98, "branch": 95, "toggle": 90}  # per cent promised
CONFIGURATIONS = ("tiny", "serial-lif", "kept-packed-guarded")
WRITERS = "dump_module"  # a line of Yosys's writer, always false, that makes a block of constants run once
WAIVED = {     # bin (a pattern) -> why it cannot be met
    r"tiny, potentials: layer 1: (low|high)est": "32 inputs of -8 to 7 and a leak of a quarter stay within -16,384 and "
                                                 "14,336: half of what the potential holds",
    r"kept-packed-guarded, potentials: layer 1: (low|high)est": "28 inputs, as in tiny: within -14,336 and 12,544",
    r"serial-lif, potentials: layer 1: lowest": "while negative it does not fire, and the 40 inputs that are left draw "
                                                "it to -20,480 and no further",
}
REASONS = {    # hole (a pattern of "kind module: what") -> why it is one
    r"^toggle \w+: .*present": "a constant: which neurons there are",
    r"^branch load_port: .* else": "a row of one slice: the slice is always 0",
    r"^toggle (combine|zero_skip|lif):": "zeros that a shift or a wider sum brings in; below the lowest spike is none",
    r"^toggle input_scan:": "a visited digit and its neighbour are 0 from then on; the sign's copies; the carry",
    r"^toggle sequencer:": "what the program holds constant in this configuration; carries past a last row",
    r"^toggle (input_buffer|logit_drain|weight_buffer_\w+):": "a carry past the end; a choice of two constants",
    r"^toggle load_port:": "words of registers, and of buffers that are not built, are taken by nobody outside",
    r"^toggle accelerator:": "the same nets where they pass through the top",
}


def build(config):
    """Folder of `trial` around the design itself, with Verilator's coverage in it."""
    control = probes.control_file(watched.probes(config) | {"lif": sorted({
        *watched.probes(config)["lif"], *probes.HARNESS["lif"]})})
    counters = sorted(found[1] for found in re.finditer(r"counters__DOT__(\w+) = value", watched.header(config)))
    control += probes.control_file({"counters": [name.replace("___05F", "__") for name in counters],
                                    **watched.written(config)}, access="public_flat_rw").split("\n", 1)[1]
    return builder.build(builder.Design(
        label=f"{config.name}-coverage", top="accelerator",
        sources={"probes.vlt": control, "accelerator.v": builder.verilog("accelerator", config),
                 "geometry.hpp": geometry.header(config), "watched.hpp": watched.header(config)},
        mains={"trial": ROOM / "trust" / "trial.cpp"}, headers=(ROOM / "rtl" / "model_access.hpp",),
        verilator=(*harness.FAST, "--coverage-line", "--coverage-toggle"),
        defines=("-DCOVERAGE", "-DVM_COVERAGE=1", f"-I{ROOM / 'rtl'}"), optimise="-O1"))


def played(config, seed):
    """(record (T, words), Verilator's coverage as text) of a configuration's scenarios."""
    folder = build(config)
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as place, Progress(f"{config.name}: seed {seed}"):
        script, record, counts = (Path(place) / name for name in ("script", "record", "coverage.dat"))
        scenarios.script(config, seed).save(script)
        run = subprocess.run([folder / "trial", script, record, counts], capture_output=True, text=True)
        if run.returncode:
            raise HarnessError(f"{config.name}, seed {seed}: {run.stderr.strip()[-300:]}")
        columns = watched.columns(config).values()
        rows = np.fromfile(record, np.uint32).reshape(-1, max(part.stop for part in columns))
        return rows, counts.read_text()


def counted(text, verilog):
    """(kind, module, line, what) -> times, of all instances of a module, from Verilator's coverage.dat."""
    found, writers = {}, {n for n, line in enumerate(verilog.splitlines(), 1) if WRITERS in line}
    for line in text.splitlines():
        if not line.startswith("C '"):
            continue
        told, times = line[3:].rsplit("' ", 1)
        fields = dict(part.split("\x02", 1) for part in told.split("\x01") if "\x02" in part)
        kind, _, module = fields["page"].removeprefix("v_").partition("/")
        key = kind, module, int(fields["l"]), fields.get("o", "")
        if key[2] in writers:
            continue
        found[key] = found.get(key, 0) + int(times)
    return found


def shares(counts):
    """Kind -> (covered, all)."""
    return {kind: (sum(1 for key, times in counts.items() if key[0] == kind and times),
                   sum(1 for key in counts if key[0] == kind)) for kind in KINDS}


def holes(counts):
    """What was not met, as "kind module: what", bits of one net together."""
    found = {}
    for (kind, module, line, what), times in sorted(counts.items()):
        if not times:
            name = re.sub(r"(\[\d+\])?(:[01]->[01])?$", "", what) if kind == "toggle" else f"line {line} {what}"
            found[f"{kind} {module}: {name}"] = found.get(f"{kind} {module}: {name}", 0) + 1
    return found


def reason(name, reasons):
    """Why a hole is one; "" where nobody says."""
    return next((why for pattern, why in reasons.items() if re.search(pattern, name)), "")


def figures(met, counts):
    """`met`: configuration -> hits of the plan's bins, merged; `counts`: configuration -> Verilator's, merged."""
    bins = {f"{name}, {bin_}": times for name, hits in met.items() for bin_, times in hits.items()}
    missed = [name for name, times in bins.items() if not times]
    waived = {name: reason(name, WAIVED) for name in missed if reason(name, WAIVED)}
    whole = {kind: [sum(part) for part in zip(*(shares(c)[kind] for c in counts.values()), strict=True)]
             for kind in KINDS}
    left = [{"configuration": name, "hole": hole, "points": times, "reason": reason(hole, REASONS)}
            for name, c in counts.items() for hole, times in holes(c).items()]
    return {"functional_bins": len(bins), "functional_covered": len(bins) - len(missed), "waived": waived,
            "functional_missed": [name for name in missed if name not in waived],
            **{f"{kind}_coverage": round(100 * covered / max(1, every), 2) for kind, (covered, every) in whole.items()},
            "coverage_by_configuration": {name: {kind: f"{a} of {b}" for kind, (a, b) in shares(c).items()}
                                          for name, c in counts.items()},
            "coverage_holes": sorted(left, key=lambda h: -h["points"])}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", nargs="+", choices=list(mutants.SHARES), default=list(CONFIGURATIONS),
                        help=f"configurations (default: {' '.join(CONFIGURATIONS)})")
    parser.add_argument("--seeds", nargs="+", type=options.from_zero, default=[1, 2, 3],
                        help="of the scenarios, merged (default: 1 2 3)")
    store.add_publish(parser)


def run(args):
    """Play, merge, keep; 1 if a bin is missed without a reason, or less is covered than is promised."""
    torch.set_num_threads(1)
    met, counts, cycles = {}, {}, 0
    for name in args.config:
        config = mutants.configuration(name)
        hits = []
        for seed in args.seeds:
            record, text = played(config, seed)
            cycles += len(record)
            hits.append(plan.hits(record, config))
            for key, times in counted(text, builder.verilog("accelerator", config)).items():
                whole = counts.setdefault(name, {})
                whole[key] = whole.get(key, 0) + times
        met[name] = plan.merged(hits)
    found = figures(met, counts) | {"coverage_cycles": cycles, "coverage_seeds": args.seeds}
    for name, hits in met.items():
        points = {}
        for bin_, times in hits.items():
            points.setdefault(bin_.split(":")[0], []).append(times > 0)
        print(results.plain_table((name, "bins", "met"), [(p, len(b), sum(b)) for p, b in points.items()]))
    for name in found["functional_missed"]:
        print(f"missed: {name}")
    for hole in found["coverage_holes"][:40]:
        print("hole: {configuration} {hole} ({points}) {reason}".format(**hole))
    print(f"{found['functional_covered']} of {found['functional_bins']} bins, {len(found['waived'])} waived; "
          + ", ".join(f"{kind} {found[f'{kind}_coverage']} %" for kind in KINDS) + f"; {cycles:,} cycles")
    path = results.update(found, "coverage", {"command": args.command, "config": ", ".join(args.config)}, args.publish,
                          "trust.json")
    print(f"figures: {path}")
    enough = all(found[f"{kind}_coverage"] >= least for kind, least in KINDS.items())
    return 0 if enough and not found["functional_missed"] else 1
