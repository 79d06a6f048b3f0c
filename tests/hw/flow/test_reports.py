"""Parsers of tool output and the published row, without any tool."""

import argparse
import json
from types import SimpleNamespace

import pytest

from hw import config as configs
from hw import store
from hw.flow import collect, gate_activity, power, sta
from hw.flow.lib import published, routed, runs, sta_tool, supply
from hw.flow.lib.errors import FlowError

STA = """SETUP 4.380000
HOLD -0.170000
PATH setup
Startpoint: buffer/macro (rising edge-triggered flip-flop clocked by clk)
Endpoint: pe_set1/a_reg (rising edge-triggered flip-flop clocked by clk)
   3.10    3.10 ^ buffer/macro/A_DOUT[16] (SRAM)
   0.03    3.14 v g560/Y (inv)
           4.99   data arrival time
PATH hold
Startpoint: a_reg
Endpoint: b_reg
           0.49   data arrival time
LIMIT max_slew
a/X   0.30   0.41  -0.11 (VIOLATED)
b/X   0.30   0.31  -0.01 (VIOLATED)
LIMIT max_capacitance
END
"""


def test_timing_is_read_with_its_path():
    t = sta.parse(STA)
    assert (t["setup_slack_ns"], t["hold_slack_ns"]) == (4.38, -0.17)
    assert (t["max_slew_violations"], t["max_capacitance_violations"]) == (2, 0)
    assert (t["setup"]["start"], t["setup"]["end"], t["setup"]["arrival_ns"]) == ("buffer/macro", "pe_set1/a_reg", 4.99)
    assert [s["pin"] for s in t["setup"]["path"]] == ["buffer/macro/A_DOUT[16]", "g560/Y"]
    assert (sta.clock_name(10_000.0), sta.clock_name(2.0)) == ("100 kHz", "500 MHz")


def test_power_is_read_with_the_share_annotated():
    text = 'ANNOTATION\nsaif        90\nunannotated 10\nPOWER\n[{"name": "a/b", "internal": 1e-3}]\nEND\n'
    instances, share = power.parse(text)
    assert share == 0.9 and instances[0]["name"] == "a/b"


def test_what_is_kept_at_night_and_what_waking_costs():
    def cell(storage, *capacitances):
        return SimpleNamespace(storage=storage, inputs=[SimpleNamespace(capacitance=c) for c in capacitances])

    cells = {"lif/state": cell(("ff",), 1.0), "lif/adder": cell(None, 2.0, 3.0), "sequencer/state": cell(("ff",), 5.0)}
    leaking = [{"name": name, "leakage": watt} for name, watt in
               (("lif/state", 1e-6), ("lif/adder", 4e-6), ("sequencer/state", 8e-6), ("fc0_weights/macro", 1.0))]
    found = supply.night(configs.load("tiny"), leaking, cells, lambda path: path.split("/")[0], 100.0, 2.0)
    assert found.kept_nj == pytest.approx(100 + 10)              # macros, and 1 uW of a retained register for 10 ms
    assert found.wake_nj == pytest.approx(0.5 * 10e-3 * 4)      # 10 pF of what was cut, at 2 V, half of it rising


def test_the_sweep_sprints_and_scales():
    rows = supply.sweep({"dynamic_nj": 100.0, "leakage_nj": 400.0}, 1000, supply.Night(200.0, 7.0))
    assert rows[0]["energy_nj"] == 500.0            # 100 kHz: awake the whole frame, and never woken
    assert rows[1]["energy_nj"] == pytest.approx(327.0)  # 1 MHz: a tenth of what is cut, and the waking
    assert rows[-1]["energy_nj"] == pytest.approx(100 * 0.64 + 400 * 0.8)


def test_published_figures_agree_with_each_other():
    d = published.derived()
    assert d["unoptimised_mmac_s"][0] == pytest.approx(published.MMAC_S_UNOPTIMISED, rel=0.002)
    assert d["reduction"][0] == pytest.approx(0.9049, abs=1e-4)
    assert d["area_mm2"][0] == pytest.approx(0.1345, abs=1e-4)
    assert d["static_share"][0] > 0.8
    assert published.scaled_dynamic(1.0, 28, 0.9) == 1.0


def test_a_missing_sta_is_named_with_its_command(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FlowError, match="apt install opensta"):
        sta_tool.version()


def test_missing_inputs_are_refused_in_one_line(tmp_path):
    with pytest.raises(FlowError, match="sottovoce synth"):
        collect.collect(tmp_path)
    with pytest.raises(FlowError, match="no such stimulus"):
        gate_activity.read_stimulus(tmp_path / "none.bin", None)


def test_no_power_of_an_activity_whose_logits_differ(tmp_path):
    for name in ("activity.saif", "netlist.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "activity.json").write_text('{"logits_compared": 60, "logits_differ": 3}')
    with pytest.raises(FlowError, match="3 logits of this activity differ"):
        power.analyse(None, {}, tmp_path)


def test_committed_results_sum_up():
    data = json.loads(store.results("physical.json", publish=True).read_text())
    assert data["rows"]
    for row in data["rows"]:
        assert sum(row["area_um2"].values()) == pytest.approx(row["total_um2"], abs=0.1)
        assert row["latches"] == 0 and row["tool_versions"]["yosys"]
        if "recipes" in row:
            given = {"area": True, "energy": row["power_uw_at_10ms"], "gate_level": row["gate_level"],
                     "placed": row.get("placed"), "layout": row.get("layout")}
            groups = {name.split(",")[0] for name in row["recipes"]} & set(given)
            assert groups == {name for name, value in given.items() if value}
        else:
            assert row["command"]  # made before every group of figures had its own
        for found in (row.get("layout") or {}).values():
            assert found["stage"] == "routed" and found["tool_versions"]["openroad"]
            assert found["route_violations"] == found["antennas"] == found["unpowered_pins"] == 0
        for found in row["gate_level"].values():
            assert found["differ"] == 0 < found["compared"]
        if row["energy_per_frame_nj"]:
            assert sum(row["energy_per_frame_nj"].values()) / 10 == pytest.approx(row["power_uw_at_10ms"], rel=1e-3)


def test_power_after_layout_is_named_by_what_was_routed(tmp_path):
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    stages = [routed.stage_of(parser.parse_args(line.split()).layout)
              for line in ("--config a", "--config a --layout", "--config a --layout lif pe_array")]
    assert stages == ["synthesised", "routed", "routed-blocks"]
    assert len({runs.activity_of(tmp_path, stage, "speech") for stage in stages}) == 3


def test_power_is_compared_by_kind():
    line = power.against({"total": {"switching_nj": 3.0, "sram_nj": 0.0}},
                         {"total": {"switching_nj": 4.0, "sram_nj": 0.0}}, "routed")
    assert line == "against routed: switching -25.0 %"
