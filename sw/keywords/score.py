"""Figures of answers to labelled clips: accuracy, macro-F1, a table by class, the confusion matrix and its picture."""

import torch

from sw import pictures


def confusion(predicted, wanted, classes):
    """Counts (classes, classes): row the true class, column the answer."""
    return torch.bincount(wanted * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def by_class(matrix):
    """Precision, recall and F1 of each class, float64 (classes,) each; 0 where there is nothing to divide by."""
    hits = matrix.diag().double()
    precision = hits / matrix.sum(0).clamp_min(1)
    recall = hits / matrix.sum(1).clamp_min(1)
    return precision, recall, 2 * precision * recall / (precision + recall).clamp_min(1e-12)


def measure(logits, clips, labels):
    """Figures in percent of logits (clips, classes) against the clips' labels.

    Macro-F1 is the mean over the classes that occur among the clips. `clips` outside `labels` raise `ValueError`.
    """
    index = {label: i for i, label in enumerate(labels)}
    strange = sorted({c.label for c in clips} - set(index))
    if strange:
        raise ValueError(f"label {strange[0]!r}: the model knows {', '.join(labels)}")
    wanted = torch.tensor([index[c.label] for c in clips])
    matrix = confusion(logits.argmax(1), wanted, len(labels))
    precision, recall, f1 = by_class(matrix)
    there = matrix.sum(1) > 0
    return {"clips": len(clips), "accuracy": _percent(matrix.diag().sum() / len(clips)),
            "macro_f1": _percent(f1[there].mean()),
            "per_class": {label: {"clips": int(matrix[i].sum()), "precision": _percent(precision[i]),
                                  "recall": _percent(recall[i]), "f1": _percent(f1[i])}
                          for i, label in enumerate(labels) if there[i]},
            "confusion": matrix.tolist()}


def _percent(value):
    return round(100 * float(value), 2)


def picture(matrix, labels, path, title):
    """Write the confusion matrix as a picture (format by the suffix of `path`)."""
    matrix = torch.tensor(matrix)
    share = matrix / matrix.sum(1, keepdim=True).clamp_min(1)
    figure, axes = pictures.pyplot().subplots(figsize=(0.5 * len(labels) + 2, 0.5 * len(labels) + 1.5))
    axes.imshow(share.numpy(), cmap="Blues", vmin=0, vmax=1)
    axes.set(xticks=range(len(labels)), yticks=range(len(labels)), xlabel="answer", ylabel="spoken", title=title)
    axes.set_xticklabels(labels, rotation=90)
    axes.set_yticklabels(labels)
    for i in range(len(labels)):
        for j in range(len(labels)):
            if matrix[i, j]:
                axes.text(j, i, int(matrix[i, j]), ha="center", va="center", fontsize=7,
                          color="white" if share[i, j] > 0.5 else "black")
    pictures.save(figure, path, 100)
