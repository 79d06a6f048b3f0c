"""Sound in pieces -> every frame that the network ran on it, and the phones or words heard, as they come.

The same features, network and decoders as for a whole recording: what `push` and `finish` return, put together, is
`cosim.models.hear` and `predict` of the whole, to the bit, wherever the pieces were cut.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from cosim import models
from sw.features import causal
from sw.golden import LiveGolden, Prediction
from sw.integers.integer_model import ModelError
from sw.keywords import spotter, stream
from sw.phones import live

SECONDS = causal.SHIFT / 16000  # a frame
WINDOW_FRAMES = causal.frames_in(16000)  # of a keyword network's second


class Heard(NamedTuple):
    """A phone or a word; `score` is the word's smoothed posterior, None for a phone."""

    text: str
    start_s: float
    end_s: float
    score: float | None = None


@dataclass(frozen=True, eq=False)
class Piece:
    """One run of the network: features int8 (T, F), all frames' `Prediction`, and how many of the last are new.

    A keyword network runs a second of sound anew every 100 ms: of its 98 frames the last 10 are new sound.
    """

    x: np.ndarray
    prediction: Prediction
    new: int


@dataclass(frozen=True, eq=False)
class Answer:
    """What some sound brought about: `Piece`s in order, and what was `Heard`."""

    pieces: tuple
    heard: tuple

    def __add__(self, other):
        return Answer(self.pieces + other.pieces, self.heard + other.heard)


class _Witness:
    """A network whose runs are kept until they are asked for."""

    def __init__(self, network):
        self._network, self._seen = network, []

    def clear(self):
        self._network.clear()

    def push(self, x, new=None):
        prediction = self._network.push(x)
        self._seen.append(Piece(x, prediction, len(x) if new is None else new))
        return prediction

    def taken(self):
        seen, self._seen = tuple(self._seen), []
        return seen


class PhoneEar:
    """`push` float32 (samples,) at 16 kHz, `finish` at the end -> `Answer`; then it can start anew."""

    frames_a_second = 100

    def __init__(self, model, network):
        self._witness = _Witness(network)
        self._recogniser = live.Recogniser(model, network=self._witness)

    def push(self, wave):
        return self._answer(self._recogniser.push(wave))

    def finish(self):
        return self._answer(self._recogniser.finish())

    def _answer(self, phones):
        return Answer(self._witness.taken(), tuple(Heard(p.phone, p.start_s, p.end_s) for p in phones))


class KeywordEar:
    """The same for a keyword network; a word's times are those of the second in which it was detected."""

    frames_a_second = WINDOW_FRAMES * 16000 // stream.HOP  # every second is run ten times

    def __init__(self, model, network):
        self._witness, self._spotter = _Witness(network), spotter.of_integers("keywords", model)
        self.labels = self._spotter.labels
        self._detector = stream.Detector(self)

    def posteriors(self, waves):
        """As `Spotter.posteriors`, by the network given: float32 (B, 16000) -> class probabilities (B, classes)."""
        windows = self._spotter.hear(waves).transpose(1, 2).to(torch.int8).numpy()  # (B, frames, features)
        summed = [self._run(x) for x in windows]
        return (torch.from_numpy(np.stack(summed)).float() * self._spotter.scale()).softmax(1)

    def _run(self, x):
        self._witness.clear()
        return self._witness.push(x, stream.HOP // causal.SHIFT).logits.sum(0)[:len(self.labels)]

    def push(self, wave):
        return self._answer(self._detector.push(wave))

    def finish(self):
        return self._answer(self._detector.finish())

    def _answer(self, found):
        words = (Heard(d.label, max(0.0, round(d.time_s - 1, 2)), d.time_s, d.score) for d in found)
        return Answer(self._witness.taken(), tuple(words))


def ear_of(model, network=None):
    """The ear of an `IntegerModel` that recordings are the business of; raises `ModelError` for others.

    `network`: what runs its frames, `LiveGolden` or `cosim.rtl.live.LiveRtl`; the golden model by default.
    """
    if not models.hears(model):
        raise ModelError(f"{model.config.name}: the model carries no feature normalisation: it cannot hear a recording")
    kind = KeywordEar if models.is_keyword(model) else PhoneEar
    return kind(model, network or LiveGolden(model))
