"""One layer's dynamics as the machine's integers: taken as they are where they are integers, or rounded and tuned.

Weights are rounded against what really enters them; then leak, threshold and bias of each neuron are tuned until its
spikes are nearest to the float neuron's.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from sw.golden.blocks import lif, synapse
from sw.networks import rounding, tuning

LEAKS = tuple(range(8))  # leak shifts that are built; 0 is none
EXACT = 1e-6
HEADROOM = 1.3           # by which tuning may raise a threshold


@dataclass(frozen=True)
class IntegerLayer:
    """Weights (P, N) and (N, N) or None, tables (N,): leak shifts, thresholds, biases; `step` (N,): the float worth of
    a weight of 1; `errors`: what was rounded, for the report. int32 but for the steps.
    """

    name: str
    forward: np.ndarray
    recurrent: np.ndarray | None
    leak: np.ndarray
    threshold: np.ndarray
    bias: np.ndarray
    step: np.ndarray
    errors: dict = field(default_factory=dict)


def kept(leak):
    """beta (N,) of leak shifts."""
    return np.where(leak > 0, 1 - 2.0 ** -np.asarray(leak, float), 1.0)


def nearest_leaks(beta):
    """Leak shifts for each beta (N,): the exact one, or the three nearest, nearest first."""
    away = np.abs(kept(np.array(LEAKS)) - beta[:, None])  # (N, shifts)
    order = away.argsort(1, kind="stable")
    return [tuple(order[i, :1] if away[i, order[i, 0]] < EXACT else order[i, :3]) for i in range(len(beta))]


def synapse_shift(alpha):
    """The one shift of a layer's synaptic currents nearest to its alphas (N,); 0 where there are none."""
    if (alpha < EXACT).all():
        return 0
    return int(np.abs(kept(np.array(LEAKS[1:])) - alpha.mean()).argmin()) + 1


def delayed(values, frames):
    """Values (B, T, P), each of P late by its own number of frames (P,)."""
    out = np.zeros_like(values)
    for late in np.unique(frames):
        which = frames == late
        out[:, late:, which] = values[:, :values.shape[1] - late, which]
    return out


def exact(layer, spec, config, gain):
    """The layer as it is, where its numbers are integers already; None where they are not. `gain`: of the inputs."""
    weights = layer.weights(gain)
    step = rounding.exact_steps(weights, config.weight_bits)
    leaks = nearest_leaks(layer.beta)
    synapse_off = np.abs(kept(spec.synapse_shift) - layer.alpha).max() if spec.synapse_shift else layer.alpha.max()
    if not step.all() or synapse_off > EXACT or (spec.persist and max(map(len, leaks)) > 1):
        return None
    unit, top = step / 2 ** config.potential_fraction, 1 << (config.potential_bits - 1)
    bias, threshold = layer.constant / unit, np.floor(layer.threshold / unit + EXACT) + 1
    if np.abs(bias - np.round(bias)).max() > 1e-3 or np.abs(bias).max() >= top or threshold.max() >= top:
        return None
    leak = np.array([s[0] for s in leaks]) if spec.persist else np.zeros(layer.neurons)
    return _made(layer, spec, np.round(weights / step), (leak, threshold, np.round(bias)), step, gain, config, True)


def rounded(layer, config, gain, entering):
    """Integer weights and steps (N,) of a layer; entering (B, T, P or P + N): what meets them in the float network."""
    top = 1 << (config.potential_bits - 1)
    least = layer.threshold * HEADROOM * 2 ** config.potential_fraction / (top - 1)
    return rounding.rounded(layer.weights(gain), rounding.moments(_smoothed(entering, layer.alpha.mean())),
                            config.weight_bits, least)


def tuned(layer, spec, config, gain, integers, step, currents, target):
    """A layer of rounded weights with the leaks, thresholds and biases that make integer currents (B, T, N) the float
    neurons' spikes, `target` (B, T, N) bool.
    """
    unit, top = step / 2 ** config.potential_fraction, 1 << (config.potential_bits - 1)
    nominal = (np.clip(np.floor(layer.threshold / unit) + 1, 1, top - 1),
               np.clip(np.round(layer.constant / unit), -top, top - 1))
    drive = tuning.driven(torch.from_numpy(currents), spec, config)
    leaks = nearest_leaks(layer.beta) if spec.persist else [(0,)] * layer.neurons
    tables = tuning.tune(drive, torch.from_numpy(target), leaks, [torch.from_numpy(v).int() for v in nominal], spec,
                         config)
    return _made(layer, spec, integers, [t.numpy() for t in tables], step, gain, config, False)


def _smoothed(entering, alpha):
    """What enters as a synaptic current keeps it, (B, T, P)."""
    if alpha < EXACT:
        return entering
    out = entering.copy()
    for t in range(1, out.shape[1]):
        out[:, t] += alpha * out[:, t - 1]
    return out


def _made(layer, spec, integers, tables, step, gain, config, is_exact):
    split, weights = len(layer.forward), layer.weights(gain)
    leak, threshold, bias = (np.asarray(t).astype(np.int32) for t in tables)
    unit = step / 2 ** config.potential_fraction
    nominal = np.floor(layer.threshold / unit + EXACT) + 1
    size = max(float(np.sqrt(np.square(weights).mean())), 1e-30)
    errors = {
        "exact": is_exact,
        "leak": _spread(np.abs((kept(leak) if spec.persist else 0) - layer.beta)),
        "weights": round(float(np.sqrt(np.square(integers * step - weights).mean())) / size, 5),
        "thresholds": _spread(np.abs(threshold / nominal - 1)),
        "biases": _spread(np.abs(bias - layer.constant / unit) / nominal)}
    if layer.alpha.any():
        errors["synapse"] = _spread(np.abs((kept(spec.synapse_shift) if spec.synapse_shift else 0) - layer.alpha))
    return IntegerLayer(layer.name, integers[:split].astype(np.int32),
                        None if layer.recurrent is None else integers[split:].astype(np.int32),
                        leak, threshold, bias, step, errors)


def _spread(values):
    return {"mean": round(float(values.mean()), 6), "most": round(float(values.max()), 6)}


def run(made, layer, spec, config, current):
    """Spikes (B, T, N) bool of an `IntegerLayer` on integer currents of its inputs (B, T, N), its own spikes added."""
    leak, threshold, bias = (torch.from_numpy(t) for t in (made.leak, made.threshold, made.bias))
    batch, frames, neurons = current.shape
    out = np.zeros((batch, frames, neurons), bool)
    u = i = torch.zeros(batch, neurons, dtype=torch.int32)
    for t in range(frames):
        total = current[:, t]
        if made.recurrent is not None:
            before = np.zeros((batch, neurons))
            for late in np.unique(layer.recurrent_delay[layer.recurrent_delay < t]):
                which = layer.recurrent_delay == late
                before[:, which] = out[:, t - 1 - late, which]
            total = total + before @ made.recurrent
        added = torch.from_numpy(total).to(torch.int64) << config.potential_fraction
        if not spec.persist:
            u = i = torch.zeros_like(u)
        if spec.synapse_shift:
            i = added = synapse(i, added, spec.synapse_shift, config)
        u, spikes, _ = lif(u, added, threshold, leak, config, scaled=True, bias=bias, reset=spec.reset)
        out[:, t] = spikes.numpy()
    return out


def readout(head, second, bits):
    """Integers (P, O) of the readout and their one step, so that the largest logit stays the largest."""
    limit = 2 ** (bits - 1)
    if head.kind == "spikes":
        return np.round(head.weight).astype(np.int32), 1.0
    whole = rounding.exact_steps(head.weight.reshape(-1, 1), bits)[0]
    if whole:
        return np.round(head.weight / whole).astype(np.int32), float(whole)
    top = np.abs(head.weight).max() / (limit - 0.5)

    def error(step):
        integers = np.clip(np.round(head.weight / step), -limit, limit - 1)
        return rounding.cost(integers * step - head.weight, second).sum()
    step = min((top * share for share in np.linspace(0.2, 1.1, rounding.STEPS)), key=error)
    integers = rounding.descend(head.weight, second, np.full(head.weight.shape[1], step), limit)
    return integers.astype(np.int32), float(step)
