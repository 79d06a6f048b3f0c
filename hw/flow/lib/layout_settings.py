"""Every Tcl variable that the steps of constraints/openroad read, of one design in one library."""

import fnmatch
import hashlib
import re

from hw.flow.lib import floorplan
from hw.flow.lib.errors import FlowError
from hw.flow.lib.sta_tool import SDC
from hw.flow.lib.yosys import CONSTRAINTS

SCRIPTS = CONSTRAINTS / "openroad"
TOP = "accelerator"
# Layers, widths and pitches in um. IHP: design rules of the technology LEF; ring and straps as OpenROAD-flow-scripts'
# platform. Signals stay below the two layers that the straps own.
TECHNOLOGY = {
    "ihp-sg13g2": {
        "pin_hor_layer": ["Metal3", "Metal5"], "pin_ver_layer": ["Metal2", "Metal4"],
        "wire_layer": "Metal3", "clock_wire_layer": "Metal4", "signal_layers": "Metal2-Metal5",
        "rail_layer": "Metal1", "rail_width": 0.44,
        "strap_layers": ["TopMetal1", "TopMetal2"], "strap_width": 2.2,
        "ring_width": 5.0, "ring_spacing": 2.0, "ring_offset": 4.5,
        "macro_pin_layer": "Metal4", "macro_strap_pitch": 15.0,
        "clock_root_buffer": "sg13g2_buf_8", "clock_buffers": ["sg13g2_buf_4", "sg13g2_buf_8"],
        "diode": "sg13g2_antennanp/A",
        # plain fill: the decoupling cells of this library leak five times what logic of their area does
        "fillers": ["sg13g2_fill_8", "sg13g2_fill_4", "sg13g2_fill_2", "sg13g2_fill_1"]},
    "nangate45": {
        "pin_hor_layer": ["metal3", "metal5"], "pin_ver_layer": ["metal2", "metal4"],
        "wire_layer": "metal3", "clock_wire_layer": "metal5", "signal_layers": "metal2-metal7",
        "rail_layer": "metal1", "rail_width": 0.17,
        "strap_layers": ["metal8", "metal9"], "strap_width": 1.6,
        "ring_width": 3.2, "ring_spacing": 1.6, "ring_offset": 2.0,
        "macro_pin_layer": "metal4", "macro_strap_pitch": 15.0,
        "clock_root_buffer": "BUF_X8", "clock_buffers": ["BUF_X4", "BUF_X8"],
        "diode": "ANTENNA_X1/A", "fillers": ["FILLCELL_X8", "FILLCELL_X4", "FILLCELL_X2", "FILLCELL_X1"]},
}


def mended(views, folder):
    """The macros' Liberty views, rewritten in `folder` where a pin's largest load is given in F instead of pF.

    IHP's SRAM views say `max_capacitance : "6.4e-14"` under `capacitive_load_unit (1,pf)`: no wire meets that, and the
    repair of long wires never ends.
    """
    out = []
    for view in views:
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


def area_of(result, block):
    """Cell area in um2 of a module as synthesised."""
    if block == TOP:
        return result["total"]["area_um2"]
    return next(b["area_um2"] for b in result["blocks"].values() if b["module"] == block)


def macros_of(result, block):
    """Instance path -> macro, of the whole design; blocks have none."""
    if block != TOP:
        return {}
    return {f"{name}/macro_{i // columns}_{i % columns}": m["macro"] for name, m in result["memories"].items()
            for columns in [m["bits"] // 64] for i in range(m["macros"])}


def text_of(netlist, block):
    """The module of a block in the text of a Verilog netlist; of the top the whole text."""
    found = re.search(rf"^module {re.escape(block)}\s*\(.*?^endmodule", netlist, re.S | re.M)
    if not found:
        raise FlowError(f"{block}: no such module in the netlist")
    return netlist if block == TOP else found[0]


def digest_of(netlist, block):
    """What a layout of `block` was made of, as SHA-256: it is stale where this has changed."""
    return hashlib.sha256(text_of(netlist, block).encode()).hexdigest()


def ports_of(netlist, block):
    """Bits of a module's ports in the text of a Verilog netlist."""
    body = re.search(rf"^module {re.escape(block)}\s*\(.*?^endmodule", netlist, re.S | re.M)
    return sum(abs(int(a or 0) - int(b or 0)) + 1
               for a, b in re.findall(r"^\s*(?:input|output)\s+(?:wire\s+)?(?:\[(\d+):(\d+)\]\s*)?\w+\s*;", body[0],
                                      re.M))


def settings(corners, result, folder, block, files, *, period=20.0, utilisation=60.0, route_rounds=30,
             detail_rounds=64, threads=1):
    """Values by name. `corners`: corner -> `Library`, the typical one first; `files`: `pdk_files.PdkFiles`."""
    library = next(iter(corners.values()))
    if library.name not in TECHNOLOGY:
        raise FlowError(f"--lib {library.name}: layers are known for {', '.join(TECHNOLOGY)} only")
    macros = macros_of(result, block)
    used = set(macros.values())
    lefs = [p for p in library.lef if not p.name.startswith("RM_") or p.stem in used]
    views = {name: mended([p for p in lib.macros if any(p.name.startswith(f"{m}_") for m in used)],
                          folder / "views" / name) for name, lib in corners.items()}
    site, area = floorplan.site_size(lefs, library.site), area_of(result, block)
    netlist = folder / "netlist.v"
    plan = floorplan.with_macros(macros, lefs, area, utilisation, site) if macros else \
        floorplan.block(area, utilisation, site, ports_of(netlist.read_text(), block))
    if macros:  # supply pins stand in columns of half a macro's height, or less: straps across meet each
        plan["strap_pitch_y"] = min(plan["strap_pitch_y"], TECHNOLOGY[library.name]["macro_strap_pitch"])
    tie = {key: "/".join(value) for key, value in (("tie_high", library.tie_high), ("tie_low", library.tie_low))}
    patterns = [p for p in library.dont_use if any(fnmatch.fnmatch(c, p) for c in library.cells.cells)]
    return {
        "script_dir": SCRIPTS, "lefs": lefs, "corners": list(corners),
        "liberties": [v for name, lib in corners.items() for v in (name, [lib.cells.path, *views[name]])],
        "netlist": netlist.resolve(), "top": block, "sdc": SDC, "clock_period": period, "driving_cell": library.drive,
        "load_pf": 0.02, "dont_use": patterns, "wire_rc": files.wire_rc or "", "site": library.site,
        "macro_halo": floorplan.HALO, "supply": library.cells.voltage,
        # ports of the whole are pins of a chip; a block's are nets to its neighbours, which have their own drivers
        "buffer_ports": int(block == TOP), "routability": 1,
        "density": round(min(0.9, utilisation / 100 + 0.08), 3), "repair_margin": 20, "hold_margin": 0.05,
        "max_phi_coef": 1.03 if macros else 1.05,  # between macros the placer diverges at its own default
        "route_rounds": route_rounds, "route_adjustment": 0.1, "detail_rounds": detail_rounds, "threads": threads,
        "antenna_nets": [], "rcx_rules": files.rcx_rules or "",
        "cdl_masters": [p for p in files.cdl if not p.name.startswith("RM_") or p.stem in used] or "",
        "utilisation": utilisation, **tie, **TECHNOLOGY[library.name], **plan}
