"""A teacher's logits on every cached version of every training clip, kept: teaching costs its students nothing."""

import hashlib
import io
from pathlib import Path

import numpy as np
import torch

from hw import store
from sw.keywords import frontends


@torch.no_grad()
def logits(teacher, waves, options, batch=128):
    """Logits float16 (versions, clips, classes) of a `Spotter` on what `frontends.variants` makes of `waves`."""
    x = frontends.variants(waves, teacher.normaliser.frontend, **options)
    key = hashlib.sha256(teacher.payload() + Path(x.filename).name.encode()).hexdigest()[:16]
    path = Path(options["cache"]) / f"taught-{key}.npy"
    if not path.is_file():
        teacher.network.eval()
        answers = [[teacher.network(teacher.normaliser(torch.from_numpy(np.array(version[i:i + batch]))).float())
                    for i in range(0, len(version), batch)] for version in x]
        data = io.BytesIO()
        np.save(data, np.stack([torch.cat(a).half().numpy() for a in answers]))
        store.write_atomically(path, data.getvalue())
    return np.load(path)


def chosen_on(clips, share=0.16, seed="nested-1"):
    """Whether each clip belongs to a development part cut from training speakers, on which choices are made; a list.

    A speaker's clips go together; a clip without one (silence) goes by its file name.
    """
    keys = [clip.speaker or Path(clip.path).name for clip in clips]
    return [int(hashlib.md5(f"{seed}{key}".encode()).hexdigest(), 16) % 1000 < 1000 * share for key in keys]
