"""Picture of a run: features, a spike raster for each layer, the track of phones or words."""

import io
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
import numpy as np  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import ListedColormap  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

from hw import store  # noqa: E402

FRAME_S = 0.01
COLOURS = ("tab:blue", "tab:orange")  # of the time steps


@dataclass(frozen=True)
class Words:
    """Words in a recording: detections (`time_s`, `label`, `score`), and of each word the posterior (windows,) at
    `times` (windows,), in seconds."""

    found: list
    times: object
    curves: dict


def _words(axis, words):
    """What the machine takes each word for over time; a mark and the word where it was reported."""
    for index, (word, curve) in enumerate(words.curves.items()):
        colour = f"C{index}"
        axis.plot(words.times, curve, color=colour, linewidth=1.2)
        axis.fill_between(words.times, 0, curve, color=colour, alpha=0.15)
        for d in words.found:
            if d.label == word:
                axis.axvline(d.time_s, color=colour, linewidth=0.8, linestyle=":")
                axis.text(d.time_s, 1.06, d.label, color=colour, fontsize=13, weight="bold", ha="center")
    axis.set(ylim=(0, 1.3), yticks=(0, 0.5, 1), ylabel="posterior", xlabel="seconds (a word is reported after it ends)")


def _phones(axis, row, phones, colour):
    """Boxes of (label, start s, end s) on one row of the track."""
    for index, (label, start, end) in enumerate(phones):
        axis.broken_barh([(start, end - start)], (row, 0.9), facecolors=colour if index % 2 else "white",
                         edgecolors="black", linewidth=0.4)
        axis.text((start + end) / 2, row + 0.45, label, ha="center", va="center", fontsize=6, clip_on=True)


def _raster(axis, fired, seconds):
    """Spikes (T, K, N): a column a time step, so that a long recording thins out evenly instead of vanishing."""
    frames, steps, neurons = fired.shape
    shown = (fired * (1 + np.arange(steps))[:, None]).reshape(frames * steps, neurons)
    axis.imshow(shown.T, origin="lower", aspect="auto", extent=(0, seconds, 0, neurons), vmin=0, vmax=2,
                cmap=ListedColormap(["white", *COLOURS]), interpolation_stage="rgba")
    axis.legend(handles=[Patch(color=COLOURS[k], label=f"time step {k}: {100 * fired[:, k].mean():.0f} % fire")
                         for k in range(steps)], loc="upper right", fontsize=7)


def draw(path, title, x, spikes, phones, reference):
    """Write a PNG: x (T, F) int8; of each layer spikes (T, K, N); phones (label, first, last frame) or `Words`;
    reference."""
    keywords = isinstance(phones, Words)
    frames, layers = len(x), len(spikes)
    seconds = frames * FRAME_S
    width = min(40, max(9, 2.2 * seconds))
    ratios = [2.2, *[3 if layers < 3 else 1.8] * layers, 2.4 if keywords else 1.1]
    figure, axes = plt.subplots(layers + 2, 1, figsize=(width, 0.9 * sum(ratios) + 0.2), sharex=True,
                                layout="constrained", gridspec_kw={"height_ratios": ratios})
    span = (0, seconds)
    image = axes[0].imshow(x.T, origin="lower", aspect="auto", extent=(*span, 0, x.shape[1]), cmap="magma",
                           vmin=-96, vmax=96)
    axes[0].set(ylabel="log-mel bin", title=f"{title}: features (int8)")
    figure.colorbar(image, ax=axes[0], pad=0.005, label="x")
    for layer, fired in enumerate(spikes):
        axis = axes[1 + layer]
        _raster(axis, fired, seconds)
        axis.set(ylabel=f"L{layer} neuron")
    if keywords:
        _words(axes[-1], phones)
        axes[-1].set_xlim(span)
    else:
        _track(axes[-1], phones, reference, span)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=130 if seconds < 8 else 90, format="png")
    plt.close(figure)
    store.write_atomically(path, drawn.getvalue())
    return path


def _track(axis, phones, reference, span):
    """Phones and their reference, a row of boxes each."""
    _phones(axis, 0, [(p, a * FRAME_S, b * FRAME_S) for p, a, b in phones], "lightsteelblue")
    rows = ["recognised"]
    if reference:
        _phones(axis, 1, [(s.phone, s.start / 16000, s.end / 16000) for s in reference], "wheat")
        rows.append("reference")
    axis.set(yticks=[i + 0.45 for i in range(len(rows))], yticklabels=rows, xlabel="seconds", xlim=span)
