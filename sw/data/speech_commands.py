"""Speech Commands in its standard layout (v1 and v2), and folders with a `manifest.csv` like the packs', as clips.

Standard layout: `WORD/SPEAKER_nohash_N.wav`, `_background_noise_/*.wav`, `validation_list.txt`, `testing_list.txt`.
Sets are those of the official lists; without them, of the official hash rule (`official_set`). 12 classes are ten
words, `_unknown_` (a seeded sample of the other words) and `_silence_` (seeded crops of the background noise at random
gains), each a tenth as many as the words' clips of their set: 408 for the 4,074 of v2's test list, as in the official
test set. 30 (v1) or 35 (v2) classes are all words. Source: arXiv 1804.03209.
"""

import hashlib
import logging
import math
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from sw.data import manifest
from sw.data.utterance import DataError, must_be_folder

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE, NOISE = "_unknown_", "_silence_", "_background_noise_"
CLASSES = (*WORDS, UNKNOWN, SILENCE)
SPLITS = ("train", "dev", "test")
SECOND = 1.0  # length of a clip
AUDIO = (".wav", ".flac", ".ogg", ".mp3")
LOG = logging.getLogger(__name__)
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

    A pack's `_unknown_` and `_silence_` are as they stand there. A folder of one's own may also be folders of words,
    without lists: then every clip is of the test set, and nothing is sampled or cut. Of 12 classes, any other word is
    `_unknown_`, with a warning that names it. Raises `DataError` naming what is wrong.
    """
    if classes not in (12, 30, 35):
        raise DataError(f"classes={classes!r}: wanted 12 (ten words, unknown, silence) or 35 (every word; 30 in v1)")
    folder = must_be_folder(folder, "Speech Commands, or a folder with manifest.csv")
    if (folder / "manifest.csv").is_file():
        return _pack(folder, classes)
    found = _recordings(folder)
    if _lists(folder) is not None or set(WORDS) <= set(found) and any("_nohash_" in p.name for paths in found.values()
                                                          for p in paths):
        return _standard(folder, found, classes, seed, unknown, silence)
    return _own(folder, found, classes)


def labels_of(clips):
    """The classes of clips: the twelve where there is a word of their kind, else every word, sorted."""
    seen = {c.label for c in clips}
    return CLASSES if seen <= set(CLASSES) else tuple(sorted(seen))


def _label(text):
    """A label as the models write it."""
    text = text.strip().lower()
    return {"unknown": UNKNOWN, "silence": SILENCE}.get(text, text)


def _pack(folder, classes):
    path = folder / "manifest.csv"
    rows = manifest.rows(path, ("path", "label"))
    clips = []
    for number, row in enumerate(rows, 2):
        word = _label(row.get("word") or row["label"])
        label = _label(row["label"]) if classes == 12 else word
        if not row["path"] or not label:
            raise DataError(f"{path}:{number}: wanted a path and a label, got {row['path']!r}, {label!r}")
        split = row.get("split") or "test"
        if split not in SPLITS:
            raise DataError(f"{path}:{number}: split {split!r}: wanted one of {', '.join(SPLITS)}")
        file = manifest.inside(folder, row["path"], f"{path}:{number}")
        clips.append(Clip(file, label, word, row.get("speaker") or "", split))
    return _known(path, clips, classes)


def _recordings(folder):
    """Folder name -> recordings in it, for the folders that hold words."""
    inside = sorted(p for p in folder.iterdir() if p.is_dir() and p.name != NOISE and not p.name.startswith("."))
    found = {p.name: sorted(f for f in p.iterdir() if f.suffix.lower() in AUDIO) for p in inside}
    if not any(found.values()):
        raise DataError(f"{folder}: no recordings in folders named by their words ({', '.join(WORDS[:3])}, ...) and no "
                        "manifest.csv with the columns path and label")
    return found


def _own(folder, found, classes):
    clips = [Clip(path, _label(name), _label(name), "", "test") for name, paths in found.items() for path in paths]
    if classes == 12 and not {c.label for c in clips} & set(CLASSES):
        raise DataError(f"{folder}: no folder is named by one of {', '.join(CLASSES)}; has "
                        f"{', '.join(list(found)[:5])}")
    return _known(folder, clips, classes)


def _known(path, clips, classes):
    """Clips with labels of the classes asked for: words that are none of twelve become `_unknown_`."""
    if classes != 12:
        kept = [c for c in clips if c.label not in (UNKNOWN, SILENCE)]
    else:
        strange = Counter(c.label for c in clips if c.label not in CLASSES)
        if strange:
            LOG.warning("%s: %d clips count as %s: %s", path, sum(strange.values()), UNKNOWN,
                        ", ".join(f"{n} of {label!r}" for label, n in strange.most_common(10)))
        kept = [c if c.label in CLASSES else replace(c, label=UNKNOWN) for c in clips]
    if not kept:
        raise DataError(f"{path}: holds no clip")
    return kept


def _standard(folder, found, classes, seed, unknown, silence):
    if classes == 12 and not set(WORDS) <= set(found):
        raise DataError(f"{folder}: not Speech Commands: wanted a folder a word ({', '.join(WORDS[:3])}, ...), "
                        f"has {', '.join(list(found)[:5])}")
    listed = _lists(folder)
    clips = []
    for word, paths in found.items():
        for path in paths:
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


def sets_of(clips, split):
    """Names of the sets that `split` asks for: train, dev, test, all; `held`: test, or where there is none dev, or all.

    Raises `DataError` where no clip is of them.
    """
    there = {c.split for c in clips}
    if split == "held":
        split = next((s for s in ("test", "dev") if s in there), "all")
    names = there if split == "all" else there & {split}
    if not names:
        raise DataError(f"split={split!r}: no clip; there are {', '.join(sorted(there)) or 'none at all'}")
    return names
