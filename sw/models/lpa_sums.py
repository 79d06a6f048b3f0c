"""Sums over windows of frames, by running sums: two rows of a table, and a few weighed frames at each soft edge.

    S(low, high) = sum_{s < limit} (E(high - s) - E(low - s)) k[s] v[s]        E: the step of `sw.models.lpa`

With V[m] = sum_{s < m} k[s] v[s], S is V at the window's ends where gates are hard. `Sums.terms` says which rows of the
table and with which weights; weights may then be scaled (a share of a mean, a gate) and rows of many windows added in
one go, which is what makes it quick.
"""

import math

import torch
from torch.nn import functional

REACH = 3   # frames from an edge to where a soft gate is 0 or 1, at most
BLOCK = 32  # frames of a running sum that are added by one product


def reach(temperature):
    """Frames from an edge to where its gate is 0 or 1: REACH, fewer once the sigmoid is steep."""
    return max(1, min(REACH, math.ceil(8 * temperature)))


def edge(u, temperature):
    """Soft step at 0 over distances `u` in frames: 0 below -reach, 1 above reach, a stretched sigmoid between."""
    tail = 1 / (1 + math.exp(min(reach(temperature) / temperature, 700.0)))
    return ((torch.sigmoid(u / temperature) - tail) / (1 - 2 * tail)).clamp(0, 1)


def running_sums(values):
    """Sums of the first m frames, m = 0 .. T: (B, T, C) -> (B, T + 1, C).

    Blocks of `BLOCK` frames are summed by a product with a triangle of ones, then block to block: a column of all
    frames at once leaves the cache, and the time a frame takes would grow with the recording.
    """
    frames = values.shape[1]
    padded = functional.pad(values, (0, 0, 1, -(frames + 1) % BLOCK)).unflatten(1, (-1, BLOCK))
    within = torch.ones(BLOCK, BLOCK, dtype=values.dtype, device=values.device).tril() @ padded  # (B, blocks, BLOCK, C)
    whole = within[:, :, -1]
    within += (whole.cumsum(1) - whole).unsqueeze(2)
    return within.flatten(1, 2)[:, :frames + 1]


class Sums:
    """Running sums of `values` (B, T, P, C) times `keys` (B, T, P), to be read between any edges.

    `temperature` 0 means hard gates. Made once for a batch in O(T).
    """

    def __init__(self, values, keys, temperature):
        self.temperature = temperature
        batch, self.frames, self.pulses, channels = values.shape
        weighed = values * keys.unsqueeze(-1)
        table = running_sums(weighed.flatten(2)).reshape(-1, channels)  # row (b (T + 1) + m) P + p
        counts = running_sums(keys).flatten()
        self.single = len(table)  # rows from here on are frames, which soft edges weigh
        if temperature:
            table = torch.cat((table, weighed.reshape(-1, channels)))
            counts = torch.cat((counts, keys.flatten()))
        self.table, self.counts = table, counts
        self.recording = torch.arange(batch, device=values.device).view(-1, 1, 1, 1)
        self.pulse = torch.arange(self.pulses, device=values.device).view(-1, 1)

    def _row(self, position, frames):
        """Row numbers of integer positions (B, Q, P, J), `frames` positions a recording."""
        return position * self.pulses + (self.recording * (frames * self.pulses) + self.pulse)

    def _until(self, position, limit):
        """What makes up sum_{s < limit} E(position - s) values[s]: rows and weights, each (B, Q, P, J, 1 + 2 reach)."""
        r = reach(self.temperature)
        whole = torch.floor(position.detach()).clamp(-2 * r, self.frames + 2 * r).long()
        base = torch.minimum((whole - r + 1).clamp_min(0), limit)  # all frames before have their gate at 1
        rows, weights = [self._row(base, self.frames + 1)], [torch.ones_like(position)]
        for step in range(1 - r, r + 1):
            at = whole + step
            rows.append(self.single + self._row(at.clamp(0, self.frames - 1), self.frames))
            weights.append(edge(position - at, self.temperature) * ((at >= 0) & (at < limit)))
        return tuple(torch.stack(torch.broadcast_tensors(*parts), -1) for parts in (rows, weights))

    def terms(self, low, high, limit):
        """Rows and weights that add up to windows from `low` to `high` (B or 1, Q, P, J), of frames before `limit`.

        `limit`: (B, Q or 1, 1, 1). Returns two tensors that broadcast to (B, Q, P, J, K).
        """
        if self.temperature:
            (first, less), (last, more) = self._until(low, limit), self._until(high, limit)
            return torch.cat((first, last), -1), torch.cat((-less, more), -1)
        rows = [self._row(torch.minimum(torch.floor(side).clamp(-1, self.frames).long() + 1, limit), self.frames + 1)
                for side in (low, high)]
        return torch.stack(rows, -1), low.new_tensor((-1.0, 1.0))

    def counted(self, rows, weights):
        """What the keys of each window add up to, (B, Q, P, J)."""
        return (self.counts[rows] * weights).sum(-1)

    def added(self, rows, weights):
        """All windows of a pulse added: rows and weights (B, Q, P, J, K) -> (B, Q, P, C)."""
        sums = functional.embedding_bag(rows.flatten(0, 2).flatten(1), self.table, mode="sum",
                                        per_sample_weights=weights.expand(rows.shape).flatten(0, 2).flatten(1))
        return sums.view(*rows.shape[:3], -1)
