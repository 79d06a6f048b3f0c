"""A `PulseAccumulator` where attention was: in transformers' Wav2Vec2 and in torch's TransformerEncoderLayer."""

import torch
from torch import nn

from sw.models.lpa import PulseAccumulator, PulseError


class PulseAttention(nn.Module):
    """Stands for transformers' `Wav2Vec2Attention`: same call, an accumulator inside; attention weights are None."""

    def __init__(self, accumulator):
        super().__init__()
        self.accumulator = accumulator

    def forward(self, hidden_states, key_value_states=None, attention_mask=None, output_attentions=False, **kwargs):
        """Frames (B, T, D), mask of padding as transformers makes it -> (frames (B, T, D), None)."""
        if key_value_states is not None:
            raise PulseError("key_value_states given: pulses accumulate over their own frames only")
        lengths = None if attention_mask is None else lengths_of(attention_mask, hidden_states.shape[1])
        return self.accumulator(hidden_states, lengths), None


def lengths_of(mask, frames):
    """Valid frames of each recording from a mask (B, 1, T or 1, T), bool or additive; padding is on the right."""
    if mask.dim() != 4 or mask.shape[-1] != frames:
        raise PulseError(f"attention_mask of shape {tuple(mask.shape)}: wanted (B, 1, 1 or {frames}, {frames})")
    row = mask[:, 0, 0]
    return (row if row.dtype == torch.bool else row >= 0).sum(-1)


def in_place_of(attention, pulses=None, **options):
    """A `PulseAttention` with the value and output projections of a Wav2Vec2 `attention`, on its device."""
    accumulator = PulseAccumulator(attention.embed_dim, pulses, **options)
    accumulator.v_proj.load_state_dict(attention.v_proj.state_dict())
    accumulator.out_proj.load_state_dict(attention.out_proj.state_dict())
    weight = attention.v_proj.weight
    return PulseAttention(accumulator).to(device=weight.device, dtype=weight.dtype)


class PulseSelfAttention(nn.Module):
    """Stands for torch's `MultiheadAttention`: `layer.self_attn = …` in a `TransformerEncoderLayer`.

    Frames are (B, T, D), or (T, B, D) with `batch_first=False`, as the layer's. Padding is on the right. An attention
    mask is taken for what `is_causal` says, and refused where the accumulator says otherwise.
    """

    in_proj_bias = None  # tells the layer to leave its fused path, which knows attention only
    _qkv_same_embed_dim = True

    def __init__(self, accumulator, batch_first=True):
        super().__init__()
        self.accumulator, self.batch_first = accumulator, batch_first
        self.num_heads = accumulator.pulses

    def forward(self, query, key, value, key_padding_mask=None, need_weights=False, attn_mask=None,
                average_attn_weights=True, is_causal=False):
        """Same frames thrice -> (frames, None). Raises `PulseError` for cross-attention or another mask."""
        if key is not query or value is not query:
            raise PulseError("query, key and value differ: pulses accumulate over their own frames only")
        if (attn_mask is not None or is_causal) and not self.accumulator.causal:
            raise PulseError("attn_mask given, but the accumulator is bidirectional: build it with causal=True")
        x = query if self.batch_first else query.transpose(0, 1)
        lengths = None
        if key_padding_mask is not None:
            padded = key_padding_mask if key_padding_mask.dtype == torch.bool else key_padding_mask < 0
            lengths = (~padded).sum(-1)
        y = self.accumulator(x, lengths)
        return (y if self.batch_first else y.transpose(0, 1)), None
