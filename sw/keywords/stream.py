"""A keyword detector over an endless recording: windows of one second, smoothed posteriors, one alarm a word.

Every `HOP` the last second is classified; silence counts as heard before the recording. The posteriors of the last
`smooth` windows are averaged; a word is detected where its mean rises above `threshold`, and nothing more for `rest_s`
after it. A window is scored when its last sample is heard: a detection's time is that, so a word is reported up to a
second after it began.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from sw.data.audio import RATE
from sw.data.speech_commands import SILENCE, UNKNOWN

HOP = RATE // 10  # 100 ms
THRESHOLD, SMOOTH = 0.7, 4
REST_S = 1.0  # as long as a window: a word that was reported is still in the windows that follow
BATCH = 64  # windows classified at once


@dataclass(frozen=True)
class Detection:
    """A word heard: `time_s` from the start of the recording, its label and smoothed posterior."""

    time_s: float
    label: str
    score: float


def before():
    """The silence, float32 (samples,), before a recording: with its first `HOP` the first window is full."""
    return np.zeros(RATE - HOP, np.float32)


def after(samples, smooth=SMOOTH):
    """The silence after a recording of `samples`: until its last sample has left the smoothed windows, hop by hop."""
    return np.zeros(-samples % HOP + RATE - HOP + (smooth - 1) * HOP if samples else 0, np.float32)


def classify(spotter, heard):
    """Float32 (samples,) -> posteriors (windows, classes) of every full window in it, one a `HOP`."""
    if len(heard) < RATE:
        return np.zeros((0, len(spotter.labels)), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(heard, RATE)[::HOP]  # (windows, RATE), not copied
    return np.concatenate([spotter.posteriors(torch.from_numpy(windows[i:i + BATCH].copy())).numpy()
                           for i in range(0, len(windows), BATCH)])


def posteriors(spotter, wave, smooth=SMOOTH):
    """A whole recording, float32 (samples,) -> what a `Detector` decides on, (windows, classes)."""
    return classify(spotter, np.concatenate([before(), np.asarray(wave, np.float32), after(len(wave), smooth)]))


class Detector:
    """`push` takes sound in pieces and returns the `Detection`s that became due, `finish` those that are left.

    `spotter`: see `sw.keywords.spotter`. Raises `ValueError` for a threshold outside 0..1 or less than one window of
    smoothing. `decide` alone takes posteriors that were computed before, and never asks the spotter for any.
    """

    def __init__(self, spotter, *, threshold=THRESHOLD, smooth=SMOOTH, rest_s=REST_S):
        if not 0 < threshold < 1:
            raise ValueError(f"threshold={threshold!r}: wanted a probability between 0 and 1")
        if not (smooth >= 1 and rest_s >= 0):
            raise ValueError(f"smooth={smooth!r}, rest_s={rest_s!r}: wanted at least 1 window and no negative time")
        self.spotter, self.threshold, self.smooth, self.rest_s = spotter, threshold, smooth, rest_s
        self.words = [i for i, label in enumerate(spotter.labels) if label not in (UNKNOWN, SILENCE)]
        self._restart()

    def _restart(self):
        self._heard, self._samples = before(), 0
        self._windows, self._last, self._quiet_until = 0, deque(maxlen=self.smooth), 0.0

    def push(self, wave):
        """Float32 (samples,) at 16 kHz, of any length -> list of `Detection`."""
        self._samples += len(wave)
        return self.decide(self._hear(wave))

    def finish(self):
        """The recording is over: what silence after it brings out, timed no later than its end. Starts anew."""
        found = self.decide(self._hear(after(self._samples, self.smooth)), self._samples / RATE)
        self._restart()
        return found

    def decide(self, rows, end_s=float("inf")):
        """Posteriors (windows, classes) of the windows that follow -> list of `Detection`, none later than `end_s`."""
        end_s = float(np.floor(100 * end_s) / 100)  # times have two digits: rounded up, they would be past the end
        return [d for row in rows for d in self._step(row, end_s)]

    def _hear(self, wave):
        heard = np.concatenate([self._heard, np.asarray(wave, np.float32)])
        rows = classify(self.spotter, heard)
        self._heard = heard[len(rows) * HOP:]
        return rows

    def _step(self, posterior, end_s):
        self._windows += 1
        time_s = self._windows * HOP / RATE
        self._last.append(posterior)
        mean = np.mean(self._last, 0)
        best = max(self.words, key=lambda i: mean[i])
        if len(self._last) < self.smooth or mean[best] < self.threshold or time_s < self._quiet_until:
            return []
        self._quiet_until = time_s + self.rest_s
        self._last.clear()  # the same windows do not fire twice
        return [Detection(min(round(time_s, 2), end_s), self.spotter.labels[best], round(float(mean[best]), 3))]


def detect(spotter, wave, **options):
    """All detections in a recording, float32 (samples,)."""
    detector = Detector(spotter, **options)
    return detector.decide(posteriors(spotter, wave, detector.smooth), len(wave) / RATE)


def rate(detections, spoken, seconds, before_s=0.0, after_s=1.2):
    """Hits and false alarms, also an hour. `spoken`: (start, end, label) in seconds of the words that are there.

    A detection is within a word's reach from the word's start (less `before_s`) to `after_s` past its end. It is a hit
    if that word was said and not hit before, one of `doubles` if it was hit before, a `wrong_word` if only other words
    are within reach, and `between` if none is: the last three are the false alarms.
    """
    spoken = sorted(spoken, key=lambda word: word[1])  # of two in reach, the one that closes first
    still = list(spoken)
    count = dict(hits=0, wrong_word=0, doubles=0, between=0)
    for d in detections:
        near = [w for w in spoken if w[0] - before_s <= d.time_s <= w[1] + after_s]
        same = [w for w in near if w[2] == d.label]
        hit = next((w for w in still if w in same), None)
        if hit:
            still.remove(hit)
        count["hits" if hit else "doubles" if same else "wrong_word" if near else "between"] += 1
    alarms = len(detections) - count["hits"]
    return {"words": len(spoken), **count, "hit_rate": round(100 * count["hits"] / max(1, len(spoken)), 2),
            "false_alarms": alarms, "seconds": round(seconds, 1),
            "false_alarms_per_hour": round(alarms * 3600 / max(seconds, 1e-9), 2)}
