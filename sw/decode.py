"""Viterbi over phones in context with a phone bigram: logits -> phones with times, whole or streaming.

Each phone is a chain of three thirds; the second may be left out. In the `context` layout a phone's copies differ in
the manners of their neighbours, and only copies that agree with their neighbours may follow one another. Scores:
acoustic scale x logit (a log likelihood ratio, see `sw.objective`), log durations, language scale x log bigram and a
penalty a phone.
"""

from dataclasses import dataclass

import numpy as np

from sw.data.phones import BROAD_OF, INDEX, PHONES
from sw.targets import CLASSES, THIRDS, Layout

SILENCE = INDEX["sil"]
BROAD = np.array(BROAD_OF)
NEVER = -1e30


@dataclass(frozen=True)
class Scales:
    """Weights of the decoder, chosen on training speakers."""

    acoustic: float = 0.6
    language: float = 1.0
    penalty: float = 0.0


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


class Viterbi:
    """Frame-synchronous decoder; `push` frames, then `trace` at any time. Times are frames of the audio."""

    def __init__(self, grammar, layout, scales=None, delay=0):
        self.grammar, self.layout, self.scales, self.delay = grammar, layout, scales or Scales(), delay
        self.copies = CLASSES if layout.kind == "context" else 1
        self.language = self.scales.language * grammar.bigram + self.scales.penalty  # (40, 40)
        self.stay = grammar.stay[:, :, None, None]  # (40, 3, 1, 1)
        self.move = np.log1p(-np.exp(grammar.stay))[:, :, None, None]
        # score and token of each state: (phone, third, left, right); a token names the phone's entry
        self.score = np.full((len(PHONES), THIRDS, self.copies, self.copies), NEVER, np.float32)
        self.token = np.full(self.score.shape, -1)
        self.entries = []  # a frame's (phone before, its token), each (40, left)
        self.frames = 0

    def push(self, logits):
        """Take logits (frames, outputs)."""
        kept = np.asarray(logits[:, :self.layout.classes], np.float32) * np.float32(self.scales.acoustic)
        for scores in kept.reshape(len(kept), *self.score.shape):
            self._frame(scores)

    def _frame(self, scores):
        score, token, (stay, move) = self.score, self.token, (self.stay, self.move)
        enter, entered = self._entries()
        # (40, copies, copies) of each third: best way in
        first = self._better((score[:, 0] + stay[:, 0], token[:, 0]), (enter, entered))
        second = self._better((score[:, 1] + stay[:, 1], token[:, 1]), (score[:, 0] + move[:, 0], token[:, 0]))
        third = self._better((score[:, 2] + stay[:, 2], token[:, 2]), (score[:, 1] + move[:, 1], token[:, 1]),
                             (score[:, 0] + move[:, 0] + move[:, 1], token[:, 0]))
        self.score = np.stack([first[0], second[0], third[0]], 1) + scores
        self.token = np.stack([first[1], second[1], third[1]], 1)
        self.score -= self.score.max()  # keep float32 exact enough on long recordings
        self.frames += 1

    def _entries(self):
        """Score and token of entering each phone's first third, (40, copies, copies), and what preceded it."""
        phones = len(PHONES)
        shape = (phones, self.copies, self.copies)
        if not self.frames:
            enter = np.full(shape, NEVER, np.float32)
            closed = BROAD[SILENCE] if self.copies > 1 else 0
            enter[SILENCE, closed] = 0.0
            self.entries.append((np.full((phones, self.copies), -1), np.full((phones, self.copies), -1)))
        else:
            leaving = self.score[:, 2] + self.move[:, 2]  # (40, left, right)
            left = leaving.argmax(1)  # (40, right)
            best = np.take_along_axis(leaving, left[:, None], 1)[:, 0]
            tokens = np.take_along_axis(self.token[:, 2], left[:, None], 1)[:, 0]
            seen = BROAD if self.copies > 1 else np.zeros(phones, int)
            total = best[:, seen] + self.language  # (40 before, 40 after)
            before = np.empty((phones, self.copies), int)
            value = np.empty((phones, self.copies), np.float32)
            for manner in range(self.copies):
                allowed = np.flatnonzero(seen == manner)
                before[:, manner] = allowed[total[allowed].argmax(0)]
                value[:, manner] = total[before[:, manner], np.arange(phones)]
            self.entries.append((before, tokens[before, seen[:, None]]))
            enter = np.repeat(value[:, :, None], self.copies, 2)
        # token = (frame, phone, left), as one integer
        number = (self.frames * phones + np.arange(phones)[:, None]) * self.copies + np.arange(self.copies)
        return enter, np.repeat(number[:, :, None], self.copies, 2)

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
        last = self.score[:, 2] if final else self.score.max(1)
        if final and last[SILENCE].max() > NEVER / 2:
            chosen = np.full_like(last, NEVER)
            chosen[SILENCE] = last[SILENCE]
            last = chosen
        where = np.unravel_index(last.argmax(), last.shape)
        third = 2 if final else self.score[(where[0], slice(None), *where[1:])].argmax()
        token, end, path = int(self.token[where[0], third, where[1], where[2]]), self.frames, []
        while token >= 0:
            frame, rest = divmod(token, len(PHONES) * self.copies)
            phone, left = divmod(rest, self.copies)
            path.append((PHONES[phone], frame, end))
            token, end = int(self.entries[frame][1][phone, left]), frame
        path.reverse()
        return self._undelayed(path)

    def _undelayed(self, path):
        """Take the network's delay off the times; what lies before the recording goes."""
        shifted = [(p, max(0, a - self.delay), b - self.delay) for p, a, b in path]
        return [(p, a, b) for p, a, b in shifted if b > a]


def of(model):
    """A `Viterbi` for an `IntegerModel` whose tables and manifest carry grammar, layout, scales and delay."""
    targets, scales = model.manifest["targets"], model.manifest["decoder"]
    return Viterbi(Grammar(model.tables["bigram"].numpy(), model.tables["stay"].numpy()),
                   Layout(targets["kind"], model.config.outputs), Scales(**scales), targets["delay"])


def decode(logits, model):
    """Logits (frames, outputs) of the accelerator -> list of (phone, start frame, end frame), 10 ms frames."""
    viterbi = of(model)
    viterbi.push(np.asarray(logits) * model.manifest["logit_step"])
    return viterbi.trace()


class StreamDecoder:
    """Phones as they become stable: `push` logits, get the phones that ended more than `lag` frames ago."""

    def __init__(self, model, lag=40):
        self.viterbi, self.step, self.lag, self.given = of(model), model.manifest["logit_step"], lag, 0

    def push(self, logits):
        """Logits (frames, outputs) -> newly stable (phone, start, end), perhaps none."""
        self.viterbi.push(np.asarray(logits) * self.step)
        return self._new(self.viterbi.trace(final=False), self.viterbi.frames - self.viterbi.delay - self.lag)

    def finish(self):
        """The phones still open, once the recording has ended."""
        return self._new(self.viterbi.trace(), self.viterbi.frames)

    def _new(self, path, before):
        fresh = [(p, max(a, self.given), b) for p, a, b in path if b > self.given and b <= before]
        if fresh:
            self.given = fresh[-1][2]
        return fresh
