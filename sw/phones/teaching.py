"""What a teacher says of every frame of every utterance, computed once and kept: teaching costs its students nothing.

A teacher hears whole utterances, undisturbed by masks and noise, and may hear both ways: its answer belongs to the
label's frame, however late the teacher or its student gives it.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from tqdm import tqdm

from hw import store
from sw.phones import stages
from sw.phones.objective import log_prior
from sw.phones.targets import CONTEXTS, KINDS, Layout
from sw.training import trainer

KEPT = 8  # most probable thirds of a frame; the rest shares under a hundredth
BATCH = 32


class Teacher:
    """A trained network of a run's folder, whose `posteriors` are a target."""

    def __init__(self, folder):
        self.folder, self.network = Path(folder), stages.restore(folder)
        manifest = json.loads((self.folder / "manifest.json").read_text())
        if "delay" not in manifest:
            raise ValueError(f"{self.folder}: its manifest says no delay: train it again, to learn how late it answers")
        self.delay = manifest["delay"]
        outputs = self.network.sizes["outputs"]
        self.layout = Layout("context" if outputs >= KINDS["context"] else "mono", outputs)

    def posteriors(self, xs, labels, cache="build/cache", quiet=False):
        """Of int8 features (frames, 40): a list of (thirds uint8 (frames, KEPT), their shares float16 (frames, KEPT)).

        `labels` (frames, 4) of what the teacher was trained on give its prior.
        """
        digest = hashlib.sha256((self.folder / trainer.CHECKPOINT).read_bytes())
        for x in xs:
            digest.update(memoryview(np.ascontiguousarray(x)).cast("B"))
        path = Path(cache) / f"taught-{digest.hexdigest()[:16]}.safetensors"
        if not path.is_file():
            prior = log_prior([self.layout.of(each) for each in labels], self.layout)
            found = self._ask(xs, prior, quiet)
            path.parent.mkdir(parents=True, exist_ok=True)
            store.write_atomically(path, save({"thirds": torch.cat([a for a, _ in found]),
                                               "shares": torch.cat([b for _, b in found])}))
        stored, lengths = load_file(path), [len(x) for x in xs]
        return [(a.numpy(), b.numpy()) for a, b in
                zip(stored["thirds"].split(lengths), stored["shares"].split(lengths), strict=True)]

    @torch.no_grad()
    def _ask(self, xs, prior, quiet):
        order, answers = sorted(range(len(xs)), key=lambda i: len(xs[i])), [None] * len(xs)
        groups = [order[i:i + BATCH] for i in range(0, len(order), BATCH)]
        for group in tqdm(groups, desc=f"teacher {self.folder.name}", unit="batch", disable=quiet):
            x = torch.zeros(len(xs[group[-1]]) + self.delay, len(group), xs[0].shape[1])  # (F, B, 40)
            for b, i in enumerate(group):
                x[:len(xs[i]), b] = torch.from_numpy(xs[i])
            logits = self.network(x) + prior
            contexts = CONTEXTS if self.layout.kind == "context" else 1
            thirds = logits[..., :self.layout.classes].unflatten(-1, (-1, contexts)).logsumexp(-1).softmax(-1)
            share, third = thirds.topk(KEPT)  # (F, B, KEPT)
            share = (share / share.sum(-1, keepdim=True)).half()
            for b, i in enumerate(group):
                heard = slice(self.delay, self.delay + len(xs[i]))
                answers[i] = third[heard, b].to(torch.uint8), share[heard, b]
        return answers
