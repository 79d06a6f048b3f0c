"""Scoreboard: counts what was compared, keeps the first difference by name, and fails the test that owns it."""

import json
from pathlib import Path

from sw.golden.prediction import difference


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
        compared, differ, text = difference(signal, axes, expected, got, **where)
        count = self.signals.setdefault(signal, [0, 0])
        count[0] += compared
        count[1] += differ
        self.first = self.first or text or None

    def report(self, **figures):
        """Keep measured figures beside the counts."""
        self.figures.update(figures)

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
