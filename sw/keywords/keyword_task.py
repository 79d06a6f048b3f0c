"""The keyword task: training batches of cached, augmented features, and the loss of each family."""

import hashlib

import numpy as np
import torch
from torch.nn import functional

from sw.data.augment import noise_hash
from sw.keywords import frontends, teaching
from sw.models.sparknet import open_probability

MOVE = 3  # frames by which features move further, beside the shift of the wave


class KeywordTask:
    """Features and labels of training waves under a front-end, ready for `sw.training.trainer.fit`.

    Features stay in their cached file: a batch reads its rows, so that a data set need not fit into memory. `rows`:
    those clips that train (all by default). `masks`: longest stretch of frames and widest band that are blanked.
    `heard_as`: options of `frontends.variants`. `teacher`: a `Spotter` whose logits on the same versions come along.
    """

    def __init__(self, waves, labels, frontend, *, variants=frontends.VARIANTS, sources=(), cache="build/cache",
                 quiet=False, rows=None, masks=(0, 0), heard_as=None, teacher=None):
        self.labels, self.frontend, self.masks = tuple(labels), frontend, masks
        options = dict(count=variants, sources=sources, cache=cache, quiet=quiet, **(heard_as or {}))
        self.x = frontends.variants(waves, frontend, **options)
        self.rows = np.arange(len(waves.clips)) if rows is None else np.asarray(rows)
        self.normaliser = frontends.Normaliser.of(frontend, torch.from_numpy(np.array(self.x[0][self.rows])))
        index = {label: i for i, label in enumerate(self.labels)}
        self.y = torch.tensor([index[c.label] for c in waves.clips])
        self.taught = teaching.logits(teacher, waves, options) if teacher else None

    def batches(self, seed, size):
        """A function of the epoch: batches (x (B, bins, frames), y (B,)), each clip once, as a random version; with a
        teacher (x, y, its logits (B, classes))."""
        size = min(size, len(self.rows))

        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            order = self.rows[rng.permutation(len(self.rows))]
            for start in range(0, len(order) - (size + 1) // 2 + 1, size):
                rows = order[start:start + size]
                versions = rng.integers(len(self.x), size=len(rows))
                x = moved(self.normaliser(torch.from_numpy(self.x[versions, rows])).float(), rng)
                x = masked(x, self.masks, rng)
                if self.taught is None:
                    yield x, self.y[rows]
                else:
                    yield x, self.y[rows], torch.from_numpy(self.taught[versions, rows]).float()
        return of


def masked(x, masks, rng):
    """Features (B, bins, frames) with two stretches of frames and a band set to 0, each at most as long as `masks`."""
    for longest, dim in ((masks[0], 2), (masks[0], 2), (masks[1], 1)):
        if longest:
            size, count = x.shape[dim], len(x)
            length = torch.from_numpy(rng.integers(0, longest + 1, count))[:, None]
            start = torch.from_numpy(rng.integers(0, size - longest, count))[:, None]
            at = torch.arange(size)[None]
            x = x.masked_fill(((at >= start) & (at < start + length)).unsqueeze(3 - dim), 0)
    return x


def moved(x, rng):
    """Features (B, bins, frames) moved by a few frames each; what comes in is the first or last frame again."""
    batch, bins, frames = x.shape
    moves = rng.integers(-MOVE, MOVE + 1, batch)
    at = torch.from_numpy(np.clip(np.arange(frames)[None] - moves[:, None], 0, frames - 1))
    return x.gather(2, at[:, None].expand(-1, bins, -1))


def identity(waves, sources):
    """A short hash of what is trained on: sound, labels and noise."""
    digest = hashlib.sha256(memoryview(waves.samples.numpy()).cast("B"))
    digest.update("\n".join(c.label for c in waves.clips).encode())
    digest.update(noise_hash(sources).encode())
    return digest.hexdigest()[:16]


def loss_of(recipe):
    """The training loss of a recipe: callable (model, (x, y) or (x, y, teacher's logits)) -> (scalar, metrics).

    With a teacher, a share `distil` of the loss is the cross-entropy to its posteriors, both softened by `softness`
    (arXiv 1503.02531).
    """
    def entropy(logits, y, taught=None):
        value = functional.cross_entropy(logits, y, label_smoothing=recipe.smoothing)
        if taught is not None:
            soft = functional.cross_entropy(logits / recipe.softness, (taught / recipe.softness).softmax(1))
            value = (1 - recipe.distil) * value + recipe.distil * recipe.softness ** 2 * soft
        return value, {"accuracy": (logits.argmax(1) == y).float().mean().item()}

    def plain(model, batch):
        return entropy(model(batch[0]), *batch[1:])

    def gated(model, batch):
        mu = model.mu(batch[0])
        gates = model.gates_of(mu)
        value, metrics = entropy(model.readout(gates), *batch[1:])
        sparse = open_probability(mu, model.sigma).mean()
        value = value + recipe.sparsity * sparse + recipe.l1 * gates.abs().mean()
        return value, {**metrics, "open": sparse.item()}

    def spiking(model, batch):
        merged, spikes = model.encode(batch[0])
        value, metrics = entropy(model.readout(merged), *batch[1:])
        return value + model.excess(spikes), {**metrics, **{f"rate{i}": s.mean().item() for i, s in enumerate(spikes)}}

    return {"SparkNet": gated, "KeywordRsnn": spiking}.get(recipe.network.__name__, plain)
