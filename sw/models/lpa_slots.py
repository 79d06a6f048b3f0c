"""Slots: a low-rank residue of attention over the whole recording, beside the windows of a `PulseAccumulator`.

    m[j] = sum_s a[s, j] v[s]        a[., j] = softmax over all frames s of keys[j] . x[s]
    y[t] = sum_j r[t, j] m[j]        r[t, .] = softmax over the pulse's own slots of reads[j] . x[t]

Attention whose n x n weights have rank `slots` for each pulse: O(n), nothing of size n x n. Ours; windows cannot say
which few frames, anywhere, a frame wants to hear.
"""

import torch
from torch import nn


def shares(scores):
    """Softmax over the last, short dimension of (B, T, P, S), laid out frame by frame: ten times as fast there."""
    return scores.permute(0, 2, 3, 1).contiguous().softmax(2).permute(0, 3, 1, 2)


class Slots(nn.Module):
    """`count` slots for each of `pulses` pulses of `channels` channels, over frames of `width` channels."""

    def __init__(self, width, pulses, channels, count):
        super().__init__()
        self.pulses, self.count = pulses, count
        self.keys, self.reads = nn.Linear(width, pulses * count), nn.Linear(width, pulses * count)

    def weights(self, x, valid=None):
        """(a (B, T, P, S), which sums to 1 over T; r (B, T, P, S), which sums to 1 over S); `valid` (B, T, 1)."""
        keys, reads = (part(x).unflatten(-1, (self.pulses, self.count)) for part in (self.keys, self.reads))
        if valid is not None:
            keys = keys.masked_fill(~valid.unsqueeze(-1), float("-inf"))
        return keys.softmax(1), shares(reads)

    def forward(self, x, values, share, valid=None):
        """Frames (B, T, width), values (B, T, P, C), what the slots count at each frame (B, T, P) -> (B, T, P, C)."""
        pooled, read = self.weights(x, valid)
        slots = torch.einsum("btps,btpc->bpsc", pooled, values)
        return torch.einsum("btps,bpsc->btpc", read * share.unsqueeze(-1), slots)
