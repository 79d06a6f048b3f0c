"""The command: what it prints, what it refuses, and how fast."""

import subprocess
import sys
import time

import pytest

from sottovoce import cli
from sottovoce.commands import COMMANDS


def test_the_overview_names_every_command_and_loads_none_of_them():
    start = time.monotonic()
    code = "import sys; from sottovoce.cli import main; main(['--help']); assert 'torch' not in sys.modules"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not run.returncode, run.stderr
    assert all(f"  {name} " in run.stdout for name in COMMANDS)
    assert time.monotonic() - start < 2


def test_an_unknown_command_lists_those_that_exist_and_the_nearest(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["dmo"])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1
    assert "'dmo'" in said and "did you mean 'demo'" in said and all(name in said for name in COMMANDS)


def test_the_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sottovoce ")


def test_help_says_every_default_zero_too(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "rsnn", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "held out (default: 0)" in said and "how many folds there are (default: 3)" in said
    assert "(default: ../shared/data/phones ../shared/data/librispeech_251spk)" in said
    assert "(default: False)" not in said and "(default: None)" not in said
