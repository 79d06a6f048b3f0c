"""The energy table: its machines, what it says of them, and what is published."""

import inspect
import json
from pathlib import Path

import pytest

from cosim import models
from cosim.explore import measure
from cosim.gates import energy, energy_picture, record, stimulus, ways
from hw import config as configs
from hw.interface import ALL_MODES
from sottovoce import cli

PUBLISHED = json.loads(Path("docs/results/energy.json").read_text())["rows"]
EVERY = [(network, row) for network, rows in ways.ROWS.items() for row in rows]


@pytest.mark.parametrize(("network", "row"), EVERY)
def test_every_machine_runs_the_committed_network(network, row):
    config, way = ways.machine(network, row)
    model = stimulus.trained_model(network, ALL_MODES[way.mode].time_steps)
    assert models.on(model, config).sha256 == model.sha256
    assert (row in ("published", "union")) == (ways.knobs(network, row) == {})
    assert ALL_MODES[way.mode].built(config) == ALL_MODES[way.mode]


@pytest.mark.parametrize(("network", "row"), [
    ("paper", "on change, two of four"), ("phone", "32 lanes, lean"), ("keywords", "32 lanes, lean")])
def test_the_best_machine_ships(network, row):
    """With its counters, which the benches read; the row is measured without, where the table says so."""
    config, _ = ways.machine(network, row)
    shipped = configs.load(f"{network}-lean").to_dict()
    assert {**config.to_dict(), "name": shipped["name"], "counters": True} == shipped


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['config']}, {row['row']}")
def test_what_is_published_adds_up_and_nothing_differs(row):
    _, way = ways.machine(row["config"], row["row"])
    assert (row["knobs"], row["mode"]) == (ways.knobs(row["config"], row["row"]), way.mode)
    assert sum(row["parts_nj"].values()) == pytest.approx(row["energy_per_frame_nj"], abs=0.01)
    assert row["parts_nj"]["leakage_nj"] == pytest.approx(10 * row["leakage_uw"], abs=0.01)
    assert row["differences"] == 0 and row["values_compared"] > 100_000 and row["frames"] >= 120


PARTS = {"logic_nj": 10, "sram_nj": 20, "leakage_nj": 30}


def test_after_layout_logic_grows_by_the_factors_and_macros_stay(monkeypatch):
    monkeypatch.setattr(record, "factors", lambda: {"factor": {"dynamic": 1.5, "leakage": 1.2}, "of": {"config": "x"}})
    found = record.after_layout(PARTS, 25)
    assert found["energy_per_frame_nj"] == 10 * 1.5 + 20 + 5 * 1.2 + 25 and "logic 1.5" in found["how"]
    monkeypatch.setattr(record, "factors", dict)
    assert record.after_layout(PARTS, 25) == {}


def test_the_factors_are_those_that_are_published():
    published = json.loads(Path("docs/results/physical.json").read_text())["after_layout"]
    assert record.factors()["factor"] == published["factor"]


def test_both_tables_have_one_record():
    """What `energy` and `explore` say of a machine comes from the same two functions."""
    sources = [Path(inspect.getfile(module)).read_text() for module in (energy, measure)]
    assert all("counted(" in text and "physical(" in text and "frame_energy" not in text for text in sources)


@pytest.mark.parametrize("option", ["--config", "--variant"])
def test_an_option_without_effect_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        cli.main(["energy", option, "tiny", "--only", "paper"])
    assert option in capsys.readouterr().err


def test_the_picture_is_drawn(tmp_path):
    energy_picture.draw(PUBLISHED, tmp_path / "energy.png")
    assert (tmp_path / "energy.png").stat().st_size > 10_000
