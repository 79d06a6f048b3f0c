"""`make synth`: a configuration mapped to a library; cells, area, flip-flops and depth by block.

    python -m hw.flow.synth --config paper --lib ihp-sg13g2

Leaves, under build/physical/CONFIG/LIB: `netlist.v` and `netlist.json` (hierarchical, fan-out bounded), `synth.json`,
`synth.md`, `area.png`.
"""

import argparse
import hashlib
from pathlib import Path

from hw import config as configs
from hw import emit, store
from hw.flow import area_report
from hw.flow.lib import library as libraries
from hw.flow.lib import memories, sram_model, yosys
from hw.flow.lib.errors import FlowError, command
from hw.flow.lib.netlist import Netlist

from .files import forget, recipe

FANOUT = 16          # sinks a net keeps before it is split
GATE_AT_LEAST = 4    # flip-flops that share an enable before it gates their clock


# Its find-first is log deep in the RTL, and ABC's area recovery makes a chain of it again: 111 gates against 44 for 5 %
# more of 1.3 % of the logic. Mapped for speed whatever the goal.
FAST = ("zero_skip",)


def _icg(library):
    """The plain posedge clock-gating cell as Yosys's `clockgate` names it: (cell, enable:clock:gated)."""
    found = sorted((c.area, c.name) for c in library.cells.cells.values() if c.gating == "latch_posedge")
    if not found:
        return None
    cell = library.cells.cells[found[0][1]]
    role = {key: pin.names[0] for pin in cell.group.all("pin")
            for key in ("clock_gate_enable_pin", "clock_gate_clock_pin", "clock_gate_out_pin") if key in pin.attributes}
    return cell.name, f"{role['clock_gate_enable_pin']}:{role['clock_gate_clock_pin']}:{role['clock_gate_out_pin']}"


def split_modules(verilog):
    """Verilog text -> module name -> its text."""
    out, name, lines = {}, None, []
    for line in verilog.splitlines():
        if line.startswith("module "):
            name = line.split()[1].split("(")[0]
            lines = []
        lines.append(line)
        if line.strip() == "endmodule" and name:
            out[name] = "\n".join(lines) + "\n"
            name = None
    return out


def sources(config, buffers, folder, top="accelerator"):
    """Write RTL with the weight buffers' wrappers in place of their behaviour, and the macros' black boxes."""
    folder = Path(folder)
    emit.emit(top, config, folder / "rtl.v")
    wrappers = memories.modules(buffers)
    parts = [wrappers_text if name not in wrappers else memories.wrapper(name, wrappers[name])
             for name, wrappers_text in split_modules((folder / "rtl.v").read_text()).items()]
    (folder / "design.v").write_text("\n".join(parts))
    kinds = {b.macro.name: b.macro for b in buffers.values()}
    (folder / "macros.v").write_text("\n".join(memories.black_box(m) for m in kinds.values()))
    return [folder / "macros.v", folder / "design.v"], kinds


def write_views(kinds, library, folder):
    """Liberty of modelled macros (a library with macros brings its own); returns the files timing tools read."""
    by_name = {}
    for path in library.macros:
        macro = memories.from_liberty(path)
        if macro:
            by_name[macro.name] = path
    out = []
    for name, macro in kinds.items():
        if name in by_name:
            out.append(by_name[name])
        else:
            path = Path(folder) / f"{name}.lib"
            path.write_text(sram_model.liberty_view(macro, memories.macro_ports(macro), library.cells.voltage))
            out.append(path.resolve())
    return out


def passes(files, library, folder, *, top="accelerator", goal="area", adders="ripple", gating=True):
    """The Yosys script. Flip-flops lose their power-up values: the reset is what sets them."""
    here = yosys.CONSTRAINTS / "yosys"
    lib = f"-liberty {library.cells.path}"
    avoid = " ".join(f"-dont_use {pattern}" for pattern in library.dont_use)
    icg = _icg(library) if gating else None
    opt = "-nosdff" if gating else ""
    script = [
        f"read_liberty -lib -ignore_miss_func {library.cells.path}",
        f"read_verilog -lib {files[0].resolve()}",
        f"read_verilog {files[1].resolve()}",
        f"hierarchy -check -top {top}",
        "proc",
        "setattr -unset init w:*",
        "opt_expr",
        "opt_clean",
        "check -assert",
        f"opt {opt}",
        "wreduce",
        "peepopt",
        "opt_clean",
        "alumacc",
        "share",
        f"opt {opt}",
        "memory -nomap",
        "opt_clean",
        f"opt -fast -full {opt}",
        "memory_map",
        f"opt -undriven -fine {opt}",
    ]
    if adders == "ripple":
        script.append(f"techmap -map {here / 'ripple_alu.v'}")
    script += ["techmap", f"opt -fast {opt}", "simplemap", "opt_merge"]
    if icg:
        script += [f"dfflegalize -cell $_DFFE_PP_ x -cell $_DFF_P_ x -mince {GATE_AT_LEAST}", "opt_merge",
                   f"clockgate -pos {icg[0]} {icg[1]} -min_net_size {GATE_AT_LEAST}", "opt_clean"]
    present = split_modules(Path(files[1]).read_text()) if top == "accelerator" else [top]
    fast = [f"abc {lib} -script {here / 'speed.abc'} {avoid} {' '.join(n for n in FAST if n in present)}"] \
        if goal != "speed" and set(FAST) & set(present) else []
    script += [f"dfflibmap {lib} {avoid}", "opt -fast -nodffe -nosdff", *fast,
               f"abc {lib} -script {here / (goal + '.abc')} {avoid}", "setundef -zero",
               f"hilomap -singleton -hicell {' '.join(library.tie_high)} -locell {' '.join(library.tie_low)}",
               "opt_clean -purge", "check -assert -mapped", "write_json mapped.json"]
    return script


def to_verilog(folder, source, target):
    yosys.run([f"read_json {source}", f"write_verilog -noattr -noexpr -nohex {target}"], folder, "write_netlist")


def synthesise(config, library, folder, *, goal="area", adders="ripple", gating=True, prefer="area", top="accelerator",
               made_by=""):
    """Map one configuration; returns the report as plain values and leaves the netlist in `folder`.

    `made_by` is the command for the report's own line; what an older netlist left in `folder` goes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "synth.json").unlink(missing_ok=True)
    forget(folder)
    buffers = memories.compose(config, library, prefer)
    files, kinds = sources(config, buffers, folder, top)
    if top != "accelerator":
        buffers = {}
    views = write_views(kinds, library, folder) if buffers else []
    log, seconds, peak = yosys.run(
        passes(files, library, folder, top=top, goal=goal, adders=adders, gating=gating), folder, "synth")
    warnings = yosys.triage(log)
    netlist = Netlist(folder / "mapped.json", library.cells.cells, top)
    added = netlist.buffer_fanout(FANOUT, library.drive, ties=(library.tie_high[0], library.tie_low[0]))
    netlist.tidy()
    netlist.save(folder / "netlist.json")
    to_verilog(folder, "netlist.json", "netlist.v")
    result = area_report.synthesis(config, library, netlist, buffers)
    result |= {
        "settings": {"goal": goal, "adders": adders, "clock_gating": gating, "prefer": prefer, "fanout": FANOUT},
        "fanout_buffers": added, "warnings": warnings, "seconds": round(seconds, 1), "peak_mb": peak,
        "rtl_sha256": hashlib.sha256((folder / "rtl.v").read_bytes()).hexdigest(),
        "views": [str(v) for v in views], "command": made_by, "tool_versions": {"yosys": yosys.version()}}
    if result["total"]["latches"]:
        raise FlowError(f"{result['total']['latches']} latches in the netlist: a register lacks a branch in the RTL")
    store.write_json(folder / "synth.json", result)
    return result


def folder_of(args, config, library):
    """Where the results of a configuration, library and variant live."""
    return args.out / config.name / library.name / getattr(args, "variant", "default")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="hw.flow.synth", description=__doc__.splitlines()[0])
    libraries.arguments(parser)
    parser.add_argument("--corner", default="typ", help="typ, slow or fast (default: %(default)s)")
    parser.add_argument(
        "--goal", choices=("area", "speed"), default="area", help="mapping script (default: %(default)s)"
    )
    parser.add_argument("--adders", choices=("ripple", "tree"), default="ripple", help="default: %(default)s")
    parser.add_argument("--no-clock-gating", action="store_true", help="keep enables as multiplexers")
    parser.add_argument("--prefer", choices=("area", "energy"), default="area", help="choice of macros")
    parser.add_argument("--variant", default="default", help="folder of this run (default: %(default)s)")
    args = parser.parse_args(argv)
    with command():
        config = configs.load(args.config)
        library = libraries.load(args.lib, args.pdk, args.corner)
        folder = folder_of(args, config, library)
        result = synthesise(config, library, folder, goal=args.goal, adders=args.adders,
                            gating=not args.no_clock_gating, prefer=args.prefer,
                            made_by=recipe("synth", parser, args))
        text = area_report.synthesis_markdown(result)
        (folder / "synth.md").write_text(text)
        area_report.area_picture(result, folder / "area.png")
        print(text)
        print(f"{folder}: synth.json, synth.md, area.png, netlist.v")


if __name__ == "__main__":
    main()
