"""The Makefile: what it passes to the command, and that each target has one."""

import json
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from sottovoce.cli import parser_of
from sottovoce.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PLAIN = [name for name, command in COMMANDS.items() if command.module]
HARD = "/tmp/a folder, größe/it's \"one\" $HOME `x` #1 $(y) \\z"
MAKEFILES = (ROOT / "Makefile").read_text() + (ROOT / "constraints" / "targets.mk").read_text()


@pytest.fixture
def make(tmp_path):
    """A function that runs make with an interpreter that records how it is called; returns the command lines."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    calls = tmp_path / "calls"
    record = f"import json, sys; open({str(calls)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))"
    (venv / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{record}" "$@"\n')
    (venv / "bin" / "python").chmod(0o755)
    (venv / "ready").write_text("")

    def run(*words, **environment):
        calls.write_text("")
        plain = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        done = subprocess.run(["make", "-C", str(ROOT), f"VENV={venv}", *words], capture_output=True, text=True,
                              env=plain | environment)
        assert not done.returncode, done.stderr
        return [json.loads(line)[2:] for line in calls.read_text().splitlines()]  # without -m sottovoce
    return run


@pytest.mark.parametrize("target, variable, expected", [
    ("demo", "WAV", ["demo", "--wav", HARD]), ("demo", "OUT", ["demo", "--out", HARD]),
    ("demo", "MODEL", ["demo", "--model", HARD]), ("listen", "WAV", ["listen", "--", HARD]),
    ("conformance", "DATA", ["conformance", "--data", HARD]), ("train", "MODEL", ["train", HARD]),
    ("evaluate", "DATA", ["evaluate", "rsnn", "--data", HARD]), ("verilog", "CONFIG", ["verilog", "--config", HARD]),
    ("cosim", "TEST", ["cosim", "--test", HARD, "--config", "tiny"]), ("study", "STUDY", ["study", HARD]),
    ("synth", "PDK", ["synth", "--config", "tiny", "--pdk", HARD]),
    ("sta", "LIB", ["sta", "--config", "tiny", "--lib", HARD]),
])
def test_a_variable_arrives_as_it_was_typed(make, target, variable, expected):
    assert make(target, f"{variable}={HARD}") == [expected]
    assert make(target, **{variable: HARD}) == [expected]


def test_the_gates_hear_what_an_imported_network_hears(make):
    first, *_ = make("power", "CONFIG=c.yaml", "MODEL=mine", f"FEATURES={HARD}")
    assert first == ["gates", "--config", "c.yaml", "--model", "mine", "--features", HARD, "--frames", "3",
                     "--stimulus-only"]


def test_args_are_words_of_a_shell(make):
    words = ["--out", HARD, "--quiet"]
    assert make("demo", f"ARGS={shlex.join(words)}") == [["demo", *words]]


def test_images_and_model_are_one(make):
    for name in ("IMAGES", "MODEL"):
        assert make("verilog", "CONFIG=tiny", f"{name}={HARD}") == [["verilog", "--config", "tiny", "--model", HARD]]


def test_the_whole_flow_keeps_its_variables(make):
    calls = make("physical", f"CONFIG={HARD}.yaml", f"PDK={HARD}")
    assert [words[0] for words in calls] == ["synth", "sta", "sta", "sta", "gates", "gates", "gate-activity", "power",
                                             "mechanisms", "ablation", "memory-options", "physical"]
    assert all(words[1:3] == ["--config", f"{HARD}.yaml"] for words in calls[:-1])


def test_every_target_calls_a_command_of_the_door():
    called = set(re.findall(r"\$\(DOOR\) ([a-z-]+)", MAKEFILES))
    assert called <= set(COMMANDS)
    without = set(COMMANDS) - called
    assert without == set(), f"no target calls {without}"


def test_every_command_that_can_publish_does_on_demand():
    able = {name for name in PLAIN if any(
        action.dest == "publish" for action in parser_of(name, import_module(COMMANDS[name].module))._actions)}
    told = re.findall(r"\$\(DOOR\) ([a-z-]+)(?:[^\n]|\\\n)*\$\(publish\)", MAKEFILES)
    assert able and set(told) == able


def test_help_lists_every_target_in_groups():
    said = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True).stdout
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILES, re.M))
    assert targets == set(re.findall(r"^  make ([a-z-]+)", said, re.M))
    assert len(re.findall(r"^\S.*:$", said, re.M)) >= 5
