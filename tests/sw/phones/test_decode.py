"""Targets, decoder and scorer, by hand and against a reference scorer."""

from types import SimpleNamespace

import jiwer
import numpy as np
import pytest

from sw.data.labels import Segment
from sw.data.phones import BROAD_OF, INDEX
from sw.phones import score, tune
from sw.phones.decode import Grammar, Scales, Viterbi, likelihoods
from sw.phones.targets import Layout, frame_labels

LAYOUT = Layout("context", 1920)


def test_frame_labels_by_hand():
    # frame t is centred at sample 160 t + 200: the vowel holds frames 5..10
    labels = frame_labels([Segment(0, 1000, "sil"), Segment(1000, 1960, "iy"), Segment(1960, 2400, "m")], 14)
    assert labels[:, 0].tolist() == [INDEX["sil"]] * 5 + [INDEX["iy"]] * 6 + [INDEX["m"]] * 3
    assert labels[5:11, 1].tolist() == [0, 0, 1, 1, 2, 2]
    assert labels[5, 2:].tolist() == [BROAD_OF[INDEX["sil"]], BROAD_OF[INDEX["m"]]] == [0, 2]
    assert LAYOUT.of(labels)[5] == (INDEX["iy"] * 3 + 0) * 16 + 0 * 4 + 2


@pytest.mark.parametrize("kind, outputs", [("context", 1919), ("mono", 112), ("senone", 1920)])
def test_layouts_that_do_not_fit(kind, outputs):
    with pytest.raises(ValueError, match="senone" if kind == "senone" else str(outputs)):
        Layout(kind, outputs)


def test_likelihood_by_hand():
    prior = np.full(1920, np.log(1 / 1920), np.float32)
    got = likelihoods(np.zeros((1, 1920)), prior, LAYOUT)
    assert got.shape == (1, 120) and np.abs(got).max() < 1e-5  # posterior = prior
    logits = np.zeros((1, 1920))
    logits[0, :16] = np.log(3)  # odds of the first third, threefold: 3 (1/120) / (3/120 + 119/120)
    assert likelihoods(logits, prior, LAYOUT)[0, 0] == pytest.approx(np.log(3 * 120 / 122), abs=1e-5)


def decoded(segments, delay, pieces, layout=LAYOUT):
    frames = segments[-1].end // 160
    labels = frame_labels(segments, frames)
    grammar = Grammar.of([labels])
    logits = np.zeros((frames + delay, layout.outputs), np.float32)
    logits[delay + np.arange(frames), layout.of(labels)] = 30
    logits[:delay, layout.of(labels)[0]] = 30
    viterbi = Viterbi(grammar, layout, np.full(layout.outputs, -np.log(layout.outputs)), Scales(), delay)
    for start in range(0, len(logits), pieces):
        viterbi.push(logits[start:start + pieces])
    return viterbi.trace()


@pytest.mark.parametrize("layout", [LAYOUT, Layout("mono", 128)], ids=["context", "mono"])
@pytest.mark.parametrize("pieces", [7, 1000])
def test_clean_logits_give_their_phones_and_times(pieces, layout):
    ends = np.cumsum([20, 8, 5, 3, 9, 25])
    phones = ("sil", "ih", "cl", "t", "s", "sil")
    segments = [Segment(160 * (e - d), 160 * e, p) for e, d, p in
                zip(ends, np.diff(ends, prepend=0), phones, strict=True)]
    path = decoded(segments, 5, pieces, layout)
    assert [p for p, _, _ in path] == list(phones)
    # a frame's centre lies 200 samples in, so a boundary at frame 20 is first seen in frame 19
    assert [b for _, _, b in path[:-1]] == (ends[:-1] - 1).tolist() and path[-1][2] == 70


def test_error_counts_by_hand_and_against_jiwer():
    errors = score.align("sil b ae t sil".split(), "sil b eh sil sil".split())
    assert (errors.substitutions, errors.deletions, errors.insertions, errors.reference) == (2, 0, 0, 5)
    assert score.align([], ["a"]).insertions == 1 and score.align(["a"], []).deletions == 1
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = (list(rng.choice(list("abcde"), rng.integers(1, 12))) for _ in range(2))
        assert score.align(a, b).rate == pytest.approx(100 * jiwer.wer(" ".join(a), " ".join(b)))


def test_folding_for_scoring():
    assert score.folded(["cl", "t", "dx"]) == ["sil", "t", "dx"]
    assert score.folded(["cl", "t", "dx"], closures=False) == ["t", "t"]


def test_scales_of_a_fold_are_chosen_on_the_others():
    a, b = Scales(1.0, 1.0, 0.0), Scales(1.0, 1.0, 2.0)

    def sheet(first, second):
        return {a: score.Errors(substitutions=first, reference=10), b: score.Errors(substitutions=second, reference=10)}

    # fold 0 itself would choose a, by far; folds 1 and 2 together choose b
    sheets = {0: sheet(0, 9), 1: sheet(5, 4), 2: sheet(5, 5)}
    assert tune.choose(sheets) == {0: b, 1: a, 2: a}
    assert tune.choose({0: sheet(1, 2)}) == {0: None}


def test_sheet_scores_every_point():
    ends = np.cumsum([20, 8, 9, 25])
    phones = ("sil", "ih", "s", "sil")
    segments = [Segment(160 * (e - d), 160 * e, p) for e, d, p in
                zip(ends, np.diff(ends, prepend=0), phones, strict=True)]
    labels = frame_labels(segments, ends[-1])
    work = SimpleNamespace(grammar=Grammar.of([labels]), layout=Layout("mono", 128), delay=0,
                           log_prior=np.full(128, -np.log(120), np.float32))
    logits = np.zeros((len(labels), 128), np.float32)
    logits[np.arange(len(labels)), work.layout.of(labels)] = 30
    points = tune.sheet([SimpleNamespace(logits=logits)], [(phones, True)], work)
    assert len(points) == 24 and all(e == score.Errors(reference=4) for e in points.values())
    wrong = tune.sheet([SimpleNamespace(logits=logits)], [(("sil", "aa", "s", "sil"), True)], work)
    assert all(e.substitutions == 1 for e in wrong.values())
