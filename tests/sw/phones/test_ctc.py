"""CTC: strings of frames, the loss against every alignment, decoding by hand and against an exhaustive search."""

import math
from itertools import groupby, product

import numpy as np
import pytest
import torch

from sw.data.phones import INDEX
from sw.phones import ctc
from sw.phones.batches import IGNORE
from sw.phones.targets import Layout

LAYOUT = Layout("ctc", 128)
SILENT = np.concatenate([np.zeros(ctc.CLASSES), np.full(128 - ctc.CLASSES, -30.0)]).astype(np.float32)
FLAT = np.zeros((40, 40), np.float32)


def logits_of(probabilities):
    """Rows of {symbol: probability} -> logits (frames, 128); what is not named gets next to nothing."""
    logits = np.full((len(probabilities), 128), -40.0, np.float32)
    for row, named in zip(logits, probabilities, strict=True):
        for symbol, p in named.items():
            row[ctc.BLANK if symbol == "-" else INDEX[symbol]] = math.log(p)
    return logits


def test_string_of_thirds():
    aa, b = INDEX["aa"] * 3, INDEX["b"] * 3
    # aa in three thirds, b, b again: its thirds restart
    states = np.array([aa, aa + 1, aa + 2, b + 0, b + 2, b + 0, b + 1])
    assert ctc.phones_of(states).tolist() == [INDEX["aa"], INDEX["b"], INDEX["b"]]


def test_times_by_hand():
    decoder = ctc.Beam(FLAT, LAYOUT, SILENT, language=0, bonus=0, delay=1)
    decoder.push(logits_of([{"-": 1}, {"aa": 1}, {"aa": 1}, {"-": 1}, {"aa": 1}, {"b": 1}, {"-": 1}]))
    assert decoder.trace() == [("aa", 0, 3), ("aa", 3, 4), ("b", 4, 6)]


def test_alignments_add_up():
    # each frame's best is blank (0.6), but aa in either frame or both sums to 1 - 0.36
    rows = logits_of([{"-": 0.6, "aa": 0.4}, {"-": 0.6, "aa": 0.4}])
    beam = ctc.Beam(FLAT, LAYOUT, SILENT, language=0, bonus=0)
    beam.push(rows[:1])
    beam.push(rows[1:])
    assert [p for p, _, _ in beam.trace()] == ["aa"]
    blank, phone, *_ = beam.strings[(INDEX["aa"],)]
    assert np.logaddexp(blank, phone) == pytest.approx(math.log(0.64), abs=1e-4)


def test_bigram_and_bonus_decide_between_equals():
    rows = logits_of([{"s": 1}, {"t": 0.5, "d": 0.5}])
    bigram = np.full((40, 40), -3.0, np.float32)
    bigram[INDEX["s"], INDEX["t"]] = -1.0
    beam = ctc.Beam(bigram, LAYOUT, SILENT, language=1.0, bonus=0.0)
    beam.push(rows)
    assert [p for p, _, _ in beam.trace()] == ["s", "t"]
    beam = ctc.Beam(bigram, LAYOUT, SILENT, language=1.0, bonus=-50.0)  # so dear that nothing is said
    beam.push(logits_of([{"s": 0.5, "-": 0.5}, {"t": 0.5, "-": 0.5}]))
    assert beam.trace() == []


@pytest.mark.parametrize("seed", range(3))
def test_wide_beam_is_the_sum_over_all_alignments(seed):
    rng = np.random.default_rng(seed)
    symbols = [INDEX["aa"], INDEX["b"], ctc.BLANK]
    logits = np.full((5, 128), -40.0, np.float32)
    logits[:, symbols] = rng.normal(size=(5, 3))
    scores = torch.from_numpy(logits + SILENT)[:, :ctc.CLASSES].log_softmax(-1).numpy()
    total = {}
    for way in product(symbols, repeat=5):
        string = tuple(s for s, _ in groupby(way) if s != ctc.BLANK)
        total[string] = np.logaddexp(total.get(string, -np.inf), sum(scores[t, s] for t, s in enumerate(way)))
    beam = ctc.Beam(FLAT, LAYOUT, SILENT, language=0, bonus=0, width=1000)
    beam.push(logits)
    best = max(total, key=total.get)
    assert tuple(INDEX[p] for p, _, _ in beam.trace()) == best
    for string, (blank, phone, *_) in beam.strings.items():
        assert np.logaddexp(blank, phone) == pytest.approx(total[string], abs=1e-4)


class Fixed(torch.nn.Module):
    """A network whose logits are given."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def encode(self, x):
        return self.logits, (torch.full((1,), 0.2), torch.full((1,), 0.4))

    def readout(self, hidden):
        return hidden


def test_loss_by_hand_with_late_targets_and_padding():
    rows = logits_of([{"-": 0.6, "aa": 0.4}, {"-": 0.6, "aa": 0.4}, {"b": 1.0}])
    aa = INDEX["aa"] * 3
    # two frames of aa, one frame late in the first column; the third frame of the second column is padding
    target = torch.tensor([[IGNORE, aa], [aa, aa + 2], [aa + 1, IGNORE]])
    logits = torch.from_numpy(np.stack([rows[[0, 1, 1]], rows], 1))  # (3, 2, 128)
    loss = ctc.CtcLoss(torch.from_numpy(SILENT), rate_target=0.3, rate_weight=10.0)
    value, metrics = loss(Fixed(logits), (torch.zeros(3, 2, 40), target))
    # aa alone: 1 - 0.6^3 less the ways that say it twice (aa - aa: 0.4 x 0.6 x 0.4); then 1 - 0.6^2
    wanted = -(math.log(1 - 0.6 ** 3 - 0.4 * 0.6 * 0.4) + math.log(0.64)) / 2
    assert value.item() == pytest.approx(wanted + 10 * 0.1 ** 2, abs=1e-4)
    assert metrics == {"rate0": pytest.approx(0.2), "rate1": pytest.approx(0.4)}
