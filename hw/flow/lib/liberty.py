"""Liberty (.lib) views: a small parser, and the cells as the flow needs them.

Only what reports and functional models use is kept: area, leakage, pins with direction, capacitance and function,
flip-flop and latch groups. Units are turned into um2, nW, pF and V when read.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from hw.flow.lib.errors import FlowError

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}();:,]|[^\s{}();:,"]+', re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
PREFIX = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0}


@dataclass
class Group:
    """`kind (names) { attributes; groups }`."""

    kind: str
    names: list
    attributes: dict = field(default_factory=dict)
    groups: list = field(default_factory=list)

    def all(self, kind):
        return [g for g in self.groups if g.kind == kind]

    def number(self, key, default=0.0):
        try:
            return float(self.attributes.get(key, default))
        except (TypeError, ValueError):
            return default


def parse(text, source="liberty"):
    """The top `library` group. Raises `FlowError` where braces do not match."""
    tokens = TOKEN.findall(COMMENT.sub(" ", text).replace("\\\n", " "))
    root = Group("root", [])
    stack, position, count = [root], 0, len(tokens)
    while position < count:
        token = tokens[position]
        if token == "}":
            if len(stack) == 1:
                raise FlowError(f"{source}: unmatched '}}': not a Liberty file")
            stack.pop()
            position += 1
        elif token in ";,":
            position += 1
        elif position + 1 < count and tokens[position + 1] == ":":
            end = position + 2
            value = []
            # some views leave out the semicolon: a word before ':' or '(' opens the next statement
            while end < count and tokens[end] not in ";}" and not (value and tokens[end + 1] in ":("):
                value.append(tokens[end].strip('"'))
                end += 1
            stack[-1].attributes[token] = " ".join(value)
            position = end
        elif position + 1 < count and tokens[position + 1] == "(":
            end = position + 2
            values = []
            while end < count and tokens[end] != ")":
                if tokens[end] != ",":
                    values.append(tokens[end].strip('"'))
                end += 1
            position = end + 1
            if position < count and tokens[position] == "{":
                group = Group(token, values)
                stack[-1].groups.append(group)
                stack.append(group)
                position += 1
            else:
                stack[-1].attributes[token] = values
        else:
            position += 1
    if len(stack) != 1 or len(root.groups) != 1 or root.groups[0].kind != "library":
        raise FlowError(f"{source}: not a complete Liberty library (truncated?)")
    return root.groups[0]


@dataclass(frozen=True)
class Pin:
    """Capacitance in pF; `function` is the Liberty expression of an output."""

    name: str
    direction: str
    capacitance: float
    function: str = ""
    three_state: str = ""
    clock: bool = False
    bits: int = 1


@dataclass(frozen=True)
class Cell:
    """Area in um2, leakage in nW. `storage` is ("ff"|"latch", state name, inverse name, attributes) or None."""

    name: str
    area: float
    leakage: float
    pins: dict
    storage: tuple | None
    dont_use: bool
    gating: str
    group: Group

    @property
    def inputs(self):
        return [p for p in self.pins.values() if p.direction == "input"]

    @property
    def outputs(self):
        return [p for p in self.pins.values() if p.direction == "output"]


@dataclass(frozen=True)
class Liberty:
    """One library file; `voltage` in V."""

    path: Path
    name: str
    voltage: float
    cells: dict
    group: Group


def _pins(group, picofarad):
    pins = {}
    for pin in group.all("pin"):
        for name in pin.names:
            pins[name] = Pin(name, pin.attributes.get("direction", "input"), pin.number("capacitance") * picofarad,
                             pin.attributes.get("function", ""), pin.attributes.get("three_state", ""),
                             pin.attributes.get("clock", "") == "true")
    return pins


def _bus_pins(group, widths, picofarad):
    pins = {}
    for bus in group.all("bus"):
        bits = widths.get(bus.attributes.get("bus_type"), 1)
        for name in bus.names:
            pins[name] = Pin(
                name, bus.attributes.get("direction", "input"), bus.number("capacitance") * picofarad, bits=bits
            )
    return pins


def _storage(group):
    for kind in ("ff", "latch"):
        for found in group.all(kind):
            inverse = found.names[1] if len(found.names) > 1 else ""
            return kind, found.names[0], inverse, dict(found.attributes)
    return None


def _unit(text, base):
    match = re.fullmatch(rf"\s*([\d.]+)\s*([fpnum]?){base}\s*", text or "")
    if not match:
        raise FlowError(f"unit {text!r} is not understood: wanted e.g. '1n{base}'")
    return float(match[1]) * PREFIX[match[2]]


@lru_cache(maxsize=32)
def read(path):
    """Parse a Liberty file into a `Liberty`; raises `FlowError` naming the file."""
    path = Path(path)
    if not path.is_file():
        raise FlowError(f"{path}: no such Liberty file; give --lib a name or a path that exists")
    group = parse(path.read_text(errors="replace"), path)
    nanowatt = _unit(group.attributes.get("leakage_power_unit", "1nW"), "W") / 1e-9
    farad = group.attributes.get("capacitive_load_unit", ["1", "pf"])
    picofarad = float(farad[0]) * {"pf": 1.0, "ff": 1e-3}[farad[1].lower()]
    widths = {t.names[0]: int(t.number("bit_width", 1)) for t in group.all("type")}
    cells = {}
    for cell in group.all("cell"):
        leak = cell.number("cell_leakage_power", None) if "cell_leakage_power" in cell.attributes else None
        states = [g.number("value") for g in cell.all("leakage_power")]
        if leak is None:
            leak = sum(states) / len(states) if states else 0.0
        pins = {**_bus_pins(cell, widths, picofarad), **_pins(cell, picofarad)}
        cells[cell.names[0]] = Cell(
            cell.names[0], cell.number("area"), leak * nanowatt, pins, _storage(cell),
            cell.attributes.get("dont_use", "") == "true",
            cell.attributes.get("clock_gating_integrated_cell", ""), cell)
    if not cells:
        raise FlowError(f"{path}: no cell in it; is it a Liberty file?")
    voltage = group.number("nom_voltage") or 1.0
    return Liberty(path, group.names[0], voltage, cells, group)
