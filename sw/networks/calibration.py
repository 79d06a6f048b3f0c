"""Calibration features from a `.npy` file: the int8 values that the machine takes, the floats that the graph takes.

int8 = round(float / feature_step), clipped to -128..127. Whole-number files are int8 values already; the step then says
what a value of 1 means to the graph.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sw.networks.graph import GraphError

NUMBERS = 1 << 27
NOISE_CLIPS, NOISE_FRAMES, NOISE_DEVIATION = 24, 80, 40  # where no file is given: int8 noise, a seed of its own


@dataclass(frozen=True)
class Calibration:
    """`integers` (B, T, F) int8, `floats` of the same shape as the graph takes them; `fit` and `check` clips apart."""

    integers: np.ndarray
    floats: np.ndarray
    feature_step: float
    source: str
    clipped: int = 0
    rounding: float = 0.0

    @property
    def held_back(self):
        """The last quarter of the clips judges what the others chose; a single clip does both."""
        clips = len(self.integers)
        cut = clips - max(1, clips // 4) if clips > 1 else 0
        return slice(0, cut or None), slice(cut, None)


def noise(features, feature_step):
    """Stands in where no calibration file is given: what it says about agreement does not hold for real features."""
    rng = np.random.default_rng(0)
    x = rng.normal(0, NOISE_DEVIATION, (NOISE_CLIPS, NOISE_FRAMES, features))
    x = np.clip(x, -127, 127).round().astype(np.int8)
    return _of(x.astype(np.float64), x, feature_step or 1.0, "none given: int8 noise")


def load(path, features, feature_step=None):
    """Read (clips, frames, features) or (frames, features). Raises `GraphError` for what is no such array."""
    path = Path(path)
    if not path.is_file():
        raise GraphError(f"calibration {path} not found: wanted a .npy of shape (clips, frames, {features})")
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise GraphError(f"calibration {path}: not a readable .npy: {' '.join(str(error).split())[:120]}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        kind = getattr(values, "dtype", "an archive")
        raise GraphError(f"calibration {path}: wanted one array of numbers, got {kind}")
    if values.ndim not in (2, 3) or values.shape[-1] != features or not values.size:
        raise GraphError(f"calibration {path}: shape {values.shape}, wanted (clips, frames, {features})")
    if values.size > NUMBERS:
        raise GraphError(f"calibration {path}: {values.size} numbers; at most {NUMBERS} are read: give fewer clips")
    x = np.array(values, np.float64).reshape(-1, *values.shape[-2:])
    if not np.isfinite(x).all():
        raise GraphError(f"calibration {path}: {int((~np.isfinite(x)).sum())} values are not finite numbers")
    if values.dtype.kind in "iu":
        if x.min() < -128 or x.max() > 127:
            raise GraphError(f"calibration {path}: whole numbers {x.min():.0f}..{x.max():.0f}; features are int8, "
                             "-128..127: give floats, which are scaled")
        return _of(x, x.astype(np.int8), feature_step or 1.0, str(path.name))
    step = feature_step or float(np.quantile(np.abs(x), 0.999)) / 127 or 1.0
    integers = np.clip(np.round(x / step), -128, 127)
    clipped = int((np.abs(x / step - integers) > 0.5).sum())
    return Calibration(integers.astype(np.int8), x, step, path.name, clipped,
                       float(np.sqrt(np.square(integers * step - x).mean())))


def _of(x, integers, step, source):
    return Calibration(integers, x * step, step, source)
