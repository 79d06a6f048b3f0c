"""A keyword detector over an endless recording: windows of one second, smoothed posteriors, one alarm a word.

Every `HOP` the last second is classified. The posteriors of the last `smooth` windows are averaged; a word is detected
where its mean rises above `threshold`, and nothing more for `rest_s` after it. A window is scored when its last sample
is heard: a detection's time is that, so a word is reported up to a second after it began.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from sw.data.audio import RATE
from sw.data.speech_commands import SILENCE, UNKNOWN

HOP = RATE // 10  # 100 ms


@dataclass(frozen=True)
class Detection:
    """A word heard: `time_s` from the start of the recording, its label and smoothed posterior."""

    time_s: float
    label: str
    score: float


class Detector:
    """`push` takes sound in pieces and returns the `Detection`s that became due. `spotter`: `sw.keywords.spotter`.

    Raises `ValueError` for a threshold outside 0..1 or fewer than one window of smoothing.
    """

    def __init__(self, spotter, *, threshold=0.7, smooth=4, rest_s=0.8):
        if not 0 < threshold < 1:
            raise ValueError(f"threshold={threshold!r}: wanted a probability between 0 and 1")
        if smooth < 1 or rest_s < 0:
            raise ValueError(f"smooth={smooth!r}, rest_s={rest_s!r}: wanted at least 1 window and no negative time")
        self.spotter, self.threshold, self.rest_s = spotter, threshold, rest_s
        self.words = [i for i, label in enumerate(spotter.labels) if label not in (UNKNOWN, SILENCE)]
        self._heard, self._samples = np.zeros(0, np.float32), 0
        self._last = deque(maxlen=smooth)
        self._quiet_until = 0.0

    def push(self, wave):
        """Float32 (samples,) at 16 kHz, of any length -> list of `Detection`."""
        self._heard = np.concatenate([self._heard, np.asarray(wave, np.float32)])
        windows = []
        while len(self._heard) >= RATE:
            windows.append(self._heard[:RATE])
            self._heard = self._heard[HOP:]
        found = []
        for start in range(0, len(windows), 64):
            posteriors = self.spotter.posteriors(torch.from_numpy(np.stack(windows[start:start + 64])))
            for row in posteriors.numpy():
                found += self._step(row)
        return found

    def _step(self, posterior):
        time_s = (RATE + self._samples) / RATE
        self._samples += HOP
        self._last.append(posterior)
        mean = np.mean(self._last, 0)
        best = max(self.words, key=lambda i: mean[i])
        if len(self._last) < self._last.maxlen or mean[best] < self.threshold or time_s < self._quiet_until:
            return []
        self._quiet_until = time_s + self.rest_s
        self._last.clear()  # the same windows do not fire twice
        return [Detection(round(time_s, 2), self.spotter.labels[best], round(float(mean[best]), 3))]


def detect(spotter, wave, **options):
    """All detections in a recording, float32 (samples,)."""
    return Detector(spotter, **options).push(wave)


def rate(detections, spoken, seconds, before_s=0.0, after_s=1.2):
    """Hits, misses and false alarms an hour. `spoken`: (start, end, label) in seconds of the words that are there.

    A detection is a hit if its word was spoken with a window's reach: from the word's start (less `before_s`) to
    `after_s` past its end; each word is hit once, everything else is a false alarm.
    """
    open_words, hits = list(spoken), 0
    for d in detections:
        match = next((w for w in open_words if w[2] == d.label and w[0] - before_s <= d.time_s <= w[1] + after_s), None)
        if match:
            open_words.remove(match)
            hits += 1
    alarms = len(detections) - hits
    return {"words": len(spoken), "hits": hits, "hit_rate": round(100 * hits / max(1, len(spoken)), 2),
            "false_alarms": alarms, "seconds": round(seconds, 1),
            "false_alarms_per_hour": round(alarms * 3600 / max(seconds, 1e-9), 2)}
