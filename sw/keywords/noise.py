"""Noises for training and for the sweep over SNR: white and pink drawn, babble of many talkers, recordings.

The silences of the keyword pack are cut from the `gsc_*` recordings: those never train and never score (`OWN`).
"""

from pathlib import Path

import numpy as np

from sw.data import audio, manifest
from sw.data.utterance import DataError, must_be_folder

OWN = "gsc_"
KINDS = ("white", "pink", "babble", "real")
TALKERS = 8


def white(samples, rng):
    """Gaussian noise of one level at all frequencies, float32 (samples,), RMS 1."""
    return rng.standard_normal(samples).astype(np.float32)


def pink(samples, rng):
    """Gaussian noise whose power falls as 1 / f, float32 (samples,), RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    spectrum[0] = 0
    wave = np.fft.irfft(spectrum, samples)
    return (wave / wave.std()).astype(np.float32)


def babble(recordings, samples, rng, talkers=TALKERS):
    """Sum of random stretches of `talkers` different recordings, each of power 1; float32 (samples,), RMS 1."""
    if len(recordings) < talkers:
        raise DataError(f"{len(recordings)} recordings: babble wants at least {talkers}")
    wave = np.zeros(samples, np.float32)
    for i in rng.choice(len(recordings), talkers, replace=False):
        start = int(rng.integers(len(recordings[i])))
        stretch = np.take(recordings[i], np.arange(start, start + samples), mode="wrap")
        wave += stretch / max(1e-6, np.sqrt(np.mean(stretch ** 2)))
    return wave / max(1e-6, wave.std())


def recordings(folder, splits, limit=None):
    """Recordings of a folder with a manifest, of some of its splits, as float32 waves; `OWN` ones left out."""
    folder = must_be_folder(folder, "recordings with manifest.csv")
    rows = [r for r in manifest.rows(folder / "manifest.csv")
            if (r.get("split") or "train") in splits and not Path(r["path"]).name.startswith(OWN)]
    if not rows:
        raise DataError(f"{folder}: no recording of split {'/'.join(splits)}")
    return [audio.read(folder / r["path"], 3600) for r in rows[:limit]]


def source(kind, folder, speech):
    """A function (samples, rng) -> noise of RMS 1. `folder`: noise pack (its test split), `speech`: talkers' folder."""
    if kind in ("white", "pink"):
        return {"white": white, "pink": pink}[kind]
    if kind == "babble":
        talkers = recordings(speech, ("train", "dev", "test"), 60)
        return lambda samples, rng: babble(talkers, samples, rng)
    if kind == "real":
        real = recordings(folder, ("test",))
        return lambda samples, rng: stretch(real, samples, rng)
    raise ValueError(f"noise={kind!r}: wanted one of {', '.join(KINDS)}")


def stretch(sources, samples, rng):
    """A random stretch of one of several recordings, float32 (samples,), RMS 1."""
    wave = sources[int(rng.integers(len(sources)))]
    start = int(rng.integers(len(wave)))
    part = np.take(wave, np.arange(start, start + samples), mode="wrap")
    return part / max(1e-6, np.sqrt(np.mean(part ** 2)))


def mix(wave, noise, snr_db):
    """`noise` (of RMS 1) added at an SNR over the whole clip, power against power; a silent clip stays as it is."""
    level = np.sqrt(np.mean(np.square(wave, dtype=np.float64)))
    mixed = wave + noise * np.float32(level / 10 ** (snr_db / 20))
    return (mixed / max(1.0, np.abs(mixed).max())).astype(np.float32)


def noisy(waves, make, snr_db, seed):
    """Float32 (clips, 16000) with noise of `make` at `snr_db`, each clip's from (seed, its number)."""
    return np.stack([mix(w, make(len(w), np.random.default_rng([seed, i])), snr_db) for i, w in enumerate(waves)])
