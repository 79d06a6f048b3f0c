"""Power of every leaf from the Liberty tables and recorded activity: what `power` uses where OpenSTA 3 is not.

    internal  = toggles of a pin x its `internal_power` table at (slew, load), averaged over rise and fall; tables with
                `when` count by the probability of the state, those with `related_pin` by that pin's toggles
    switching = toggles of an output x V^2 / 2 x capacitance of the pins it drives, and of its wires after layout
    leakage   = `leakage_power` by the probability of the state, else `cell_leakage_power`

Pins of a cell are taken as independent, and every slew as `SLEW_PS_NM` a nanometre of the node. For a library without
power tables the internal energy is a model: an output's own drain capacitance equals its cell's input capacitance
(parasitic delay of an inverter = 1 [Sutherland, Sproull, Harris: Logical Effort, 1999, section 1.3]), and a flip-flop's
clock edge moves `CLOCK_LOADS` of its clock pins' capacitance inside; leakage without figures is nought, and said to be.
"""

import itertools
import re

import numpy as np

from hw.flow.lib.cell_models import expression
from hw.flow.lib.gate_simulator import GateSimulator, compiled_function

# About twice the delay of an inverter that drives four [half a picosecond a nanometre: Weste, Harris: CMOS VLSI Design,
# 2010, section 4.4], where OpenSTA finds a slew for each pin.
SLEW_PS_NM = 1.0
CLOCK_LOADS = 4     # clock inverters and the gates of master and slave


def has_tables(cells):
    return any(pin.all("internal_power") for cell in cells.values() for pin in cell.group.all("pin"))


def read_saif(path):
    """Instance path -> pin -> (toggles, share of time high) of a file of `hw.flow.gate_activity`; and its ns."""
    out, stack, duration = {}, [], 0
    port = re.compile(r"\((\S+) \(T0 (\d+)\) \(T1 (\d+)\) \(TX 0\) \(TC (\d+)\)\)")
    with open(path) as lines:
        for line in lines:
            if line.startswith("(INSTANCE "):
                stack.append(line.split()[1])
            elif line.startswith("(NET "):
                out["/".join(stack[1:])] = {pin: (int(changes), int(high) / max(1, int(low) + int(high)))
                                            for pin, low, high, changes in port.findall(line)}
            elif line.startswith(")") and stack:
                stack.pop()
            elif "DURATION" in line:
                duration = int(re.search(r"DURATION (\d+)", line)[1])
    return out, duration


def _numbers(values):
    return np.array([float(v) for text in values for v in re.split(r"[\s,\\]+", text) if v])


def _table(group, templates, slew_ns):
    """Energy against load at one slew: (loads in the library's unit, energies), loads None where it is a constant."""
    values = _numbers(group.attributes.get("values", ["0"]))
    template = templates.get(group.names[0] if group.names else "", None)
    axes = []
    for i in (1, 2):
        given = group.attributes.get(f"index_{i}") or (template and template.attributes.get(f"index_{i}"))
        if given:
            name = template.attributes.get(f"variable_{i}", "") if template else ""
            axes.append((name, _numbers(given)))
    if not axes or len(values) == 1:
        return None, values[:1]
    values = values.reshape([len(a) for _, a in axes])
    slew = [i for i, (name, _) in enumerate(axes) if "transition" in name or not name and i == 0]
    if slew:
        values = np.apply_along_axis(lambda v: np.interp(slew_ns, axes[slew[0]][1], v), slew[0], values)
    rest = [a for i, a in enumerate(axes) if i not in slew]
    return (rest[0][1], values) if rest else (None, np.atleast_1d(values))


class Tables:
    """The power tables of one cell, ready to be evaluated for many instances at once."""

    def __init__(self, cell, templates, energy_pj, farad_pf, slew_ns=0.1):
        self.cell, self.names = cell, [p.name for p in cell.pins.values() if p.direction in ("input", "output")]
        self.pins = {}
        for pin in cell.group.all("pin"):
            entries = []
            for group in pin.all("internal_power"):
                tables = [_table(t, templates, slew_ns) for kind in ("rise_power", "fall_power", "power")
                          for t in group.all(kind)]
                tables = [(None if x is None else x * farad_pf, y * energy_pj) for x, y in tables]
                entries.append((group.attributes.get("related_pin", "").split(), group.attributes.get("when"), tables))
            for name in pin.names:
                self.pins[name] = entries
        self.leakage = [(g.attributes.get("when"), g.number("value")) for g in cell.group.all("leakage_power")]

    def probability(self, when, high):
        """Chance of a Liberty condition; `high`: pin -> (n,) shares of time at one, taken as independent."""
        used = sorted({n for n in re.findall(r"[A-Za-z_]\w*", when) if n in high})
        test, total = compiled_function((expression(when), tuple(used))), 0.0
        for bits in itertools.product((0, 1), repeat=len(used)):
            if test(*bits):
                total = total + np.prod([high[n] if b else 1 - high[n] for n, b in zip(used, bits, strict=True)],
                                        axis=0)
        return total

    def internal(self, toggles, high, load):
        """pJ of every instance: toggles, high, load map pin -> (n,)."""
        total = 0.0
        for pin, entries in self.pins.items():
            if not entries or pin not in toggles:
                continue
            weights, energies = [], []
            for related, when, tables in entries:
                weight = np.ones_like(high[pin])
                if when:
                    weight = weight * self.probability(when, high)
                else:   # a table without state serves the states that the pin's other tables do not name
                    weight = weight * np.clip(1 - sum(self.probability(w, high) for r, w, _ in entries
                                                      if w and r == related), 0, 1)
                if related and related[0] in toggles:
                    weight = weight * (toggles[related[0]] + 1e-9)
                weights.append(weight)
                # rise and fall are one toggle each: the mean of the tables there are, of two
                energies.append(sum(y[0] if x is None else np.interp(load[pin], x, y) for x, y in tables) / 2
                                + np.zeros_like(weight))
            weights = np.array(weights)
            # of an output's toggles each has one cause; the states of an input need not add up to one
            whole = weights.sum(0) if any(related for related, _, _ in entries) else 1.0
            total = total + toggles[pin] * (weights * np.array(energies)).sum(0) / np.maximum(whole, 1e-15)
        return total

    def static(self, high, nanowatt):
        """nW of every instance."""
        states = [(self.probability(when, high), value) for when, value in self.leakage if when]
        if not states:
            return np.full_like(next(iter(high.values())), self.cell.leakage)
        covered = sum(p for p, _ in states)
        given = sum(p * v for p, v in states) * nanowatt
        return given + np.clip(1 - covered, 0, 1) * self.cell.leakage


def modelled(cell, toggles, load_self, voltage):
    """pJ inside the instances of a cell of a library without power tables."""
    outputs = sum(toggles[p.name] for p in cell.outputs)
    inside = outputs * load_self * voltage**2 / 2
    if cell.storage:
        clocks = [p for p in cell.inputs if p.clock or p.name in str(cell.storage[3].get("clocked_on", ""))]
        inside = inside + sum(toggles[p.name] * CLOCK_LOADS * p.capacitance * voltage**2 / 2 for p in clocks)
    return inside


def instances(library, netlist, macro_kinds, saif, wires=None):
    """(rows like OpenSTA's: name and W of internal, switching, leakage; share of pins annotated; what was used).

    `wires`: (instance path, pin) -> pF of extracted wires (`hw.flow.lib.spef`).
    """
    wires = wires or {}
    sim = GateSimulator(netlist, macro_kinds)
    activity, duration = read_saif(saif)
    capacitance = np.zeros(sim.count)
    for _, cell, pins in sim.pins:
        for pin in cell.inputs:
            if pin.name in pins:
                capacitance[pins[pin.name]] += pin.capacitance
    for gate in sim._gates:
        if gate[0] == "alias":
            capacitance[gate[1]] += capacitance[gate[2]]
    group = library.cells.group
    unit = group.attributes.get("capacitive_load_unit", ["1", "pf"])
    farad_pf = float(unit[0]) * {"pf": 1.0, "ff": 1e-3}[unit[1].lower()]
    templates = {g.names[0]: g for g in group.groups if g.kind in ("power_lut_template", "lu_table_template")}
    tables, voltage = has_tables(library.cells.cells), library.cells.voltage
    nanowatt = {"pW": 1e-3, "nW": 1.0, "uW": 1e3, "mW": 1e6}[
        re.sub(r"[\d.]+", "", group.attributes.get("leakage_power_unit", "1nW"))]
    kinds = {}
    for path, cell, pins in sim.pins:
        kinds.setdefault(cell.name, (cell, []))[1].append((path, pins))
    seconds, rows, found, wanted = duration * 1e-9, [], 0, 0
    for cell, members in kinds.values():
        names = [p.name for p in cell.pins.values() if p.direction in ("input", "output")]
        known = [activity.get(path, {}) for path, _ in members]
        wanted += sum(n in pins for _, pins in members for n in names)
        found += sum(n in k for k in known for n in names)
        toggles = {n: np.array([k.get(n, (0, 0.0))[0] for k in known], float) for n in names}
        high = {n: np.array([k.get(n, (0, 0.0))[1] for k in known]) for n in names}
        load = {p.name: capacitance[[pins[p.name] for _, pins in members]]
                + np.array([wires.get((path, p.name), 0.0) for path, _ in members]) for p in cell.outputs}
        load |= {p.name: np.zeros(len(members)) for p in cell.inputs}
        t = Tables(cell, templates, farad_pf, farad_pf, (library.node or 100) * SLEW_PS_NM * 1e-3)
        own = np.mean([p.capacitance for p in cell.inputs]) if cell.inputs else 0.0
        inside = (t.internal(toggles, high, load) if tables else modelled(cell, toggles, own, voltage)) \
            + np.zeros(len(members))
        switching = sum(toggles[p.name] * load[p.name] for p in cell.outputs) * voltage**2 / 2 + np.zeros(len(members))
        leakage = t.static(high, nanowatt) if names else np.zeros(len(members))
        rows += [{"name": path, "internal": i * 1e-12 / seconds, "switching": s * 1e-12 / seconds, "leakage": w * 1e-9}
                 for (path, _), i, s, w in zip(members, inside, switching, leakage, strict=True)]
    used = "Liberty tables (hw/flow/lib/liberty_power.py)" if tables else \
        "energy model: the library has no power tables"
    if not any(cell.leakage for cell in library.cells.cells.values()):
        used += "; it has no leakage either: counted as 0"
    return rows, found / max(1, wanted), used
