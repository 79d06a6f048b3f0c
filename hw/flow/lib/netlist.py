"""The mapped netlist as Yosys's JSON: blocks, counts, logic depth, and buffers on nets with many sinks.

ABC never splits nets that come from ports or flip-flops, so broadcast nets keep a thousand sinks and timing means
nothing. `buffer_fanout` splits each into a tree. Clocks are left to clock-tree synthesis.
"""

import json
import re
from pathlib import Path

from hw.flow.lib.errors import FlowError

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Netlist:
    """Modules of a Yosys JSON file; `cells` is the library's name -> `liberty.Cell`."""

    def __init__(self, path, cells, top):
        self.data = json.loads(Path(path).read_text())
        self.modules = self.data["modules"]
        self.cells = cells
        self.top = top
        if top not in self.modules:
            raise FlowError(f"{path}: no module {top!r} in it; remove the folder and synthesise again")

    def save(self, path):
        Path(path).write_text(json.dumps(self.data, separators=(",", ":")))

    def is_box(self, module):
        return int(str(self.modules[module].get("attributes", {}).get("blackbox", "0")), 2) != 0

    def children(self, module):
        """Instance name -> module, for cells that are modules of the design."""
        return {name: c["type"] for name, c in self.modules[module]["cells"].items()
                if c["type"] in self.modules and not self.is_box(c["type"]) and c["type"] not in self.cells}

    def boxes(self, module):
        """Instance name -> macro, for black boxes that are no library cell."""
        return {name: c["type"] for name, c in self.modules[module]["cells"].items()
                if c["type"] not in self.cells and (c["type"] not in self.modules or self.is_box(c["type"]))}

    def gates(self, module):
        """(name, cell, connections) of library cells; raises `FlowError` on an unmapped one."""
        for name, c in self.modules[module]["cells"].items():
            if c["type"] in self.cells:
                yield name, self.cells[c["type"]], c["connections"]
            elif c["type"].startswith("$"):
                raise FlowError(f"{module}.{name}: {c['type']} was not mapped to a library cell")

    def count(self, module):
        """Cells, area, flip-flops, latches, gating cells and leakage of one module alone."""
        out = {"cells": 0, "area_um2": 0.0, "flip_flops": 0, "latches": 0, "clock_gates": 0, "leakage_nw": 0.0,
               "sequential_um2": 0.0}
        for _, cell, _ in self.gates(module):
            out["cells"] += 1
            out["area_um2"] += cell.area
            out["leakage_nw"] += cell.leakage
            if cell.gating:
                out["clock_gates"] += 1
                out["sequential_um2"] += cell.area
            elif cell.storage:
                out["flip_flops" if cell.storage[0] == "ff" else "latches"] += 1
                out["sequential_um2"] += cell.area
        return out

    def instances(self, module=None, path=""):
        """Every instance of a module of the design: (path, module), the top first with path ''."""
        module = module or self.top
        yield path, module
        for name, child in self.children(module).items():
            yield from self.instances(child, f"{path}.{name}" if path else name)

    def tidy(self):
        """Names for what Yosys left unnamed: `n12` nets, `g34` cells, flip-flops after their register's bit."""
        for name in [m for m in self.modules if not self.is_box(m) and m not in self.cells]:
            module = self.modules[name]
            public = {n: spec for n, spec in module["netnames"].items() if PLAIN.fullmatch(n)}
            for spec in (*module["ports"].values(), *public.values()):
                spec.pop("signed", None)  # netlist readers of timing tools do not take it
            label = {}
            for net, spec in sorted(public.items(), key=lambda item: item[0] in module["ports"]):
                for index, bit in enumerate(spec["bits"]):
                    label.setdefault(bit, f"{net}_{index}" if len(spec["bits"]) > 1 else net)
            used = {b for c in module["cells"].values() for bits in c["connections"].values() for b in bits}
            for bit in sorted(b for b in used if isinstance(b, int) and b not in label):
                public[f"n{bit}"] = {"hide_name": 0, "bits": [bit], "attributes": {}}
            cells = {}
            for number, (old, c) in enumerate(module["cells"].items()):
                cell, new = self.cells.get(c["type"]), old
                if cell and cell.storage:
                    out = next(b for p in cell.outputs for b in c["connections"].get(p.name, []))
                    new = f"{label.get(out, f'n{out}')}_reg"
                elif not PLAIN.fullmatch(old):
                    new = f"{'gate_clock' if cell and cell.gating else 'g'}{number}"
                cells[new if new not in cells and new not in public else f"{new}_{number}"] = c | {"hide_name": 0}
            module["netnames"], module["cells"] = public, cells

    # --- fan-out ------------------------------------------------------------------------------------------
    def loads(self, module):
        """Net bit -> [(cell name, pin, index)] of its sinks; and the set of clock nets."""
        sinks, clocks = {}, set()
        for name, c in self.modules[module]["cells"].items():
            cell = self.cells.get(c["type"])
            directions = c.get("port_directions", {})
            for pin, bits in c["connections"].items():
                direction = cell.pins[pin].direction if cell else directions.get(pin) or self._direction(c["type"], pin)
                if direction == "output":
                    continue
                for index, bit in enumerate(bits):
                    if isinstance(bit, int):
                        sinks.setdefault(bit, []).append((name, pin, index))
                        if cell and (cell.storage or cell.gating) and _is_clock(cell, pin):
                            clocks.add(bit)
        return sinks, clocks

    def _direction(self, module, pin):
        ports = self.modules.get(module, {}).get("ports", {})
        return ports[pin]["direction"] if pin in ports else "input"

    def clock_nets(self):
        """Module -> clock nets, also those that only reach flip-flops through submodules."""
        found = {name: self.loads(name)[1] for name in self.modules if not self.is_box(name)}
        for _ in range(4):  # hierarchy is shallow
            for name in found:
                for instance in self.modules[name]["cells"].values():
                    child = instance["type"]
                    if child in found and child not in self.cells:
                        for port, spec in self.modules[child]["ports"].items():
                            if port in instance["connections"] and any(b in found[child] for b in spec["bits"]):
                                found[name].update(b for b in instance["connections"][port] if isinstance(b, int))
        return found

    def buffer_fanout(self, limit, buffer, ties=()):
        """Split nets with more than `limit` sinks, clocks and constants excepted, by trees of `buffer`.

        `ties` are the cells that drive constants. Returns how many buffers were added.
        """
        pin_in = self.cells[buffer].inputs[0].name
        pin_out = self.cells[buffer].outputs[0].name
        clocks = self.clock_nets()
        added = 0
        for name in [m for m in self.modules if not self.is_box(m) and m not in self.cells]:
            module = self.modules[name]
            fresh = 1 + max((b for net in module["netnames"].values() for b in net["bits"] if isinstance(b, int)),
                            default=1)
            sinks, _ = self.loads(name)
            whole = clocks[name] | {bit for c in module["cells"].values() if c["type"] in ties
                                    for bits in c["connections"].values() for bit in bits}
            for bit, pins in sinks.items():
                level = 0
                while len(pins) > limit and bit not in whole:
                    groups = -(-len(pins) // limit)
                    size = -(-len(pins) // groups)
                    above = []
                    for g in range(groups):
                        cell = f"fanout_{bit}_{level}_{g}"
                        for sink, pin, index in pins[g * size:(g + 1) * size]:
                            module["cells"][sink]["connections"][pin][index] = fresh
                        module["cells"][cell] = {
                            "hide_name": 0, "type": buffer, "parameters": {}, "attributes": {},
                            "port_directions": {pin_in: "input", pin_out: "output"},
                            "connections": {pin_in: [bit], pin_out: [fresh]}}
                        module["netnames"][f"{cell}_net"] = {"hide_name": 0, "bits": [fresh], "attributes": {}}
                        above.append((cell, pin_in, 0))
                        fresh += 1
                        added += 1
                    pins, level = above, level + 1
        return added

    # --- depth --------------------------------------------------------------------------------------------
    def depth(self, module):
        """Most library cells in a row between registers, ports or submodules of one module."""
        driver = {}
        for name, cell, connections in self.gates(module):
            if cell.storage or cell.gating:
                continue
            for pin in cell.outputs:
                for bit in connections.get(pin.name, []):
                    driver[bit] = name
        cells = self.modules[module]["cells"]
        levels, stack = {}, []
        for start in set(driver.values()):
            stack.append(start)
            while stack:
                name = stack[-1]
                if name in levels:
                    stack.pop()
                    continue
                c = cells[name]
                sources = {driver[b] for pin in self.cells[c["type"]].inputs for b in c["connections"].get(pin.name, [])
                           if b in driver}
                missing = [s for s in sources if s not in levels]
                if missing:
                    if len(stack) > 100000:
                        raise FlowError(f"{module}: combinational loop through {name}")
                    stack += missing
                else:
                    levels[name] = 1 + max((levels[s] for s in sources), default=0)
                    stack.pop()
        return max(levels.values(), default=0)


def _is_clock(cell, pin):
    if cell.gating:
        return cell.pins[pin].clock or pin in ("CLK", "CK")
    clock = cell.storage[3].get("clocked_on", cell.storage[3].get("enable", ""))
    return pin in clock
