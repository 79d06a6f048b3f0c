"""What leaves in place of logits: the largest of them, or of their sums over frames, and which (`hw/readout.py`)."""

import torch


def readout(config, logits, sums=None):
    """Logits (B, T, O) -> (results (B, T, R), sums (B, C) after the last frame, None where none are kept).

    `sums`: where an earlier run ended; None: zero, as after a clear. R is O where logits leave as they are, else 2:
    value and index.
    """
    if config.readout == "logits":
        return logits, None
    values = logits[..., :config.decided]
    if config.readout == "sum":
        top, kept = (1 << config.value_bits - 1) - 1, []
        sums = torch.zeros_like(values[:, 0]) if sums is None else sums
        for frame in values.unbind(1):
            sums = (sums + frame).clamp(-top - 1, top)
            kept.append(sums)
        values = torch.stack(kept, 1)
    best = values.amax(-1, keepdim=True)
    places = torch.arange(config.decided, dtype=torch.int32).expand_as(values)
    index = torch.where(values == best, places, config.decided).amin(-1, keepdim=True)
    return torch.cat([best, index.to(best.dtype)], -1), sums
