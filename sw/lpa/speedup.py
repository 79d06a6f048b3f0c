"""Time of a whole Whisper encoder over length: its attention replaced in every layer, beside the original.

The encoder hears 30 s; longer speech is chunks joined into one stretch of frames, whose places start anew in each, so
that attention is over all of it, as the published figure is. What whoever cuts speech into chunks pays (`chunked_ms`)
stands beside it. The rest, everything but what mixes frames, bounds what any replacement can gain (`bound`).
"""

import statistics
from copy import deepcopy

import torch
from torch import nn
from tqdm import tqdm

from sw.lpa import encoder, kinds
from sw.lpa.mixing import set_gates
from sw.lpa.whisper import SECONDS

LENGTHS = (30, 60, 120)


def replaced(listener, kind):
    """A copy of a `Listener` with every encoder layer's attention replaced, gates hard; not trained."""
    student = deepcopy(listener)
    for layer in encoder.layers_of(student):
        encoder.put(layer, kinds.build(kind, encoder.attention_of(layer)))
    set_gates(student.eval(), hard=True)
    return student


def measure(listener, names, clock, rounds=5, lengths=LENGTHS, quiet=False):
    """Rows of {seconds, kind, original_ms, replaced_ms, ratio, chunked_ms, bound}; medians of alternating rounds.

    `clock(module, x)`: milliseconds of a call.
    """
    models = {"original": listener, **{name: replaced(listener, name) for name in (*names, "nothing")}}
    encoders = {name: Encoder(model) for name, model in models.items()}
    times = {(s, name): [] for s in (SECONDS, *lengths) for name in encoders}
    torch.manual_seed(0)
    mels = {s: torch.randn(1, listener.core.config.num_mel_bins, 100 * s) for s in {SECONDS, *lengths}}
    for _ in tqdm(range(rounds), desc="whole encoder", unit="round", disable=quiet):
        for (s, name), kept in times.items():
            kept.append(clock(encoders[name], mels[s]))
    middle = {key: statistics.median(kept) for key, kept in times.items()}
    rows = []
    for s in lengths:
        original, rest = middle[s, "original"], middle[s, "nothing"]
        for name in names:
            rows.append({"seconds": s, "kind": name, "original_ms": round(original, 1),
                         "replaced_ms": round(middle[s, name], 1), "ratio": round(original / middle[s, name], 2),
                         "chunked_ms": round(middle[SECONDS, "original"] * s / SECONDS, 1),
                         "bound": round(original / rest, 2)})
    return rows


class Encoder(nn.Module):
    """Log-mel -> the encoder's answer of a `Listener`, as a module to be timed."""

    def __init__(self, listener):
        super().__init__()
        self.listener = listener

    def forward(self, mel):
        """Log-mel (1, M, 100 s) -> (1, 50 s, D)."""
        return self.listener.encode(mel)
