"""Leak shift, threshold and bias of each neuron, chosen so that its spikes are those of the float neuron.

Every candidate is run over the calibration frames in the machine's integers, on the same currents; a neuron keeps the
one whose spikes differ least from the float neuron's. Since a reset to zero makes a neuron's unit its own, a threshold
a neuron also takes up what the nearest leak and the rounded weights do to the size of its potential.
"""

import itertools

import torch

from sw.golden.blocks import lif, synapse

FACTORS = tuple(1.25 ** (i / 8) for i in range(-8, 9))
FINE = (0.98, 1.0, 1.02)
BIASES = (-0.02, -0.01, 0.0, 0.01, 0.02)  # of the threshold
MOST_AT_ONCE = 1 << 21  # potentials of all candidates held at once


def driven(current, layer, config):
    """Integer currents (B, T, N) in the potential's unit, through the synaptic current where the layer keeps one."""
    drive = current.to(torch.int64) << config.potential_fraction
    if not layer.synapse_shift:
        return drive
    state, out = torch.zeros_like(drive[:, 0]), torch.empty_like(drive)
    for t in range(drive.shape[1]):
        state = out[:, t] = synapse(state, drive[:, t], layer.synapse_shift, config)
    return out


def spikes_of(drive, tables, layer, config):
    """Spikes (..., B, T, N) bool of neurons driven by (B, T, N), see `driven`.

    `tables`: leak shifts, thresholds, biases, each int32 and broadcast over (..., B, N): a candidate an entry of the
    leading dimensions.
    """
    batch, frames, neurons = drive.shape
    leak, threshold, bias = tables
    shape = torch.broadcast_shapes(*(table.shape for table in tables), (batch, neurons))
    u = torch.zeros(shape, dtype=torch.int32)
    out = torch.empty(*shape[:-2], batch, frames, neurons, dtype=torch.bool)
    for t in range(frames):
        before = u if layer.persist else torch.zeros_like(u)
        u, out[..., t, :], _ = lif(before, drive[:, t], threshold, leak, config, scaled=True, bias=bias,
                                   reset=layer.reset)
    return out


def distance(found, target):
    """What a neuron's spikes (..., B, T, N) are off: bits that differ, and half of the spikes too many or too few."""
    differ = (found != target).sum((-3, -2))
    return differ + 0.5 * (found.sum((-3, -2)) - target.sum((-3, -2))).abs()


def tune(drive, target, shifts, tables, layer, config):
    """Best (leak, threshold, bias), each (N,) int32, for drive and target spikes (B, T, N).

    `shifts`: a tuple of candidate leak shifts for each neuron, nearest first; `tables`: thresholds and biases (N,) as
    the float values round.
    """
    longest = max(map(len, shifts))
    ladder = torch.tensor([[s[min(i, len(s) - 1)] for s in shifts] for i in range(longest)], dtype=torch.int32)
    best = (ladder[0], *tables)
    score = distance(spikes_of(drive, best, layer, config), target)
    coarse = [(ladder[i], factor, 0.0) for i, factor in itertools.product(range(longest), FACTORS)]
    best, score = _search(drive, target, coarse, best, score, layer, config)
    fine = [(best[0], factor, share) for factor, share in itertools.product(FINE, BIASES if layer.bias else (0.0,))]
    return _search(drive, target, fine, best, score, layer, config)[0]


def _search(drive, target, candidates, best, score, layer, config):
    """Try (leak, factor of the threshold, share of it added to the bias) around `best`; a neuron keeps the nearest."""
    at_once = max(1, MOST_AT_ONCE // (drive.shape[0] * drive.shape[2]))
    top = (1 << (config.potential_bits - 1)) - 1
    _, threshold, bias = best
    for start in range(0, len(candidates), at_once):
        group = candidates[start:start + at_once]
        tables = (torch.stack([leak for leak, _, _ in group]),  # each (C, N)
                  torch.stack([(threshold * factor).round().clamp(1, top).int() for _, factor, _ in group]),
                  torch.stack([(bias + threshold * share).round().clamp(-top, top).int() for _, _, share in group]))
        found = distance(spikes_of(drive, [t[:, None] for t in tables], layer, config), target)  # (C, N)
        least, which = found.min(0)
        better = least < score
        score = torch.where(better, least, score)
        best = tuple(torch.where(better, table.gather(0, which[None])[0], kept)
                     for table, kept in zip(tables, best, strict=True))
    return best, score
