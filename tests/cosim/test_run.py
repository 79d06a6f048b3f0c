"""Every cocotb bench, on tiny; the paper's size is slow."""

import pytest

from cosim.bench import configurations
from cosim.bench.catalog import TESTS, select
from cosim.run import run_tests
from hw import config as configs
from sottovoce import cli

pytestmark = pytest.mark.timeout(1800)  # builds simulators: long on a busy machine


@pytest.fixture(scope="module")
def tiny():
    """Summaries by TEST name, all simulated once."""
    return {s["test"]: s for s in run_tests(select("all", configs.load("tiny")), configs.load("tiny"))}


@pytest.mark.parametrize("test", select("all", configs.load("tiny")))
def test_tiny(test, tiny):
    check(tiny[test])


def test_parallel_time_steps_halve_row_reads(tiny):
    figures = tiny["parallel_time_steps"]["figures"]
    sequential, parallel, union = (figures[f"recurrent_row_reads_{run}"] for run in ("sequential", "parallel", "union"))
    assert sequential == 2 * parallel and union < parallel


def test_merging_saves_fc_cycles(tiny):
    figures = tiny["merged_spike"]["figures"]
    assert figures["fc_cycles_merged"] < figures["fc_cycles_unmerged"]


@pytest.mark.slow
def test_paper():
    for summary in run_tests(select("all", configs.load("paper")), configs.load("paper")):
        check(summary)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["guarded", "packed", "on-change", "by-difference", "argmax", "sum"])
def test_options(name):
    """Watchdog and parity; FC rows of two of four, packed; sums that are kept; time steps by difference; decisions."""
    config = configurations.named(name)
    for summary in run_tests(select("all", config), config):
        check(summary)


@pytest.mark.slow
@pytest.mark.parametrize("text", [
    "outputs: 64\ninput_code: sign_magnitude\naccumulator_bits: 12\n",
    "outputs: 16\nreset: subtract\nleak_shift: [1, 3]\naccumulator_bits: 11\nlogits_per_beat: 1\n",
    "outputs: 80\naccumulator_bits: 11\nmechanisms: {parallel_time_steps: false, merged_spikes: false}\n",
    "outputs: 80\naccumulator_bits: 11\nmechanisms: {zero_skip_input: false, zero_skip_fc: false}\n",
], ids=["sign magnitude, even groups", "subtract, one group", "no parallel, no merge", "no skip"])
def test_users_own_file(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nfeatures: 10\ninput_rows: 12\nneurons: 16\n" + text)
    for summary in run_tests(select("all", configs.load(path)), configs.load(path), out=tmp_path):
        check(summary)


def check(summary):
    assert summary["failures"] == []
    assert summary["differences"] == 0
    assert summary["values_compared"] > 0


def test_unknown_test_lists_those_that_exist(capsys):
    assert cli.main(["cosim", "--test", "pe_aray"]) == 1
    assert capsys.readouterr().err == f"error: no test 'pe_aray'; there are {', '.join(TESTS)} and all\n"


def test_unknown_configuration_is_one_line(capsys):
    assert cli.main(["cosim", "--config", "papper"]) == 1
    assert capsys.readouterr().err.startswith("error: configuration 'papper' not found")


def test_configuration_without_counters_is_refused(capsys, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nfeatures: 10\ninput_rows: 12\nneurons: 16\noutputs: 16\ncounters: false\n")
    assert cli.main(["cosim", "--config", str(path)]) == 1
    assert "counters=False: the benches read the counters" in capsys.readouterr().err


def test_missing_tool_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no compiler there
    monkeypatch.chdir(tmp_path)  # and nothing that was compiled before
    assert cli.main(["cosim", "--test", "lif", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: g++ is missing: install it")
