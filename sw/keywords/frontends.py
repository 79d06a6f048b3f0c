"""What the models hear: log-mel or MFCC over 101 frames centred 10 ms apart, or the accelerator's causal int8 frames.

    melN    log(mel power + FLOOR), N bins, 25 ms Hann window, 512-point transform, 20 to 8000 Hz    (B, N, 101)
    mfccN   orthonormal DCT-II of melN, all N coefficients                                             (B, N, 101)
    causal  `sw.features.causal`: 40 log-mel bins less their running mean, int8                              (B, 40, 98)

melN and mfccN are normalised by the training set's mean and deviation (one of each for melN, one a coefficient for
mfccN). Training draws from `VARIANTS` cached versions of each clip; version 0 is the clip as it is.
"""

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from tqdm import tqdm

from sw.data.augment import noise_hash
from sw.features import causal
from sw.keywords import authors, disturb
from sw.keywords import noise as noises
from sw.keywords.waves import SAMPLES, one_second

CAUSAL_FRAMES = causal.frames_in(SAMPLES)
HOP, WINDOW, FFT, LOW, HIGH = 160, 400, 512, 20.0, 8000.0
FLOOR = 1e-6
VARIANTS = 8
HARD, WIDE_SEED = 24, 7        # of the wide training's versions
SHIFT_S = 0.1                 # clips move by up to this, in training
NOISE_SHARE, SNR = 0.8, (0.0, 30.0)
SPEEDS = (0.9, 1.0, 1.0, 1.1)
GAIN_DB = 6.0
VERSION = 1                   # raise when what is cached changes meaning


def parse(name):
    """Front-end name -> (kind, bins). Raises `ValueError`."""
    match = re.fullmatch(r"(mel|mfcc)([1-9]\d*)", name)
    if name == "causal":
        return "causal", causal.BINS
    if not match:
        raise ValueError(f"frontend={name!r}: wanted melN, mfccN (N bins) or causal")
    return match[1], int(match[2])


@cache
def mel_matrix(bins):
    """Triangular filters equally spaced in mel (2595 log10(1 + f / 700)), float32 (257, bins)."""
    def mel(f):
        return 2595 * np.log10(1 + f / 700)
    edges = 700 * (10 ** (np.linspace(mel(LOW), mel(HIGH), bins + 2) / 2595) - 1)
    f = np.linspace(0, 8000, FFT // 2 + 1)[:, None]
    rising = (f - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - f) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    for j in np.flatnonzero(weights.sum(0) == 0):  # narrower than a line of the transform: take the nearest
        weights[np.abs(f[:, 0] - edges[j + 1]).argmin(), j] = 1
    return torch.from_numpy(weights.astype(np.float32))


@cache
def dct_matrix(bins):
    """Orthonormal DCT-II, float32 (bins, bins): coefficients are rows."""
    n = np.arange(bins)
    matrix = np.sqrt(2 / bins) * np.cos(np.pi * np.outer(n, n + 0.5) / bins)
    matrix[0] /= np.sqrt(2)
    return torch.from_numpy(matrix.astype(np.float32))


def log_mel(waves, bins):
    """Float32 (B, samples) in -1..1 -> float32 (B, bins, 1 + samples // 160)."""
    spectrum = torch.stft(waves, FFT, HOP, WINDOW, torch.hann_window(WINDOW), center=True, pad_mode="constant",
                          return_complex=True)  # (B, 257, frames)
    power = spectrum.real.square() + spectrum.imag.square()
    return torch.log(torch.einsum("bft,fm->bmt", power, mel_matrix(bins)) + FLOOR)


def raw(waves, frontend):
    """Features before normalisation: float32 (B, samples) -> float32 (B, bins, frames)."""
    kind, bins = parse(frontend)
    if kind == "causal":
        return torch.from_numpy(np.stack([causal.log_mel(w.numpy()).T for w in waves]))
    mel = log_mel(waves, bins)
    return mel if kind == "mel" else torch.einsum("cm,bmt->bct", dct_matrix(bins), mel)


class Normaliser:
    """Mean and deviation of a front-end's features, measured on a training set; calling it normalises."""

    def __init__(self, frontend, mean, deviation):
        self.frontend, self.mean, self.deviation = frontend, mean, deviation

    @classmethod
    def of(cls, frontend, x):
        """Measure on float (clips, bins, frames)."""
        kind, bins = parse(frontend)
        if kind == "causal":
            found = causal.Normalisation.of([c.numpy().T for c in x.float()])
            return cls(frontend, torch.from_numpy(found.mean), torch.from_numpy(found.deviation))
        x = x.float()
        if kind == "mel":
            return cls(frontend, x.mean().expand(bins).clone(), x.std().expand(bins).clone())
        return cls(frontend, x.mean((0, 2)), x.std((0, 2)))

    def __call__(self, x):
        """Float (B, bins, frames) -> normalised float32, or int8 values where the front-end is causal."""
        if self.frontend == "causal":
            frames = causal.Normalisation(self.mean.numpy(), self.deviation.numpy())(
                x.float().permute(2, 0, 1).numpy())  # (frames, B, 40): the running mean goes along frames
            return torch.from_numpy(frames).permute(1, 2, 0)
        return (x.float() - self.mean[:, None]) / self.deviation[:, None]

    def tables(self):
        """Tensors that travel with a model."""
        return {"feature_mean": self.mean.float().contiguous(),
                "feature_deviation": self.deviation.float().contiguous()}


def varied(wave, sources, rng):
    """A clip as another day might have brought it: float32 (16000,) -> speed, gain, shift by up to 100 ms, noise."""
    factor = rng.choice(SPEEDS)
    if factor != 1.0:
        wave = one_second(resample_poly(wave, 100, round(100 * factor)).astype(np.float32))
    shift = int(rng.integers(-SHIFT_S * len(wave), SHIFT_S * len(wave) + 1))
    wave = np.pad(wave, (max(shift, 0), max(-shift, 0)))[max(-shift, 0):][:len(wave)]
    wave = wave * np.float32(10 ** (rng.uniform(-GAIN_DB, GAIN_DB) / 20))
    if sources and rng.random() < NOISE_SHARE:
        wave = noises.mix(wave, noises.stretch(sources, len(wave), rng), rng.uniform(*SNR))
    return np.clip(wave, -1, 1).astype(np.float32)


def disturbed(wave, version, seed, clip, sources, talkers, wide, as_in=""):
    """Version `version` (from 1) of clip number `clip`, float32 (16000,): the same for all front-ends."""
    if as_in:
        return authors.DISTURBED[as_in](wave, sources, np.random.default_rng([seed, version, clip]))
    if not wide:
        return varied(wave, sources, np.random.default_rng([seed, version, clip]))
    how = disturb.hard if version <= HARD else disturb.mild
    return how(wave, sources, talkers, np.random.default_rng([WIDE_SEED + seed, version, clip]))


def shares(versions, mix):
    """Chance of each of wide training's versions (numbers), `mix` being those of plain, hard and mild ones together."""
    kind = np.array([0 if v == 0 else 1 if v <= HARD else 2 for v in versions])
    chance = np.array(mix)[kind] / np.bincount(kind, minlength=3)[kind]
    return chance / chance.sum()


def variants(waves, frontend, count=VARIANTS, sources=(), seed=0, cache="build/cache", quiet=False, batch=64,
             talkers=(), wide=False, as_in="", workers=1):
    """Raw features of `count` versions of each clip, float16 (count, clips, bins, frames), mapped from a cached file.

    Version 0 is plain; a tuple in place of `count` names the versions. `sources`: noise recordings; `talkers`: speech
    for babble. All front-ends of one seed hear the same versions. `wide`: versions 1 to `HARD` are `disturb.hard`,
    later ones `disturb.mild`. `as_in`: versions as authors make them, see `sw.keywords.authors`. `workers`: threads.
    """
    versions = range(count) if isinstance(count, int) else count
    recipe = [VERSION, frontend, count, seed, noise_hash(sources),
              hashlib.sha256(memoryview(waves.samples.numpy()).cast("B")).hexdigest()]
    if wide:
        recipe += ["wide", noise_hash(talkers)]
    if as_in:
        recipe += [as_in]
    path = Path(cache) / f"{frontend}-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.stem}.{os.getpid()}.npy")
        shape = raw(waves.floats(slice(0, 1)), frontend).shape[1:]
        starts = [(i, b) for i in range(len(versions)) for b in range(0, len(waves.samples), batch)]
        try:
            stored = np.lib.format.open_memmap(part, "w+", np.float16,
                                               (len(versions), len(waves.samples), *shape))

            def make(place):
                i, b = place
                x = waves.floats(slice(b, b + batch))
                if versions[i]:
                    x = torch.from_numpy(np.stack([
                        disturbed(w, versions[i], seed, b + n, sources, talkers, wide, as_in)
                        for n, w in enumerate(x.numpy())]))
                stored[i, b:b + batch] = raw(x, frontend).half().numpy()
            with ThreadPoolExecutor(workers) as pool:  # transforms and resampling let go of the interpreter
                for _ in tqdm(pool.map(make, starts), total=len(starts), desc=f"features ({frontend})",
                              disable=quiet or len(starts) < 8):
                    pass
            stored.flush()
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")
