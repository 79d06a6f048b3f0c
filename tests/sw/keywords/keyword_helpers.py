"""Stand-ins for trained keyword models, and recordings that they hear words in."""

import numpy as np
import torch

from sw.data.speech_commands import CLASSES, SILENCE

RATE = 16000
TONES = {"yes": 1000, "no": 2000}  # Hz


class Scripted:
    """A spotter whose posteriors are written down: 90 % for the word of each window."""

    labels = CLASSES

    def __init__(self, words):
        self.words = words

    def posteriors(self, waves):
        heard, self.words = self.words[:len(waves)], self.words[len(waves):]
        rows = torch.full((len(waves), 12), 0.1 / 11)
        for row, word in zip(rows, heard, strict=True):
            row[CLASSES.index(word)] = 0.9
        return rows


class Ear:
    """A spotter that hears 1 kHz as yes and 2 kHz as no, where at least 0.3 s of it are in the window."""

    labels = CLASSES

    def posteriors(self, waves):
        turns = torch.arange(RATE) / RATE * 2 * torch.pi
        rows = torch.full((len(waves), 12), 0.01)
        for word, pitch in TONES.items():
            power = torch.hypot(waves @ torch.cos(pitch * turns), waves @ torch.sin(pitch * turns))  # (windows,)
            rows[:, CLASSES.index(word)] += 0.88 * (power > 0.3 * RATE * 0.5 / 2 * 0.95)
        rows[:, CLASSES.index(SILENCE)] += 1 - rows.sum(1)
        return rows


def tones(seconds, *heard):
    """A recording of `seconds`, float32; `heard`: (start in s, word), each a tone of 0.4 s and amplitude 0.5."""
    wave = np.zeros(round(seconds * RATE), np.float32)
    for start, word in heard:
        at = round(start * RATE)
        wave[at:at + 6400] = 0.5 * np.sin(2 * np.pi * TONES[word] * np.arange(6400) / RATE)[:len(wave) - at]
    return wave
