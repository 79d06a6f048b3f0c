"""What `describe` foretells is what the cycle model counts and what synthesis maps."""

import json
from types import SimpleNamespace

import pytest
import test_change
import torch
from test_networks import SHAPES, config

from hw import config as configs
from hw import describe
from hw.interface import ALL_MODES, MODES
from sottovoce import cli
from sw import golden

FULL = {"signed_digit": 85, "twos_complement": -1, "sign_magnitude": 127}


def counted(c, mode, fires):
    scanned = {name: torch.full((1, 1, mode.time_steps, inputs), fires)
               for name, (inputs, _) in c.matrices().items() if name != "input"}
    x = torch.full((1, 1, c.features), FULL[c.input_code] if fires else 0, dtype=torch.int32)
    return int(golden.cycles(c, mode, x, SimpleNamespace(scanned=scanned, scanned_before=scanned)).interval)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("changes", [{"logits_per_beat": 1}, {"input_code": "sign_magnitude"}, {
    "mechanisms": {"zero_skip_fc": False, "zero_skip_input": False}}], ids=str)
def test_best_and_worst_are_the_cycle_models(shape, changes):
    c = config(shape, **changes)
    for name, mode in MODES.items():
        for fires in (False, True):
            assert (name, describe.cycles(c, mode, int(fires))) == (name, counted(c, mode, fires))


@pytest.mark.parametrize("shape", test_change.SHAPES)
def test_so_they_are_where_sums_are_kept_and_served_serially(shape):
    c = test_change.config(shape)
    for name, mode in ALL_MODES.items():
        for fires in (False, True):
            assert (name, describe.cycles(c, mode, int(fires))) == (name, counted(c, mode, fires))


@pytest.mark.parametrize(("name", "mapped"), [("paper", 7.889), ("phone", 4.472), ("tiny", 0.494)])
def test_area_is_near_what_synthesis_mapped(name, mapped):
    assert describe.area(configs.load(name))["total"] == pytest.approx(mapped, rel=0.03)


def test_weights_memory_and_program_are_told(capsys):
    assert cli.main(["describe", "paper"]) == 0
    text = capsys.readouterr().out
    assert "40 -> 128 -> 128 -> 1920, 300,032 weights" in text and "147.0 KiB" in text
    assert "4  L1_RECURRENT        spikes of layer 1 x recurrent rows from 64, from zero" in text
    assert cli.main(["describe", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memories"][0] == {
        "name": "input", "rows": 12, "row_bits": 64, "bits": 768}


def test_what_cannot_be_built_is_one_line(capsys):
    assert cli.main(["describe", "papper"]) == 1
    assert capsys.readouterr().err.startswith("error: configuration 'papper' not found")
