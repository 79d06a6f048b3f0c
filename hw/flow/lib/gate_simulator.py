"""A zero-delay gate simulator: the whole mapped netlist, levelised and vectorised over cells with numpy.

Needs no compiler, and counts every net's toggles and time at one as it goes: the activity that power analysis wants.
One `step` is one clock cycle. A flip-flop behind a clock gate moves where its enable was high before the edge; the
buffers of a clock tree pass their root's edges on. Without delays there are no glitches; `unit_delay` gives every gate
the same delay and swallows no pulse, which counts more of them than cells of real delays and inertia pass on.
"""

import re

import numpy as np

from hw.flow.lib import cell_models
from hw.flow.lib.errors import FlowError

ZERO, ONE = 0, 1  # net numbers of the constants


class GateSimulator:
    """Flattens `netlist` (hw.flow.lib.netlist.Netlist) from its top; `macros` maps macro name -> `memories.Macro`.

    `inputs` and `outputs` map port names to arrays of net numbers; `value` holds every net. Only rising-edge flip-flops
    with a plain D and posedge clock gates, two in a row at most, are taken: anything else raises `FlowError`.
    """

    def __init__(self, netlist, macros, unit_delay=False):
        self.netlist, self.macro_kinds, self.unit_delay = netlist, macros, unit_delay
        self.count = 2
        self.pins = []      # (instance path, cell, {pin: net}) of every leaf, for activity files
        self._gates, self._flops, self.clock_gates, self.macros = [], [], [], {}
        self._repeats = {}  # output net of a buffer -> its input net
        top = netlist.modules[netlist.top]
        ports = {name: [self._new() for _ in spec["bits"]] for name, spec in top["ports"].items()}
        self.ports = {name: np.array(nets) for name, nets in ports.items()}
        self.clock = self.ports["clk"][0]
        self._flatten(netlist.top, "", ports)
        self.storage = {path: np.zeros((m.rows, m.bits), np.uint8) for path, (m, _) in self.macros.items()}
        self.value = np.zeros(self.count, np.uint8)
        self.value[ONE] = 1
        self._levelise()
        self.toggles = np.zeros(self.count, np.int64)
        self.high = np.zeros(self.count, np.int64)
        self.cycles = 0
        self.recording = False

    def root(self, net):
        """The clock net that `net` repeats: itself, or the root of the buffers that drive it."""
        while net in self._repeats:
            net = self._repeats[net]
        return net

    def _new(self):
        self.count += 1
        return self.count - 1

    def _flatten(self, module, path, ports):
        spec = self.netlist.modules[module]
        nets = {"0": ZERO, "1": ONE, "x": ZERO, "z": ZERO}
        alias = []
        # inputs first: where an output repeats one, the input drives it
        for name, port in sorted(spec["ports"].items(), key=lambda item: item[1]["direction"] != "input"):
            for bit, net in zip(port["bits"], ports[name], strict=True):
                if bit in nets:
                    alias.append((net, nets[bit]))  # an output that repeats another port's net
                else:
                    nets[bit] = net
        self._gates += [("alias", source, target) for target, source in alias]
        self._repeats |= {target: source for target, source in alias if source not in (ZERO, ONE)}

        def net(bit):
            if bit not in nets:
                nets[bit] = self._new()
            return nets[bit]

        for name, c in spec["cells"].items():
            inner = f"{path}/{name}" if path else name
            cell = self.netlist.cells.get(c["type"])
            if cell:
                self._leaf(inner, cell, {pin: net(bits[0]) for pin, bits in c["connections"].items() if bits})
            elif c["type"] in self.macro_kinds:
                pins = {pin: np.array([net(b) for b in bits]) for pin, bits in c["connections"].items()}
                self.macros[inner] = (self.macro_kinds[c["type"]], pins)
            else:
                below = self.netlist.modules[c["type"]]["ports"]
                given = {pin: [net(b) for b in bits] for pin, bits in c["connections"].items()}
                for pin, port in below.items():
                    given.setdefault(pin, [self._new() for _ in port["bits"]])
                self._flatten(c["type"], inner, given)

    def _leaf(self, path, cell, pins):
        self.pins.append((path, cell, pins))
        for pin in cell.outputs:
            pins.setdefault(pin.name, self._new())
        if cell.gating:
            role = {key: p.names[0] for p in cell.group.all("pin") for key in p.attributes
                    if key.startswith("clock_gate")}
            self.clock_gates.append((pins[role["clock_gate_clock_pin"]], pins[role["clock_gate_enable_pin"]],
                                      pins[role["clock_gate_out_pin"]]))
        elif cell.storage:
            kind, state, _, a = cell.storage
            if kind != "ff" or not re.fullmatch(r"\w+", a["next_state"]) or not re.fullmatch(r"\w+", a["clocked_on"]):
                raise FlowError(f"{path}: {cell.name} is no plain rising-edge flip-flop; the simulator has no other")
            for pin in cell.outputs:
                same = pin.function.strip() == state
                self._flops.append((pins[a["next_state"]], pins[a["clocked_on"]], pins[pin.name], same))
        else:
            self._gates.append(("cell", cell, pins))
            if len(cell.inputs) == 1 and [p.function.strip("() ") for p in cell.outputs] == [cell.inputs[0].name]:
                self._repeats[pins[cell.outputs[0].name]] = pins[cell.inputs[0].name]

    # --- order --------------------------------------------------------------------------------------------
    def _levelise(self):
        """Group gates by level and function; each group is evaluated by one compiled expression."""
        driver, entries = {}, []
        for gate in self._gates:
            if gate[0] == "alias":
                entries.append(("alias", "a", [gate[1]], gate[2]))
            else:
                _, cell, pins = gate
                names = [p.name for p in cell.inputs]
                for pin in cell.outputs:
                    if pin.function:
                        text = cell_models.expression(pin.function)
                        entries.append((f"{cell.name}.{pin.name}", (text, tuple(names)),
                                        [pins.get(n, ZERO) for n in names], pins[pin.name]))
        for index, entry in enumerate(entries):
            driver[entry[3]] = index
        level = np.full(len(entries), -1)
        for start in range(len(entries)):
            stack = [start]
            while stack:
                e = stack[-1]
                if level[e] >= 0:
                    stack.pop()
                    continue
                before = [driver[n] for n in entries[e][2] if n in driver]
                missing = [b for b in before if level[b] < 0]
                if not missing:
                    level[e] = 1 + max((level[b] for b in before), default=-1)
                    stack.pop()
                elif len(stack) > 100000:
                    raise FlowError(f"combinational loop through {entries[e][0]}")
                else:
                    stack += missing
        groups = {}
        for index, (kind, function, sources, target) in enumerate(entries):
            groups.setdefault((level[index], kind), (function, [], []))[1].append(sources)
            groups[level[index], kind][2].append(target)
        compiled, self._plan, self.functions = {}, [], []
        for key in sorted(groups):
            function, sources, targets = groups[key]
            self.functions.append(function)
            if function not in compiled:
                compiled[function] = compiled_function(function)
            self._plan.append((compiled[function], np.array(sources, np.int64).T, np.array(targets)))
        flops = np.array(self._flops, np.int64).reshape(-1, 4)
        self._d, self._ck, self._q, self._same = flops[:, 0], flops[:, 1], flops[:, 2], flops[:, 3].astype(np.uint8)
        self._gating = np.array(self.clock_gates, np.int64).reshape(-1, 3)
        enable_of = {out: enable for clock, enable, out in self.clock_gates}
        roots = {net: self.root(net) for net in {*self._ck.tolist(), *(clock for clock, _, _ in self.clock_gates)}}
        wild = set(roots.values()) - {self.clock} - set(enable_of)
        if wild:
            raise FlowError(f"{len(wild)} clock nets are neither clk nor a clock gate's output")
        above = {out: enable_of.get(roots[clock], ONE) for clock, _, out in self.clock_gates}  # its enable
        deep = {out for clock, _, out in self.clock_gates if roots[clock] != self.clock}
        if any(roots[clock] in deep for clock, _, _ in self.clock_gates):
            raise FlowError("more than two clock gates in a row: the simulator has no more")
        self._enable = np.array([[enable_of.get(roots[c], ONE), above.get(roots[c], ONE)] for c in self._ck.tolist()],
                                np.int64).reshape(-1, 2)
        self._gating[:, 0] = [above[out] for out in self._gating[:, 2].tolist()]  # all that is asked of its clock
        sources = {self.clock, *enable_of}
        self.clock_roots = {net: root for net in {*self._repeats, *sources} for root in [self.root(net)]
                            if root in sources}

    def settle(self):
        """Propagate inputs, flip-flops and memory outputs through the gates."""
        value = self.value
        for function, sources, targets in self._plan:
            value[targets] = function(*value[sources])

    def _ripple(self):
        """`settle` in steps of one gate's delay, every change on the way counted."""
        value = self.value
        for _ in range(10 * len(self._plan)):
            new = value.copy()
            for function, sources, targets in self._plan:
                new[targets] = function(*value[sources])
            changed = new != value
            if not changed.any():
                return
            self.toggles += changed
            value[:] = new
        raise FlowError("the netlist does not settle")

    def step(self):
        """One rising edge, after `settle`; then settles again. Counts activity while `recording`."""
        value = self.value
        before = value.copy() if self.recording else None
        moved = value[self._enable].all(1)
        new = np.where(self._same, value[self._d], 1 - value[self._d])
        opened = value[self._gating[:, :2]].all(1)
        reads = [self._macro(path) for path in self.macros]
        value[self._q[moved]] = new[moved]
        for nets, word in reads:
            if nets is not None:
                value[nets] = word
        if self.recording and self.unit_delay:
            self.toggles += value != before
            self._ripple()
        else:
            self.settle()
        if self.recording:
            if not self.unit_delay:
                self.toggles += value != before
            self.high += value
            self.toggles[self._gating[opened, 2]] += 2
            self.cycles += 1

    def _macro(self, path):
        """One clock edge of a macro: (output nets, row) where it reads."""
        value, pins = self.value, self.macros[path][1]
        if not value[pins["A_MEN"][0]]:
            return None, None
        address = int(value[pins["A_ADDR"]] @ (1 << np.arange(len(pins["A_ADDR"]))))
        cells = self.storage[path]
        if value[pins["A_WEN"][0]]:
            mask = value[pins["A_BM"]].astype(bool)
            cells[address][mask] = value[pins["A_DIN"]][mask]
            return None, None
        return (pins["A_DOUT"], cells[address]) if value[pins["A_REN"][0]] else (None, None)

    def preset(self, path, row, bits):
        """Write a row of the macro at `path`, as if it had been loaded."""
        self.storage[path][row] = bits

    def set(self, port, number):
        nets = self.ports[port]
        self.value[nets] = [(number >> i) & 1 for i in range(len(nets))]

    def get(self, port):
        return sum(int(b) << i for i, b in enumerate(self.value[self.ports[port]]))


def compiled_function(function):
    """A function of bytes 0 and 1; ~ sets their other bits too, which & 1 removes."""
    if function == "a":
        return lambda a: a
    text, names = function
    body = text.replace("1'b", "")
    return eval(f"lambda {', '.join(names)}: ({body}) & 1")
