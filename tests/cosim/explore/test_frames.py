"""Frames by a rule: whatever is skipped or cut short, what runs is the golden model's; and the choice looks away."""

from types import SimpleNamespace

import pytest
import torch

from cosim.bench.networks import random_model
from cosim.explore import frames
from hw import config as configs
from hw.interface import ALL_MODES
from sottovoce import cli
from sw import golden

TINY = configs.load("tiny")
MODEL = random_model(TINY, torch.Generator().manual_seed(3), 2)
X = torch.randint(-60, 60, (3, 6, TINY.features), generator=torch.Generator().manual_seed(4), dtype=torch.int32)
FAR = 500 * TINY.features


def test_without_a_rule_every_frame_is_goldens():
    played, trace = frames.play(MODEL, X), golden.run(MODEL, X, 2)
    cost = golden.cycles(TINY, ALL_MODES["t2_union"], X, trace)
    assert torch.equal(played.logits, trace.logits) and torch.equal(played.cycles, cost.latency)
    assert torch.equal(played.reads, cost.reads) and played.ran.all()
    for kind in frames.KINDS:  # no frame is nearer than 0, or as quiet as that
        assert torch.equal(frames.play(MODEL, X, kind, -FAR if kind == "quiet" else 0).logits, trace.logits)


def test_quiet_frames_are_skipped_by_their_level():
    loud = X.sum(-1) >= 40
    played = frames.play(MODEL, X, "quiet", 40)
    assert torch.equal(played.ran, loud) and 0 < int(loud.sum()) < loud.numel()
    clip = int(loud.sum(1).argmax())
    heard = golden.run(MODEL, X[clip:clip + 1, loud[clip]], 2).logits[0]
    assert torch.equal(played.logits[clip, loud[clip]], heard)


def test_a_skipped_frame_costs_nothing_says_what_was_said_and_leaves_the_state():
    still = X.clone()
    still[0, 1:4] = still[0, :1]  # clip 0 stands still for three frames
    played = frames.play(MODEL, still, "skipped", 1)
    assert played.ran[0].tolist() == [True, False, False, False, True, True] and played.ran[1:].all()
    assert not played.cycles[0, 1:4].any() and not played.reads[0, 1:4].any()
    heard = golden.run(MODEL, still[:1, [0, 4, 5]], 2).logits[0]
    assert torch.equal(played.logits[0], heard[[0, 0, 0, 0, 1, 2]])


def test_slow_change_is_not_overlooked():
    """The distance is from the last frame that ran, so steps of 1 that go on add up."""
    x = torch.arange(6).reshape(1, 6, 1).expand(1, 6, TINY.features).to(torch.int32)
    assert frames.play(MODEL, x, "skipped", 3 * TINY.features).ran[0].tolist() == [True, False, False] * 2


def test_every_other_frame():
    played = frames.play(MODEL, X, "alternate")
    assert torch.equal(played.logits[:, ::2], golden.run(MODEL, X[:, ::2], 2).logits)
    assert torch.equal(played.logits[:, 1::2], played.logits[:, ::2]) and played.ran[0].tolist() == [True, False] * 3


def test_frames_of_one_step_go_on_from_frames_of_two():
    """As the machine does where the mode changes between frames: spikes of step 1 are none after a frame of one."""
    played = frames.play(MODEL, X, "one step", FAR)  # but for the first, which is far from nothing
    first = golden.run(MODEL, X[:, :1], 2)
    state = first.state
    rest = golden.run(MODEL, X[:, 1:], 1, golden.State(state.potentials, state.synapses,
                                                      [s[:, :, :1] for s in state.spikes]))
    assert torch.equal(played.logits, torch.cat([first.logits, rest.logits], 1))
    assert torch.equal(played.cycles[:, 1:], golden.cycles(TINY, ALL_MODES["t1"], X[:, 1:], rest).latency)


def test_a_threshold_is_never_chosen_by_the_speakers_it_is_scored_on(monkeypatch):
    """Of two halves one would take the threshold that ruins the other: the other pays for it."""
    half = torch.tensor([True, True, False, False])
    base, x = torch.zeros(4, dtype=torch.bool), torch.zeros(4, 9, 2, dtype=torch.int32)
    x[:, ::2] = torch.arange(5).reshape(1, 5, 1) * 10
    played = SimpleNamespace(ran=torch.ones(4, 9, dtype=torch.bool))
    monkeypatch.setattr(frames, "play", lambda *_: played)
    monkeypatch.setattr(frames, "wrong", lambda *_: ~half)  # every threshold: all of the second half is wrong
    costs = SimpleNamespace(of=lambda *_: (1.0, 2.0))
    thresholds, errors, _, _, _ = frames.chosen("skipped", None, x, None, costs, half, base)
    assert thresholds[0] is not None and thresholds[1] is None
    assert errors.tolist() == [False, False, True, True]


def test_a_row_that_is_not_there_is_refused(capsys):
    assert cli.main(["frames", "--row", "64 legs"]) != 0
    assert "--row '64 legs': no such row of keywords; there are" in capsys.readouterr().err


@pytest.mark.parametrize("speaker", ["a", ""])
def test_a_speaker_is_in_one_half(speaker):
    clips = [SimpleNamespace(speaker=speaker or f"s{i}", path=SimpleNamespace(name=str(i))) for i in range(40)]
    assert frames.halves(clips).unique().numel() == (1 if speaker else 2)
