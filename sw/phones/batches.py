"""Batches of chunks for training: shuffled under a seed, of like length, masked at their ends."""

import numpy as np
import torch

from sw.data.augment import mask

IGNORE = -1


def epoch(variants, targets, weights, rng, chunk=300, frames=9600, delay=5, masking=True, taught=None):
    """Yield (x, target): float32 (F, B, 40) of int8 values and int64 (F, B), `IGNORE` where there is none.

    `taught`, one list a variant of a teacher's (thirds, shares) (frames, KEPT): (x, target, thirds, shares) are
    yielded, int64 and float32 (F, B, KEPT); shares are 0 where there is no target.

    `variants`: one list a variant of int8 (frames, 40), `targets` alike of int64 (frames,). Utterance i is visited
    `weights[i]` times (the fraction by chance), each time as a random variant. Targets come `delay` frames late, so
    that a causal network hears that much of the future.
    """
    chunks = []
    for i, weight in enumerate(weights):
        for _ in range(int(weight) + (rng.random() < weight % 1)):
            variant = int(rng.integers(len(variants)))
            x, y = variants[variant][i], targets[variant][i]
            pieces = -(-len(x) // chunk)
            size = -(-len(x) // pieces)
            for start in range(0, len(x), size):
                chunks.append((variant, i, start, min(size, len(x) - start), len(y)))
    order = rng.permutation(len(chunks))
    # like lengths together, yet not the same company every time
    order = sorted(order, key=lambda j: chunks[j][3] + rng.uniform(0, 20))
    groups, group = [], []
    for j in order:
        if group and (len(group) + 1) * chunks[j][3] > frames:
            groups.append(group)
            group = []
        group.append(chunks[j])
    groups.append(group)
    for g in rng.permutation(len(groups)):
        yield _batch(groups[g], variants, targets, rng, delay, masking, taught)


def _batch(group, variants, targets, rng, delay, masking, taught):
    longest = max(piece[3] for piece in group) + delay
    x = np.zeros((longest, len(group), variants[0][0].shape[1]), np.float32)
    y = np.full((longest, len(group)), IGNORE, np.int64)
    for b, (variant, i, start, size, _) in enumerate(group):
        # a chunk hears `delay` frames past its end where there are any
        heard = variants[variant][i][start:start + size + delay].astype(np.float32)
        x[:len(heard), b] = mask(heard, rng) if masking else heard
        y[delay:delay + size, b] = targets[variant][i][start:start + size]
    if taught is None:
        return torch.from_numpy(x), torch.from_numpy(y)
    kept = taught[0][0][0].shape[1]
    thirds, shares = np.zeros((*y.shape, kept), np.int64), np.zeros((*y.shape, kept), np.float32)
    for b, (variant, i, start, size, _) in enumerate(group):
        third, share = taught[variant][i]
        thirds[delay:delay + size, b] = third[start:start + size]
        shares[delay:delay + size, b] = share[start:start + size]
    return tuple(map(torch.from_numpy, (x, y, thirds, shares)))
