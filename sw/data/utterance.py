"""One utterance as every loader yields it, and speaker-disjoint splits of a list of them."""

import random
from dataclasses import dataclass
from pathlib import Path

from sw.data import audio, labels


class DataError(ValueError):
    """A data folder that cannot be used; the message names the path."""


@dataclass(frozen=True)
class Utterance:
    """A recording and its labels, on disk.

    `hand` says how the phones were found: by hand with closures apart from releases (TIMIT), or by an aligner with
    CMU's symbols, whose stops hold their closures. `sa` marks TIMIT's two sentences that every speaker reads.
    """

    audio: Path
    phones: Path
    speaker: str
    corpus: str
    split: str = "train"
    hand: bool = False
    sa: bool = False
    transcript: str = ""

    def wave(self):
        """Float32 (samples,) at 16 kHz."""
        return audio.read(self.audio)

    def segments(self, samples=None):
        """Phones with their times, see `sw.data.labels`."""
        return labels.read(self.phones, samples)


def folds(utterances, count, seed=0):
    """Part speakers into `count` disjoint groups, shuffled under `seed`; returns a list of sets of speakers."""
    speakers = sorted({u.speaker for u in utterances})
    if not 2 <= count <= len(speakers):
        raise DataError(f"folds={count!r}: wanted 2 to {len(speakers)}, the number of speakers")
    random.Random(seed).shuffle(speakers)
    return [set(speakers[i::count]) for i in range(count)]


def changed_ns(path):
    """When a file was last changed, replaced or made readable (ns), for keys of caches; 0 where there is none."""
    return path.stat().st_ctime_ns if path.is_file() else 0


def must_be_folder(path, what):
    """The folder as a `Path`, or `DataError` in one line."""
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder ({what})")
    return path
