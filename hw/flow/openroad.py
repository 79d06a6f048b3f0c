"""A block from netlist to global route, and configurations for OpenROAD-flow-scripts and LibreLane.

    sottovoce openroad --config tiny                   the whole design, with its SRAM macros
    sottovoce openroad --config paper --block lif      one block

Needs `sottovoce synth` of the same configuration before. The scripts are constraints/openroad/*.tcl. Without `openroad`
on PATH the configurations are still written.
"""

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import placed, runs
from hw.flow.lib.errors import FlowError
from hw.flow.lib.sta_tool import SDC, tcl
from hw.flow.lib.tools import watched
from hw.flow.lib.yosys import CONSTRAINTS

SCRIPTS = CONSTRAINTS / "openroad"
HALO = 60.0  # um kept free round a macro
# layers, widths and pitches in um; IHP: design rules of the technology LEF, straps as OpenROAD-flow-scripts' platform
TECHNOLOGY = {
    "ihp-sg13g2": {
        "pin_hor_layer": ["Metal3", "Metal5"], "pin_ver_layer": ["Metal2", "Metal4"],
        "wire_layer": "Metal3", "clock_wire_layer": "Metal4",
        "signal_layers": "Metal2-TopMetal1", "clock_layers": "Metal2-Metal5",
        "rail_layer": "Metal1", "rail_width": 0.44,
        "strap_layers": ["TopMetal1", "TopMetal2"], "strap_width": 2.2, "strap_pitch": 75.6,
        "macro_pin_layer": "Metal4",
        "clock_buffer": "sg13g2_buf_4"},
    "nangate45": {
        "pin_hor_layer": ["metal3", "metal5"], "pin_ver_layer": ["metal2", "metal4"],
        "wire_layer": "metal3", "clock_wire_layer": "metal5",
        "signal_layers": "metal2-metal7", "clock_layers": "metal3-metal7", "rail_layer": "metal1", "rail_width": 0.17,
        "strap_layers": ["metal4", "metal7"], "strap_width": 0.48, "strap_pitch": 28.0, "macro_pin_layer": "metal4",
        "clock_buffer": "BUF_X4"},
}


def macro_size(lefs, name):
    """Width and height in um of a macro in the LEF files."""
    for path in lefs:
        found = re.search(rf"^MACRO {re.escape(name)}\s.*?SIZE\s+([\d.]+)\s+BY\s+([\d.]+)", path.read_text(),
                          re.S | re.M)
        if found:
            return float(found[1]), float(found[2])
    raise FlowError(f"{name}: no LEF of it; {path.parent} lacks the macro's abstract")


def mended(views, folder):
    """The macros' Liberty views, rewritten in `folder` where a pin's largest load is given in F instead of pF.

    IHP's SRAM views say `max_capacitance : "6.4e-14"` under `capacitive_load_unit (1,pf)`: no wire meets that, and the
    repair of long wires never ends.
    """
    out = []
    for view in map(Path, views):
        text = view.read_text()
        fixed = re.sub(r'(max_capacitance\s*:\s*"?)([\d.]+e-1\d)("?)', lambda m: f"{m[1]}{float(m[2]) * 1e12:g}{m[3]}",
                       text)
        path = view
        if fixed != text:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / view.name
            path.write_text(fixed)
        out.append(path)
    return out


def floorplan(macros, lefs, cell_area, utilisation):
    """Die and core in um, macro corners: macros in a grid at the top, cells below. `macros`: instance -> macro.

    The grid has the number of columns that brings the core nearest to a square.
    """
    if not macros:
        return {"die_area": "", "core_area": "", "macro_names": [], "macro_places": []}
    sizes = [macro_size(lefs, m) for m in set(macros.values())]
    wide, tall = (max(s[i] for s in sizes) + HALO for i in (0, 1))

    def core(columns):
        """Width, height of the core and of the cells' part of it."""
        width = columns * wide + 3 * HALO  # the nets of the upper macros go round the lower ones
        below = cell_area / utilisation * 100 / width
        return width, below + HALO + -(-len(macros) // columns) * tall, below

    columns = min(range(1, len(macros) + 1), key=lambda n: abs(math.log(core(n)[1] / core(n)[0])))
    width, height, below = core(columns)
    places = [f"{3 * HALO + i % columns * wide:.2f} {below + 2 * HALO + i // columns * tall:.2f} R0"
              for i in range(len(macros))]
    return {"die_area": f"0 0 {width + 2 * HALO:.2f} {height + 2 * HALO:.2f}",
            "core_area": f"{HALO} {HALO} {width + HALO:.2f} {height + HALO:.2f}",
            "macro_names": list(macros), "macro_places": places}


def area_of(result, block):
    """Cell area in um2 of a module as synthesised."""
    if block == "accelerator":
        return result["total"]["area_um2"]
    return next(b["area_um2"] for b in result["blocks"].values() if b["module"] == block)


def settings(library, result, folder, block, period, utilisation, rounds=15):
    """Every Tcl variable of constraints/openroad/flow.tcl."""
    if library.name not in TECHNOLOGY:
        raise FlowError(f"--lib {library.name}: layers are known for {', '.join(TECHNOLOGY)} only")
    whole = block == "accelerator"
    macros = {f"{name}/macro_{i // m_columns}_{i % m_columns}": m["macro"] for name, m in result["memories"].items()
              for m_columns in [m["bits"] // 64] for i in range(m["macros"])} if whole else {}
    area = area_of(result, block)
    used = set(macros.values())
    lefs = [p for p in library.lef if not p.name.startswith("RM_") or p.stem in used]
    tie = {key: "/".join(value) for key, value in (("tie_high", library.tie_high), ("tie_low", library.tie_low))}
    views = mended(result["views"], folder / "views") if whole else []
    return {"script_dir": SCRIPTS, "lefs": lefs, "liberties": [library.cells.path, *views],
            "netlist": (folder / "netlist.v").resolve(), "top": block, "sdc": SDC, "clock_period": period,
            "driving_cell": library.drive, "load_pf": 0.02, "utilisation": utilisation,
            "density": 0.45 if macros else 0.65,  # macros leave room that spreads the wires
            "route_rounds": rounds, "route_adjustment": 0.2, "site": library.site, "macro_halo": HALO, **tie,
            **TECHNOLOGY[library.name], **floorplan(macros, lefs, area, utilisation)}


def flow_scripts_config(values, library, folder):
    """OpenROAD-flow-scripts `config.mk` and LibreLane `config.json` of the same design, written beside the netlist."""
    top, period = values["top"], values["clock_period"]
    macros = bool(values["macro_names"])
    lefs = [str(p) for p in values["lefs"] if p.name.startswith("RM_")]
    mk = [f"export DESIGN_NAME = {top}", f"export PLATFORM = {library.name}",
          f"export VERILOG_FILES = {values['netlist']}", f"export SYNTH_NETLIST_FILES = {values['netlist']}",
          f"export SDC_FILE = {folder / 'design.sdc'}", f"export CORE_UTILIZATION = {values['utilisation']}",
          f"export PLACE_DENSITY = {values['density']}", "export TNS_END_PERCENT = 100"]
    if macros:
        mk += [f"export ADDITIONAL_LEFS = {' '.join(lefs)}",
               f"export ADDITIONAL_LIBS = {' '.join(str(p) for p in values['liberties'][1:])}",
               f"export DIE_AREA = {values['die_area']}", f"export CORE_AREA = {values['core_area']}",
               f"export MACRO_PLACE_HALO = {HALO} {HALO}", f"export MACRO_PLACEMENT = {folder / 'macros.cfg'}",
               "export PLACE_PINS_ARGS = -exclude top:*"]
        # its scripts/read_macro_placement.tcl wants: instance orientation x y
        (folder / "macros.cfg").write_text("".join(
            f"{n} {p.split()[2]} {' '.join(p.split()[:2])}\n"
            for n, p in zip(values["macro_names"], values["macro_places"], strict=True)))
    (folder / "config.mk").write_text("\n".join(mk) + "\n")
    sets = "".join(f"set {k} {tcl(values[k])}\n" for k in ("clock_period", "driving_cell", "load_pf"))
    (folder / "design.sdc").write_text(sets + SDC.read_text())
    lane = {"meta": {"version": 2, "flow": "Classic", "substituting_steps": {"Yosys.Synthesis": None}},
            "DESIGN_NAME": top, "PDK": library.name, "VERILOG_FILES": [str(values["netlist"])], "CLOCK_PORT": "clk",
            "CLOCK_PERIOD": period, "PNR_SDC_FILE": str(folder / "design.sdc"), "FP_CORE_UTIL": values["utilisation"],
            "PL_TARGET_DENSITY_PCT": round(100 * values["density"]), "RUN_CTS": True,
            "GRT_ADJUSTMENT": values["route_adjustment"]}
    if macros:
        lane |= {"FP_SIZING": "absolute", "DIE_AREA": [float(v) for v in values["die_area"].split()],
                 "MACROS": {m: {"lef": [p], "lib": {"*": [str(v) for v in values["liberties"][1:]]}, "instances": {
                     n: {"location": [float(v) for v in place.split()[:2]], "orientation": place.split()[2]}
                     for n, place in zip(values["macro_names"], values["macro_places"], strict=True)}}
                     for p in lefs for m in [Path(p).stem]}}
    (folder / "config.json").write_text(json.dumps(lane, indent=1) + "\n")


def version():
    """The version that `openroad` reports, e.g. "v2.0-5624-gc653563d31"."""
    done = subprocess.run(["openroad", "-version"], capture_output=True, text=True)
    return (done.stdout + done.stderr).split()[0] if done.stdout + done.stderr else "unknown"


def place(values, folder):
    """Run the steps of constraints/openroad/flow.tcl; returns their log."""
    source = folder / "run.tcl"
    source.write_text("".join(f"set {k} {tcl(v)}\n" for k, v in (values | {"out_dir": folder.resolve()}).items())
                      + f"source {{{SCRIPTS / 'flow.tcl'}}}\nexit\n")
    text = watched(["openroad", "-no_splash", "-exit", str(source)], f"openroad {values['top']}", folder / "flow.log")
    if "\nEND" not in text:
        errors = re.findall(r"^.*ERROR.*|^Error.*", text, re.M)
        raise FlowError(f"openroad: {errors[0][:300] if errors else 'stopped early'} (log: {folder / 'flow.log'})")
    return text


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--block", default="accelerator", help="module to place, pe_array, lif, … (default: the whole)")
    parser.add_argument("--period", type=float, default=20.0, help="clock period in ns (default: %(default)s)")
    parser.add_argument("--utilisation", type=float, default=50.0, help="percent of the core (default: %(default)s)")
    parser.add_argument("--route-rounds", type=int, default=15,
                        help="rounds of the global router against overflow (default: %(default)s)")


def run(args):
    """Write the configurations, place and route where `openroad` is there, and print what it reported."""
    if not 5 <= args.utilisation <= 95:
        raise FlowError(f"--utilisation {args.utilisation:g}: wanted 5 to 95")
    if not args.period > 0:
        raise FlowError(f"--period {args.period:g}: wanted a period in ns above 0")
    if args.route_rounds < 1:
        raise FlowError(f"--route-rounds {args.route_rounds}: wanted 1 or more")
    config, library, base = runs.opened(args)
    result = runs.synthesised(base, args)
    modules = {b["module"] for b in result["blocks"].values()}
    if args.block not in modules:
        raise FlowError(f"--block {args.block!r}: wanted one of {', '.join(sorted(modules))}")
    folder = base / "openroad" / args.block
    folder.mkdir(parents=True, exist_ok=True)
    values = settings(library, result, base.resolve(), args.block, args.period, args.utilisation, args.route_rounds)
    flow_scripts_config(values, library, folder.resolve())
    print(f"{folder}: config.mk (OpenROAD-flow-scripts), config.json (LibreLane)")
    if not shutil.which("openroad"):
        raise FlowError("openroad is missing: install it from github.com/The-OpenROAD-Project/OpenROAD/releases, "
                        "or give the configurations above to OpenROAD-flow-scripts or LibreLane")
    out = placed.parse(place(values, folder), version()) | {
        "config": config.name, "library": library.name, "block": args.block, "period_ns": args.period,
        "synthesised_um2": area_of(result, args.block), "command": args.command}
    macros = {m["macro"] for m in result["memories"].values()} if values["macro_names"] else ()
    placed.picture(folder / "placed.def", folder / "placed.png", f"{config.name} {args.block}, {library.name}",
                   {m: macro_size(values["lefs"], m) for m in macros})
    store.write_json(folder / "openroad.json", out)
    print(json.dumps(out, indent=1))
