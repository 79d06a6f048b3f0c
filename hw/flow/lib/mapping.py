"""The Yosys script that maps a design to a library, the files it reads, and the Verilog it leaves."""

from pathlib import Path

from hw import emit
from hw.flow.lib import memories, sram_model, yosys

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


def abc_script(name):
    """A script of constraints/yosys as a word of Yosys's `abc`: ABC itself opens no file whose path has a space."""
    lines = (yosys.CONSTRAINTS / "yosys" / f"{name}.abc").read_text().split("\n")
    return "+" + ";".join(line.replace(" ", ",") for line in lines if line)


def passes(files, library, folder, *, top="accelerator", goal="area", adders="ripple", gating=True):
    """The Yosys script. Flip-flops lose their power-up values: the reset is what sets them."""
    here = yosys.CONSTRAINTS / "yosys"
    lib = f'-liberty "{library.cells.path}"'
    avoid = " ".join(f"-dont_use {pattern}" for pattern in library.dont_use)
    icg = _icg(library) if gating else None
    opt = "-nosdff" if gating else ""
    script = [
        f'read_liberty -lib -ignore_miss_func "{library.cells.path}"',
        f'read_verilog -lib "{files[0].resolve()}"',
        f'read_verilog "{files[1].resolve()}"',
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
        "setattr -unset init w:*",  # of memories as flip-flops: loaded, like macros
        f"opt -undriven -fine {opt}",
    ]
    if adders == "ripple":
        script.append(f'techmap -map "{here / "ripple_alu.v"}"')
    script += ["techmap", f"opt -fast {opt}", "simplemap", "opt_merge"]
    if icg:
        script += [f"dfflegalize -cell $_DFFE_PP_ x -cell $_DFF_P_ x -mince {GATE_AT_LEAST}", "opt_merge",
                   f"clockgate -pos {icg[0]} {icg[1]} -min_net_size {GATE_AT_LEAST}", "opt_clean"]
    present = split_modules(Path(files[1]).read_text()) if top == "accelerator" else [top]
    fast = [f"abc {lib} -script {abc_script('speed')} {avoid} {' '.join(n for n in FAST if n in present)}"] \
        if goal != "speed" and set(FAST) & set(present) else []
    script += [f"dfflibmap {lib} {avoid}", "opt -fast -nodffe -nosdff", *fast,
               f"abc {lib} -script {abc_script(goal)} {avoid}", "setundef -zero",
               f"hilomap -singleton -hicell {' '.join(library.tie_high)} -locell {' '.join(library.tie_low)}",
               "opt_clean -purge", "check -assert -mapped", "write_json mapped.json"]
    return script


def to_verilog(folder, source, target):
    yosys.run([f"read_json {source}", f"write_verilog -noattr -noexpr -nohex {target}"], folder, "write_netlist")
