"""Pictures of results: drawn without a screen, written whole or not at all."""

import io
from pathlib import Path

from hw import store


def pyplot():
    """matplotlib's pyplot, for files only; imported where something is drawn, for it takes a second."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plots
    return plots


def save(figure, path, dpi):
    """Write a figure (format by the suffix of `path`) and close it; the same figure gives the same bytes."""
    figure.tight_layout()
    data, kind = io.BytesIO(), Path(path).suffix.removeprefix(".") or "png"
    figure.savefig(data, format=kind, dpi=dpi, metadata={"Software": None} if kind == "png" else None)
    pyplot().close(figure)
    store.write_atomically(path, data.getvalue())
