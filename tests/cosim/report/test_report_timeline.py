"""A frame recorded from the Verilated design: what units do is what the golden model says, in every mode."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cosim import models
from cosim.errors import HarnessError
from cosim.report import recorder, timeline, units
from cosim.report.figures import Results
from hw import config as configs
from hw.interface import MODES, phases
from sw import golden
from sw.data import audio
from sw.integers.integer_model import IntegerModel

FRAME = 5
PUBLISHED = Path(__file__).parents[3] / "docs" / "results" / timeline.FILE


@pytest.fixture(scope="module")
def model():
    config, generator = configs.load("tiny"), torch.Generator().manual_seed(3)
    n = config.neurons
    shapes = ((config.features, n), (n, n), (n, n), (n, n), (n, config.outputs))
    return IntegerModel(config, [torch.randint(-8, 8, shape, generator=generator, dtype=torch.int32)
                                 for shape in shapes], torch.tensor((260, 150)))


@pytest.fixture(scope="module")
def x(model):
    return np.random.default_rng(3).integers(-128, 128, (8, model.config.features)).astype(np.int8)


@pytest.fixture(scope="module")
def recorded(model, x):
    """Mode -> recorded frame."""
    return {mode: recorder.record(model, mode, x, FRAME) for mode in MODES}


def visited(frame, phase):
    """Neurons that a phase visits, in order of time."""
    lines, names = units.lines(frame), [p.name for p in phases(frame.config)]
    sequence = units.decode(lines["sequencer"])
    states = [units.decode(lines[unit]) for unit in units.SKIPS]
    return [int(state[1:]) for at, now in enumerate(sequence) if now == f"p{names.index(phase)}"
            for state in (line[at] for line in states) if state != units.IDLE]


@pytest.mark.parametrize("mode", ["t2_union", "t1"])
def test_neurons_that_are_visited_are_those_that_fired(model, x, recorded, mode):
    spikes = golden.predict(model, x, mode).spikes
    before, now = [layer[FRAME - 1].any(0) for layer in spikes], [layer[FRAME].any(0) for layer in spikes]
    for phase, wanted in (("L0_RECURRENT", before[0]), ("L1_RECURRENT", before[1]), ("L1_FORWARD", now[0])):
        found = visited(recorded[mode], phase)
        assert sorted(found) == list(np.flatnonzero(wanted)), phase
    assert 0 < sum(map(np.sum, now))


def test_as_published_every_neuron_is_visited_and_added_where_it_fired(model, x, recorded):
    frame = recorded["t2_merged"]
    assert visited(frame, "L1_FORWARD") == list(range(model.config.neurons))
    rows = {row[0]: row for row in units.totals(units.lines(frame), [p.name for p in phases(model.config)])}
    fired = golden.predict(model, x, "t2_merged").spikes[0][FRAME].sum(1)
    assert rows["L1_FORWARD"][9:11] == list(fired) and rows["L0_LIF"][11] == fired.sum()


@pytest.mark.parametrize("mode", MODES)
def test_cycles_reads_and_beats_are_the_golden_models(model, x, recorded, mode):
    frame, wanted = recorded[mode], golden.predict(model, x, mode)
    rows = units.totals(units.lines(frame), [p.name for p in phases(model.config)])
    assert {row[0]: row[2] for row in rows if row[0]} == {
        name: count for name, count in zip(wanted.phase_names, wanted.phases[FRAME], strict=True) if count}
    assert [sum(column) for column in list(zip(*rows, strict=True))[4:9]] == list(wanted.reads[FRAME])
    assert sum(row[12] for row in rows) == model.config.outputs // model.config.logits_per_beat
    assert sum(row[2] for row in rows) == len(frame) == wanted.phases[FRAME].sum() + golden.ends(model.config)


@pytest.mark.parametrize("sample, said", [
    ("idle", "cycles of INPUT"), ("fc_read__1__enable", "row reads of fc1"),
    ("fired", "spikes of layer 0, time step 0"), ("arrived", "beats"), ("taken", "features")])
def test_a_record_that_does_not_add_up_is_refused_by_name(recorded, sample, said):
    frame = recorded["t2_merged"]
    samples = {**frame.samples, sample: frame.samples[sample] + 1}
    assert said in recorder.disagreement(recorder.Frame(frame.config, frame.mode, FRAME, samples, frame.expected))
    assert recorder.disagreement(frame) == ""


def test_a_frame_that_there_is_not(model, x):
    with pytest.raises(HarnessError, match="frame 8: the recording has frames 0 to 7"):
        recorder.record(model, "t1", x, 8)


def test_lines_of_states():
    states = ["p0"] * 3 + [".", "r12", "r12", "r1"]
    assert units.encode(states) == "p0*3 . r12*2 r1" and units.decode("p0*3 . r12*2 r1") == states
    with pytest.raises(ValueError, match="'z3' is no state"):
        units.decode("r1 z3")


def test_every_state_has_words(recorded):
    names = [phase.name for phase in phases(recorded["t1"].config)]
    said = {state: units.meaning(state, names) for frame in recorded.values()
            for line in units.lines(frame).values() for state in units.decode(line)}
    assert all(words and kind for state, (words, kind) in said.items() if state != units.IDLE)
    assert said["p8"] == ("FC", "phase-fc") and {state[0] for state in said} == {*".p", *units.KINDS}


@pytest.fixture(scope="module")
def published():
    if not PUBLISHED.is_file():
        pytest.skip(f"no {PUBLISHED.name}: `{timeline.COMMAND}` makes it")
    return timeline.recorded(Results([PUBLISHED.parent]))


def test_the_published_frames_are_the_golden_models(published):
    """A change of the machine that moves a cycle of the published frame must record it anew."""
    assert [frame["mode"] for frame in published] == ["t2_merged", "t2_union", "t1"]
    trained, wave = models.by_time_steps(models.PAIR), audio.read(models.CLIP)
    for frame in published:
        model, number = trained[MODES[frame["mode"]].time_steps], frame["frame"]
        assert model.sha256 == frame["model"], timeline.COMMAND
        wanted = golden.predict(model, models.hear(model, wave).utterances[0][:number + 1], frame["mode"])
        rows = units.totals(frame["units"], frame["phases"])
        assert {row[0]: row[2] for row in rows if row[0]} == dict(
            zip(wanted.phase_names, wanted.phases[number].tolist(), strict=True)), frame["mode"]
        assert [sum(column) for column in list(zip(*rows, strict=True))[4:9]] == list(wanted.reads[number])


def test_published_lines_are_as_long_as_their_frame(published):
    for frame in published:
        assert {len(units.decode(line)) for line in frame["units"].values()} == {frame["cycles"]}
    assert len(json.dumps(published)) < 120_000
