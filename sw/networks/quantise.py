"""A network's dynamics as the machine's integers, layer by layer, over calibration frames of the float reference.

Layer by layer: weights are rounded against what really enters them, then leak, threshold and bias of each neuron are
tuned until its spikes are nearest to the float neuron's, driven by the spikes of the integer layers before it. A layer
whose numbers are integers already (an exported network) is taken as it is.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch

from sw.networks import rounding, tuning
from sw.networks.graph import GraphError

SHIFTS = tuple(range(1, 7))  # leaks that are built; 0 is none
EXACT = 1e-6


@dataclass(frozen=True)
class Form:
    """Number format of the potentials: fraction bits, bound, reset (`zero`, `subtract`), kept from step to step or not."""

    fraction: int
    bits: int
    reset: str
    persist: bool = True

    @property
    def limit(self):
        return 1 << (self.bits - 1)


@dataclass(frozen=True)
class IntegerLayer:
    """Weights (P, N) and (N, N) or None, tables (N,): leak shifts, thresholds, biases; delays in frames; `step` (N,):
    the float worth of a weight of 1; `errors`: what was rounded, for the report.
    """

    name: str
    forward: np.ndarray
    recurrent: np.ndarray | None
    leak: np.ndarray
    threshold: np.ndarray
    bias: np.ndarray
    forward_delay: np.ndarray
    recurrent_delay: np.ndarray
    form: Form
    step: np.ndarray
    errors: dict = field(default_factory=dict)

    @property
    def neurons(self):
        return len(self.leak)


def delayed(values, frames):
    """Values (B, T, P), each of P late by its own number of frames (P,)."""
    out = np.zeros_like(values)
    for late in np.unique(frames):
        which = frames == late
        out[:, late:, which] = values[:, :values.shape[1] - late, which]
    return out


def nearest_shifts(beta):
    """Leak shifts for each beta (N,), nearest first, its neighbours after it where it is not exact."""
    ladder = np.array([0, *SHIFTS])
    kept = np.where(ladder > 0, 1 - 2.0 ** -ladder, 1.0)
    out = []
    for value in beta:
        near = sorted(ladder.tolist(), key=lambda k: abs(kept[k] - value))  # noqa: B023
        out.append(tuple(near[:1] if abs(kept[near[0]] - value) < EXACT else near[:3]))
    return out


def beta_of(leak):
    """beta (N,) of leak shifts."""
    return np.where(leak > 0, 1 - 2.0 ** -leak, 1.0)


def form_of(layer, fraction, bits, reset):
    """A layer's `Form`. Potentials are dropped where no neuron keeps any (beta 0)."""
    forgets = layer.beta < EXACT
    if forgets.any() and not forgets.all():
        raise GraphError(f"node {layer.name!r}: neuron {int(forgets.argmax())} forgets all in a step (tau = dt) and others do "
                         "not; potentials are kept or dropped a layer: split it")
    return Form(fraction, bits, reset, persist=not forgets.all())


def exact_layer(layer, form, bits, gain):
    """The layer as it is, where its numbers are integers already; None where they are not. `gain`: of the inputs."""
    weights = np.concatenate([layer.forward * gain, *([] if layer.recurrent is None else [layer.recurrent])])
    step = rounding.exact_steps(weights, bits)
    shifts = nearest_shifts(layer.beta)
    if not step.all() or (form.persist and max(map(len, shifts)) > 1):
        return None
    unit = step / 2 ** form.fraction
    bias = layer.constant / unit
    threshold = np.floor(layer.threshold / unit + EXACT) + 1
    if np.abs(bias - np.round(bias)).max() > 1e-3 or np.abs(bias).max() >= form.limit or threshold.max() >= form.limit:
        return None
    leak = np.array([s[0] for s in shifts]) if form.persist else np.zeros(layer.neurons, int)
    return _made(layer, np.round(weights / step), leak, threshold, np.round(bias), form, step, gain, exact=True)


def fitted_layer(layer, form, bits, gain, activity, own, drive, target):
    """Round and tune a layer.

    activity (B, T, P): what enters it in the float network, in units of the weights' last bit; own (B, T, N) or None:
    its own spikes before; drive (B, T, P) -> integer currents through a function of the weights; target (B, T, N) bool.
    """
    weights = np.concatenate([layer.forward * gain, *([] if layer.recurrent is None else [layer.recurrent])])
    entering = activity if own is None else np.concatenate([activity, own], -1)
    least = layer.threshold * 1.3 * 2 ** form.fraction / (form.limit - 1)
    integers, step = rounding.rounded(weights, rounding.moments(entering), bits, least)
    unit = step / 2 ** form.fraction
    threshold = np.clip(np.floor(layer.threshold / unit) + 1, 1, form.limit - 1)
    bias = np.clip(np.round(layer.constant / unit), -form.limit, form.limit - 1)
    split = len(layer.forward)
    current = drive(integers[:split]) + (0 if own is None else own @ integers[split:])
    current, target = torch.from_numpy(current).int(), torch.from_numpy(target)
    shifts = nearest_shifts(layer.beta) if form.persist else [(0,)] * layer.neurons
    tables = tuning.tune(current, target, shifts, *(torch.from_numpy(v).int() for v in (threshold, bias)), form,
                         bool(layer.constant.any()))
    return _made(layer, integers, *(t.numpy() for t in tables), form, step, gain)


def _made(layer, integers, leak, threshold, bias, form, step, gain, exact=False):
    split = len(layer.forward)
    weights = layer.stacked * np.concatenate([np.full(split, gain), np.ones(len(layer.stacked) - split)])[:, None]
    kept = beta_of(leak) if form.persist else np.zeros(layer.neurons)
    nominal = np.floor(layer.threshold / step * 2 ** form.fraction) + 1
    size = max(float(np.sqrt(np.square(weights).mean())), 1e-30)
    errors = {
        "exact": exact, "leak": _spread(np.abs(kept - layer.beta)),
        "weights_relative": round(float(np.sqrt(np.square(integers * step - weights).mean())) / size, 5),
        "clipped_weights": int((np.abs(weights) > (np.abs(integers).max() + 0.5) * step).sum()),
        "threshold_relative": _spread(np.abs(threshold / nominal - 1)),
        "bias_relative_to_threshold": _spread(np.abs(bias - layer.constant / step * 2 ** form.fraction) / nominal)}
    return IntegerLayer(layer.name, integers[:split].astype(np.int32),
                        None if layer.recurrent is None else integers[split:].astype(np.int32),
                        leak.astype(np.int32), threshold.astype(np.int32), bias.astype(np.int32),
                        layer.forward_delay, layer.recurrent_delay, form, step, errors)


def _spread(values):
    return {"mean": round(float(values.mean()), 6), "most": round(float(values.max()), 6)}


def run_layer(layer, current):
    """Spikes (B, T, N) bool of an `IntegerLayer` on integer currents of its inputs (B, T, N), its own spikes added."""
    tables = [torch.from_numpy(t) for t in (layer.leak, layer.threshold, layer.bias)]
    batch, frames, neurons = current.shape
    out = np.zeros((batch, frames, neurons), bool)
    u = torch.zeros(batch, neurons, dtype=torch.int32)
    for t in range(frames):
        total = current[:, t]
        if layer.recurrent is not None:
            before = np.zeros((batch, neurons))
            for late in np.unique(layer.recurrent_delay):
                which = layer.recurrent_delay == late
                if t > late:
                    before[:, which] = out[:, t - 1 - late, which]
            total = total + before @ layer.recurrent
        u, spikes = tuning.step(u, torch.from_numpy(total).int() << layer.form.fraction, *tables, layer.form)
        out[:, t] = spikes.numpy()
    return out


def quantised(layers, x, spikes, *, bits, fraction, potential_bits, reset, feature_step, input_shift, progress=iter):
    """Integer layers of `Dynamics`. x (B, T, F) int8, `spikes`: float reference, node name -> (B, T, N) bool."""
    made, drive_of = [], None
    for index, layer in progress(list(enumerate(layers))):
        form = form_of(layer, fraction, potential_bits, reset)
        gain = feature_step * 2.0 ** input_shift if index == 0 else 1.0
        if index == 0:
            activity = x / 2.0 ** input_shift

            def drive_of(weights):
                half = (1 << input_shift) >> 1
                return np.floor((x.astype(np.float64) @ weights + half) / 2 ** input_shift)
        else:
            activity = delayed(spikes[layers[index - 1].name], layer.forward_delay).astype(np.float64)
            entering = delayed(before, layer.forward_delay).astype(np.float64)

            def drive_of(weights, entering=entering):
                return entering @ weights
        ready = exact_layer(layer, form, bits, gain)
        if ready is None:
            own = None
            if layer.recurrent is not None:
                own = delayed(spikes[layer.name], layer.recurrent_delay + 1).astype(np.float64)
            ready = fitted_layer(layer, form, bits, gain, activity, own, drive_of, spikes[layer.name])
        made.append(ready)
        before = run_layer(ready, drive_of(ready.forward))
    return made, before


def best_input_shift(layer, x, own, bits, feature_step, candidates):
    """The shift of the input current that costs layer 0 least: input and recurrent weights of a neuron share a step."""
    costs = {}
    for shift in candidates:
        gain = feature_step * 2.0 ** shift
        if rounding.exact_steps(np.concatenate([layer.forward * gain, *([] if own is None else [layer.recurrent])]),
                                bits).all():
            return shift
        weights = np.concatenate([layer.forward * gain, *([] if own is None else [layer.recurrent])])
        entering = x / 2.0 ** shift if own is None else np.concatenate([x / 2.0 ** shift, own], -1)
        second = rounding.moments(entering)
        integers, step = rounding.rounded(weights, second, bits, layer.threshold * 1e-3)
        blur = (step / math.sqrt(12)) ** 2  # of the rounded input current
        costs[shift] = float(((rounding.cost(integers * step - weights, second) + blur) / layer.threshold ** 2).mean())
    return min(costs, key=costs.get)


def readout(head, second, bits):
    """Integers (P, O) of the readout and their one step, so that the largest logit stays the largest."""
    limit = 2 ** (bits - 1)
    if head.kind == "spikes":
        return np.eye(len(head.weight), dtype=np.int32), 1.0
    whole = rounding.exact_steps(head.weight.reshape(-1, 1), bits)[0]
    if whole:
        return np.round(head.weight / whole).astype(np.int32), float(whole)
    top = np.abs(head.weight).max() / (limit - 0.5)
    steps = [top * share for share in np.linspace(0.2, 1.1, rounding.STEPS)]
    step = min(steps, key=lambda s: rounding.cost(
        np.clip(np.round(head.weight / s), -limit, limit - 1) * s - head.weight, second).sum())
    return rounding.descend(head.weight, second, np.full(head.weight.shape[1], step), limit).astype(np.int32), float(step)
