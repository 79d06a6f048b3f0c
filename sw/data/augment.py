"""Augmentation of recordings (speed, noise at a chosen SNR) and of features (masks)."""

import hashlib

import numpy as np
from scipy.signal import resample_poly

from sw.data.labels import Segment


def noise_hash(waves):
    """A short hash of noise recordings, for keys of caches."""
    digest = hashlib.sha256()
    for wave in waves:
        digest.update(memoryview(np.ascontiguousarray(wave)).cast("B"))
    return digest.hexdigest()[:16]


def speed(wave, segments, factor):
    """Play faster by `factor` (pitch changes too): wave (samples,) and segments, both rescaled."""
    up, down = 100, round(100 * factor)
    faster = resample_poly(wave, up, down).astype(np.float32)
    return faster, [Segment(round(s.start / factor), round(s.end / factor), s.phone) for s in segments]


def add_noise(wave, noise, snr_db, rng):
    """Add a random stretch of `noise` (repeated if short) at `snr_db`, power against power over the utterance."""
    start = int(rng.integers(len(noise)))
    stretch = np.take(noise, np.arange(start, start + len(wave)), mode="wrap")
    power = np.mean(stretch ** 2)
    if power == 0:  # a silent stretch has no SNR
        return wave
    mixed = wave + stretch * np.float32(np.sqrt(np.mean(wave ** 2) / power / 10 ** (snr_db / 10)))
    return (mixed / max(1.0, np.abs(mixed).max())).astype(np.float32)


def mask(x, rng, bins=8, frames=12):
    """Zero a random band and a random stretch of features x (frames, 40), in place; zero is the running mean."""
    width = int(rng.integers(bins + 1))
    start = int(rng.integers(x.shape[1] - width + 1))
    x[:, start:start + width] = 0
    for _ in range(1 + len(x) // 150):
        width = min(int(rng.integers(frames + 1)), len(x) - 1)
        start = int(rng.integers(len(x) - width))
        x[start:start + width] = 0
    return x
