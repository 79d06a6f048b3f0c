"""A configuration mapped to a library: cells, area, flip-flops and depth by block.

    sottovoce synth --config paper --lib ihp-sg13g2

Leaves, under build/physical/CONFIG/LIB/VARIANT: `netlist.v` and `netlist.json` (hierarchical, fan-out bounded),
`synth.json`, `synth.md`, `area.png`.
"""

import hashlib
from pathlib import Path

from hw import store
from hw.flow.lib import area, clock_gates, mapping, memories, runs, yosys
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist


def synthesise(config, library, folder, *, goal="area", adders="ripple", gating=True, nested=False,
               weak=False, prefer="area", memory="macros", top="accelerator", made_by=""):
    """Map one configuration; returns the report as plain values and leaves the netlist in `folder`.

    `memory` "flip-flops" maps the memories' own RTL to cells, for a netlist without macros. `made_by` is the command
    for the report's own line; what an older netlist left in `folder` goes. `nested`: `clock_gates.nest`; `weak`: nets
    of many sinks are split by the library's weakest buffers.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs.forget(folder)
    if memory not in ("macros", "flip-flops"):
        raise FlowError(f"memory={memory!r}: wanted macros or flip-flops")
    chosen = {"prefer": prefer, "memories": memory}
    buffers = memories.built(config, library, chosen)
    files, kinds = mapping.sources(config, buffers, folder, top)
    if top != "accelerator":
        buffers = {}
    views = mapping.write_views(kinds, library, folder) if buffers else []
    log, seconds, peak = yosys.run(
        mapping.passes(files, library, folder, top=top, goal=goal, adders=adders, gating=gating), folder, "synth")
    warnings = yosys.triage(log)
    netlist = Netlist(folder / "mapped.json", library.cells.cells, top)
    if nested:
        clock_gates.nest(netlist)
    drive = library.buffers[0] if weak else library.drive
    added = netlist.buffer_fanout(mapping.FANOUT, drive, ties=(library.tie_high[0], library.tie_low[0]))
    netlist.tidy()
    netlist.save(folder / "netlist.json")
    mapping.to_verilog(folder, "netlist.json", "netlist.v")
    result = area.synthesis(config, library, netlist, buffers)
    result |= {
        "settings": {"goal": goal, "adders": adders, "clock_gating": gating, **chosen,
                     **{key: True for key, on in (("nested_gates", nested), ("weak_buffers", weak)) if on},
                     "fanout": mapping.FANOUT},
        "fanout_buffers": added, "warnings": warnings, "seconds": round(seconds, 1), "peak_mb": peak,
        "rtl_sha256": hashlib.sha256((folder / "rtl.v").read_bytes()).hexdigest(),
        "views": [str(v) for v in views], "command": made_by, "tool_versions": {"yosys": yosys.version()}}
    if result["total"]["latches"]:
        raise FlowError(f"{result['total']['latches']} latches in the netlist: a register lacks a branch in the RTL")
    store.write_json(folder / "synth.json", result)
    return result


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, corners=True)
    parser.add_argument("--goal", choices=("area", "speed"), default="area",
                        help="mapping script (default: %(default)s)")
    parser.add_argument("--adders", choices=("ripple", "tree"), default="ripple",
                        help="small or fast ones (default: %(default)s)")
    parser.add_argument("--no-clock-gating", action="store_true", help="keep enables as multiplexers")
    parser.add_argument("--nested-gates", action="store_true",
                        help="clock gates in two levels: a block's many behind one that opens where any of them does")
    parser.add_argument("--weak-buffers", action="store_true",
                        help="split nets of many sinks by the weakest buffers, which leak least: for a slow clock")
    parser.add_argument("--prefer", choices=memories.PREFERENCES, default="area",
                        help="choice of macros (default: %(default)s)")
    parser.add_argument("--memories", choices=("macros", "flip-flops"), default="macros",
                        help="SRAM macros, or flip-flops for a netlist of cells alone: choose a --variant for it "
                        "(default: %(default)s)")


def run(args):
    """Map as told and print the report."""
    config, library, folder = runs.opened(args)
    result = synthesise(config, library, folder, goal=args.goal, adders=args.adders, gating=not args.no_clock_gating,
                        nested=args.nested_gates, weak=args.weak_buffers,
                        prefer=args.prefer, memory=args.memories, made_by=args.command)
    text = area.page(result)
    store.write_atomically(folder / "synth.md", text.encode())
    area.picture(result, folder / "area.png")
    print(text)
    print(f"{folder}: synth.json, synth.md, area.png, netlist.v")
