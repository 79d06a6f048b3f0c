"""Folders with a `manifest.csv`, one row an utterance: path, corpus, speaker, split, phones, alignment, note."""

import csv
import os
from pathlib import Path

from sw.data.utterance import DataError, Utterance, must_be_folder

NEEDED = ("path", "speaker", "phones")


def rows(path, needed=("path",)):
    """Rows of a CSV file as dicts of text without spaces around it; a cell that is not there is ''.

    Raises `DataError` naming the file where it is missing, not CSV in UTF-8, or lacks one of the `needed` columns.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        with path.open(newline="", encoding="utf-8-sig") as source:
            reader = csv.DictReader(source)
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            found = [{k: (v or "").strip() for k, v in row.items() if k is not None} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8: {getattr(error, 'reason', error)}") from None
    for name in needed:
        if name not in reader.fieldnames:
            raise DataError(f"{path}: has no column {name!r}; has {', '.join(reader.fieldnames)[:120] or 'none'}")
    return found


def inside(folder, name, where):
    """The file of that name below a folder; raises `DataError` for a name that leads out of it."""
    path = Path(os.path.normpath(name))
    if path.is_absolute() or path.parts[:1] == ("..",) or "\0" in name:
        raise DataError(f"{where}: {name[:80]!r} leads out of the folder: name files below it")
    return folder / path


def load(folder, splits=None, check=True):
    """Read a folder's manifest as a list of `Utterance`, optionally of some `splits` only.

    Raises `DataError` where the folder, its manifest, a column or a named file is missing.
    """
    folder = must_be_folder(folder, "a folder with manifest.csv")
    path = folder / "manifest.csv"
    utterances = []
    for row in rows(path, NEEDED):
        if splits and row.get("split", "train") not in splits:
            continue
        utterance = Utterance(inside(folder, row["path"], path), inside(folder, row["phones"], path), row["speaker"],
                              row.get("corpus") or folder.name, row.get("split") or "train",
                              (row.get("alignment") or "").startswith("hand"),
                              "sa" in (row.get("note") or "").split(), row.get("transcript") or "")
        for file in (utterance.audio, utterance.phones) if check else ():
            if not file.is_file():
                raise DataError(f"{file}: named in {path}, but not there")
        utterances.append(utterance)
    if not utterances:
        raise DataError(f"{path}: holds no utterance" + (f" of split {'/'.join(splits)}" if splits else ""))
    return utterances


def find(folders):
    """All utterances of several folders; each is a folder with a manifest, or a folder of such folders."""
    found = []
    for folder in folders:
        folder = must_be_folder(folder, "a folder with manifest.csv, or of such folders")
        inside = [folder] if (folder / "manifest.csv").is_file() else sorted(
            p.parent for p in folder.glob("*/manifest.csv")
            if "phones" in p.read_text(encoding="utf-8").split("\n", 1)[0])
        if not inside:
            raise DataError(f"{folder}: no manifest.csv with phones here or one level down")
        for one in inside:
            found.extend(load(one))
    return found
