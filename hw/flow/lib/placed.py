"""A placed or routed DEF as plain values: die, cells, clock nets. Lengths in um."""

import re

ROTATED = ("E", "W", "FE", "FW")


def units(text):
    """Database units a micron."""
    return float(re.search(r"UNITS DISTANCE MICRONS (\d+)", text)[1])


def components(text):
    """Die (left, low, right, high), and (name, cell, x, y) of placed components."""
    unit = units(text)
    die = [int(v) / unit for v in re.search(r"DIEAREA \( (\S+) (\S+) \) \( (\S+) (\S+) \)", text).groups()]
    section = re.search(r"^COMPONENTS .*?^END COMPONENTS", text, re.S | re.M)
    found = re.findall(r"^\s*- (\S+) (\S+)[^;]*?\+ (?:PLACED|FIXED|FIRM) \( (-?\d+) (-?\d+) \)",
                       section[0] if section else "", re.M)
    return die, [(name.replace("\\", ""), cell, int(x) / unit, int(y) / unit) for name, cell, x, y in found]


def clock_nets(text):
    """Net -> names of its components, of the nets that a DEF marks as clock."""
    section = re.search(r"^NETS .*?^END NETS", text, re.S | re.M)
    out = {}
    for net, body in re.findall(r"^\s*- (\S+)((?:\s*\( \S+ \S+ \))*)[^;]*?\+ USE CLOCK", section[0] if section else "",
                                re.M):
        out[net] = [(inst.replace("\\", ""), pin) for inst, pin in re.findall(r"\( (\S+) (\S+) \)", body)]
    return out


def sizes(lefs):
    """Cell -> (width, height) of every macro in the LEF files."""
    out = {}
    for path in lefs:
        for name, w, h in re.findall(r"^MACRO (\S+)\s.*?SIZE\s+([\d.]+)\s+BY\s+([\d.]+)", path.read_text(),
                                     re.S | re.M):
            out[name] = (float(w), float(h))
    return out
