"""Parsers of tool output and the published row, without any tool."""

import json

import pytest

from hw import store
from hw.flow import collect, gate_activity, power, sta
from hw.flow.lib import placed, published, sta_tool
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
END
"""


def test_timing_is_read_with_its_path():
    t = sta.parse(STA)
    assert (t["setup_slack_ns"], t["hold_slack_ns"]) == (4.38, -0.17)
    assert (t["setup"]["start"], t["setup"]["end"], t["setup"]["arrival_ns"]) == ("buffer/macro", "pe_set1/a_reg", 4.99)
    assert [s["pin"] for s in t["setup"]["path"]] == ["buffer/macro/A_DOUT[16]", "g560/Y"]
    assert (sta.clock_name(10_000.0), sta.clock_name(2.0)) == ("100 kHz", "500 MHz")


def test_power_is_read_with_the_share_annotated():
    text = 'ANNOTATION\nsaif        90\nunannotated 10\nPOWER\n[{"name": "a/b", "internal": 1e-3}]\nEND\n'
    instances, share = power.parse(text)
    assert share == 0.9 and instances[0]["name"] == "a/b"


def test_the_sweep_sprints_and_scales():
    rows = power.sweep({"dynamic_nj": 100.0, "leakage_nj": 400.0}, 1000)
    assert rows[0]["energy_nj"] == 500.0            # 100 kHz: awake the whole frame
    assert rows[1]["energy_nj"] == pytest.approx(140.0)  # 1 MHz: a tenth of the leakage
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


def test_a_flow_log_is_read():
    log = ("STEP floorplan\nSTEP placement\n[INFO CTS-0010]  Clock net \"clk\" has 40 sinks\n"
           "[INFO CTS-0010]  Clock net \"n7\" has 32 sinks\n[INFO CTS-0018]     Created 5 clock buffers.\n"
           "[INFO CTS-0018]     Created 4 clock buffers.\n[INFO RSZ-0032] Inserted 85 hold buffers.\n"
           "Total            250000      50000           20.00%             0 /  0 /  3\n"
           "[INFO GRT-0018] Total wirelength: 1234 um\n"
           "STEP reports\nworst slack 0.11\nworst slack -0.02\ntns -0.5\nClock clk\nLatency      CRPR       Skew\n"
           "a_reg/CLK ^\n   0.30\nb_reg/CLK ^\n   0.24   0.00       0.06\n\n"
           "Design area 24448 u^2 48% utilization.\n"
           "Total                  1.5e-03   7.3e-04   5.5e-05   2.3e-03 100.0%\nEND\n")
    out = placed.parse(log, "v2.0-5")
    assert (out["area_um2"], out["utilisation_percent"], out["setup_slack_ns"]) == (24448, 48, 0.11)
    assert (out["hold_slack_ns"], out["tns_ns"], out["skew_ns"], out["power_w"]) == (-0.02, -0.5, 0.06, 2.3e-3)
    assert (out["clock_nets"], out["clock_sinks"], out["clock_buffers"]) == (2, 72, 9)
    assert (out["wirelength_um"], out["routing_overflow"], out["timing_repair_buffers"]) == (1234, 3, 85)
    assert out["steps"] == ["floorplan", "placement", "reports"] and out["tool_versions"] == {"openroad": "v2.0-5"}


def test_a_log_that_says_nothing_gives_nothing():
    out = placed.parse("STEP floorplan\n")
    assert all(out[k] is None for k in ("area_um2", "setup_slack_ns", "skew_ns", "routing_overflow", "clock_sinks"))


def test_a_placed_def_is_drawn(tmp_path):
    text = ("UNITS DISTANCE MICRONS 1000 ;\nDIEAREA ( 0 0 ) ( 20000 10000 ) ;\n"
            "- a/g1 INV + PLACED ( 1000 2000 ) N ;\n- g2 BUF + PLACED ( 3000 4000 ) FS ;\n")
    die, cells = placed.components(text)
    assert die == [0, 0, 20, 10] and cells == [("a/g1", "INV", 1.0, 2.0), ("g2", "BUF", 3.0, 4.0)]
    (tmp_path / "placed.def").write_text(text)
    placed.picture(tmp_path / "placed.def", tmp_path / "placed.png", "test")
    assert (tmp_path / "placed.png").stat().st_size > 1000


def test_missing_inputs_are_refused_in_one_line(tmp_path):
    with pytest.raises(FlowError, match="sottovoce synth"):
        collect.collect(tmp_path)
    with pytest.raises(FlowError, match="no such stimulus"):
        gate_activity.read_stimulus(tmp_path / "none.bin", None)


def test_committed_results_sum_up():
    data = json.loads(store.results("physical.json", publish=True).read_text())
    assert data["rows"]
    for row in data["rows"]:
        assert sum(row["area_um2"].values()) == pytest.approx(row["total_um2"], abs=0.1)
        assert row["latches"] == 0 and row["tool_versions"]["yosys"]
        if "recipes" in row:
            groups = {name.split(",")[0] for name in row["recipes"]} & {"area", "energy", "gate_level", "placed"}
            given = {"area": True, "energy": row["power_uw_at_10ms"], "gate_level": row["gate_level"],
                     "placed": row["placed"]}
            assert groups == {name for name, value in given.items() if value}
        else:
            assert row["command"]  # made before every group of figures had its own
        for found in (row["placed"] or {}).values():
            assert found["steps"][-1] == "reports" and found["tool_versions"]["openroad"]
        for found in row["gate_level"].values():
            assert found["differ"] == 0 < found["compared"]
        if row["energy_per_frame_nj"]:
            assert sum(row["energy_per_frame_nj"].values()) / 10 == pytest.approx(row["power_uw_at_10ms"], rel=1e-3)
