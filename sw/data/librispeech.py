"""LibriSpeech in its standard layout (`subset/speaker/chapter/*.flac`) with phones from an aligner.

Alignments are looked for beside the audio or in a second folder of the same layout: `.phn` files, or Montreal Forced
Aligner `.TextGrid` files, from which a `.phn` is written once into `cache`.
"""

import re
from pathlib import Path

from sw.data import labels
from sw.data.audio import RATE
from sw.data.phones import PhoneError, to_40
from sw.data.utterance import DataError, Utterance, must_be_folder

PAUSES = ("", "sil", "sp", "spn", "<eps>")  # what aligners write for a pause or an unknown word
INTERVAL = re.compile(r'xmin = ([\d.]+)\s+xmax = ([\d.]+)\s+text = "([^"]*)"')


def load(folder, alignments=None, cache="build/alignments"):
    """Read a LibriSpeech folder as a list of `Utterance`; the split is train, dev or test after the subset's name."""
    folder = must_be_folder(folder, "LibriSpeech, with train-*, dev-* or test-* inside")
    aligned = {p.stem: p for root in (folder, *([must_be_folder(alignments, "alignments")] if alignments else []))
               for pattern in ("*.TextGrid", "*.phn") for p in Path(root).rglob(pattern)}
    utterances = []
    for file in sorted(folder.rglob("*.flac")):
        if file.stem not in aligned:
            continue
        subset = next((part for part in file.parts[::-1] if part.startswith(("train-", "dev-", "test-"))), "train-")
        phones = aligned[file.stem]
        if phones.suffix == ".TextGrid":
            phones = _converted(phones, Path(cache) / f"{file.stem}.phn")
        utterances.append(Utterance(file, phones, "ls" + file.stem.split("-")[0], "librispeech", subset.split("-")[0]))
    if not utterances:
        raise DataError(f"{folder}: no .flac with a .phn or .TextGrid of the same name, beside it or in `alignments`")
    return utterances


def _converted(grid, phn):
    if not phn.is_file():
        phn.parent.mkdir(parents=True, exist_ok=True)
        labels.write(phn, read_textgrid(grid))
    return phn


def read_textgrid(path):
    """Phones of a TextGrid's `phones` tier as a list of `Segment`."""
    tiers = re.split(r"item \[\d+\]:", Path(path).read_text(errors="replace"))
    tier = next((t for t in tiers if 'name = "phones"' in t), None)
    if tier is None:
        raise labels.LabelError(f"{path}: no tier named 'phones'")
    segments = []
    for start, end, text in INTERVAL.findall(tier):
        try:
            phone = "sil" if text.lower() in PAUSES else to_40(text)
        except PhoneError as error:
            raise labels.LabelError(f"{path}: {error}") from None
        segments.append(labels.Segment(round(float(start) * RATE), round(float(end) * RATE), phone))
    return segments
