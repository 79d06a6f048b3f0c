"""Scoreboard: counts what was compared, keeps the first difference by name, and fails the test that owns it."""

import json
from pathlib import Path

import numpy as np


class Scoreboard:
    """Used as a context manager around the body of one cocotb test.

    On leaving it appends one JSON line to `record` and raises `AssertionError`, naming the first difference, if any
    value differed or nothing was compared.
    """

    def __init__(self, test, record=None):
        self.test, self.record = test, Path(record) if record else None
        self.signals = {}   # name -> [compared, different]
        self.figures = {}
        self.first = None

    def check(self, signal, expected, got, axes=("neuron",), **where):
        """Compare scalars or arrays. `axes` names the arrays' dimensions, `where` places them: frame=3, layer=0."""
        expected, got = (np.asarray(v).astype(np.int64) for v in (expected, got))
        count = self.signals.setdefault(signal, [0, 0])
        count[0] += expected.size
        if expected.shape != got.shape:
            count[1] += expected.size
            self._note(f"{signal}{_place(where)}: expected shape {expected.shape}, got {got.shape}")
            return
        differ = expected != got
        if differ.any():
            count[1] += int(differ.sum())
            index = tuple(int(i) for i in np.argwhere(differ)[0])
            place = {**where, **dict(zip(axes, index, strict=expected.ndim > 0))}
            self._note(f"{signal}{_place(place)}: expected {expected[index]}, got {got[index]}")

    def report(self, **figures):
        """Keep measured figures beside the counts."""
        self.figures.update(figures)

    def _note(self, text):
        self.first = self.first or text

    @property
    def compared(self):
        return sum(c for c, _ in self.signals.values())

    @property
    def differences(self):
        return sum(d for _, d in self.signals.values())

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.record:
            line = {"test": self.test, "signals": self.signals, "figures": self.figures, "first": self.first}
            with self.record.open("a") as file:
                file.write(json.dumps(line) + "\n")
        if kind is None:
            assert not self.differences, f"{self.differences} of {self.compared} values differ, first {self.first}"
            assert self.compared, "nothing was compared"
        return False


def _place(where):
    return "".join(f", {name.replace('_', ' ')} {value}" for name, value in where.items())
