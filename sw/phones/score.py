"""Phone error rate: (substitutions + deletions + insertions) / reference phones, after folding to 39 classes."""

from dataclasses import dataclass

import numpy as np

from sw.data.phones import to_39


@dataclass(frozen=True)
class Errors:
    """Counts that add up over utterances."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference: int = 0

    def __add__(self, other):
        return Errors(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))

    @property
    def rate(self):
        """Error rate in percent."""
        return 100 * (self.substitutions + self.deletions + self.insertions) / max(1, self.reference)


def align(reference, hypothesis):
    """Errors of the cheapest alignment of two sequences (Levenshtein; every error costs 1)."""
    width = len(hypothesis)
    # cost, then substitutions, deletions, insertions of the best path to each cell of a row
    row = [(j, 0, 0, j) for j in range(width + 1)]
    for i, wanted in enumerate(reference, 1):
        previous, row = row, [(i, 0, i, 0)]
        for j, got in enumerate(hypothesis, 1):
            c, s, d, n = previous[j - 1]
            wrong = wanted != got
            best = (c + wrong, s + wrong, d, n)
            c, s, d, n = previous[j]
            if c + 1 < best[0]:
                best = (c + 1, s, d + 1, n)
            c, s, d, n = row[j - 1]
            if c + 1 < best[0]:
                best = (c + 1, s, d, n + 1)
            row.append(best)
    _, s, d, n = row[-1]
    return Errors(s, d, n, len(reference))


def folded(phones, closures=True):
    """Trained phones -> 39 classes. Without `closures` (references in CMU's style, whose stops hold their closures and
    that know no flap), closures are dropped and flaps become t."""
    if closures:
        return [to_39(p) for p in phones]
    return ["t" if p == "dx" else p for p in phones if p != "cl"]


def frame_accuracy(phones, labels):
    """Share of frames, in percent, whose phone (index arrays over the 40 trained) folds to the label's class."""
    from sw.data.phones import INDEX
    silence, closure = INDEX["sil"], INDEX["cl"]
    same = np.where(phones == closure, silence, phones) == np.where(labels == closure, silence, labels)
    return 100 * float(same.mean())
