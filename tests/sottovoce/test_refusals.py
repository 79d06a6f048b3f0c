"""Each command's own help; what is wrong with options or disk is one line and a status, and nothing is half-written."""

import importlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from sottovoce import cli
from sottovoce.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PLAIN = sorted(name for name, command in COMMANDS.items() if command.module)
FAMILIES = [f"{name} {model}" for name, command in COMMANDS.items() if not command.module
            for model in ("rsnn", "sparknet-32")]


@pytest.mark.parametrize("name", [*PLAIN, *FAMILIES])
def test_help_has_every_option_in_words_and_an_example(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*name.split(), "--help"])
    said = capsys.readouterr().out
    assert stopped.value.code == 0
    assert said.startswith(f"usage: sottovoce {name} ")
    assert f"\n  sottovoce {name.split()[0]}" in said, "no example"


@pytest.mark.parametrize("name", PLAIN)
def test_every_option_says_what_it_is(name):
    parser = cli.parser_of(name, importlib.import_module(COMMANDS[name].module))
    without = [action.dest for action in parser._actions if not action.help]
    assert not without


@pytest.mark.parametrize("words, status, said", [
    ("synth --confg paper", 2, "unrecognized arguments: --confg paper; did you mean --config?"),
    ("synth --corner cold", 2, "invalid choice: 'cold' (choose from 'typ', 'slow', 'fast')"),
    ("synth --config papper", 1, "configuration 'papper' not found: give one of keywords, keywords-lean, "
     "paper, paper-lean, phone, "),
    ("synth --lib sky130", 1, "--lib sky130: wanted ihp-sg13g2, nangate45 or the path of a .lib file"),
    ("synth --pdk /nowhere", 1, "--pdk /nowhere: no such folder of IHP views; clone IHP-Open-PDK"),
    ("sta --fast 0", 1, "--fast 0: wanted a period in ns above 0"),
    ("sta --fast nan", 1, "--fast nan: wanted a period in ns above 0"),
    ("sta --fast soon", 2, "argument --fast: invalid float value: 'soon'"),
    ("layout --period 0", 1, "--period 0: wanted a period in ns above 0"),
    ("layout --route-rounds 0", 1, "--route-rounds 0: wanted 1 to 1000"),
    ("layout --utilisation 200", 1, "--utilisation 200: wanted 5 to 95"),
    ("gates --config tiny --frames 0", 2, "'0': wanted a whole number from 1"),
    ("fpga --config papper", 1, "configuration 'papper' not found"),
    ("physical --build nowhere", 1, "nowhere: no synthesis in it: run `sottovoce synth` first"),
    ("train", 2, "train wants a model as its first argument: rsnn, "),
    ("train resnet", 1, "model 'resnet': wanted one of rsnn, "),
    ("evaluate rsnn --data nowhere", 1, "nowhere"),
    ("conformance --data /nowhere", 1, "/nowhere: no such folder"),
    ("study lamda", 2, "invalid choice: 'lamda' (choose from 'lambda', 'bins', "),
    ("train rsnn --epochs 0", 2, "'0': wanted a whole number from 1"),
    ("demo --model nope", 1, "model 'nope' not found: give one of rsnn, "),
    ("activity --seeds 0", 2, "'0': wanted a whole number from 1"),
    ("cosim --test pe_aray", 1, "no test 'pe_aray'; there are pe_array, "),
    ("import nowhere.nir", 1, "nowhere.nir not found: give a NIR graph file"),
    ("verilog --out /proc/none", 1, "/proc/none"),
])
def test_refused_in_one_line(words, status, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        result = cli.main(words.split())
    except SystemExit as stopped:
        result = stopped.code
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and told.startswith("error: ")
    assert result == status
    assert not list(tmp_path.iterdir()), "something was written"


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    limit = 1 << 16  # bytes a file: less than the Verilog takes
    run = subprocess.run([sys.executable, "-m", "sottovoce", "verilog", "--config", "tiny", "--out", tmp_path],
                         cwd=ROOT, capture_output=True, text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert run.returncode == 1 and run.stderr.startswith("error: ") and run.stderr.count("\n") == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_where_an_error_came_from_is_shown_on_demand():
    with pytest.raises(ValueError, match="'papper' not found"):
        cli.main(["--traceback", "synth", "--config", "papper"])
