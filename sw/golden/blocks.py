"""Arithmetic of each block, vectorised over any leading dimensions. Contract: docs/arithmetic.md.

Tensors are int32. Matrix products run in float64, which holds every sum here exactly and is many times faster
than integer products in PyTorch.
"""

import torch

GROUP_BITS = 4


def _matmul(a, b):
    return (a.to(torch.float64) @ b.to(torch.float64)).to(torch.int32)


def digits(x, code):
    """Eight signed digits of int8 values: (..., 8) in -1, 0, 1, weights 1, 2, 4, ... 128.

    Raises `ValueError` for an unknown code.
    """
    x = x.to(torch.int32).unsqueeze(-1)  # (..., 1)
    place = torch.arange(8, dtype=torch.int32)
    if code == "twos_complement":
        return (x >> place & 1) * torch.where(place == 7, -1, 1)
    if code == "sign_magnitude":
        return (x.abs() >> place & 1) * torch.sign(x)
    if code == "signed_digit":
        return (3 * x >> place + 1 & 1) - (x >> place + 1 & 1)
    raise ValueError(f"input_code={code!r}: wanted twos_complement, sign_magnitude or signed_digit")


def pe_array(accumulators, row, gate, shift, negate, clear):
    """One cycle of one PE set: accumulators (..., N) after a row (..., N); `gate`... broadcast over lanes."""
    start = torch.where(clear.bool(), 0, accumulators)
    addend = row << shift
    return start + torch.where(gate.bool(), torch.where(negate.bool(), -addend, addend), 0)


def input_layer(x, weights, code):
    """Sums of the two digit groups: x (..., F) int8, weights (F, N) -> low, high (..., N)."""
    d = digits(x, code)  # (..., F, 8)
    place = 1 << torch.arange(GROUP_BITS, dtype=torch.int32)
    groups = [(d[..., k * GROUP_BITS:(k + 1) * GROUP_BITS] * place).sum(-1) for k in range(2)]  # 2 x (..., F)
    return tuple(_matmul(group, weights) for group in groups)


def combine(low, high, input_shift):
    """Input current: round((low + 16 high) / 2^input_shift), half up."""
    half = (1 << input_shift) >> 1
    return (low + (high << GROUP_BITS) + half) >> input_shift


def recurrent_layer(spikes, weights):
    """Sum of the weight rows of the neurons that fired: spikes (..., N) in 0, 1, weights (N, M) -> (..., M)."""
    return _matmul(spikes, weights)


def _saturate(exact, config):
    top = (1 << (config.potential_bits - 1)) - 1
    return exact.clamp(-top - 1, top)


def lif(u, current, threshold, leak_shift, config, *, bias=0, reset=None, scaled=False):
    """One time step, equation (2): potential and current (..., N) -> (potential, spikes, low saturations).

    `threshold`, `leak_shift` (0: no leak) and `bias` are one value or (N,). `reset` defaults to the configuration's.
    `scaled`: the current is in the potential's unit already. Sums are exact in int64 for any width that can be built.
    """
    leak_shift = torch.as_tensor(leak_shift)
    u, current = u.to(torch.int64), current.to(torch.int64)
    leak = torch.where(leak_shift == 0, 0, u >> leak_shift)
    exact = u - leak + (current if scaled else current << config.potential_fraction) + bias
    v = _saturate(exact, config)
    spikes = v >= threshold
    rest = torch.zeros_like(v) if (reset or config.reset) == "zero" else v - threshold
    return torch.where(spikes, rest, v).to(torch.int32), spikes, exact < v


def synapse(i, added, shift, config):
    """Synaptic current after a time step: i - (i >> shift) + added, saturated; all in the potential's unit."""
    i = i.to(torch.int64)
    return _saturate(i - (i >> shift) + added, config).to(torch.int32)


def delayed(history, delays):
    """Spikes as a connection sees them: history (B, 1 + D, K, N), newest frame first, delays (N,) -> (B, K, N)."""
    index = delays.to(torch.int64).expand(history.shape[0], 1, *history.shape[2:])  # (B, 1, K, N)
    return history.gather(1, index).squeeze(1)


def fc_layer(spikes, weights):
    """Logits of (..., K, N) spikes and (N, O) weights: both time steps add."""
    return _matmul(spikes.to(torch.int32).sum(-2), weights)
