"""What is put in attention's place, by name: pulses of several makes, and the controls they are judged against."""

import torch
from torch import nn
from torch.nn import functional

from sw.lpa.encoder import EncoderError
from sw.models.lpa import valid_frames
from sw.models.lpa_attention import in_place_of, lengths_of

WINDOW = 8  # frames on each side that the fixed window hears

ACCUMULATORS = {
    "pulses": {},                                                  # 8 + 2 + 2, started anywhere
    "more": {"pulses": {"content": 32, "periodic": 8, "position": 8}},
    "placed": {},                                                  # started where attention looks, as all below
    "weighted": {"keys": "weighted"},
    "windows": {"keys": "weighted", "windows": 3},
    "slots": {"keys": "weighted", "windows": 2, "slots": 4},
}
A_HEAD = 2  # content pulses for each head of the attention that `PLACED` kinds stand for
PLACED = ("placed", "weighted", "windows", "slots")
FIXED = ("window", "mean")
NAMES = (*ACCUMULATORS, *FIXED)


class FixedMean(nn.Module):
    """Stands for attention: values averaged over `half` frames on each side, or over the recording; a control.

    Its projections start as attention's and train as those of pulses do; nothing else is learned.
    """

    def __init__(self, attention, half=None):
        super().__init__()
        self.half = half
        self.v_proj, self.out_proj = (nn.Linear(attention.embed_dim, attention.embed_dim) for _ in range(2))
        for name in ("v_proj", "out_proj"):
            getattr(self, name).load_state_dict(getattr(attention, name).state_dict())

    def forward(self, hidden_states, attention_mask=None, **kwargs):
        """Frames (B, T, D), mask as transformers makes it -> (frames (B, T, D), None)."""
        frames = hidden_states.shape[1]
        lengths = (torch.full(hidden_states.shape[:1], frames) if attention_mask is None
                   else lengths_of(attention_mask, frames))
        valid = valid_frames(lengths, frames).float()  # (B, T, 1)
        values = torch.cat((self.v_proj(hidden_states) * valid, valid), -1)
        if self.half is None:
            sums = values.sum(1, keepdim=True).expand(-1, frames, -1)
        else:
            sums = functional.avg_pool1d(values.transpose(1, 2), 2 * self.half + 1, 1, self.half).transpose(1, 2)
        return self.out_proj(sums[..., :-1] / sums[..., -1:].clamp_min(1e-9)), None


class Nothing(nn.Module):
    """Stands for attention and mixes nothing: the control that says what mixing is worth."""

    def forward(self, hidden_states, attention_mask=None, **kwargs):
        """Zeros of the frames' shape, None."""
        return torch.zeros_like(hidden_states), None


def options_of(kind, heads):
    """What a `PulseAccumulator` of that kind is built with, in place of attention with so many heads."""
    return {**({"pulses": {"content": A_HEAD * heads}} if kind in PLACED else {}), **ACCUMULATORS[kind]}


def build(kind, attention):
    """What stands for an `attention` of transformers, by `kind`; raises `EncoderError` for another name."""
    if kind in ACCUMULATORS:
        return in_place_of(attention, **options_of(kind, attention.num_heads))
    if kind in FIXED:
        return FixedMean(attention, WINDOW if kind == "window" else None)
    if kind == "nothing":
        return Nothing()
    raise EncoderError(f"kind={kind!r}: wanted one of {', '.join(NAMES)}")
