"""How far a rate may be chance: middle 95 % over speakers drawn anew, since recordings of one speaker err alike."""

import numpy as np

SAMPLES = 1000


def interval(counts, speakers, base=None, samples=SAMPLES, seed=0):
    """Middle 95 % of the rate in %, speakers drawn with replacement; of the difference from `base` where given.

    `counts` (N, 2): errors (or hits) and units of each recording; `base` (N, 2): those of another on the same.
    """
    names, place = np.unique(np.asarray(speakers), return_inverse=True)

    def sums(values):
        total = np.zeros((len(names), 2))
        np.add.at(total, place, np.asarray(values, float))
        return total  # (S, 2)
    mine, other = sums(counts), sums(np.zeros_like(counts) if base is None else base)
    drawn = np.random.default_rng(seed).integers(len(names), size=(samples, len(names)))
    rates = 100 * (mine[drawn, 0] - other[drawn, 0]).sum(1) / mine[drawn, 1].sum(1).clip(1)
    return tuple(round(float(v), 2) for v in np.percentile(rates, (2.5, 97.5)))
