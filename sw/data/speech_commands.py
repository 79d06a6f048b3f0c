"""Speech Commands in its standard layout (v1 and v2), and folders with a `manifest.csv` like the packs', as clips.

Standard layout: `WORD/SPEAKER_nohash_N.wav`, `_background_noise_/*.wav`, `validation_list.txt`, `testing_list.txt`.
Sets are those of the official lists; without them, of the official hash rule (`official_set`). 12 classes are ten
words, `_unknown_` (a seeded sample of the other words) and `_silence_` (seeded crops of the background noise at random
gains), each a tenth as many as the words' clips of their set: 408 for the 4,074 of v2's test list, as in the official
test set. 30 (v1) or 35 (v2) classes are all words. Source: arXiv 1804.03209.
"""

import csv
import hashlib
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path

import soundfile

from sw.data.utterance import DataError, must_be_folder

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE, NOISE = "_unknown_", "_silence_", "_background_noise_"
CLASSES = (*WORDS, UNKNOWN, SILENCE)
SPLITS = ("train", "dev", "test")
SECOND = 1.0  # length of a clip
_MODULUS = 2 ** 27  # of the official rule


@dataclass(frozen=True)
class Clip:
    """One second to classify: a file, or a crop of a longer one from `start` (seconds; None: the file), at `gain`."""

    path: Path
    label: str
    word: str = ""
    speaker: str = ""
    split: str = "train"
    start: float | None = None
    gain: float = 1.0


def official_set(name, dev=10.0, test=10.0):
    """The official rule: set of a file name, by the SHA-1 of what stands before `_nohash_`, in percent of speakers.

    Raises `ValueError` for percentages that leave nothing to train on.
    """
    if dev < 0 or test < 0 or dev + test >= 100:
        raise ValueError(f"dev={dev!r}, test={test!r}: wanted percentages that sum to less than 100")
    speaker = re.sub(r"_nohash_.*$", "", Path(name).name)
    share = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % _MODULUS * (100.0 / (_MODULUS - 1))
    return "dev" if share < dev else "test" if share < dev + test else "train"


def load(folder, classes=12, seed=0, unknown=0.1, silence=0.1):
    """Clips of a folder in either form, all sets. `classes` 12, or 35 for every word (30 in v1).

    A pack's `_unknown_` and `_silence_` are as they stand there. Raises `DataError` naming what is wrong.
    """
    if classes not in (12, 30, 35):
        raise DataError(f"classes={classes!r}: wanted 12 (ten words, unknown, silence) or 35 (every word; 30 in v1)")
    folder = must_be_folder(folder, "Speech Commands, or a folder with manifest.csv")
    if (folder / "manifest.csv").is_file():
        return _pack(folder, classes)
    return _standard(folder, classes, seed, unknown, silence)


def labels_of(clips):
    """The classes of clips: the twelve where there is a word of their kind, else every word, sorted."""
    seen = {c.label for c in clips}
    return CLASSES if seen <= set(CLASSES) else tuple(sorted(seen))


def _pack(folder, classes):
    path = folder / "manifest.csv"
    with path.open(newline="", encoding="utf-8") as source:
        reader = csv.DictReader(source)
        for name in ("path", "label") if classes == 12 else ("path", "word"):
            if name not in (reader.fieldnames or ()):
                raise DataError(f"{path}: has no column {name!r}; has {', '.join(reader.fieldnames or ['none'])}")
        rows = list(reader)
    clips = []
    for number, row in enumerate(rows, 2):
        word = row.get("word") or row.get("label") or ""
        label = row["label"] if classes == 12 else word
        if not row["path"] or not label:
            raise DataError(f"{path}:{number}: wanted a path and a label, got {row['path']!r}, {label!r}")
        if classes == 12 and label not in CLASSES:
            label = UNKNOWN  # a folder labelled by words
        split = row.get("split") or "test"
        if split not in SPLITS:
            raise DataError(f"{path}:{number}: split {split!r}: wanted one of {', '.join(SPLITS)}")
        if label == SILENCE and classes != 12 or not word and classes != 12:
            continue
        clips.append(Clip(folder / row["path"], label, word, row.get("speaker") or "", split))
    if not clips:
        raise DataError(f"{path}: holds no clip")
    return clips if classes == 12 else [c for c in clips if c.word not in (UNKNOWN, SILENCE)]


def _standard(folder, classes, seed, unknown, silence):
    words = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    if not words or classes == 12 and not set(WORDS) <= set(words):
        raise DataError(f"{folder}: not Speech Commands: wanted a folder a word ({', '.join(WORDS[:3])}, ...), "
                        f"has {', '.join(words[:5]) or 'none'}")
    listed = _lists(folder)
    clips = []
    for word in words:
        for path in sorted((folder / word).glob("*.wav")):
            split = listed.get(f"{word}/{path.name}", "train") if listed is not None else official_set(path.name)
            label = word if classes != 12 or word in WORDS else UNKNOWN
            clips.append(Clip(path, label, word, path.name.split("_nohash_")[0], split))
    if classes != 12:
        return clips
    chosen = []
    for split in SPLITS:
        mine = [c for c in clips if c.split == split and c.label != UNKNOWN]
        other = [c for c in clips if c.split == split and c.label == UNKNOWN]
        count = math.ceil(unknown * len(mine))
        chosen += mine + random.Random(f"{seed} {split}").sample(other, min(count, len(other)))
        chosen += _silences(folder, split, math.ceil(silence * len(mine)), seed)
    return chosen


def _lists(folder):
    """`WORD/FILE` -> set from the official lists; None where there are none. One alone is an error."""
    names = {"validation_list.txt": "dev", "testing_list.txt": "test"}
    there = [name for name in names if (folder / name).is_file()]
    if not there:
        return None
    if len(there) < len(names):
        raise DataError(f"{folder}: has {there[0]} but not the other of {', '.join(names)}")
    return {line.strip(): split for name, split in names.items()
            for line in (folder / name).read_text().splitlines() if line.strip()}


# Part of each recording that a set's silences are cut from: no two sets hear the same stretch.
_STRETCH = {"train": (0.0, 0.7), "dev": (0.7, 0.85), "test": (0.85, 1.0)}


def _silences(folder, split, count, seed):
    sources = sorted((folder / NOISE).glob("*.wav"))
    if not sources:
        raise DataError(f"{folder / NOISE}: no background noise to cut silence from")
    rng = random.Random(f"{seed} {split} silence")
    first, last = _STRETCH[split]
    lengths = {p: soundfile.info(p).duration for p in sources}
    clips = []
    for _ in range(count):
        path = rng.choice(sources)
        begin, end = first * lengths[path], max(first * lengths[path], last * lengths[path] - SECOND)
        clips.append(Clip(path, SILENCE, "", "", split, rng.uniform(begin, end), rng.uniform(0, 1)))
    return clips


def must_be_disjoint(clips):
    """Raise `DataError` naming a speaker who is heard in two sets."""
    heard = {}
    for clip in clips:
        if clip.speaker and heard.setdefault(clip.speaker, clip.split) != clip.split:
            raise DataError(f"speaker {clip.speaker} is in {heard[clip.speaker]} and in {clip.split}")
    return clips
