"""Scripts for OpenSTA and OpenROAD, checked as far as a machine without them can."""

import re
from pathlib import Path

import pytest

from hw.flow import openroad
from hw.flow.lib.yosys import CONSTRAINTS

SCRIPTS = sorted([*CONSTRAINTS.glob("**/*.tcl"), *CONSTRAINTS.glob("*.sdc")])
COMMANDS = set((CONSTRAINTS / "openroad" / "commands.txt").read_text().split())


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
    local = set(re.findall(r"foreach (\w+)", path.read_text())) | {"place"}
    unknown = {s for s in statements(path.read_text()) if s not in builtin | COMMANDS | local | {"exit"}}
    assert not unknown


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_sourced_files_exist(path):
    for name in re.findall(r"source \[file join \$script_dir (\S+)\]", path.read_text()):
        assert (path.parent / name).is_file()


def test_settings_cover_every_variable_of_the_flow(ihp):
    blocks = {"accelerator": {"module": "accelerator", "area_um2": 1e5}}
    memory = {"input_weights": {"bits": 64, "macros": 1, "macro": "RM_IHPSG13_1P_64x64_c2_bm_bist"}}
    result = {"total": {"area_um2": 1e5}, "blocks": blocks, "memories": memory, "views": []}
    values = openroad.settings(ihp, result, Path("."), "accelerator", 20.0, 50.0) | {"out_dir": "."}
    text = "".join(p.read_text() for p in (CONSTRAINTS / "openroad").glob("*.tcl"))
    text += (CONSTRAINTS / "accelerator.sdc").read_text()
    text = re.sub(r"^\s*#.*", "", text, flags=re.M)
    made = set(re.findall(r"(?:set|foreach|lassign \S+) (\w+)", text)) | {
        "x", "y", "orient", "lower", "upper", "macro", "place"}
    assert set(re.findall(r"\$(\w+)", text)) - made <= set(values)
    assert values["macro_names"] == ["input_weights/macro_0_0"]
