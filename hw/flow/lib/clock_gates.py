"""Clock gates in two levels: the gates of a block behind one more, which is open where any of them is.

A gate takes energy at every clock edge, open or not. A block of many that are seldom open, such as the LIF unit, which
works a tenth of a frame's cycles, pays for all of them all the time. The gate above is enabled by the OR of their
enables, so nothing that moved before stands still, and nothing else moves. At 100 kHz the OR has all the time it needs.
"""

from hw.flow.lib.errors import FlowError

LEAST = 8  # gates of a block that one above pays for


def either(cells):
    """The smallest two-input OR of a library: (cell, input pins, output pin)."""
    found = []
    for cell in cells.values():
        names = [p.name for p in cell.inputs]
        if len(names) == 2 and len(cell.outputs) == 1 and not cell.dont_use:
            text = "".join(cell.outputs[0].function.split()).strip("()")
            if text in {f"{a}{op}{b}" for a, b in (names, names[::-1]) for op in "|+"}:
                found.append((cell.area, cell.name, names, cell.outputs[0].name))
    if not found:
        raise FlowError("two levels of clock gates: the library has no two-input OR")
    return min(found)[1:]


def pins_of(cell):
    """(clock, enable, output) pin of a clock-gating cell."""
    role = {key: p.names[0] for p in cell.group.all("pin") for key in p.attributes if key.startswith("clock_gate")}
    return tuple(role[f"clock_gate_{kind}_pin"] for kind in ("clock", "enable", "out"))


def nest(netlist, least=LEAST):
    """Put a gate above the gates of each module that has `least` on one clock; returns how many were added."""
    added = 0
    for name in [m for m in netlist.modules if not netlist.is_box(m) and m not in netlist.cells]:
        module, by_clock = netlist.modules[name], {}
        for inner, cell, connections in netlist.gates(name):
            if cell.gating:
                by_clock.setdefault(connections[pins_of(cell)[0]][0], []).append((inner, cell))
        fresh = 1 + max((b for net in module["netnames"].values() for b in net["bits"] if isinstance(b, int)),
                        default=1)
        for clock, gates in by_clock.items():
            if len(gates) < least:
                continue
            enables = [module["cells"][inner]["connections"][pins_of(cell)[1]][0] for inner, cell in gates]
            enable, fresh = _any(netlist, module, enables, f"any_gate_{fresh}", fresh)
            _, kind = gates[0]
            pin_clock, pin_enable, pin_out = pins_of(kind)
            _place(module, netlist.cells[kind.name], f"gate_above_{fresh}",
                   {pin_clock: clock, pin_enable: enable, pin_out: fresh})
            for inner, cell in gates:
                module["cells"][inner]["connections"][pins_of(cell)[0]] = [fresh]
            fresh, added = fresh + 1, added + 1
    return added


def _any(netlist, module, nets, label, fresh):
    """A tree of two-input ORs over nets: (its output, the next free net)."""
    kind, inputs, output = either(netlist.cells)
    number = 0
    while len(nets) > 1:
        above = nets[len(nets) // 2 * 2:]
        for a, b in zip(nets[::2], nets[1::2], strict=False):
            _place(module, netlist.cells[kind], f"{label}_{number}", {inputs[0]: a, inputs[1]: b, output: fresh})
            above, fresh, number = [*above, fresh], fresh + 1, number + 1
        nets = above
    return nets[0], fresh


def _place(module, cell, name, pins):
    """A cell with its nets; a net that is new gets a name."""
    module["cells"][name] = {
        "hide_name": 0, "type": cell.name, "parameters": {}, "attributes": {},
        "port_directions": {pin: cell.pins[pin].direction for pin in pins},
        "connections": {pin: [net] for pin, net in pins.items()}}
    for pin, net in pins.items():
        if cell.pins[pin].direction == "output":
            module["netnames"][f"{name}_net"] = {"hide_name": 0, "bits": [net], "attributes": {}}
