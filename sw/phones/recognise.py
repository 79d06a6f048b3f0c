"""Networks run over whole utterances: logits and spikes, from the training model or from the integers.

Both return `Answer`s over the same frames, so that one scorer serves floats and integers.
"""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import torch

from hw.interface import MODES
from sw import golden

BATCH = 12  # utterances at a time: bounds the memory that 1920 logits a frame take


@dataclass(frozen=True, eq=False)
class Answer:
    """One utterance: logits float32 (frames, outputs); spikes bool (frames, 2, K, N), None for gated networks; `cycles`
    mode -> (frames,) cycles, `reads` mode -> (frames, 5) row reads, where the network fits the accelerator."""

    logits: np.ndarray
    spikes: np.ndarray | None
    cycles: dict
    reads: dict


def of_network(model, xs, config, delay):
    """Answers of a training model (`Rsnn` or `Gated`) to int8 features, a list of (frames, 40)."""
    for lengths, x in _padded(xs, delay):
        with torch.no_grad():
            hidden, spikes = model.encode(x.transpose(0, 1).float())  # (F, B, ...)
            logits = model.readout(hidden).transpose(0, 1)
        if not spikes:
            yield from (Answer(logits[b, :n].numpy(), None, {}, {}) for b, n in enumerate(lengths))
            continue
        fired = torch.stack(spikes).permute(3, 1, 0, 2, 4) > 0  # (2, F, K, B, N) -> (B, F, 2, K, N)
        wide = config if model.neurons == config.neurons else widened(config, model.neurons)
        yield from _answers(lengths, x, logits, fired, wide)


def of_integers(model, xs, progress=None):
    """Answers of an `IntegerModel`, by the golden model; logits are scaled back by the FC's step."""
    delay, step = model.entry("targets", "delay"), model.entry("logit_step")
    for lengths, x in _padded(xs, delay):
        trace = golden.run(model, x, progress=progress)
        yield from _answers(lengths, x, trace.logits.float() * step, trace.spikes, model.config)


def widened(config, neurons):
    """The same accelerator with other layer sizes: what a network would cost before it is pruned."""
    return replace(config.with_layers(neurons=neurons), name=f"{config.name}-{neurons}", lanes=neurons,
                   lif_lanes=neurons, accumulator_bits=config.accumulator_bits + 2)


def modes(time_steps):
    """Names of the modes in which a network of T time steps is counted, as published first."""
    return ("t2_merged", "t2_union") if time_steps == 2 else ("t1",)


def _answers(lengths, x, logits, fired, config):
    previous = torch.cat([torch.zeros_like(fired[:, :1]), fired[:, :-1]], 1)
    costs = {name: golden.cycles(config, MODES[name], x, SimpleNamespace(spikes=fired, previous=previous))
             for name in modes(fired.shape[3])}
    for b, n in enumerate(lengths):
        yield Answer(logits[b, :n].numpy(), fired[b, :n].numpy(),
                     {name: c.interval[b, :n].numpy() for name, c in costs.items()},
                     {name: c.reads[b, :n].numpy() for name, c in costs.items()})


def _padded(xs, delay):
    """Batches of int8 (B, T, 40), zeros after each utterance, whose length grows by `delay`."""
    for start in range(0, len(xs), BATCH):
        group = xs[start:start + BATCH]
        lengths = [len(x) + delay for x in group]
        batch = torch.zeros(len(group), max(lengths), group[0].shape[1], dtype=torch.int8)
        for b, x in enumerate(group):
            batch[b, :len(x)] = torch.from_numpy(x)
        yield lengths, batch
