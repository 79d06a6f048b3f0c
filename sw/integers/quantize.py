"""Weights as small integers: scales, rounding with a straight-through gradient, and where the scales come from.

A float weight is integer x step. In a spiking layer the step need not be a power of two: threshold and potentials are
counted in the same step, so only the threshold's integer changes. The FC's step is a power of two.
"""

import math

import torch

from sw.features.causal import SCALE


def round_through(x):
    """Round half to even; the gradient passes as if nothing had happened."""
    return x + (x.round() - x).detach()


def floor_through(x):
    """Round down; the gradient passes."""
    return x + (x.floor() - x).detach()


def quantise(weight, step, bits):
    """Float weights -> integers (as float32) of `bits` signed bits; the gradient passes inside the range."""
    limit = 2 ** (bits - 1)
    return round_through((weight / step).clamp(-limit, limit - 1))


def best_step(weights, bits, candidates=60):
    """Step with the least mean squared rounding error over several matrices that must share it."""
    values = torch.cat([w.detach().flatten() for w in weights])
    values = values[values != 0]  # pruned weights are exact in any step
    limit = 2 ** (bits - 1)
    top = float(values.abs().max()) / (limit - 1)
    steps = [top * (0.15 + 0.85 * i / candidates) for i in range(1, candidates + 1)]
    return min(steps, key=lambda s: float(((values / s).round().clamp(-limit, limit - 1) * s - values).square().sum()))


def power_of_two(step):
    """The nearest power of two, in the logarithm."""
    return 2.0 ** round(math.log2(step))


def dequantised(model):
    """Float weights by name of an `IntegerModel`, in units of thresholds of 1 (`docs/arithmetic.md`, scales);
    biases with them."""
    unit, found = 2 ** model.config.potential_fraction, {}
    for name, weight in model.matrices.items():
        if name == "fc":
            found[name] = weight.float() * model.entry("logit_step")
            continue
        # a current of the input layer is x w / 2^input_shift in layer 0's steps; float inputs are x / SCALE
        layer, ratio = (0, SCALE / 2 ** model.config.input_shift) if name == "input" else (int(name[-1]), 1)
        found[name] = weight.float() * (ratio * unit / model.threshold_of(layer))  # (inputs, N)
    for k, layer in enumerate(model.config.layers):
        if layer.bias:
            found[f"bias{k}"] = model.bias_of(k) / model.threshold_of(k)
    return found
