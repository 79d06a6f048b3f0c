"""Setup and hold of the mapped netlist at 100 kHz and at a fast clock, critical path in design names.

    sottovoce sta --config paper --lib ihp-sg13g2 --fast 10

    sottovoce sta --config tiny --layout --corner slow

Before layout cells and their loads only, and an ideal clock. `--layout` takes the netlist and the extracted wires of
`sottovoce layout`, with the clock's own arrival: of the whole, or of the blocks that have been laid out; with `--block`
of one alone.
"""

import math
import re

from hw import store
from hw.flow.lib import layout_settings, mapping, memories, routed, runs, sta_tool
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError

SLOW = 10_000.0  # ns: 100 kHz, as published


def parse(text):
    """Slacks in ns, start, end and pin list of the critical path of a `timing.tcl` run."""
    out = {}
    for kind in ("setup", "hold"):
        out[f"{kind}_slack_ns"] = float(re.search(rf"^{kind.upper()} (\S+)", text, re.M)[1])
        part = text.split(f"PATH {kind}\n")[1]
        part = re.split(r"^(?:PATH|END)", part, maxsplit=1, flags=re.M)[0]
        ends = {key: re.search(rf"^{key}: (\S+)", part, re.M) for key in ("Startpoint", "Endpoint")}
        pins = re.findall(r"^\s*(-?[\d.]+)\s+(-?[\d.]+) [\^v] (\S+) \((\S+)\)", part, re.M)
        arrival = re.search(r"(-?[\d.]+)\s+data arrival time", part)
        out[kind] = {"start": ends["Startpoint"][1] if ends["Startpoint"] else None,
                     "end": ends["Endpoint"][1] if ends["Endpoint"] else None,
                     "arrival_ns": float(arrival[1]) if arrival else None,
                     "path": [{"pin": pin, "cell": cell, "delay_ns": float(delay), "time_ns": float(time)}
                              for delay, time, pin, cell in pins]}
    for kind, part in re.findall(r"^LIMIT (\w+)\n(.*?)(?=^LIMIT|^END)", text, re.M | re.S):
        out[f"{kind}_violations"] = None if "UNCHECKED" in part else part.count("(VIOLATED)")
    return out


def analyse(library, result, folder, periods, top="accelerator", netlist=None, spefs=None):
    """Timing at each period (ns): {"100 kHz": {...}}; with extracted wires `spefs`, instance path -> file."""
    out = {}
    for period in periods:
        text = sta_tool.run("timing", folder, **sta_tool.settings(
            library, result["views"], netlist or folder / "netlist.v", top, period, spefs))
        out[clock_name(period)] = {"period_ns": period, **parse(text)}
    return out


def clock_name(period):
    hertz = 1e9 / period
    return f"{hertz / 1e3:g} kHz" if hertz < 1e6 else f"{hertz / 1e6:g} MHz"


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, corners=True)
    parser.add_argument("--layout", action="store_true", help="netlist and wires of `sottovoce layout`")
    parser.add_argument("--block", default=layout_settings.TOP, help="module to time alone (default: the whole)")
    parser.add_argument("--fast", type=float, default=10.0, help="period of the fast clock, ns (default: %(default)s)")


def run(args):
    """Analyse both clocks and print the critical path of the fast one."""
    if not 0 < args.fast < math.inf:
        raise FlowError(f"--fast {args.fast:g}: wanted a period in ns above 0")
    config, library, folder = runs.opened(args)
    result = runs.synthesised(folder, args)
    kinds = {b.macro.name: b.macro for b in memories.built(config, library, result["settings"]).values()}
    views = mapping.write_views(kinds, library, folder)  # of this corner
    result["views"] = layout_settings.mended(views, folder / "views" / library.corner)
    netlist, spefs, stage = folder / "netlist.v", {}, "synthesised"
    if args.layout:
        alone = args.block != layout_settings.TOP
        place, blocks, spefs = routed.collect(folder, library, [args.block] if alone else None)
        netlist, stage = place / "netlist.v", "routed"
        if alone:
            spefs = {"": place / f"{args.block}.spef"}
        print(f"routed: {', '.join(blocks)}")
        if not alone and layout_settings.TOP not in blocks:
            stage = routed.stage_of(blocks)
            print("hold between a routed block, whose clock has a tree, and the rest, whose clock has none yet, says "
                  "nothing: time a block alone with --block")
    timing = analyse(library, result, folder, (SLOW, args.fast), args.block, netlist, spefs)
    name = "-".join([*([stage] if args.layout else []), *([args.block] if args.block != layout_settings.TOP else [])])
    target = folder / f"sta-{library.corner}{name and '-' + name}.json"
    store.write_json(target, {"config": config.name, "library": library.name, "corner": library.corner, "stage": stage,
                              "block": args.block,
                              "timing": timing, "command": args.command,
                              "tool_versions": {"sta": sta_tool.version()}})
    for name, t in timing.items():
        print(f"{name}: setup slack {t['setup_slack_ns']:.3f} ns, hold slack {t['hold_slack_ns']:.3f} ns, "
              f"{t['max_slew_violations']} slew violations, of loads "
              f"{'not checked' if t['max_capacitance_violations'] is None else t['max_capacitance_violations']}")
    worst = timing[clock_name(args.fast)]["setup"]
    print(f"critical path, {worst['arrival_ns']} ns, {worst['start']} -> {worst['end']}:")
    for step in worst["path"]:
        print(f"  {step['delay_ns']:7.3f} {step['time_ns']:7.3f}  {step['pin']} ({step['cell']})")
    print(f"OpenSTA {sta_tool.version()}; {target}")
