"""What a run of the network shows, frame by frame: the one result type of the golden model and of the Verilated RTL.

    rtl.predict(x) == model.predict(x)                     `model`: an IntegerModel, whose method is `predict` here
    rtl.predict(x).first_difference(model.predict(x))      "" or one line that names signal and place
"""

from dataclasses import dataclass

import numpy as np
import torch

from hw.interface import ALL_MODES, WEIGHT_BUFFERS, Mode, phases

from .cycles import cycles
from .network import run


class PredictionError(ValueError):
    """Features or a mode that cannot be run; the message quotes shapes or values."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """T frames, K time steps; layer l has N_l neurons.

    logits (T, O) integers, or what the machine's readout makes of them (T, 2); spikes, by layer, (T, K, N_l) bool;
    potentials, by layer, (T, K, N_l) after reset, in the potential's format; phases (T, P) cycles by phase, phase_names
    (P,); reads (T, B) row reads by weight buffer. Equal means equal in every value of every signal.
    """

    logits: np.ndarray
    spikes: tuple
    potentials: tuple
    phases: np.ndarray
    reads: np.ndarray
    phase_names: tuple

    def signals(self):
        """(name, where it is in words, names of the axes, array) of every signal, in the order they arise."""
        steps = ("frame", "time step", "neuron")
        for layer in range(len(self.spikes)):
            yield "spike", {"layer": layer}, steps, self.spikes[layer]
            yield "potential", {"layer": layer}, steps, self.potentials[layer]
        yield "logit", {}, ("frame", "output"), self.logits
        yield "cycles", {}, ("frame", tuple(f"phase {name}" for name in self.phase_names)), self.phases
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


def utterances_of(x, features):
    """Int8 features as a list of (frames, features) int8 arrays: `x` is one such array or a list of them.

    Raises `PredictionError` for other shapes, for no frame at all, and for values beyond 8 bits.
    """
    found = [np.asarray(u) for u in (x if isinstance(x, (list, tuple)) else [x])]
    for i, u in enumerate(found):
        if u.ndim != 2 or u.shape[1] != features or not len(u):
            raise PredictionError(f"utterance {i} has shape {u.shape}: wanted (frames, {features}), not empty")
        if not np.issubdtype(u.dtype, np.integer) or u.min() < -128 or u.max() > 127:
            raise PredictionError(f"utterance {i}: {u.dtype} values from {u.min()} to {u.max()}: wanted integers from "
                                  "-128 to 127, as `sw.features.causal.extract` gives them")
    if not found:
        raise PredictionError("no utterance: wanted an array (frames, features) or a list of them")
    return [u.astype(np.int8) for u in found]


def mode_of(model, mode=None):
    """A `Mode` by name or as it is; by default the fastest of the model's time steps. Raises `PredictionError`."""
    if mode is None:
        mode = "t1" if model.time_steps == 1 else "t2_union"
    if isinstance(mode, str) and mode not in ALL_MODES:
        raise PredictionError(f"mode {mode!r}: wanted one of {', '.join(ALL_MODES)}")
    return mode if isinstance(mode, Mode) else ALL_MODES[mode]


def predict(model, x, mode=None, progress=None):
    """Run int8 features through the golden model: one (frames, features) array, or a list, each from cleared state.

    `mode`: a name of `hw.interface.MODES` or a `Mode`; see `mode_of`. `progress` wraps the frame loop (tqdm, say).
    """
    mode, utterances = mode_of(model, mode), utterances_of(x, model.config.features)
    frames = [len(u) for u in utterances]
    batch = torch.zeros(len(utterances), max(frames), model.config.features, dtype=torch.int32)
    for i, u in enumerate(utterances):
        batch[i, :len(u)] = torch.from_numpy(u)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products of 128 x 128: more threads only wait for each other
    try:
        trace = run(model, batch, mode.time_steps, progress=progress)
        cost = cycles(model.config, mode, batch, trace)
    finally:
        torch.set_num_threads(threads)
    return shown(model.config, trace, cost, torch.arange(max(frames)) < torch.tensor(frames)[:, None])


def shown(config, trace, cost, real):
    """The `Prediction` of a trace and its cost; `real` (B, T) bool: the frames that count."""
    def layers(values):  # (T, L, K, N) -> one (T, K, N_l) a layer
        return tuple(v[..., :layer.neurons].numpy()
                     for v, layer in zip(values[real].unbind(1), config.layers, strict=True))

    return Prediction(trace.results[real].numpy(), layers(trace.spikes), layers(trace.potentials),
                      cost.phases[real].numpy(), cost.reads[real].numpy(),
                      tuple(phase.name for phase in phases(config)))
