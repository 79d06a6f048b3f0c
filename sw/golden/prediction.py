"""What a run of the network shows, frame by frame: the one result type of the golden model and of the Verilated RTL.

    rtl.predict(x) == model.predict(x)
    rtl.predict(x).first_difference(model.predict(x))      "" or one line that names signal and place
"""

from dataclasses import dataclass

import numpy as np

from hw.interface import WEIGHT_BUFFERS, Phase


@dataclass(frozen=True, eq=False)
class Prediction:
    """T frames, K time steps; layer l has N_l neurons.

    logits (T, O) integers; spikes, by layer, (T, K, N_l) bool; potentials, by layer, (T, K, N_l) after reset, in the
    potential's format; phases (T, P) cycles by phase; reads (T, B) row reads by weight buffer. Equal means equal in
    every value of every signal.
    """

    logits: np.ndarray
    spikes: tuple
    potentials: tuple
    phases: np.ndarray
    reads: np.ndarray

    def signals(self):
        """(name, where it is in words, names of the axes, array) of every signal, in the order they arise."""
        steps = ("frame", "time step", "neuron")
        for layer in range(len(self.spikes)):
            yield "spike", {"layer": layer}, steps, self.spikes[layer]
            yield "potential", {"layer": layer}, steps, self.potentials[layer]
        yield "logit", {}, ("frame", "output"), self.logits
        yield "cycles", {}, ("frame", tuple(f"phase {phase.name}" for phase in Phase)), self.phases
        yield "row reads", {}, ("frame", tuple(f"buffer {name}" for name in WEIGHT_BUFFERS)), self.reads

    def compare(self, expected):
        """(values compared, values that differ, the first difference in words or "")."""
        compared, differ, first = 0, 0, ""
        for (name, where, axes, got), (*_, wanted) in zip(self.signals(), expected.signals(), strict=True):
            values, wrong, text = difference(name, axes, wanted, got, **where)
            compared, differ, first = compared + values, differ + wrong, first or text
        return compared, differ, first

    def first_difference(self, expected):
        """The first value that is not `expected`'s, by signal and place; "" where there is none."""
        return self.compare(expected)[2]

    def __eq__(self, other):
        return isinstance(other, Prediction) and len(self.spikes) == len(other.spikes) and not self.compare(other)[1]

    __hash__ = None


def difference(signal, axes, expected, got, **where):
    """(values compared, how many differ, the first of them in words or ""); all differ where the shapes do.

    `where` places the arrays (layer=0); `axes` names their dimensions, or lists the names along one. Scalars have none.
    """
    expected, got = (np.asarray(v).astype(np.int64) for v in (expected, got))
    if expected.shape != got.shape:
        text = f"{_place(signal, where)}: expected shape {expected.shape}, got {got.shape}"
        return expected.size, max(1, expected.size), text
    differ = expected != got
    if not differ.any():
        return expected.size, 0, ""
    index = tuple(int(i) for i in np.argwhere(differ)[0])
    place = dict(where)
    for axis, i in zip(axes, index, strict=expected.ndim > 0):
        place |= {axis: i} if isinstance(axis, str) else {axis[i]: ""}
    return expected.size, int(differ.sum()), f"{_place(signal, place)}: expected {expected[index]}, got {got[index]}"


def _place(signal, where):
    return signal + "".join(f", {name.replace('_', ' ')} {value}".rstrip() for name, value in where.items())
