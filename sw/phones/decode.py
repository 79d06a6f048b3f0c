"""Logits -> phones with times, whole or streaming: Viterbi over phones with a bigram (CTC outputs: `sw.phones.ctc`).

Each phone is a chain of three thirds; the second may be left out. The outputs of a third's context classes are summed
to its posterior, which over its prior is the likelihood of the frame. Scores: acoustic scale x log likelihood, log
durations, language scale x log bigram and a constant a phone.
"""

from dataclasses import dataclass

import numpy as np

from sw.data.phones import INDEX, PHONES
from sw.phones.ctc import Beam
from sw.phones.targets import THIRDS, Layout

SILENCE = INDEX["sil"]
NEVER = -1e30


@dataclass(frozen=True)
class Scales:
    """Weights of the decoder; defaults are what nested cross-validation (`sw.phones.tune`) chose in 2 folds of 3."""

    acoustic: float = 1.0
    language: float = 1.4
    bonus: float = 1.0


@dataclass(frozen=True, eq=False)
class Grammar:
    """Log bigram (40, 40), first index before; log probability to stay in a third (40, 3)."""

    bigram: np.ndarray
    stay: np.ndarray

    @classmethod
    def of(cls, labelled, weights=None, smoothing=20.0):
        """Count phone pairs and durations over frame labels (frames, 4); pairs back off to single phones."""
        pairs, frames, visits = np.zeros((40, 40)), np.full((40, THIRDS), 2.0), np.full((40, THIRDS), 1.0)
        for labels, weight in zip(labelled, weights or [1.0] * len(labelled), strict=True):
            # a segment starts where the phone changes or its thirds start anew
            phone, third = labels[:, 0].astype(int), labels[:, 1].astype(int)
            new = np.flatnonzero(np.diff(phone, prepend=-1).astype(bool) | (np.diff(third, prepend=0) < 0))
            np.add.at(pairs, (phone[new][:-1], phone[new][1:]), weight)
            np.add.at(frames, (phone, third), weight)
            state = phone * THIRDS + third
            np.add.at(visits, (phone, third), weight * (np.diff(state, prepend=-1) != 0))
        single = pairs.sum(0) + 0.5
        single /= single.sum()
        bigram = (pairs + smoothing * single) / (pairs.sum(1, keepdims=True) + smoothing)
        return cls(np.log(bigram).astype(np.float32), np.log(1 - visits / frames.clip(visits + 0.5)).astype(np.float32))


def likelihoods(logits, log_prior, layout):
    """Log p(third | frame) / p(third): float (frames, outputs) and (outputs,) -> float32 (frames, 40 x 3)."""
    joint = (np.asarray(logits, np.float32) + np.asarray(log_prior, np.float32))[:, :layout.classes]
    prior = np.asarray(log_prior, np.float64)[:layout.classes]
    states = len(PHONES) * THIRDS
    log_joint = _log_sum(joint.reshape(len(joint), states, -1))  # (frames, thirds, contexts) -> (frames, thirds)
    log_prior_of = _log_sum(prior.reshape(1, states, -1))
    return log_joint - _log_sum(log_joint)[:, None] - log_prior_of.astype(np.float32)


def _log_sum(x):
    top = x.max(-1, keepdims=True)
    return np.log(np.exp(x - top).sum(-1)) + top[..., 0]


class Viterbi:
    """Frame-synchronous decoder; `push` frames, then `trace` at any time. Times are frames of the audio.

    A state is a phone's third; its token names the frame in which the phone was entered.
    """

    def __init__(self, grammar, layout, log_prior, scales=None, delay=0):
        self.grammar, self.layout, self.scales, self.delay = grammar, layout, scales or Scales(), delay
        self.log_prior = np.asarray(log_prior)
        self.language = self.scales.language * grammar.bigram + self.scales.bonus  # (40, 40)
        self.stay, self.move = grammar.stay, np.log1p(-np.exp(grammar.stay))  # (40, 3)
        self.score = np.full((len(PHONES), THIRDS), NEVER, np.float32)
        self.token = np.full((len(PHONES), THIRDS), -1)
        self.before = []  # for each frame, the phone that precedes each phone entered in it, and that phone's token
        self.frames = 0

    def push(self, logits):
        """Take logits (frames, outputs), scaled as in training."""
        if len(logits):
            scores = likelihoods(logits, self.log_prior, self.layout) * np.float32(self.scales.acoustic)
            for frame in scores.reshape(len(scores), len(PHONES), THIRDS):
                self._frame(frame)

    def _frame(self, scores):
        score, token, stay, move = self.score, self.token, self.stay, self.move
        if self.frames:
            leaving = score[:, 2] + move[:, 2]
            total = leaving[:, None] + self.language  # (before, after)
            phone = total.argmax(0)
            enter = total[phone, np.arange(len(PHONES))]
        else:  # a recording begins in silence
            phone, enter = np.zeros(len(PHONES), int), np.full(len(PHONES), NEVER, np.float32)
            enter[SILENCE] = 0.0
        self.before.append((phone, token[phone, 2]))
        here = np.full(len(PHONES), self.frames)
        ways = ((score[:, 0] + stay[:, 0], token[:, 0]), (enter, here)), (
            (score[:, 1] + stay[:, 1], token[:, 1]), (score[:, 0] + move[:, 0], token[:, 0])), (
            (score[:, 2] + stay[:, 2], token[:, 2]), (score[:, 1] + move[:, 1], token[:, 1]),
            (score[:, 0] + move[:, 0] + move[:, 1], token[:, 0]))
        best = [self._better(*way) for way in ways]
        self.score = np.stack([b[0] for b in best], 1) + scores
        self.token = np.stack([b[1] for b in best], 1)
        self.score -= self.score.max()  # keeps float32 exact enough on long recordings
        self.frames += 1

    @staticmethod
    def _better(*ways):
        score, token = ways[0]
        for other, its in ways[1:]:
            wins = other > score
            score, token = np.where(wins, other, score), np.where(wins, its, token)
        return score, token

    def trace(self, final=True):
        """Best path as a list of (phone, start frame, end frame), contiguous; `final` wants it to end in silence."""
        if not self.frames:
            return []
        phone, third = np.unravel_index(self.score.argmax(), self.score.shape)
        if final and self.score[SILENCE, 2] > NEVER / 2:
            phone, third = SILENCE, 2
        token, end, path = int(self.token[phone, third]), self.frames, []
        while token >= 0:
            path.append((PHONES[phone], token, end))
            before, earlier = self.before[token]
            phone, end, token = before[phone], token, int(earlier[phone])
        path.reverse()
        return self._undelayed(path)

    def _undelayed(self, path):
        """Take the network's delay off the times; what lies before the recording goes."""
        shifted = [(p, max(0, a - self.delay), b - self.delay) for p, a, b in path]
        return [(p, a, b) for p, a, b in shifted if b > a]


SCALES = {"context": Scales(), "mono": Scales(), "ctc": Scales(1.0, 0.5, 1.0)}


def search(grammar, layout, log_prior, scales=None, delay=0):
    """The decoder of a target set: prefix beam search for CTC outputs, Viterbi for frame classes."""
    scales = scales or SCALES[layout.kind]
    if layout.kind == "ctc":
        return Beam(grammar.bigram, layout, log_prior, language=scales.language, bonus=scales.bonus, delay=delay)
    return Viterbi(grammar, layout, log_prior, scales, delay)


def of(model):
    """The decoder of an `IntegerModel` whose tables and manifest carry grammar, layout, scales and delay."""
    phones, outputs = len(PHONES), model.config.outputs
    grammar = Grammar(model.table("bigram", (phones, phones)).numpy(), model.table("stay", (phones, THIRDS)).numpy())
    log_prior = model.table("log_prior", (outputs,)).numpy()
    return search(grammar, Layout(model.entry("targets", "kind"), outputs), log_prior,
                  Scales(**model.entry("decoder")), model.entry("targets", "delay"))


def decode(logits, model):
    """Logits (frames, outputs) of the accelerator -> list of (phone, start frame, end frame), 10 ms frames."""
    decoder = of(model)
    decoder.push(np.asarray(logits) * model.entry("logit_step"))
    return decoder.trace()


LAG = 40  # frames after whose end a phone has settled: no later frame changes it, in speech


class StreamDecoder:
    """Phones as they become stable: `push` logits, get the phones that ended more than `lag` frames ago."""

    def __init__(self, model, lag=LAG):
        self.search, self.step, self.lag, self.given = of(model), model.entry("logit_step"), lag, 0

    def push(self, logits):
        """Logits (frames, outputs) -> newly stable (phone, start, end), perhaps none."""
        self.search.push(np.asarray(logits) * self.step)
        return self._new(self.search.trace(final=False), self.search.frames - self.search.delay - self.lag)

    def finish(self):
        """The phones still open, once the recording has ended."""
        return self._new(self.search.trace(), self.search.frames)

    def _new(self, path, before):
        fresh = [(p, max(a, self.given), b) for p, a, b in path if b > self.given and b <= before]
        if fresh:
            self.given = fresh[-1][2]
        return fresh
