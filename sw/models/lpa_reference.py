"""Pulse accumulation as an n x n product: the definition, frame by frame, for tests and for looking at gates.

    g[t, s] = sum over windows of E(high - s) - E(low - s), where s is valid, and s <= t if causal
    y[t]    = sum_s g[t, s] k[s] v[s] / max(1, sum_s g[t, s] k[s])

It takes the windows of a `PulseAccumulator` and shares none of its sums. O(n^2) in time and memory.
"""

from dataclasses import dataclass

import torch

from sw.models.lpa import FAINTEST, valid_frames
from sw.models.lpa_sums import reach


def step(u, temperature):
    """E(u): 0 at -reach and below, 1 at reach and above, a stretched sigmoid between; u >= 0 at temperature 0."""
    if not temperature:
        return (u >= 0).to(u.dtype)
    u = u / temperature
    low = torch.sigmoid(torch.tensor(-reach(temperature) / temperature, dtype=torch.float64)).to(u.dtype)
    return torch.clip((torch.sigmoid(u) - low) / (1 - 2 * low), 0, 1)


@dataclass(frozen=True, eq=False)
class Gates:
    """What a `PulseAccumulator` lets through on a batch; W windows in all, of P pulses.

    `windows` (B, W, T, T): gate of frame s for frame t; `near` (B, W, T, T): whether s lies within a frame of an edge;
    `owner` (W,): each window's pulse; `keys` (B, P, T): salience gate of frame s.
    """

    windows: torch.Tensor
    near: torch.Tensor
    owner: torch.Tensor
    keys: torch.Tensor

    @property
    def weights(self):
        """What each value is multiplied by, (B, P, T, T): windows of a pulse added, times its keys."""
        batch, _, frames, _ = self.windows.shape
        sums = self.windows.new_zeros(batch, self.keys.shape[1], frames, frames)
        return sums.index_add(1, self.owner, self.windows) * self.keys.unsqueeze(2)


def gates_of(module, x, lengths):
    """`Gates` of a module on frames (B, T, width)."""
    frames, temperature = x.shape[1], module.gates()
    offset, half, salience = module.look(x * valid_frames(lengths, frames))
    keys = module.key(salience, temperature)  # (B, T, P)
    s = torch.arange(frames)
    heard = (s < lengths[:, None])[:, None, None, :].expand(-1, 1, frames, -1)
    if module.causal:
        heard = heard & (s <= s[:, None])
    windows, near, owner = [], [], []

    def add(low, high, kept=None):
        """Windows (B, T, P, K) of the next P pulses; `kept` weighs them."""
        first = owner[-1][-1] + 1 if owner else 0
        owner.append(first + torch.arange(low.shape[2]).repeat_interleave(low.shape[3]))
        low, high = (side.flatten(2).transpose(1, 2).unsqueeze(-1) for side in (low, high))  # (B, P K, T, 1)
        gate = step(high - s, temperature) - step(low - s, temperature)  # (B, P K, T, S)
        close = ((high - s).abs() < 1) | ((low - s).abs() < 1)
        if kept is not None:
            gate = gate * kept.flatten(2).transpose(1, 2).unsqueeze(-1)
        windows.append((gate * heard).expand(len(x), -1, -1, -1))
        near.append((close & heard).expand(len(x), -1, -1, -1))

    if module.content:
        add(*(side.unflatten(2, (module.content, -1)) for side in module.content_windows(offset, half)))
    if module.periodic:
        add(*module.periodic_windows(frames))
    if module.position:
        low, high = (side.unsqueeze(1).expand(-1, frames, -1, -1) for side in module.position_windows(lengths))
        t = s.view(1, -1, 1, 1)
        add(low, high, step(high - t, temperature) - step(low - t, temperature))
    return Gates(torch.cat(windows, 1), torch.cat(near, 1), torch.cat(owner), keys.transpose(1, 2))


def forward(module, x, lengths=None):
    """What `module(x, lengths)` returns, by the definition."""
    if lengths is None:
        lengths = torch.full((x.shape[0],), x.shape[1])
    gates, valid = gates_of(module, x, lengths), valid_frames(lengths, x.shape[1])
    values = module.v_proj(x * valid).unflatten(-1, (module.pulses, -1)).transpose(1, 2)  # (B, P, T, C)
    least = 1 if module.keys == "binary" else FAINTEST

    def mean(weights, values):
        return weights @ values / weights.sum(-1, keepdim=True).clamp_min(least)
    if module.mix is None:
        return module.out_proj(mean(gates.weights, values).transpose(1, 2).flatten(2))
    windows = gates.windows * gates.keys[:, gates.owner].unsqueeze(2)  # (B, W, T, S), a window by itself
    shares = module.shares(x * valid).permute(2, 3, 0, 1)  # (Pc, J, B, T)
    means = []
    for p in range(module.pulses):
        mine = (gates.owner == p).nonzero().flatten().tolist()
        if p >= module.content:  # all windows of such a pulse are one sum
            means.append(mean(windows[:, mine].sum(1), values[:, p]))
            continue
        total = sum(shares[p, j].unsqueeze(-1) * mean(windows[:, w], values[:, p]) for j, w in enumerate(mine))
        if module.slots is not None:
            pooled, read = (part[:, :, p] for part in module.slots.weights(x * valid, valid))  # (B, T, S)
            total = total + shares[p, -1].unsqueeze(-1) * (read @ (pooled.transpose(1, 2) @ values[:, p]))
        means.append(total)
    return module.out_proj(torch.cat(means, -1))


def near_binary(gates, lengths, within=0.01):
    """Counts of gates and of those within `within` of 0 or 1, by where they are: {place: (near, all)}.

    `windows`: pairs (t, s) inside a window or next to its edge, the farther ones being 0 by construction;
    `edges`: those next to an edge alone, one frame on each side; `keys`: salience gates, one a frame.
    """
    def count(values, chosen):
        values = values[chosen]
        close = (values.abs() <= within) | ((values - 1).abs() <= within)
        return int(close.sum()), values.numel()

    valid = (torch.arange(gates.keys.shape[-1]) < lengths[:, None]).unsqueeze(1)  # (B, 1, T)
    asked = valid.unsqueeze(-1)  # frames t that are not padding
    return {"windows": count(gates.windows, (gates.near | (gates.windows > 0)) & asked),
            "edges": count(gates.windows, gates.near & asked),
            "keys": count(gates.keys, valid.expand_as(gates.keys))}
