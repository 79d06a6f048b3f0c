"""Scripts for OpenSTA and OpenROAD, checked as far as a machine without them can."""

import re

import pytest

from hw.flow.lib import layout_report, layout_settings, pdk_files
from hw.flow.lib.yosys import CONSTRAINTS

SCRIPTS = sorted([*CONSTRAINTS.glob("**/*.tcl"), *CONSTRAINTS.glob("*.sdc")])
STEPS = {p.stem: p.read_text() for p in SCRIPTS if p.parent.name == "openroad"}
COMMANDS = set((CONSTRAINTS / "openroad" / "commands.txt").read_text().split())
PROCEDURES = set(re.findall(r"^proc (\w+)", STEPS["00_common"], re.M))


def interpreter():
    tkinter = pytest.importorskip("tkinter", reason="this Python has no Tcl interpreter")
    return tkinter.Tcl()


def statements(text):
    """Commands of a script at any depth of braces and brackets: their first words."""
    text = re.sub(r"^\s*#.*", "", text, flags=re.M)
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    return {m[1] for m in re.finditer(r"(?:^|[\[{;\n])\s*([a-z_][\w:]*)(?=\s|\]|$)", text)}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_tcl_is_complete(path):
    assert interpreter().eval(f"info complete {{{path.read_text()}}}") == "1"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_every_command_is_known(path):
    tcl = interpreter()
    builtin = set(tcl.eval("info commands").split())
    local = set(re.findall(r"foreach (\w+)", path.read_text())) | PROCEDURES
    # words that only look like commands: loop variables, arguments of procedures, lists of names
    lists = [words for pattern in (r"(?:foreach|method|proc \w+) \{([^}]*)\}", r"foreach \{?[\w ]+\}? \{([^}]*)\}")
             for words in re.findall(pattern, path.read_text())]
    local |= {word for words in lists for word in words.split()} | {"place"}
    unknown = {s for s in statements(path.read_text()) if s not in builtin | COMMANDS | local | {"exit"}}
    assert not unknown


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_sourced_files_exist(path):
    for name in re.findall(r"source \[file join \$script_dir (\S+)\]", path.read_text()):
        assert (path.parent / name).is_file()


def test_the_steps_are_the_scripts_in_order():
    numbered = sorted(name for name in STEPS if re.match(r"\d\d_", name) and name != "00_common")
    assert tuple(numbered) == layout_report.STEPS


@pytest.mark.parametrize("step", layout_report.STEPS)
def test_each_step_takes_what_the_one_before_left(step):
    before = layout_report.STEPS[layout_report.STEPS.index(step) - 1]
    text = re.sub(r"^\s*#.*", "", STEPS[step], flags=re.M)
    assert text.rstrip().endswith(f"leave {step}")
    if step != layout_report.STEPS[0]:
        assert re.search(rf"^resume {before} [01]$", text, re.M)
    # the clock's arrival is real from the step that made its tree on
    assert ("resume" not in text) or (f"resume {before} 1" in text) == (step > "04_clock")


@pytest.mark.parametrize(("step", "maker"), [
    ("03_place", "repair_design"), ("04_clock", "repair_timing"), ("05_global_route", "repair_antennas"),
    ("07_finish", "filler_placement")])
def test_cells_that_a_step_makes_get_their_supply(step, maker):
    """Once at the floorplan left 5,338 cells of `tiny` without: after the last maker, and before the step leaves."""
    text = STEPS[step]
    assert text.rindex(maker) < text.rindex("connect_power") < text.rindex("leave")


def test_straps_over_macros_are_those_of_the_core():
    """A macro's own straps end at its halo, and were islands: neither supply of a whole with macros was connected."""
    text = STEPS["02_power_grid"]
    own = text[text.index("define_pdn_grid -name macros"):]
    assert "add_pdn_stripe" not in own and "-grid_over_pg_pins" in own
    assert "add_pdn_connect -grid macros -layers [list $macro_pin_layer $upper]" in own


def test_the_grid_has_a_ring_pins_and_straps_that_scale():
    text = STEPS["02_power_grid"]
    assert "add_pdn_ring" in text and "-pins $strap_layers" in text
    assert "$strap_pitch_x $strap_pitch_y" in text and "check_power_grid" in text


@pytest.mark.parametrize("name", layout_settings.TECHNOLOGY)
def test_signals_keep_off_the_layers_of_the_straps(name):
    technology = layout_settings.TECHNOLOGY[name]
    lowest, highest = (int(layer[-1]) for layer in technology["signal_layers"].split("-"))
    prefix = technology["signal_layers"].split("-")[0][:-1]
    own = {f"{prefix}{n}" for n in range(lowest, highest + 1)}
    assert not own & set(technology["strap_layers"])
    assert {*technology["pin_hor_layer"], *technology["pin_ver_layer"]} <= own
    assert "$signal_layers" in STEPS["05_global_route"] and "$signal_layers" in STEPS["06_detailed_route"]


def test_wires_follow_the_platform_and_cells_make_way_for_them():
    assert "source $wire_rc" in STEPS["00_common"] and "estimate_wires" in STEPS["00_common"]
    assert "-routability_driven" in STEPS["03_place"]
    assert not any("decap" in filler for t in layout_settings.TECHNOLOGY.values() for filler in t["fillers"])
    assert "repair_timing -hold" in STEPS["04_clock"] and "report_power" not in "".join(STEPS.values())


def test_a_block_without_clock_is_timed_all_the_same():
    text = (CONSTRAINTS / "accelerator.sdc").read_text()
    assert text.count("create_clock") == 2
    assert all("get_ports -quiet clk" in script for script in (text, STEPS["04_clock"]))


def test_the_mode_register_has_two_cycles_and_says_why():
    text = (CONSTRAINTS / "accelerator.sdc").read_text()
    assert "set_multicycle_path 2 -setup" in text and "set_multicycle_path 1 -hold" in text
    assert "hw/sequencer.py" in text and "*mode_register_*_reg" in text  # named so in hw/load_port.py


def synthesised():
    """A synthesis report of one macro and a netlist of one module, as far as the settings look."""
    blocks = {"accelerator": {"module": "accelerator", "area_um2": 1e5}, "lif": {"module": "lif", "area_um2": 1e4}}
    memory = {"input_weights": {"bits": 64, "macros": 1, "macro": "RM_IHPSG13_1P_64x64_c2_bm_bist"}}
    return {"total": {"area_um2": 1e5}, "blocks": blocks, "memories": memory, "views": []}


NETLIST = ("module accelerator(clk, x);\n  input clk;\n  input [7:0] x;\nendmodule\n"
           "module lif(a);\n  input a;\nendmodule\n")


def test_settings_cover_every_variable_of_the_flow(ihp, tmp_path):
    (tmp_path / "netlist.v").write_text(NETLIST)
    values = layout_settings.settings({"typ": ihp}, synthesised(), tmp_path, "accelerator", pdk_files.PdkFiles())
    values |= {"out_dir": "."}
    text = "".join(STEPS.values()) + (CONSTRAINTS / "accelerator.sdc").read_text()
    text = re.sub(r"^\s*#.*", "", text, flags=re.M)
    made = set(re.findall(r"(?:\bset|foreach|lassign \S+|global|proc \w+) (\w+)", text)) | {
        "x", "y", "orient", "lower", "upper", "macro", "place", "value", "kind", "clock_tree", "corner", "pitch",
        "method", "voltage", "message", "pitch_x", "pitch_y", "offset_x", "offset_y", "step"}
    assert set(re.findall(r"\$\{?(\w+)", text)) - made <= set(values)
    assert values["macro_names"] == ["input_weights/macro_0_0"] and values["buffer_ports"] == 1
    assert values["strap_pitch_y"] == 15.0  # a supply pin of the macro is 19 um high
    block = layout_settings.settings({"typ": ihp}, synthesised(), tmp_path, "lif", pdk_files.PdkFiles())
    assert block["macro_names"] == [] and block["buffer_ports"] == 0 and block["strap_pitch_y"] > 15


def test_ports_are_counted_in_bits():
    assert layout_settings.ports_of(NETLIST, "accelerator") == 9 and layout_settings.ports_of(NETLIST, "lif") == 1
