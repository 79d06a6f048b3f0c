"""Running speech as `_unknown_`: windows of a second from sentences in which none of the ten words is said.

A detector that listens all day hears speech, cut anywhere; clips of single words teach it nothing of that.
"""

import re

import numpy as np

from sw.data import manifest
from sw.data.speech_commands import SECOND, UNKNOWN, WORDS, Clip
from sw.data.utterance import DataError, must_be_folder

# What sounds like one of the ten words or begins with it: a window may hold no more of it than the word
ALIKE = ("know", "knows", "known", "write", "wright", "rights", "stops", "stopped", "goes", "going", "ups", "downs")


def windows(folders, count, seed=0):
    """`count` clips of the train splits of folders with transcripts, every second of sound as likely as any other.

    Raises `DataError` where no sentence is long enough and free of the ten words.
    """
    barred, found = {*WORDS, *ALIKE}, []
    for folder in folders:
        folder = must_be_folder(folder, "speech with transcripts")
        for row in manifest.rows(folder / "manifest.csv", ("path", "transcript", "seconds")):
            said = set(re.findall("[a-z']+", row["transcript"].lower()))
            if said and not said & barred and (row.get("split") or "train") == "train":
                path = manifest.inside(folder, row["path"], folder)
                found.append((path, row.get("speaker") or "", float(row["seconds"]) - SECOND))
    found = [f for f in found if f[2] > 0]
    if not found:
        raise DataError(f"{', '.join(map(str, folders))}: no sentence of a second and more, with a transcript without "
                        f"{', '.join(WORDS)}")
    rng = np.random.default_rng(seed)
    room = np.array([f[2] for f in found])
    picks = np.sort(rng.choice(len(found), count, p=room / room.sum()))
    return [Clip(found[i][0], UNKNOWN, "", found[i][1], "train", float(rng.uniform(0, room[i]))) for i in picks]
