"""Extracted wires (SPEF, IEEE 1481) as what each driver sees: pin of a leaf -> capacitance of its net's wires, pF."""

import re

from hw.flow.lib.errors import FlowError

UNITS = {"FF": 1e-3, "PF": 1.0, "NF": 1e3, "F": 1e12}


def wire_loads(path, inside=""):
    """(instance path, pin) -> pF, of every net with a driver in the file; `inside` is the instance the file is of.

    The capacitance of a net is the total that its `*D_NET` states: to ground and to its neighbours, no pins.
    """
    text = path.read_text()
    unit = re.search(r"^\*C_UNIT\s+([\d.eE+-]+)\s+(\w+)", text, re.M)
    if not unit or unit[2].upper() not in UNITS:
        raise FlowError(f"{path}: no *C_UNIT of {', '.join(UNITS)}")
    scale = float(unit[1]) * UNITS[unit[2].upper()]
    names = dict(re.findall(r"^(\*\d+)\s+(\S+)$", text.partition("*NAME_MAP")[2], re.M))
    out = {}
    for total, body in re.findall(r"^\*D_NET\s+\S+\s+(\S+)\n(.*?)^\*END", text, re.M | re.S):
        for instance, pin in re.findall(r"^\*I\s+(\S+):(\S+)\s+O\b", body, re.M):
            name = names.get(instance, instance).replace("\\", "")
            out[f"{inside}/{name}" if inside else name, pin] = float(total) * scale
    return out


def of(spefs):
    """`wire_loads` of several files: instance path -> file, as `routed.collect` returns them."""
    return {pin: load for inside, path in spefs.items() for pin, load in wire_loads(path, inside).items()}
