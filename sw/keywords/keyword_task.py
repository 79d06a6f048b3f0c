"""The keyword task: training batches of cached, augmented features, and the loss of each family."""

import hashlib

import numpy as np
import torch
from torch.nn import functional

from sw.data.augment import noise_hash
from sw.keywords import frontends
from sw.models.sparknet import open_probability

MOVE = 3  # frames by which features move further, beside the shift of the wave


class Task:
    """Features and labels of training waves under a front-end, ready for `sw.trainer.fit`.

    Features stay in their cached file: a batch reads its rows, so that a data set need not fit into memory.
    """

    def __init__(self, waves, labels, frontend, *, variants=frontends.VARIANTS, sources=(), cache="build/cache",
                 quiet=False):
        self.labels, self.frontend = tuple(labels), frontend
        self.x = frontends.variants(waves, frontend, variants, sources, cache=cache, quiet=quiet)
        self.normaliser = frontends.Normaliser.of(frontend, torch.from_numpy(np.array(self.x[0])))
        index = {label: i for i, label in enumerate(self.labels)}
        self.y = torch.tensor([index[c.label] for c in waves.clips])

    def batches(self, seed, size):
        """A function of the epoch: batches (x (B, bins, frames), y (B,)), each clip once, as a random version."""
        size = min(size, len(self.y))

        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            order = rng.permutation(len(self.y))
            for start in range(0, len(order) - (size + 1) // 2 + 1, size):
                rows = order[start:start + size]
                x = self.x[rng.integers(len(self.x), size=len(rows)), rows]
                yield moved(self.normaliser(torch.from_numpy(x)).float(), rng), self.y[rows]
        return of


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
    """The training loss of a recipe: callable (model, (x, y)) -> (scalar, metrics)."""
    def entropy(logits, y):
        return functional.cross_entropy(logits, y, label_smoothing=recipe.smoothing), \
            {"accuracy": (logits.argmax(1) == y).float().mean().item()}

    def plain(model, batch):
        return entropy(model(batch[0]), batch[1])

    def gated(model, batch):
        mu = model.mu(batch[0])
        gates = model.gates_of(mu)
        value, metrics = entropy(model.readout(gates), batch[1])
        sparse = open_probability(mu, model.sigma).mean()
        value = value + recipe.sparsity * sparse + recipe.l1 * gates.abs().mean()
        return value, {**metrics, "open": sparse.item()}

    def spiking(model, batch):
        merged, spikes = model.encode(batch[0])
        value, metrics = entropy(model.readout(merged), batch[1])
        return value + model.excess(spikes), {**metrics, **{f"rate{i}": s.mean().item() for i, s in enumerate(spikes)}}

    return {"SparkNet": gated, "KeywordRsnn": spiking}.get(recipe.network.__name__, plain)
