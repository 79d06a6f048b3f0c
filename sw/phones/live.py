"""A phone recogniser that listens: sound in pieces of any length, phones as soon as they are settled.

The same features, integers and decoder as for a whole recording (`sw.features.causal.FeatureStream`, the golden model
going on from its last state, `sw.phones.decode.StreamDecoder`).
"""

from dataclasses import dataclass

import numpy as np

from sw import golden
from sw.data.audio import RATE
from sw.features import causal
from sw.phones import decode


@dataclass(frozen=True)
class Phone:
    """A phone heard, from and to in seconds from the start of the sound."""

    start_s: float
    end_s: float
    phone: str


class Recogniser:
    """`push` takes sound and returns the `Phone`s that are settled, `finish` those that are left.

    `model`: the `IntegerModel` of a phone recogniser. A phone is given `lag` frames after it ended. `network` runs the
    frames: what has `clear()` and `push(x)`, which returns their `Prediction`; the golden model by default.
    """

    def __init__(self, model, lag=decode.LAG, network=None):
        self.model, self.lag, self.network = model, lag, network or golden.LiveGolden(model)
        self.delay = model.entry("targets", "delay")
        self._restart()

    def _restart(self):
        self._ear = causal.FeatureStream(causal.normalisation_of(self.model))
        self.network.clear()
        self._decoder = decode.StreamDecoder(self.model, self.lag)

    def push(self, wave):
        """Float32 (samples,) at 16 kHz, of any length -> list of `Phone`."""
        return _phones(self._answer(self._ear.push(wave)))

    def finish(self):
        """The sound is over: the phones still open. Starts anew."""
        late = self._answer(np.zeros((self.delay, causal.BINS), np.int8))  # the network answers some frames late
        found = _phones(late + self._decoder.finish())
        self._restart()
        return found

    def _answer(self, x):
        return self._decoder.push(self.network.push(x).logits) if len(x) else []


def _phones(found):
    seconds = causal.SHIFT / RATE
    return [Phone(round(start * seconds, 2), round(end * seconds, 2), phone) for phone, start, end in found]
