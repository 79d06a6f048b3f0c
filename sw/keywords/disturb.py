"""Clips as other rooms, voices, microphones and noises might have brought them: what the wide training hears.

`hard` and `mild` take a clip, float32 (16000,), and give another. Noises are recordings (coloured and resampled anew
each time), drawn noise of any slope, and babble; none of them is one that scores.
"""

import numpy as np
from scipy.signal import resample_poly

from sw.data.audio import RATE
from sw.keywords import noise
from sw.keywords.waves import one_second

SHIFT = RATE // 10                                                         # samples: 100 ms either way
HARD_SPEEDS = (84, 88, 92, 96, 100, 100, 100, 104, 108, 112, 117)    # percent; the pitch goes with it
MILD_SPEEDS = (90, 95, 100, 100, 105, 110)
NOISE_SPEEDS = (70, 80, 90, 100, 112, 125, 140)
COLOUR_DB = 3.0                                                      # deviation of six points of a gain over frequency


def coloured(wave, rng):
    """The wave through a random smooth filter."""
    spectrum = np.fft.rfft(wave)
    points = rng.normal(0, COLOUR_DB, 6)
    gain = 10 ** (np.interp(np.sqrt(np.linspace(0, 1, len(spectrum))), np.linspace(0, 1, 6), points) / 20)
    return np.fft.irfft(spectrum * gain, len(wave)).astype(np.float32)


def reverberant(wave, rng):
    """The wave in a room of 50 to 400 ms: noise that decays, at 0.2 to 0.9 of the direct sound; same peak."""
    n = int(RATE * rng.uniform(0.05, 0.4))
    answer = rng.standard_normal(n).astype(np.float32) * np.exp(-6.9 * np.arange(n) / n).astype(np.float32)
    answer *= rng.uniform(0.2, 0.9) / np.sqrt((answer ** 2).sum())
    answer[0] = 1.0
    whole = len(wave) + n
    out = np.fft.irfft(np.fft.rfft(wave, whole) * np.fft.rfft(answer, whole), whole)[:len(wave)]
    return (out * (np.abs(wave).max() / max(1e-6, np.abs(out).max()))).astype(np.float32)


def any_noise(sources, talkers, samples, rng):
    """Noise of RMS 1, float32 (samples,): 55 % of `sources`, 30 % drawn, 15 % babble of 3 to 8 `talkers`."""
    kind = rng.random()
    if kind < 0.55:
        wave = noise.stretch(sources, int(samples * 1.6), rng)
        wave = resample_poly(wave, 100, rng.choice(NOISE_SPEEDS)).astype(np.float32)
        wave = wave[:samples] if len(wave) >= samples else np.pad(wave, (0, samples - len(wave)), mode="wrap")
        wave = coloured(wave, rng)
        if rng.random() < 0.3:
            wave = wave / max(1e-6, wave.std()) + noise.stretch(sources, samples, rng) * rng.uniform(0.3, 1)
    elif kind < 0.85 or not talkers:
        spectrum = np.fft.rfft(rng.standard_normal(samples))
        spectrum /= np.maximum(1, np.arange(len(spectrum))) ** rng.uniform(0, 1.0)
        spectrum[0] = 0
        wave = coloured(np.fft.irfft(spectrum, samples).astype(np.float32), rng)
    else:
        wave = noise.babble(talkers, samples, rng, int(rng.integers(3, 9)))
    if rng.random() < 0.35:  # slow swells
        turns = rng.integers(2, 8)
        wave = wave * np.interp(np.linspace(0, 1, samples), np.linspace(0, 1, turns + 1),
                                10 ** (rng.uniform(-12, 0, turns + 1) / 20))
    return (wave / max(1e-6, np.sqrt(np.mean(wave ** 2)))).astype(np.float32)


def mild(wave, sources, talkers, rng):
    """Speed 0.9 to 1.1, shift, gain ±6 dB; three times in ten coloured; six in ten noise at 3 to 30 dB."""
    wave = _moved(wave, MILD_SPEEDS, rng)
    if rng.random() < 0.3:
        wave = coloured(wave, rng)
    wave = wave * np.float32(10 ** (rng.uniform(-6, 6) / 20))
    return _noisy(wave, sources, talkers, rng, 0.6, (3, 30))


def hard(wave, sources, talkers, rng):
    """Speed 0.84 to 1.17, shift, gain -10 to 8 dB; often coloured or in a room; mostly with noise at -3 to 25 dB."""
    wave = _moved(wave, HARD_SPEEDS, rng)
    if rng.random() < 0.6:
        wave = coloured(wave, rng)
    if rng.random() < 0.3:
        wave = reverberant(wave, rng)
    wave = wave * np.float32(10 ** (rng.uniform(-10, 8) / 20))
    return _noisy(wave, sources, talkers, rng, 0.8, (-3, 25))


def _moved(wave, speeds, rng):
    n, factor = len(wave), rng.choice(speeds)
    if factor != 100:
        wave = one_second(resample_poly(wave, 100, factor).astype(np.float32))
    shift = int(rng.integers(-SHIFT, SHIFT + 1))
    return np.pad(wave, (max(shift, 0), max(-shift, 0)))[max(-shift, 0):][:n]


def _noisy(wave, sources, talkers, rng, share, snr):
    if sources and rng.random() < share:
        wave = noise.mix(wave, any_noise(sources, talkers, len(wave), rng), rng.uniform(*snr))
    return np.clip(wave, -1, 1).astype(np.float32)
