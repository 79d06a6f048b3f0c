"""Features and frame labels of many utterances, computed once and cached, with augmented variants of each."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from tqdm import tqdm

from hw import store
from sw.data import audio, augment, manifest
from sw.data.utterance import changed_ns, must_be_folder
from sw.features import causal
from sw.phones.targets import frame_labels, split_closures

VARIANTS = ("plain", "slow", "fast", "noisy")
VERSION = 1  # raise when what is cached changes meaning


@dataclass(frozen=True, eq=False)
class Item:
    """One utterance, one variant: log-mel float16 (frames, 40), labels uint8 (frames, 4)."""

    logmel: np.ndarray
    labels: np.ndarray


def noises(folder, splits):
    """Recordings of a noise pack as name -> float32 (samples,), by `split` of its manifest."""
    folder = must_be_folder(folder, "noise with manifest.csv")
    rows = [row for row in manifest.rows(folder / "manifest.csv", ("path", "split", "kind")) if row["split"] in splits]
    return {row["kind"]: audio.read(manifest.inside(folder, row["path"], folder), 3600) for row in rows}


def prepare(utterances, variants=("plain",), noise=None, cache="build/cache", snr=None, seed=0, quiet=False):
    """Features of `utterances`: a dict variant -> list of `Item`, in order; computed once for each recipe.

    `noise`: name -> wave, needed by `noisy`, which mixes one of them at 5 to 25 dB (or at `snr` dB exactly).
    """
    result = {}
    heard = [sorted(noise), augment.noise_hash(noise[name] for name in sorted(noise))] if noise else None
    for variant in variants:
        recipe = [VERSION, variant, seed, snr, heard if variant == "noisy" else None,
                  [(str(u.audio), changed_ns(u.audio), changed_ns(u.phones), u.hand) for u in utterances]]
        name = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]
        path = Path(cache) / f"{variant}-{name}.safetensors"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            items = [_item(u, variant, noise, snr, seed + i) for i, u in
                     enumerate(tqdm(utterances, desc=f"features ({variant})", unit="utt", disable=quiet))]
            store.write_atomically(path, save({
                "lengths": torch.tensor([len(i.logmel) for i in items]),
                "logmel": torch.from_numpy(np.concatenate([i.logmel for i in items])),
                "labels": torch.from_numpy(np.concatenate([i.labels for i in items]))}))
        stored = load_file(path)
        lengths = stored["lengths"].tolist()
        result[variant] = [Item(a.numpy(), b.numpy()) for a, b in
                           zip(stored["logmel"].split(lengths), stored["labels"].split(lengths), strict=True)]
    return result


def _item(utterance, variant, noise, snr, seed):
    rng = np.random.default_rng(seed)
    wave = utterance.wave()
    segments = utterance.segments(len(wave))
    if not utterance.hand:
        segments = split_closures(segments, wave)
    if variant in ("slow", "fast"):
        wave, segments = augment.speed(wave, segments, 0.9 if variant == "slow" else 1.1)
    if variant == "noisy":
        chosen = sorted(noise)[int(rng.integers(len(noise)))]
        wave = augment.add_noise(wave, noise[chosen], rng.uniform(5, 25) if snr is None else snr, rng)
    logmel = causal.log_mel(wave)
    return Item(logmel.astype(np.float16), frame_labels(segments, len(logmel)))
