"""Decoder scales by nested cross-validation: those of fold k are chosen on the held-out speakers of the other folds.

A network of fold j has not heard fold j's held-out speakers, and fold k's are not among them: nothing that is scored
had a say in how it is decoded. Frame classifiers and gated networks have scales of their own, chosen on one stage each.
"""

from itertools import product

from sw.phones import decode, score

GRID = {"acoustic": (0.7, 1.0), "language": (0.7, 1.0, 1.4), "bonus": (0.0, 1.0, 2.0, 3.0)}
CTC_GRID = {"acoustic": (1.0,), "language": (0.0, 0.3, 0.6), "bonus": (0.0, 0.5, 1.0, 2.0)}


def errors(answers, references, work, scales):
    """Summed `score.Errors` of decoding `answers` with `scales`."""
    total = score.Errors()
    for answer, (phones, closures) in zip(answers, references, strict=True):
        decoder = decode.search(work.grammar, work.layout, work.log_prior, scales, work.delay)
        decoder.push(answer.logits)
        total += score.align(score.folded(phones, closures),
                             score.folded([p for p, _, _ in decoder.trace()], closures))
    return total


def sheet(answers, references, work, progress=iter):
    """Errors of every point of the grid: dict `Scales` -> `Errors`."""
    grid = CTC_GRID if work.layout.kind == "ctc" else GRID
    points = [decode.Scales(**dict(zip(grid, values, strict=True))) for values in product(*grid.values())]
    return {scales: errors(answers, references, work, scales) for scales in progress(points)}


def choose(sheets):
    """Best scales for each fold, given fold -> sheet of that fold's held-out speakers; its own sheet is not looked at.

    With one fold alone there is nothing to choose on: the default scales, None.
    """
    def rate(scales, fold):
        return sum((s[scales] for f, s in sheets.items() if f != fold), score.Errors()).rate

    if len(sheets) < 2:
        return dict.fromkeys(sheets)
    return {fold: min(sheet, key=lambda scales: rate(scales, fold)) for fold, sheet in sheets.items()}
