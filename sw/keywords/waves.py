"""Clips as waves of exactly one second, read once and cached; what could not be read is named, not lost.

A longer recording gives its loudest second, a shorter one is centred between zeros. Other rates are resampled.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from tqdm import tqdm

from hw import store
from sw.data import audio
from sw.data.speech_commands import sets_of
from sw.data.utterance import DataError, changed_ns

SAMPLES = audio.RATE  # one second
VERSION = 1           # raise when what is cached changes meaning
SILENT = 1e-4         # peak below which a clip is digital silence, but for dither


@dataclass(frozen=True, eq=False)
class Waves:
    """`clips` that could be read, `samples` int16 (clips, 16000) alike, and `problems`: a line for each oddity."""

    clips: list
    samples: torch.Tensor
    problems: list

    def of(self, split):
        """Those of one set, see `sw.data.speech_commands.sets_of`."""
        wanted = sets_of(self.clips, split)
        return self.rows([i for i, c in enumerate(self.clips) if c.split in wanted])

    def rows(self, rows):
        """Some of the clips, by their numbers."""
        return Waves([self.clips[i] for i in rows], self.samples[rows], self.problems)

    def joined(self, other):
        """These clips and then those of another."""
        return Waves([*self.clips, *other.clips], torch.cat([self.samples, other.samples]),
                     [*self.problems, *other.problems])

    def floats(self, rows=slice(None)):
        """Float32 (clips, 16000) in -1..1."""
        return self.samples[rows].float() / 32768


def one_second(wave):
    """Float (samples,) -> float32 (16000,): the loudest second, or all of it between zeros."""
    if len(wave) > SAMPLES:
        energy = np.concatenate([[0.0], np.cumsum(np.square(wave, dtype=np.float64))])
        start = int(np.argmax(energy[SAMPLES:] - energy[:-SAMPLES]))
        return np.asarray(wave[start:start + SAMPLES], np.float32)
    before = (SAMPLES - len(wave)) // 2
    return np.pad(np.asarray(wave, np.float32), (before, SAMPLES - len(wave) - before))


def read(clip, long_ones=None):
    """Float32 (16000,) of a clip, and what is odd about it or ''. Raises `AudioError` where there is no sound to use.

    `long_ones` keeps recordings that silences are cut from.
    """
    if clip.start is not None:
        long_ones = {} if long_ones is None else long_ones
        if clip.path not in long_ones:
            long_ones[clip.path] = audio.read(clip.path, 3600)
        start = int(clip.start * audio.RATE)
        return one_second(long_ones[clip.path][start:start + SAMPLES] * np.float32(clip.gain)), ""
    wave = audio.read(clip.path)
    notes = []
    if abs(len(wave) - SAMPLES) > 0.3 * SAMPLES:  # recordings of the data set itself may lack a third
        notes.append(f"{len(wave) / audio.RATE:.2f} s: " +
                     ("its loudest second is used" if len(wave) > SAMPLES else "filled up with zeros"))
    if np.abs(wave).max() < SILENT:
        notes.append("silent")
    return one_second(wave), "; ".join(notes)


def gather(clips, cache="build/cache", quiet=False):
    """`Waves` of clips, from the cache where the same files were read before. Raises `DataError` if none is left."""
    recipe = [VERSION, [(str(c.path), changed_ns(c.path), c.start, c.gain) for c in clips]]
    path = Path(cache) / f"waves-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]}.safetensors"
    stored = _stored(path)
    if stored is None:
        samples = np.zeros((len(clips), SAMPLES), np.int16)
        good, problems, long_ones = torch.ones(len(clips), dtype=torch.uint8), [], {}
        for i, clip in enumerate(tqdm(clips, desc="clips", unit="clip", disable=quiet)):
            try:
                wave, note = read(clip, long_ones)
            except audio.AudioError as error:
                good[i] = 0
                problems.append(f"{error} (left out)")
                continue
            samples[i] = np.round(np.clip(wave, -1, 1) * 32767)
            if note:
                problems.append(f"{clip.path}: {note}")
        stored = {"samples": torch.from_numpy(samples), "good": good,
                  "problems": torch.frombuffer(bytearray(json.dumps(problems).encode()), dtype=torch.uint8)}
        if len(good.nonzero()):
            store.write_atomically(path, save(stored))
    rows, problems = stored["good"].nonzero()[:, 0], json.loads(bytes(stored["problems"].tolist()))
    if not len(rows):
        raise DataError(f"{len(clips)} clips, none of them readable: {''.join(problems[:1])}")
    return Waves([clips[i] for i in rows], stored["samples"][rows], problems)


def _stored(path):
    """Tensors of a cached file; None where there is none, or a damaged one."""
    try:
        return load_file(path) if path.is_file() else None
    except SafetensorError:
        return None
