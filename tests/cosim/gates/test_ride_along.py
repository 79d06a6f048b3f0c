"""The netlist rides along inside the RTL, and one wrong gate is found."""

import re

import pytest

from cosim.gates import netlist_run, ride_along, stimulus
from hw import config, store
from hw.flow import synth
from hw.interface import MODES

RTL = """module top(clk, rst, a, y);
  input clk;
  input rst;
  input signed [1:0] a;
  output [1:0] y;
  leaf inner (.clk(clk), .rst(rst), .a(a), .y(y));
endmodule
module leaf(clk, rst, a, y);
  input clk;
  input rst;
  input [1:0] a;
  output [1:0] y;
  assign y = ~a;
endmodule
"""
NETLIST = RTL.replace("assign y = ~a;", "INV g0 (\n    .A(a[0]),\n    .Y(y[0])\n  );")


def test_ports_are_read_with_their_widths():
    parts = ride_along.modules(RTL)
    assert list(parts) == ["top", "leaf"]
    assert ("input", "a", 2) in ride_along.ports(parts["top"])


def test_the_netlist_gets_names_of_its_own():
    design, mapped = ride_along.build(RTL, NETLIST, ["leaf"])
    assert "leaf_gates gates (" in design and "module leaf_gates(" in mapped
    assert "module top_gates" not in mapped


def test_a_block_that_is_not_there_is_quoted():
    with pytest.raises(ValueError, match="block 'alu'"):
        ride_along.build(RTL, NETLIST, ["alu"])


@pytest.mark.parametrize("kind, macros", [("macros", 1), ("flip-flops", 0)])
def test_models_of_macros_come_only_where_the_netlist_has_them(kind, macros, ihp, tmp_path, monkeypatch):
    for name, text in (("rtl.v", RTL), ("netlist.v", NETLIST)):
        (tmp_path / name).write_text(text)
    store.write_json(tmp_path / "synth.json", {"settings": {"prefer": "area", "memories": kind}})
    given = {}
    monkeypatch.setattr(netlist_run.harness, "design", lambda *args, **kept: given.update(kept))
    monkeypatch.setattr(netlist_run.builder, "build", lambda design: None)
    netlist_run.compile_gates(config.load("tiny"), ihp, tmp_path, ["leaf"])
    assert given["gates"].count("module RM_IHPSG13_1P_64x64") == macros


@pytest.mark.slow
def test_one_wrong_gate_is_found(ihp, tmp_path):
    tiny = config.load("tiny")
    synth.synthesise(tiny, ihp, tmp_path)
    netlist = (tmp_path / "netlist.v").read_text()
    model, x, _ = stimulus.of(tiny, MODES["t2_merged"], 3, "speech")
    start = netlist.index("module pe_array(")
    # a NAND becomes a NOR with the same pins
    wrong = netlist[:start] + re.sub("sg13g2_nand2_1 ", "sg13g2_nor2_1 ", netlist[start:], count=1)
    for text, found in ((netlist, False), (wrong, True)):
        (tmp_path / "netlist.v").write_text(text)
        folder = netlist_run.compile_gates(tiny, ihp, tmp_path, ["pe_array"])
        blocks, differences, outcome = netlist_run.run_gates(folder, model, "t2_merged", x)
        assert all(compared > 0 for compared, _ in blocks.values())
        assert (sum(differ for _, differ in blocks.values()) > 0) == found == bool(differences)
        assert outcome.compared > 0 and outcome.differences == 0  # the RTL around it is as ever
