"""The keyword task: training batches of cached, augmented features, and the loss of each family."""

import numpy as np
import torch
from torch.nn import functional

from sw.keywords import features
from sw.models.sparknet import open_probability

MASK_BINS, MASK_FRAMES = 8, 16
MOVE = 3  # frames by which features move further, beside the shift of the wave


class Task:
    """Features and labels of training waves under a front-end, ready for `sw.trainer.fit`."""

    def __init__(self, waves, labels, frontend, *, variants=features.VARIANTS, sources=(), cache="build/cache",
                 quiet=False):
        self.labels, self.frontend = tuple(labels), frontend
        stored = features.variants(waves, frontend, variants, sources, cache=cache, quiet=quiet)
        self.normaliser = features.Normaliser.of(frontend, stored[0])
        kept = torch.int8 if frontend == "causal" else torch.float16
        self.x = torch.stack([self.normaliser(v).to(kept) for v in stored])  # (variants, clips, bins, frames)
        index = {label: i for i, label in enumerate(self.labels)}
        self.y = torch.tensor([index[c.label] for c in waves.clips])

    def batches(self, seed, size, masking=True):
        """A function of the epoch: batches (x (B, bins, frames), y (B,)), each clip once, as a random version."""
        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            order = rng.permutation(len(self.y))
            for start in range(0, len(order) - size // 2 + 1, size):
                rows = order[start:start + size]
                x = self.x[rng.integers(len(self.x), size=len(rows)), rows].float()
                yield altered(x, rng, masking), self.y[rows]
        return of


def altered(x, rng, masking):
    """Features (B, bins, frames) moved by a few frames each; with `masking`, a band and a stretch of each zeroed."""
    batch, bins, frames = x.shape
    moves = rng.integers(-MOVE, MOVE + 1, batch)
    at = torch.from_numpy(np.clip(np.arange(frames)[None] - moves[:, None], 0, frames - 1))
    x = x.gather(2, at[:, None].expand(-1, bins, -1))
    if masking:
        for b in range(batch):
            width, long = int(rng.integers(MASK_BINS * bins // 40 + 1)), int(rng.integers(MASK_FRAMES + 1))
            low, start = int(rng.integers(bins - width + 1)), int(rng.integers(frames - long + 1))
            x[b, low:low + width] = 0  # zero is the mean
            x[b, :, start:start + long] = 0
    return x


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
