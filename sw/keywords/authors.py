"""How authors disturb clips in training, in versions drawn from (seed, version, clip) like ours.

Facts of their own repositories: SparkNet's configuration files (jsvir/sparknet), BC-ResNet's loader
(Qualcomm-AI-research/bcresnet), tiny-kws's loader. What they leave open is said at each.
"""

import numpy as np

from sw.keywords import noise

SHIFT = 1600                # samples, 100 ms each way
OFTEN, SELDOM = 0.8, 0.2
WHITE_DB = (-90.0, -46.0)   # of full scale
VOLUME = 0.1                # of background noise, at most


def shifted(wave, rng):
    """Float32 (samples,) moved by up to 100 ms either way, zeros where nothing is."""
    by = int(rng.integers(-SHIFT, SHIFT + 1))
    return np.pad(wave, (max(by, 0), max(-by, 0)))[max(-by, 0):][:len(wave)]


def background(wave, sources, rng):
    """A stretch of recorded noise added at a volume of U(0, 0.1); as it is where there are no recordings."""
    if not sources:
        return wave
    return wave + noise.stretch(sources, len(wave), rng) * np.float32(rng.uniform(0, VOLUME))


def sparknet(wave, sources, rng):
    """Shift (p 0.8), then white noise of -90 to -46 dB (p 0.8); recordings of noise are not used."""
    if rng.random() < OFTEN:
        wave = shifted(wave, rng)
    if rng.random() < OFTEN:
        level = np.float32(10 ** (rng.uniform(*WHITE_DB) / 20))
        wave = wave + level * rng.standard_normal(len(wave)).astype(np.float32)
    return np.clip(wave, -1, 1).astype(np.float32)


def bcresnet(wave, sources, rng):
    """Shift and noise together on a fifth of the clips; its volume as in tiny-kws."""
    if rng.random() < SELDOM:
        wave = background(shifted(wave, rng), sources, rng)
    return np.clip(wave, -1, 1).astype(np.float32)


def tiny_kws(wave, sources, rng):
    """Shift, always; noise of U(0, 0.1) (p 0.8)."""
    wave = shifted(wave, rng)
    if rng.random() < OFTEN:
        wave = background(wave, sources, rng)
    return np.clip(wave, -1, 1).astype(np.float32)


DISTURBED = {"sparknet": sparknet, "bcresnet": bcresnet, "tiny-kws": tiny_kws}
