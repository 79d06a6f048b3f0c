"""The energy table: its machines, what it says of them, and what is published."""

import json
from pathlib import Path

import pytest

from cosim import models
from cosim.gates import energy, energy_picture, stimulus
from hw import config as configs
from hw.interface import ALL_MODES

PUBLISHED = json.loads(Path("docs/results/energy.json").read_text())["rows"]
EVERY = [(network, row) for network, rows in energy.ROWS.items() for row in rows]


@pytest.mark.parametrize(("network", "row"), EVERY)
def test_every_machine_runs_the_committed_network(network, row):
    config, prefer, mode = energy.machine(network, row)
    model = stimulus.trained_model(network, ALL_MODES[mode].time_steps)
    assert models.on(model, config).sha256 == model.sha256
    assert (row in ("published", "union")) == (energy.knobs(network, config, prefer) == {})
    assert ALL_MODES[mode].built(config) == ALL_MODES[mode]


@pytest.mark.parametrize(("network", "row"), [
    ("paper", "on change, two of four"), ("phone", "32 lanes, on change"), ("keywords", "32 lanes")])
def test_the_best_machine_ships(network, row):
    config, _, _ = energy.machine(network, row)
    shipped = configs.load(f"{network}-lean").to_dict()
    assert {**config.to_dict(), "name": shipped["name"]} == shipped


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['config']}, {row['row']}")
def test_what_is_published_adds_up_and_nothing_differs(row):
    config, prefer, mode = energy.machine(row["config"], row["row"])
    assert (row["knobs"], row["mode"]) == (energy.knobs(row["config"], config, prefer), mode)
    assert sum(row["parts_nj"].values()) == pytest.approx(row["energy_per_frame_nj"], abs=0.01)
    assert row["parts_nj"]["leakage_nj"] == pytest.approx(10 * row["leakage_uw"], abs=0.01)
    assert row["differences"] == 0 and row["values_compared"] > 100_000 and row["frames"] >= 120


def test_the_picture_is_drawn(tmp_path):
    energy_picture.draw(PUBLISHED, tmp_path / "energy.png")
    assert (tmp_path / "energy.png").stat().st_size > 10_000
