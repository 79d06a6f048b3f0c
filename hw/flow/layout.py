"""A block, or a whole configuration, from netlist to GDS in numbered steps that resume, and checks of what came out.

    sottovoce layout --config paper --block input_scan      the smallest block: minutes
    sottovoce layout --config tiny                          the whole design, with its SRAM macros
    sottovoce layout --config tiny --until 05_global_route  not the wires, which take longest

Needs `sottovoce synth` of the same configuration before. The steps are constraints/openroad/NN_*.tcl; each leaves its
database, a DEF, a log and a JSON of its figures, and is not run again unless what it reads has changed. Then GDS,
design rules and layout against schematic by KLayout where it and the PDK's decks are there, and pictures. Without
`openroad` on PATH the configurations for OpenROAD-flow-scripts and LibreLane are still written.
"""

import hashlib
import json
import math
import re
import shutil
import subprocess

from hw import store
from hw.flow.lib import (
    aliases,
    floorplan,
    layout_pictures,
    layout_report,
    layout_settings,
    other_flows,
    pdk_files,
    runs,
    verify,
)
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError
from hw.flow.lib.sta_tool import tcl
from hw.flow.lib.tools import watched

STEPS = layout_report.STEPS
ANTENNA_ROUNDS = 4  # detailed routes at most; every net that one left with a violation gets one more diode a gate


def version():
    """The version that `openroad` reports, e.g. "v2.0-5624-gc653563d31"."""
    done = subprocess.run(["openroad", "-version"], capture_output=True, text=True)
    return (done.stdout + done.stderr).split()[0] if done.stdout + done.stderr else "unknown"


def script_of(step):
    """Text of a step with what it sources."""
    names = ["00_common", step, *(["tracks"] if step == STEPS[0] else [])]
    return "".join((layout_settings.SCRIPTS / f"{name}.tcl").read_text() for name in names)


def digests(values):
    """Step -> digest of all that it and the steps before it read: a step whose digest is unchanged is up to date."""
    netlist = layout_settings.digest_of(values["netlist"].read_text(), values["top"])
    out, before = {}, hashlib.sha256(netlist.encode() + values["sdc"].read_bytes()).hexdigest()
    for step in STEPS:
        text = script_of(step)
        read = {name: str(values[name]) for name in sorted(set(re.findall(r"\b(\w+)\b", text)) & set(values))
                if name != "threads"}
        before = out[step] = hashlib.sha256(json.dumps([before, text, read]).encode()).hexdigest()
    return out


def run_step(step, values, folder, digest):
    """Run one step unless it is up to date; returns its figures."""
    kept = folder / f"{step}.json"
    done = store.read_json(kept)
    if done.get("digest") == digest and (folder / f"{step}.odb").is_file():
        return done["figures"]
    kept.unlink(missing_ok=True)  # whoever finds it finds the database of this very run
    source, log = folder / f"{step}.run.tcl", folder / f"{step}.log"
    source.write_text("".join(f"set {k} {tcl(v)}\n" for k, v in (values | {"out_dir": folder.resolve()}).items())
                      + f"source {{{layout_settings.SCRIPTS / '00_common.tcl'}}}\n"
                      f"source {{{layout_settings.SCRIPTS / (step + '.tcl')}}}\nexit\n")
    text = watched(["openroad", "-no_splash", "-exit", str(source)], f"{values['top']} {step}", log,
                   layout_report.detail_progress)
    if f"\nEND {step}" not in text:
        errors = re.findall(r"^.*ERROR.*|^Error.*", text, re.M)
        raise FlowError(f"openroad {step}: {errors[0][:300] if errors else 'stopped early'} (log: {log})")
    found = layout_report.figures(text)
    store.write_json(kept, {"digest": digest, "figures": found})
    return found


def run_steps(values, folder, until=STEPS[-1]):
    """All steps up to `until`: step -> figures. Routes again, with diodes, while a net breaks an antenna rule."""
    values = dict(values)
    kept = folder / "antenna_nets.json"
    known = store.read_json(kept)
    base = digests(values)["05_global_route"]
    if known.get("of") != base:
        known = {"of": base, "nets": [], "rounds": 0}
    while True:
        values["antenna_nets"] = known["nets"]
        wanted, out = digests(values), {}
        for step in STEPS[:STEPS.index(until) + 1]:
            if step == "07_finish" and out["06_detailed_route"]["antennas"]:
                break
            out[step] = run_step(step, values, folder, wanted[step])
        else:
            return out
        nets = layout_report.antenna_nets((folder / "antennas.rpt").read_text())
        if not nets or known["rounds"] + 1 >= ANTENNA_ROUNDS:
            break
        known |= {"nets": sorted([*known["nets"], *nets]), "rounds": known["rounds"] + 1}
        store.write_json(kept, known)
    out["07_finish"] = run_step("07_finish", values, folder, wanted["07_finish"])
    return out


def finished(values, library, files, folder, steps, args):
    """GDS, checks and pictures of a routed design; the record of it."""
    out = layout_report.record(steps, {step: (folder / f"{step}.log").read_text() for step in STEPS})
    out |= verify.verify(values, files, folder, decks=args.drc, lvs_wanted=not args.no_lvs)
    out["pictures"] = layout_pictures.draw(values, files, folder, f"{args.config} {args.block}, {library.name}")
    return out


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--block", default=layout_settings.TOP, help="module, pe_array, lif, … (default: the whole)")
    parser.add_argument("--period", type=float, default=20.0, help="clock period in ns (default: %(default)s)")
    parser.add_argument("--utilisation", type=float, default=60.0,
                        help="percent of the room for cells that they fill as synthesised (default: %(default)s)")
    parser.add_argument("--route-rounds", type=int, default=30,
                        help="rounds of the global router against overflow (default: %(default)s)")
    parser.add_argument("--detail-rounds", type=int, default=64, help="of the detailed router (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the detailed router (default: %(default)s)")
    parser.add_argument("--until", choices=STEPS, default=STEPS[-1], help="last step (default: %(default)s)")
    parser.add_argument("--drc", nargs="*", default=["minimal"], help="decks of design rules (default: minimal)")
    parser.add_argument("--no-lvs", action="store_true", help="leave out layout against schematic")


def checked(args):
    """Refuse what no run could use."""
    for name, low, high in (("utilisation", 5, 95), ("route_rounds", 1, 1000), ("detail_rounds", 1, 64),
                            ("threads", 1, 256)):
        if not low <= getattr(args, name) <= high:
            raise FlowError(f"--{name.replace('_', '-')} {getattr(args, name):g}: wanted {low} to {high}")
    if not 0 < args.period < math.inf:
        raise FlowError(f"--period {args.period:g}: wanted a period in ns above 0")


def corners_of(args, library):
    """Corner -> library, the typical one first; only one where a library has no more."""
    return {name: library if name == "typ" else libraries.load(args.lib, args.pdk, name)
            for name in (libraries.CORNERS if library.name == "ihp-sg13g2" else ("typ",))}


def run(args):
    """Write the configurations; lay out, check and draw where `openroad` is there; print the record."""
    checked(args)
    config, library, base = runs.opened(args)
    result = runs.synthesised(base, args)
    modules = {b["module"] for b in result["blocks"].values()}
    if args.block not in modules:
        raise FlowError(f"--block {args.block!r}: wanted one of {', '.join(sorted(modules))}")
    folder = base / "layout" / args.block
    folder.mkdir(parents=True, exist_ok=True)
    files = pdk_files.find(library, args.pdk)
    values = layout_settings.settings(
        corners_of(args, library), result, base.resolve(), args.block, files, period=args.period,
        utilisation=args.utilisation, route_rounds=args.route_rounds, detail_rounds=args.detail_rounds,
        threads=args.threads)
    mapped = values["netlist"].read_text()
    values["netlist"] = (folder / "netlist.v").resolve()
    values["netlist"].write_text(aliases.buffered(mapped, library.cells.cells[library.buffers[0]]))
    other_flows.write(values, library, folder.resolve())
    print(f"{folder}: config.mk (OpenROAD-flow-scripts), config.json (LibreLane)")
    if not shutil.which("openroad"):
        raise FlowError("openroad is missing: install it from github.com/The-OpenROAD-Project/OpenROAD/releases, "
                        "or give the configurations above to OpenROAD-flow-scripts or LibreLane")
    steps = run_steps(values, folder, args.until)
    if args.until != STEPS[-1]:
        print(json.dumps(steps, indent=1))
        return
    area = layout_settings.area_of(result, args.block)
    content = area + sum(w * h for m in layout_settings.macros_of(result, args.block).values()
                         for w, h in [floorplan.macro_size(values["lefs"], m)])
    out = finished(values, library, files, folder, steps, args) | {
        "config": config.name, "library": library.name, "block": args.block, "period_ns": args.period,
        "corners": values["corners"], "synthesised_um2": round(area, 1), "content_um2": round(content, 1),
        "netlist_sha256": layout_settings.digest_of(mapped, args.block), "command": args.command,
        "tool_versions": {"openroad": version(), **verify.versions()}}
    store.write_json(folder / "layout.json", out)
    print(json.dumps(out, indent=1))
