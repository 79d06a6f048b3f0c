"""Learnable Pulse Accumulation: what mixes frames in place of attention, by gates and running sums, in O(n).

    y[t] = sum_s g[t, s] k[s] v[s] / max(1, sum_s g[t, s] k[s])        for each pulse, on its own channels

    g[t, s] = sum over the pulse's windows (a, b) of  E(b - s) - E(a - s)        1 inside, 0 outside
    E(u)    = sigmoid(u / temperature), cut at u = +-reach and stretched to be 0 and 1 there; hard: u >= 0
    k[s]    = sigmoid(salience[s] / temperature); hard: salience >= 0

After arXiv 2603.16922 (its three kinds of pulse, its annealed temperature); how centres, widths and sums are formed is
worked out here. A window's sum is two reads of a running sum and a few frames at each soft edge (`sw.models.lpa_sums`),
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

from sw.models.lpa_slots import Slots, shares
from sw.models.lpa_sums import Sums, edge

SHORTEST = 0.5     # half width, so that a hard window holds a frame
COLDEST = 0.01     # temperature at the end of annealing
FAINTEST = 0.02    # weight that a weighted key has at least
PULSES = {"content": 8, "periodic": 2, "position": 2}
KEYS = ("binary", "weighted")


class PulseError(ValueError):
    """An accumulator that cannot be built or used as asked; the message quotes the value."""


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
        near = functional.conv2d(x.unsqueeze(2).permute(0, 3, 1, 2), self.near.weight.unsqueeze(-1), self.near.bias,
                                 padding=(back, 0), groups=self.width)  # frames stay rows: ten times conv1d's speed
        near = near[:, :, :x.shape[1], 0].transpose(1, 2)
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

    def shares(self, x):
        """Shares (B, T, Pc, J) of a content pulse's windows, and of its slots as the last where there are any."""
        return shares(self.mix(x).unflatten(-1, (self.content, -1)))

    def means(self, sums, sides, limit, share=None, gate=None):
        """What frames hear: (B, T, P, C) from windows `sides`, a low and a high of (B or 1, T or 1, P, J).

        The mean of all windows of a pulse, each times its `gate` if given; or the sum of the windows' own means, each
        times its `share`.
        """
        rows, weights = sums.terms(*sides, limit)
        if gate is not None:
            weights = weights * gate.unsqueeze(-1)
        count = sums.counted(rows, weights)  # (B, T, P, J)
        if share is None:
            count, share = count.sum(-1, keepdim=True), 1.0
        scale = share / count.clamp_min(1 if self.keys == "binary" else FAINTEST)
        rows, weights = torch.broadcast_tensors(rows, weights * scale.unsqueeze(-1))
        return sums.added(rows, weights)

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
        values = self.v_proj(x).unflatten(-1, (self.pulses, -1))  # (B, T, P, C)
        keys = self.key(salience, temperature)
        keys = keys if valid is None else keys * valid
        limit = lengths.view(-1, 1, 1, 1)
        if self.causal:
            limit = torch.minimum(torch.arange(1, frames + 1, device=x.device).view(1, -1, 1, 1), limit)
        kinds = (self.content, self.periodic, self.position)
        sums = [Sums(v, k, temperature) if v.shape[2] else None
                for v, k in zip(values.split(kinds, 2), keys.split(kinds, 2), strict=True)]
        means = []
        if self.content:
            share = None if self.mix is None else self.shares(x)
            sides = [side.unflatten(2, (self.content, -1)) for side in self.content_windows(offset, half)]
            means.append(self.means(sums[0], sides, limit, None if share is None else share[..., :self.windows]))
            if self.slots is not None:
                means[0] = means[0] + self.slots(x, values[:, :, :self.content], share[..., -1], valid)
        if self.periodic:
            means.append(self.means(sums[1], self.periodic_windows(frames), limit))
        if self.position:
            sides = [side.unsqueeze(1) for side in self.position_windows(lengths)]
            t = torch.arange(frames, device=x.device).view(1, -1, 1, 1)
            means.append(self.means(sums[2], sides, limit, gate=pulse(t, *sides, temperature)))
        heard = means[0] if len(means) == 1 else torch.cat(means, 2)
        return self.out_proj(heard.flatten(2))


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
