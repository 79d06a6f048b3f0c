"""Configurations of the same layout for OpenROAD-flow-scripts and LibreLane."""

import json
from pathlib import Path

from hw.flow.lib.floorplan import HALO
from hw.flow.lib.sta_tool import SDC, tcl


def write(values, library, folder):
    """`config.mk`, `config.json`, `design.sdc` and, with macros, `macros.cfg` in `folder`, of a layout's settings."""
    top, period = values["top"], values["clock_period"]
    macros = bool(values["macro_names"])
    typical = values["liberties"][1]
    lefs = [str(p) for p in values["lefs"] if p.name.startswith("RM_")]
    bottom, _, highest = values["signal_layers"].partition("-")
    mk = [f"export DESIGN_NAME = {top}", f"export PLATFORM = {library.name}",
          f"export VERILOG_FILES = {values['netlist']}", f"export SYNTH_NETLIST_FILES = {values['netlist']}",
          f"export SDC_FILE = {folder / 'design.sdc'}", f"export DIE_AREA = {values['die_area']}",
          f"export CORE_AREA = {values['core_area']}", f"export PLACE_DENSITY = {values['density']}",
          f"export MIN_ROUTING_LAYER = {bottom}", f"export MAX_ROUTING_LAYER = {highest}",
          f"export FILL_CELLS = {' '.join(values['fillers'])}", "export TNS_END_PERCENT = 100"]
    if macros:
        mk += [f"export ADDITIONAL_LEFS = {' '.join(lefs)}",
               f"export ADDITIONAL_LIBS = {' '.join(str(p) for p in typical[1:])}",
               f"export MACRO_PLACE_HALO = {HALO} {HALO}", f"export MACRO_PLACEMENT = {folder / 'macros.cfg'}",
               "export PLACE_PINS_ARGS = -exclude top:* -exclude bottom:*"]
        # its scripts/read_macro_placement.tcl wants: instance orientation x y
        (folder / "macros.cfg").write_text("".join(
            f"{n} {p.split()[2]} {' '.join(p.split()[:2])}\n"
            for n, p in zip(values["macro_names"], values["macro_places"], strict=True)))
    (folder / "config.mk").write_text("\n".join(mk) + "\n")
    sets = "".join(f"set {k} {tcl(values[k])}\n" for k in ("clock_period", "driving_cell", "load_pf"))
    (folder / "design.sdc").write_text(sets + SDC.read_text())
    lane = {"meta": {"version": 2, "flow": "Classic", "substituting_steps": {"Yosys.Synthesis": None}},
            "DESIGN_NAME": top, "PDK": library.name, "VERILOG_FILES": [str(values["netlist"])], "CLOCK_PORT": "clk",
            "CLOCK_PERIOD": period, "PNR_SDC_FILE": str(folder / "design.sdc"), "FP_SIZING": "absolute",
            "DIE_AREA": [float(v) for v in values["die_area"].split()],
            "CORE_AREA": [float(v) for v in values["core_area"].split()],
            "PL_TARGET_DENSITY_PCT": round(100 * values["density"]), "RUN_CTS": True,
            "RT_MIN_LAYER": bottom, "RT_MAX_LAYER": highest, "GRT_ADJUSTMENT": values["route_adjustment"]}
    if macros:
        lane["MACROS"] = {m: {"lef": [p], "lib": {"*": [str(v) for v in typical[1:]]}, "instances": {
            n: {"location": [float(v) for v in place.split()[:2]], "orientation": place.split()[2]}
            for n, place in zip(values["macro_names"], values["macro_places"], strict=True)}}
            for p in lefs for m in [Path(p).stem]}
    (folder / "config.json").write_text(json.dumps(lane, indent=1) + "\n")
