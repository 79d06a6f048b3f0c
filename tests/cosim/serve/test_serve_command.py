"""The command itself: its address, a port in use, Ctrl-C; and what a frame costs."""

import dataclasses
import json

import pytest

from cosim.serve import energy, running
from hw import config as configs
from sottovoce import cli


def test_it_serves_until_ctrl_c_and_its_port_is_not_taken_twice(capsys):
    with running.server("--model", "rsnn-phone") as server:
        port = server.address.split(":")[-1].strip("/")
        assert server.address == f"http://127.0.0.1:{port}/"
        assert cli.main(["serve", "--port", port]) == 1
        assert capsys.readouterr().err == (f"error: port {port} of 127.0.0.1 is in use: name another with --port, or "
                                           "--port 0 for any\n")
        assert server.stop() == 0
        assert list(server.said) == ["stopped\n"]


@pytest.mark.parametrize("words, said", [
    (["--port", "70000"], "70000: wanted a number from 0 to 65535"), (["--port", "x"], "x: wanted a number"),
    (["--clients", "0"], "0")])
def test_bad_options_are_refused(words, said, capsys):
    with pytest.raises(SystemExit):
        cli.main(["serve", *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words, said", [
    (["--model", "rsnn-papr"], "'rsnn-papr' not found: give one of"),
    (["--host", "no.such.host.invalid"], "--host no.such.host.invalid: cannot listen there"),
    (["--model", "sparknet-32"], "sparknet-32")])
def test_what_cannot_be_served_is_one_line(words, said, capsys):
    assert cli.main(["serve", "--port", "0", *words]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


ROWS = [row for row in json.loads(energy.FILE.read_text())["rows"]
        if row.get("energy_by_kind_nj") and (row["library"], row["variant"]) == (energy.LIBRARY, "default")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["config"])
def test_a_published_frame_costs_what_was_published(row):
    found = energy.of(configs.load(row["config"]))
    reads = sum(row["row_reads_per_frame"].values())
    assert found.microwatts(row["cycles_per_frame"], reads, 100) == pytest.approx(row["power_uw_at_10ms"], rel=1e-4)
    assert found.microwatts(0, 0, 100) == found.leakage_uw
    assert row["not"] in found.source and row["energy_method"] in found.source


def test_another_configuration_of_that_name_has_no_published_energy(tmp_path):
    paper = configs.load("paper")
    assert energy.of(paper) and energy.of(dataclasses.replace(paper, weight_bits=3)) is None
    assert energy.of(dataclasses.replace(paper, name="mine")) is None
    assert energy.of(paper, tmp_path / "none.json") is None
