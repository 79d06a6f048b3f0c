"""Learnable Pulse Accumulation: what mixes frames in place of attention, by gates and running sums, in O(n).

    y[t] = sum_s g[t, s] k[s] v[s] / max(1, sum_s g[t, s] k[s])        for each pulse, on its own channels

    g[t, s] = sum over the pulse's windows (a, b) of  E(b - s) - E(a - s)        1 inside, 0 outside
    E(u)    = sigmoid(u / temperature), cut at u = +-reach and stretched to be 0 and 1 there; hard: u >= 0
    k[s]    = sigmoid(salience[s] / temperature); hard: salience >= 0

After arXiv 2603.16922 (its three kinds of pulse, its annealed temperature); how centres, widths and sums are formed is
worked out here. With V[m] = sum_{s < m} k[s] v[s], a window's sum is two reads of V and a few frames at each soft edge,
so time and memory are O(n) whatever the windows' widths, and no n x n tensor exists. `sw.models.lpa_reference` is the
same thing as an n x n product. Where a content pulse has several windows, or slots beside them (ours,
`sw.models.lpa_slots`), y is the sum of their means, each times a share that frame t gives it. Windows of three kinds:

    content    centre t + offset[t], half width w[t]; both from the frames around t by a depthwise convolution
    periodic   repeats around t: t + phase + j period, j = -repeats..repeats; parameters, not content
    position   shares of the recording: frame t hears the windows in which it lies itself

Causal: every sum ends at s = t; positions are shares of `span` frames. Frames after a recording's end are never heard.
Running sums are float32: a window's sum is exact to about 6e-8 of the whole recording's. So weighted keys, which are
sigmoid(salience) at every temperature, stay above FAINTEST.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from sw.models.lpa_slots import Slots

REACH = 3          # frames from an edge to where a soft gate is 0 or 1, at most
BLOCK = 32   # frames of a running sum that stay in a cache
SHORTEST = 0.5     # half width, so that a hard window holds a frame
COLDEST = 0.01     # temperature at the end of annealing
FAINTEST = 0.02    # weight that a weighted key has at least
PULSES = {"content": 8, "periodic": 2, "position": 2}
KEYS = ("binary", "weighted")


class PulseError(ValueError):
    """An accumulator that cannot be built or used as asked; the message quotes the value."""


def reach(temperature):
    """Frames from an edge to where its gate is 0 or 1: REACH, fewer once the sigmoid is steep."""
    return max(1, min(REACH, math.ceil(8 * temperature)))


def edge(u, temperature):
    """Soft step at 0 over distances `u` in frames: 0 below -reach, 1 above reach, a stretched sigmoid between."""
    tail = 1 / (1 + math.exp(min(reach(temperature) / temperature, 700.0)))
    return ((torch.sigmoid(u / temperature) - tail) / (1 - 2 * tail)).clamp(0, 1)


def running_sums(values):
    """Sums of the first m frames, m = 0 .. T: (B, T, P, C) -> (B, T + 1, P, C).

    Summed in blocks of `BLOCK` frames, then block to block: a column of all frames at once leaves the cache, and the
    time a frame takes would grow with the recording.
    """
    frames = values.shape[1]
    padded = functional.pad(values, (0, 0, 0, 0, 1, -(frames + 1) % BLOCK)).unflatten(1, (-1, BLOCK))
    within = padded.cumsum(2)  # (B, blocks, BLOCK, P, C)
    whole = within[:, :, -1]
    within += (whole.cumsum(1) - whole).unsqueeze(2)
    return within.flatten(1, 2)[:, :frames + 1]


class Sums:
    """Running sums over `values` (B, T, P, C), to be read between any edges; `temperature` 0 means hard gates.

    Made once for a batch in O(T); a window's sum is two of their rows, and 2 reach weighed frames at each soft edge.
    """

    def __init__(self, values, temperature):
        self.temperature = temperature
        batch, self.frames, self.pulses, self.channels = values.shape
        running = running_sums(values).reshape(-1, self.channels)  # row (b (T + 1) + m) P + p
        self.count = len(running)
        self.rows = torch.cat((running, values.reshape(-1, self.channels))) if temperature else running

    def _row(self, position, frames):
        """Row numbers of integer positions (B, Q, P, ...), `frames` positions a recording."""
        spare = (1,) * (position.dim() - 3)
        recording = torch.arange(position.shape[0], device=position.device).view(-1, 1, 1, *spare)
        pulse = torch.arange(self.pulses, device=position.device).view(1, 1, -1, *spare)
        return (recording * frames + position) * self.pulses + pulse

    def _until(self, position, limit):
        """What makes up sum_{s < limit} E(position - s) values[s]: rows and weights, each (B, Q, P, 1 + 2 reach)."""
        r = reach(self.temperature)
        whole = torch.floor(position.detach()).clamp(-2 * r, self.frames + 2 * r).long()
        base = torch.minimum((whole - r + 1).clamp_min(0), limit)  # all frames before have their gate at 1
        at = whole.unsqueeze(-1) + torch.arange(1 - r, r + 1, device=position.device)  # (B, Q, P, 2 r)
        gate = edge(position.unsqueeze(-1) - at, self.temperature)
        gate = gate * ((at >= 0) & (at < limit.unsqueeze(-1)))
        frames = self.count + self._row(at.clamp(0, self.frames - 1), self.frames)
        return (torch.cat((self._row(base, self.frames + 1).unsqueeze(-1), frames), -1),
                torch.cat((torch.ones_like(gate[..., :1]), gate), -1))

    def between(self, low, high, limit):
        """Sums of frames before `limit` (B, Q, 1) in windows from `low` to `high` (B, Q, P) -> (B, Q, P, C)."""
        if not self.temperature:
            first, last = (self._row(torch.minimum(torch.floor(side).clamp(-1, self.frames).long() + 1, limit),
                                     self.frames + 1) for side in (low, high))
            return functional.embedding(last, self.rows) - functional.embedding(first, self.rows)
        (first, less), (last, more) = self._until(low, limit), self._until(high, limit)
        rows, weights = torch.cat((first, last), -1), torch.cat((-less, more), -1)
        sums = functional.embedding_bag(rows.flatten(0, 2), self.rows, mode="sum",
                                        per_sample_weights=weights.flatten(0, 2))
        return sums.view(*low.shape, self.channels)


class PulseAccumulator(nn.Module):
    """Mixes frames (B, T, width) -> (B, T, width) in place of self-attention.

    `pulses`: kind -> number of pulses; their channels share `width` evenly. `repeats`: windows of a periodic pulse on
    each side; `bases`: windows of a position pulse; `windows`: windows of a content pulse, mixed by content. `keys`:
    "binary" as the gates, or "weighted". `slots`: means over the whole recording that content pulses mix in.
    `temperature` is in frames, set from outside while annealing.
    `hard`: True or False forces hard or soft gates, None is hard in `eval()` and soft in training.
    Raises `PulseError` for sizes that do not fit.
    """

    def __init__(self, width, pulses=None, *, causal=False, kernel=5, repeats=2, bases=4, span=1500, temperature=1.0,
                 windows=1, keys="binary", slots=0):
        super().__init__()
        pulses = dict(PULSES if pulses is None else pulses)
        for kind, count in pulses.items():
            if kind not in PULSES or count < 0:
                raise PulseError(f"pulses={pulses!r}: wanted counts of {', '.join(PULSES)}")
        self.content, self.periodic, self.position = (pulses.get(kind, 0) for kind in PULSES)
        self.pulses = sum(pulses.values())
        if self.pulses < 1 or width % self.pulses:
            raise PulseError(f"width={width}: wanted a multiple of the {self.pulses} pulses")
        if kernel % 2 == 0:
            raise PulseError(f"kernel={kernel}: wanted an odd number of frames")
        if keys not in KEYS:
            raise PulseError(f"keys={keys!r}: wanted one of {', '.join(KEYS)}")
        if windows < 1 or slots < 0 or ((windows > 1 or slots) and not self.content) or (slots and causal):
            raise PulseError(f"windows={windows}, slots={slots}: wanted content pulses, and none causal with slots")
        self.windows, self.keys = windows, keys
        self.width, self.causal, self.kernel, self.repeats, self.span = width, causal, kernel, repeats, span
        self.temperature, self.hard = temperature, None
        self.near = nn.Conv1d(width, width, kernel, groups=width)
        self.looks = self.content * windows
        self.shape = nn.Linear(width, 2 * self.looks + self.pulses)  # offsets, log half widths, saliences
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.offset = nn.Parameter(_spread(self.looks, 0.0 if causal else 8.0, -8.0))
        self.half_width = nn.Parameter(_spread(self.looks, math.log(2.0), math.log(12.0), fold=3))
        self.period = nn.Parameter(_spread(self.periodic, math.log(6.0), math.log(16.0)))
        self.phase, self.duty = nn.Parameter(torch.zeros(self.periodic)), nn.Parameter(torch.zeros(self.periodic))
        self.middle = nn.Parameter(((torch.arange(bases) + 0.5) / bases).repeat(self.position, 1))  # (P, K)
        self.share = nn.Parameter(torch.full((self.position, bases), math.log(0.5 / bases)))
        self.slots = Slots(width, self.content, width // self.pulses, slots) if slots else None
        choices = windows + bool(slots)
        self.mix = nn.Linear(width, self.content * choices) if choices > 1 else None  # shares of each, by content
        with torch.no_grad():
            self.near.weight.zero_()
            self.near.weight[..., -1 if causal else kernel // 2] = 1.0  # the frame itself
            self.near.bias.zero_()
            self.shape.weight.mul_(0.3)
            if self.mix is not None:
                self.mix.weight.zero_(), self.mix.bias.zero_()
            self.shape.bias.zero_()
            self.shape.bias[2 * self.looks:] = 1.5  # every frame counts at first

    def extra_repr(self):
        kinds = ", ".join(f"{kind}={getattr(self, kind)}" for kind in PULSES)
        return f"{self.width}, {kinds}, windows={self.windows}, keys={self.keys}, causal={self.causal}"

    def gates(self):
        """Temperature of the gates in frames; 0 where they are hard."""
        return 0.0 if self.hard or (self.hard is None and not self.training) else self.temperature

    def look(self, x):
        """What is seen in frames (B, T, D), 0 where padded: offsets, half widths (B, T, Pc J), saliences (B, T, P)."""
        back = self.kernel - 1 if self.causal else self.kernel // 2
        near = self.near(functional.pad(x.transpose(1, 2), (back, self.kernel - 1 - back))).transpose(1, 2)
        offset, half, salience = self.shape(near).split((self.looks, self.looks, self.pulses), -1)
        offset = self.offset + 8 * torch.tanh(offset)
        return offset, SHORTEST + torch.exp((self.half_width + half).clamp(-4, 8)), salience

    def content_windows(self, offset, half):
        """(low, high) in frames, each (B, T, Pc J), a pulse's windows side by side."""
        centre = torch.arange(offset.shape[1], device=offset.device).view(1, -1, 1) + offset
        return centre - half, centre + half

    def periodic_windows(self, frames):
        """(low, high) in frames, each (1, T, Pp, 2 repeats + 1), or with `repeats` + 1 windows where causal."""
        period = 1 + torch.exp(self.period)
        turn = torch.arange(-self.repeats, 1 if self.causal else self.repeats + 1, device=period.device)
        centre = turn * period.unsqueeze(-1) + (torch.tanh(self.phase) * period / 2).unsqueeze(-1)  # (Pp, J)
        half = (SHORTEST + torch.sigmoid(self.duty) * (period / 2 - SHORTEST)).unsqueeze(-1)
        t = torch.arange(frames, device=period.device).view(1, -1, 1, 1)
        return t + centre - half, t + centre + half

    def position_windows(self, lengths):
        """(low, high) in frames, each (B, Pq, K): shares of each recording, or of `span` frames where causal."""
        whole = torch.full_like(lengths, self.span) if self.causal else lengths
        whole = whole.view(-1, 1, 1)
        return (self.middle - torch.exp(self.share)) * whole, (self.middle + torch.exp(self.share)) * whole

    def key(self, salience, temperature):
        """What each frame counts, (B, T, P): 0 or 1 where gates are hard, FAINTEST .. 1 where keys are weighted."""
        if self.keys == "weighted":
            return FAINTEST + (1 - FAINTEST) * torch.sigmoid(salience)
        return torch.sigmoid(salience / temperature) if temperature else (salience >= 0).to(salience.dtype)

    def mean(self, heard):
        """Sums with their counts (..., C + 1) -> means (..., C); of nothing, 0."""
        return heard[..., :-1] / heard[..., -1:].clamp_min(1 if self.keys == "binary" else FAINTEST)

    def shares(self, x):
        """Shares (B, T, Pc, J) of a content pulse's windows, and of its slots as the last where there are any."""
        return self.mix(x).unflatten(-1, (self.content, -1)).softmax(-1)

    def weigh(self, values, salience, valid, temperature):
        """Values (B, T, P, C) with their own gate as last channel, 0 where not `valid` (B, T, 1): (B, T, P, C + 1)."""
        key = self.key(salience, temperature)
        key = (key if valid is None else key * valid).unsqueeze(-1)  # (B, T, P, 1)
        return torch.cat((values * key, key), -1)

    def forward(self, x, lengths=None):
        """Frames (B, T, width), `lengths` (B,) of valid frames (default: all) -> (B, T, width)."""
        batch, frames, width = x.shape
        if width != self.width:
            raise PulseError(f"x of shape {tuple(x.shape)}: wanted {self.width} channels")
        valid = None
        if lengths is None:
            lengths = torch.full((batch,), frames, device=x.device)
        else:
            valid = valid_frames(lengths, frames)
            x = x * valid
        temperature = self.gates()
        offset, half, salience = self.look(x)
        plain = self.v_proj(x).unflatten(-1, (self.pulses, -1))  # (B, T, P, C)
        values = self.weigh(plain, salience, valid, temperature)
        last = torch.arange(1, frames + 1, device=x.device).view(1, -1, 1)
        limit = torch.minimum(last, lengths.view(-1, 1, 1)) if self.causal else lengths.view(-1, 1, 1)
        parts = values.split((self.content, self.periodic, self.position), 2)
        means = []
        if self.content:
            mixed = self._content(x, Sums(parts[0], temperature), self.content_windows(offset, half), limit)
            if self.slots is not None:
                mixed = mixed + self.slots(x, plain[:, :, :self.content], valid) * self.shares(x)[..., -1:]
            means.append(mixed)
        if self.periodic:
            means.append(self.mean(self._repeated(Sums(parts[1], temperature), limit, batch)))
        if self.position:
            means.append(self.mean(self._placed(Sums(parts[2], temperature), limit, lengths, temperature)))
        return self.out_proj(torch.cat(means, 2).flatten(2))

    def _content(self, x, sums, sides, limit):
        """Means of the content pulses' windows, mixed (B, T, Pc, C)."""
        if self.mix is None:
            return self.mean(sums.between(*sides, limit))
        sides = (side.unflatten(2, (self.content, -1)).transpose(2, 3).flatten(1, 2) for side in sides)  # (B, T J, Pc)
        limit = limit.repeat_interleave(self.windows, 1) if self.causal else limit
        means = self.mean(sums.between(*sides, limit)).unflatten(1, (-1, self.windows))  # (B, T, J, Pc, C)
        return (means * self.shares(x)[..., :self.windows].transpose(2, 3).unsqueeze(-1)).sum(2)

    def _repeated(self, sums, limit, batch):
        low, high = self.periodic_windows(sums.frames)  # (1, T, Pp, J)
        repeats = low.shape[-1]
        sides = (side.transpose(2, 3).flatten(1, 2).expand(batch, -1, -1) for side in (low, high))  # (B, T J, Pp)
        each = sums.between(*sides, limit.repeat_interleave(repeats, 1) if self.causal else limit)
        return each.unflatten(1, (-1, repeats)).sum(2)

    def _placed(self, sums, limit, lengths, temperature):
        low, high = self.position_windows(lengths)  # (B, Pq, K)
        t = torch.arange(sums.frames, device=low.device).view(1, -1, 1, 1)
        open_ = pulse(t, low.unsqueeze(1), high.unsqueeze(1), temperature)  # (B, T, Pq, K): windows that t lies in
        if not self.causal:
            windows = sums.between(low.transpose(1, 2), high.transpose(1, 2), limit)  # (B, K, Pq, C + 1)
            return torch.einsum("btpk,bkpc->btpc", open_, windows)
        total = 0
        for k in range(low.shape[-1]):  # what has been heard of each window so far
            sides = (side[..., k].unsqueeze(1).expand(-1, sums.frames, -1) for side in (low, high))
            total = total + open_[..., k:k + 1] * sums.between(*sides, limit)
        return total


def valid_frames(lengths, frames):
    """Bool (B, T, 1): frames that are not padding."""
    return (torch.arange(frames, device=lengths.device)[None] < lengths[:, None]).unsqueeze(-1)


def pulse(s, low, high, temperature):
    """Gate of frame `s` in the window (low, high]; hard where `temperature` is 0."""
    if not temperature:
        return (s <= high).float() - (s <= low).float()
    return edge(high - s, temperature) - edge(low - s, temperature)


def _spread(count, first, last, fold=1):
    """`count` values from first to last; with `fold`, as a cycle of `fold` values."""
    steps = torch.linspace(0, 1, max(1, min(count, fold) if fold > 1 else count))
    return (first + (last - first) * steps).repeat(count)[:count] if count else torch.zeros(0)
