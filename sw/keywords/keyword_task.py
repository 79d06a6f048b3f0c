"""The keyword task: training batches of cached, augmented features, and the loss of each family."""

import hashlib

import numpy as np
import torch
from torch.nn import functional

from sw.data.augment import noise_hash
from sw.data.speech_commands import UNKNOWN
from sw.keywords import frontends, teaching
from sw.models.sparknet import open_probability

TALK_VERSIONS = (0, 1, 2, frontends.HARD + 1, frontends.HARD + 2, frontends.HARD + 3)  # of windows of speech
SURE = 8.0  # the logit by which a window of speech is unknown
MOVE = 3  # frames by which features move further, beside the shift of the wave


class KeywordTask:
    """Features and labels of training waves under a front-end, ready for `sw.training.trainer.fit`.

    Features stay in their cached file: a batch reads its rows, so that a data set need not fit into memory. `rows`:
    those clips that train (all by default). `masks`: longest stretch of frames and widest band that are blanked.
    `heard_as`: options of `frontends.variants`. `teacher`: a `Spotter` whose logits on the same versions come along.
    `mix`: shares of plain, hard and mild versions (all versions alike by default). `talk`: `Waves` of running speech,
    `_unknown_` all of it whatever a teacher might say, of which every epoch draws `talked` windows anew.
    """

    def __init__(self, waves, labels, frontend, *, variants=frontends.VARIANTS, sources=(), cache="build/cache",
                 quiet=False, rows=None, masks=(0, 0), heard_as=None, teacher=None, mix=(), talk=None, talked=0,
                 move=MOVE, workers=1):
        self.move = move
        self.labels, self.frontend, self.masks = tuple(labels), frontend, masks
        options = dict(count=variants, sources=sources, cache=cache, quiet=quiet, workers=workers, **(heard_as or {}))
        self.x = frontends.variants(waves, frontend, **options)
        self.rows = np.arange(len(waves.clips)) if rows is None else np.asarray(rows)
        self.normaliser = frontends.Normaliser.of(frontend, torch.from_numpy(np.array(self.x[0][self.rows])))
        index = {label: i for i, label in enumerate(self.labels)}
        self.y = torch.tensor([index[c.label] for c in waves.clips])
        self.taught = teaching.logits(teacher, waves, options) if teacher else None
        self.chances = [frontends.shares(range(variants), mix) if mix else None]
        self.sets, self.talked = [(self.x, self.taught)], talked if talk else 0
        if talk:
            options["count"] = TALK_VERSIONS
            x = frontends.variants(talk, frontend, **options)
            sure = torch.nn.functional.one_hot(torch.tensor(self.labels.index(UNKNOWN)), len(self.labels)) * SURE
            self.sets.append((x, np.broadcast_to(sure.numpy(), (*x.shape[:2], len(self.labels)))))
            self.chances.append(frontends.shares(TALK_VERSIONS, mix) if mix else None)
            self.y = torch.cat([self.y, torch.full((len(talk.clips),), index[UNKNOWN])])

    def batches(self, seed, size, plain=False):
        """A function of the epoch: batches (x (B, bins, frames), y (B,)), each clip once, as a random version; with a
        teacher (x, y, its logits (B, classes)). `plain`: without talk, all versions alike."""
        chances = [None] * 2 if plain else self.chances
        size = min(size, len(self.rows))

        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            heard = self.rows
            if self.talked and not plain:
                heard = np.append(heard, self.x.shape[1] + rng.choice(self.sets[1][0].shape[1], self.talked, False))
            order = heard[rng.permutation(len(heard))]
            for start in range(0, len(order) - (size + 1) // 2 + 1, size):
                rows = order[start:start + size]
                x, taught = self._versions(rows, chances, rng)
                x = masked(moved(self.normaliser(torch.from_numpy(x)).float(), rng, self.move), self.masks, rng)
                yield (x, self.y[rows]) if taught is None else (x, self.y[rows], torch.from_numpy(taught).float())
        return of

    def _versions(self, rows, chances, rng):
        """Features of a drawn version of each of `rows`, and what the teacher says of it or None."""
        first = self.x.shape[1]
        x = np.empty((len(rows), *self.x.shape[2:]), self.x.dtype)
        taught = None if self.taught is None else np.empty((len(rows), len(self.labels)), np.float32)
        for (stored, answers), chance, mine, offset in zip(self.sets, chances, (rows < first, rows >= first),
                                                           (0, first), strict=False):
            versions = rng.choice(len(stored), mine.sum(), p=chance)
            x[mine] = stored[versions, rows[mine] - offset]
            if taught is not None:
                taught[mine] = answers[versions, rows[mine] - offset]
        return x, taught


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


def moved(x, rng, most=MOVE):
    """Features (B, bins, frames) moved by a few frames each; what comes in is the first or last frame again."""
    batch, bins, frames = x.shape
    moves = rng.integers(-most, most + 1, batch)
    at = torch.from_numpy(np.clip(np.arange(frames)[None] - moves[:, None], 0, frames - 1))
    return x.gather(2, at[:, None].expand(-1, bins, -1))


def identity(waves, sources):
    """A short hash of what is trained on: sound, labels and noise."""
    digest = hashlib.sha256(memoryview(waves.samples.numpy()).cast("B"))
    digest.update("\n".join(c.label for c in waves.clips).encode())
    digest.update(noise_hash(sources).encode())
    return digest.hexdigest()[:16]


def more_unknown(labels, clips, talked):
    """What is added to logits (classes,) in training where `talked` windows of speech come to clips: the logarithm of
    how much oftener `_unknown_` is for them. Without it, words would be taken for unknown (arXiv 2007.07314)."""
    unknown = sum(c.label == UNKNOWN for c in clips)
    return torch.tensor([np.log((unknown + talked) / unknown) if label == UNKNOWN and talked else 0.0
                         for label in labels], dtype=torch.float32)


def loss_of(recipe, shift=0.0):
    """The training loss of a recipe: callable (model, (x, y) or (x, y, teacher's logits)) -> (scalar, metrics).

    `shift` is added to the logits, see `more_unknown`. With a teacher, a share `distil` of the loss is the
    cross-entropy to its posteriors, both softened by `softness` (arXiv 1503.02531).
    """
    def entropy(logits, y, taught=None):
        logits = logits + (shift.to(logits.device) if isinstance(shift, torch.Tensor) else shift)
        value = recipe.scale * functional.cross_entropy(logits, y, label_smoothing=recipe.smoothing)
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
