"""The steps of a layout: resumed, refused, read and drawn, on stored pieces of logs and without OpenROAD."""

import json
from types import SimpleNamespace

import pytest

from hw.flow import layout
from hw.flow.lib import layout_report, pdk_files, placed, routed, verify
from hw.flow.lib.errors import FlowError

GLOBAL = """[INFO GRT-0006] Repairing antennas, iteration 1.
[INFO GRT-0012] Found 2 antenna violations.
[INFO GRT-0015] Inserted 3 diodes.
[INFO GRT-0012] Found 0 antenna violations.
Total            250000      50000           20.00%             0 /  0 /  3
[INFO GRT-0018] Total wirelength: 1234 um
FIGURE unpowered_pins 0
FIGURE hold_slack_ns -0.0213
FIGURE typ.slew_violations 4
FIGURE note IR is fine
END 05_global_route
"""
DETAILED = """[INFO DRT-0195] Start 0th optimization iteration.
    Completing 10% with 120 violations.
[INFO DRT-0199]   Number of violations = 1200.
[INFO DRT-0195] Start 1st optimization iteration.
[INFO DRT-0199]   Number of violations = 0.
Total wire length = 4321 um.
Total number of vias = 765.
FIGURE route_violations 0
FIGURE antennas 1
END 06_detailed_route
"""
DEF = """UNITS DISTANCE MICRONS 1000 ;
DIEAREA ( 0 0 ) ( 20000 10000 ) ;
COMPONENTS 4 ;
- lif/g1 INV + PLACED ( 1000 2000 ) N ;
- clkbuf_0_clk BUF + SOURCE TIMING + PLACED ( 3000 4000 ) FS ;
- a_reg DFF + PLACED ( 9000 4000 ) FS ;
- FILLER_0 FILL + SOURCE DIST + PLACED ( 5000 4000 ) FS ;
END COMPONENTS
PINS 1 ;
- x + NET x + DIRECTION INPUT + PLACED ( 0 60 ) N ;
END PINS
NETS 2 ;
- clk ( PIN clk ) ( clkbuf_0_clk A ) + USE CLOCK ;
- clknet_0 ( clkbuf_0_clk X ) ( a_reg CLK ) + USE CLOCK
  + ROUTED Metal2 ( 3000 4000 ) ( 9000 * ) ;
END NETS
"""


def test_figures_are_read_as_numbers():
    found = layout_report.figures(GLOBAL)
    assert found == {"unpowered_pins": 0, "hold_slack_ns": -0.0213, "typ.slew_violations": 4, "note": "IR is fine"}


def test_routes_are_read():
    assert layout_report.routing(GLOBAL) == {"wirelength_um": 1234, "routing_usage_percent": 20.0,
                                             "routing_overflow": 3, "diodes": 3}
    assert layout_report.detailed(DETAILED) == {"wire_um": 4321, "vias": 765, "violations_by_round": [1200, 0]}
    assert layout_report.routing("")["routing_overflow"] is None
    said = [layout_report.detail_progress(line) for line in DETAILED.splitlines()]
    assert said[:2] == ["round 0", "10%, 120 violations"] and said[-1] is None


def test_nets_with_antennas_are_named():
    report = "Net: lif/n12\n  Pin: lif/g1/A (INV)\n    Layer: Metal4\n      PAR: 212 > 200 (VIOLATED)\nNet: n3\n"
    assert layout_report.antenna_nets(report) == ["lif/n12", "n3"]


def steps_of(**changed):
    plain = {"die_um2": 1e4, "cell_um2": 5e3, "utilisation_percent": 50.0, "cells": 9, "unpowered_pins": 0,
             "setup_slack_ns": 1.0, "hold_slack_ns": 0.1, "slow.slew_violations": 2}
    return {"02_power_grid": {"VDD_connected": 1, "VSS_connected": 1},
            "06_detailed_route": {"route_violations": 0, "antennas": 0}, "07_finish": plain | changed}


def test_the_record_holds_what_a_layout_is_judged_by():
    logs = dict.fromkeys(layout_report.STEPS, "") | {"05_global_route": GLOBAL, "06_detailed_route": DETAILED}
    out = layout_report.record(steps_of(unpowered_pins=7), logs)
    assert (out["route_violations"], out["antennas"], out["unpowered_pins"], out["die_um2"]) == (0, 0, 7, 1e4)
    assert out["violations"] == {"slow.slew": 2} and out["supply_connected"] and "power_w" not in out


@pytest.fixture
def design(tmp_path):
    """Settings of a design whose steps only write what they must."""
    for name, text in (("netlist.v", "module a (b);\nendmodule\n"), ("clock.sdc", "")):
        (tmp_path / name).write_text(text)
    return {"netlist": tmp_path / "netlist.v", "sdc": tmp_path / "clock.sdc", "top": "a", "antenna_nets": [],
            "density": 0.6, "detail_rounds": 64, "route_rounds": 30, "threads": 1}


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Steps that ran, in order; `ran.antennas` are the counts that the routes of a test find, one after another."""
    found = SimpleNamespace(steps=[], antennas=[])

    def watched(call, text, log, said=None):
        step = text.split()[1]
        found.steps.append(step)
        (tmp_path / f"{step}.odb").write_text("")
        figures = ""
        if step == "06_detailed_route":
            count = found.antennas.pop(0) if found.antennas else 0
            (tmp_path / "antennas.rpt").write_text("".join(f"Net: n{i}\n" for i in range(count)))
            figures = f"FIGURE antennas {count}\nFIGURE route_violations 0\n"
        return f"{figures}\nEND {step}\n"

    monkeypatch.setattr(layout, "watched", watched)
    return found


def test_a_layout_resumes_where_it_stopped(design, ran, tmp_path):
    layout.run_steps(design, tmp_path, "03_place")
    assert ran.steps == list(layout.STEPS[:3])
    layout.run_steps(design, tmp_path)
    assert ran.steps == list(layout.STEPS)
    layout.run_steps(design, tmp_path)
    assert ran.steps == list(layout.STEPS)  # all up to date


def test_a_changed_setting_runs_its_step_and_the_later_ones_again(design, ran, tmp_path):
    layout.run_steps(design, tmp_path)
    ran.steps.clear()
    layout.run_steps(design | {"route_rounds": 50}, tmp_path)
    assert ran.steps == list(layout.STEPS[4:])
    ran.steps.clear()
    layout.run_steps(design | {"route_rounds": 50, "threads": 2}, tmp_path)
    assert not ran.steps  # how many threads routed changes nothing
    design["netlist"].write_text("module a (b);\n wire b;\nendmodule\n")
    layout.run_steps(design, tmp_path)
    assert ran.steps == list(layout.STEPS)


def test_routes_with_antennas_are_made_again_with_diodes(design, ran, tmp_path):
    ran.antennas = [2, 0]
    out = layout.run_steps(design, tmp_path)
    assert ran.steps == [*layout.STEPS[:6], "05_global_route", "06_detailed_route", "07_finish"]
    assert json.loads((tmp_path / "antenna_nets.json").read_text())["nets"] == ["n0", "n1"]
    assert "set antenna_nets [list {n0} {n1}]" in (tmp_path / "05_global_route.run.tcl").read_text()
    assert out["06_detailed_route"]["antennas"] == 0
    ran.steps.clear()
    layout.run_steps(design, tmp_path)
    assert not ran.steps


def test_antennas_that_stay_are_reported_not_hidden(design, ran, tmp_path):
    ran.antennas = [2] * 9
    assert layout.run_steps(design, tmp_path)["06_detailed_route"]["antennas"] == 2
    assert ran.steps.count("06_detailed_route") == layout.ANTENNA_ROUNDS
    assert "set antenna_nets [list {n0} {n0} {n0} {n1} {n1} {n1}]" in (tmp_path / "05_global_route.run.tcl").read_text()
    ran.steps.clear()
    assert layout.run_steps(design, tmp_path)["06_detailed_route"]["antennas"] == 2
    assert not ran.steps  # nor is it tried again


def test_a_step_that_stops_early_is_named_and_runs_again(design, ran, tmp_path, monkeypatch):
    layout.run_steps(design, tmp_path, "02_power_grid")
    monkeypatch.setattr(layout, "watched", lambda *args: "[ERROR GPL-0121] No liberty libraries found.\n")
    with pytest.raises(FlowError, match="03_place: .*No liberty"):
        layout.run_steps(design, tmp_path, "03_place")
    assert not (tmp_path / "03_place.json").exists()


def test_a_def_is_read():
    die, cells = placed.components(DEF)
    assert die == [0, 0, 20, 10] and cells[:2] == [("lif/g1", "INV", 1.0, 2.0), ("clkbuf_0_clk", "BUF", 3.0, 4.0)]
    assert len(cells) == 4  # pins are none
    assert placed.clock_nets(DEF) == {"clk": [("PIN", "clk"), ("clkbuf_0_clk", "A")],
                                      "clknet_0": [("clkbuf_0_clk", "X"), ("a_reg", "CLK")]}


def test_the_pictures_of_a_def_are_drawn(tmp_path):
    from hw.flow.lib import layout_pictures
    lef = tmp_path / "cells.lef"
    lef.write_text("".join(f"MACRO {n}\n  SIZE 2 BY 3.78 ;\nEND {n}\n" for n in ("INV", "BUF", "DFF", "FILL")))
    counted = layout_pictures.cells(DEF, [lef], tmp_path / "cells.png", "test")
    assert counted == {"lif": 1, "clock tree": 1, "top": 1, "filler": 1}
    assert layout_pictures.clock_tree(DEF, tmp_path / "clock.png", "t") == {"clock_nets": 2, "clock_levels": 2}
    assert all((tmp_path / n).stat().st_size > 1000 for n in ("cells.png", "clock.png"))


def test_violations_are_counted_by_rule(tmp_path):
    report = tmp_path / "drc.lyrdb"
    report.write_text("<report-database><items>" + "".join(
        f"<item><category>'{rule}'</category><multiplicity>{n}</multiplicity></item>"
        for rule, n in (("M1.b", 1), ("M2.c1", 2), ("M1.b", 1))) + "</items></report-database>")
    assert verify.counts(report) == {"M1.b": 2, "M2.c1": 2}


def test_without_files_of_a_pdk_nothing_is_said_to_have_passed(tmp_path):
    assert verify.verify({"top": "a"}, pdk_files.PdkFiles(), tmp_path) == {"gds": None, "drc": None, "lvs": None}


def test_a_platform_folder_is_found_by_its_files(tmp_path):
    for name in ("setRC.tcl", "IHP_rcx_patterns.rules", "gds/sg13g2_stdcell.gds", "gds/RM_IHPSG13_1P_64x64.gds",
                 "drc/sg13g2_minimal.lydrc", "lvs/sg13g2.lvs", "cdl/sg13g2_stdcell.cdl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    files = pdk_files.find(SimpleNamespace(name="ihp-sg13g2"), tmp_path)
    assert files.wire_rc.name == "setRC.tcl" and files.gds[0].name == "sg13g2_stdcell.gds" and len(files.gds) == 2
    assert list(files.drc) == ["minimal"] and files.lvs and files.metal_fill is None


def test_names_with_a_path_become_words_in_netlist_and_parasitics_alike():
    verilog = "module t(a);\n wire \\lif/n[3] ;\n INV \\lif/g1 (.A(\\lif/n[3] ));\n FILL FILLER_0 ();\nendmodule\n"
    text = routed.netlist_text(verilog)
    assert "lif__n_3_" in text and "lif__g1" in text and "/" not in text and "FILLER" not in text
    spef = ("*SPEF \"x\"\n*NAME_MAP\n*1 clk\n*2 lif/n\\[3\\]\n*3 lif/g1\n\n"
            "*PORTS\n*1 I\n*D_NET *2 1.0\n*I *3:A I\n*END\n")
    text = routed.parasitics_text(spef)
    assert "*2 lif__n_3_\n*3 lif__g1\n" in text and "*1 clk\n" in text and text.endswith("*I *3:A I\n*END\n")


def test_names_that_systemverilog_reserves_are_escaped():
    text = routed.netlist_text("module a (final, q);\n wire bit_0;\n INV g (.A(final),\n    .Y(\\bit ));\nendmodule\n")
    assert text == "module a (\\final , q);\n wire bit_0;\n INV g (.A(\\final ),\n    .Y(\\bit ));\nendmodule\n"
