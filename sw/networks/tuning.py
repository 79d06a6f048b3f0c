"""Leak shift, threshold and bias of each neuron, chosen so that its spikes are those of the float neuron.

Every candidate is run over the calibration frames in the machine's integers, on the same currents; a neuron keeps the
one whose spikes differ least from the float neuron's. Since a reset to zero makes a neuron's unit its own, a threshold
a neuron also takes up what the nearest leak and the rounded weights do to the size of its potential.
"""

import itertools

import torch

FACTORS = tuple(1.25 ** (i / 8) for i in range(-8, 9))
FINE = (0.98, 1.0, 1.02)
BIASES = (-0.02, -0.01, 0.0, 0.01, 0.02)  # of the threshold
MOST_AT_ONCE = 1 << 22  # potentials of all candidates held at once


def spikes_of(current, leak, threshold, bias, form):
    """Spikes (..., B, T, N) bool of neurons driven by integer currents (B, T, N); `form`: see `Form`.

    `leak`, `threshold`, `bias` are int32, broadcast over (..., B, N): a candidate an entry of the leading dimensions.
    """
    batch, frames, neurons = current.shape
    shape = torch.broadcast_shapes(leak.shape, threshold.shape, bias.shape, (batch, neurons))
    u = torch.zeros(shape, dtype=torch.int32)
    out = torch.empty(*shape[:-2], batch, frames, neurons, dtype=torch.bool)
    drive = current << form.fraction
    for t in range(frames):
        u, spikes = step(u, drive[:, t], leak, threshold, bias, form)
        out[..., t, :] = spikes
    return out


def step(u, drive, leak, threshold, bias, form):
    """One time step: potentials and spikes after `drive`, a current in the potential's unit."""
    if not form.persist:
        u = torch.zeros_like(u)
    v = u - torch.where(leak > 0, u >> leak, 0) + drive + bias
    v = v.clamp(-form.limit, form.limit - 1)
    spikes = v >= threshold
    return torch.where(spikes, v - threshold if form.reset == "subtract" else 0, v), spikes


def distance(found, target):
    """What a neuron's spikes (..., B, T, N) are off: bits that differ, and half of the spikes too many or too few."""
    differ = (found != target).sum((-3, -2))
    return differ + 0.5 * (found.sum((-3, -2)) - target.sum((-3, -2))).abs()


def tune(current, target, shifts, threshold, bias, form, with_bias):
    """Best (leak, threshold, bias) (N,) int32 for currents and target spikes (B, T, N).

    `shifts`: a tuple of candidate leak shifts for each neuron, nearest first; `threshold`, `bias` (N,): nominal.
    """
    longest = max(map(len, shifts))
    ladder = torch.tensor([[s[min(i, len(s) - 1)] for s in shifts] for i in range(longest)], dtype=torch.int32)
    best = (ladder[0], threshold, bias)
    score = distance(spikes_of(current, *best, form), target)
    coarse = [(ladder[i], factor, 0.0) for i, factor in itertools.product(range(longest), FACTORS)]
    best, score = _search(current, target, coarse, best, score, form)
    fine = [(best[0], factor, share) for factor, share in itertools.product(FINE, BIASES if with_bias else (0.0,))]
    return _search(current, target, fine, best, score, form)[0]


def _search(current, target, candidates, best, score, form):
    """Try (leak, factor of the threshold, share of it added to the bias) around `best`; keep what is nearer a neuron."""
    at_once = max(1, MOST_AT_ONCE // (current.shape[0] * current.shape[2]))
    _, threshold, bias = best
    for start in range(0, len(candidates), at_once):
        group = candidates[start:start + at_once]
        leaks = torch.stack([leak for leak, _, _ in group])  # (C, N)
        thresholds = torch.stack([(threshold * factor).round().clamp(1, form.limit - 1).int() for _, factor, _ in group])
        biases = torch.stack([(bias + threshold * share).round().int() for _, _, share in group])
        found = distance(spikes_of(current, leaks[:, None], thresholds[:, None], biases[:, None], form), target)  # (C, N)
        least, which = found.min(0)
        better = least < score
        score = torch.where(better, least, score)
        best = tuple(torch.where(better, table.gather(0, which[None])[0], kept)
                     for table, kept in zip((leaks, thresholds, biases), best, strict=True))
    return best, score
