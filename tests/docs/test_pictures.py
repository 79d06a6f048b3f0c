"""Pictures of docs/skipping.md show what the circuit does: their recording is the golden model's, and made again."""

import json
import sys
from dataclasses import replace

import pytest
import torch
from documents import ROOT

from hw.interface import MODES, phases
from sw import golden

sys.path.insert(0, str(ROOT / "docs/site"))
import record  # noqa: E402

FOLDER = ROOT / "docs/pictures"
RECORDED = json.loads((FOLDER / "recorded.json").read_text())
PAGE = (ROOT / "docs/skipping.md").read_text()


def plain(value):
    return json.loads(json.dumps(value))


@pytest.fixture(scope="module")
def heard():
    return {name: record.heard(name) for name in (record.TWO, record.ONE)}


def test_digits_are_goldens(heard):
    model, x, _ = heard[record.TWO]
    assert RECORDED["x"] == x[record.FRAME].tolist()
    assert RECORDED["A"] == plain(golden.input_scan(x[record.FRAME], model.config))


@pytest.mark.parametrize("name", record.SCANS)
def test_spike_scans_are_goldens(name, heard):
    network, matrix, *how = record.SCANS[name]
    spikes = record.spikes_of(heard[network][2], matrix)
    assert RECORDED["spikes"][name] == spikes.tolist()
    assert RECORDED[name] == plain(golden.zero_skip(spikes, *how))


@pytest.mark.parametrize("mode", RECORDED["timeline"])
def test_timelines_are_the_cycle_model_s(mode):
    model, x = record.small_network()
    cost = golden.cycles(model.config, MODES[mode], x, golden.run(model, x, MODES[mode].time_steps))
    seen = RECORDED["timeline"][mode]
    names = [phase.name for phase in phases(model.config)]
    assert [sum(c[0] == name for c in seen) for name in names] == cost.phases[0, 1].tolist()
    assert sum(len(c[1]) for c in seen) == int(cost.reads[0, 1].sum())


def test_pictures_are_of_this_recording():
    mark = record.fingerprint(RECORDED)
    pictures = sorted(FOLDER.glob("*.svg"))
    assert pictures and [p.name for p in pictures if f"recording {mark}" not in p.read_text()] == []


def test_the_page_counts_as_the_circuit_does(heard):
    """Sentences of the page that say how much was visited."""
    counts = {name: len(RECORDED[name]) for name in ("A", *record.SCANS)}
    apart = counts["C unmerged, step 0"] + counts["C unmerged, step 1"]
    as_bits = replace(heard[record.TWO][0].config, input_code="twos_complement", accumulator_bits=14)
    plain_bits = len(golden.input_scan(torch.tensor(RECORDED["x"]), as_bits))
    for sentence in (f"in {counts['A']} cycles in place of 160", f"{plain_bits} with plain bits",
                     f"{counts['B']} cycles in place of 128", f"{counts['D union']} cycles in place of 128",
                     f"{counts['C merged']} cycles in place of {apart}"):
        assert sentence in " ".join(PAGE.split()), sentence


@pytest.mark.slow
def test_the_circuit_does_it_again():
    assert plain(record.recordings()) == RECORDED
