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
    """One utterance: logits float32 (frames, outputs); spikes, one bool (frames, K, N_l) a layer, none for gated
    networks; `fan_out`: additions that a spike of each layer causes, see `golden.fan_out`; `cycles` mode -> (frames,)
    cycles, `reads` mode -> (frames, buffers) row reads, where the network fits the accelerator."""

    logits: np.ndarray
    spikes: tuple
    fan_out: tuple
    cycles: dict
    reads: dict


def of_network(model, xs, config, delay):
    """Answers of a training model (`Rsnn` or `Gated`) to int8 features, a list of (frames, 40)."""
    for lengths, x in _padded(xs, delay):
        with torch.no_grad():
            hidden, spikes = model.encode(x.transpose(0, 1).float())  # (F, B, ...)
            logits = model.readout(hidden).transpose(0, 1)
        if not spikes:
            yield from (Answer(logits[b, :n].numpy(), (), (), {}, {}) for b, n in enumerate(lengths))
            continue
        fired = [s.permute(2, 0, 1, 3) > 0 for s in spikes]  # (B, F, K, N_l) each
        yield from _answers(lengths, x, logits, fired, golden.fan_out(model.widths, model.recurrent),
                            scanned(model, spikes), fitting(config, model))


def of_integers(model, xs, progress=None):
    """Answers of an `IntegerModel`, by the golden model; logits are scaled back by the FC's step."""
    delay, step = model.entry("targets", "delay"), model.entry("logit_step")
    for lengths, x in _padded(xs, delay):
        trace = golden.run(model, x, progress=progress)
        layers = model.config.layers
        fired = [trace.spikes[:, :, i, :, :layer.neurons] for i, layer in enumerate(layers)]  # (B, F, K, N_l) each
        fan = golden.fan_out([layer.neurons for layer in layers], [layer.recurrent for layer in layers])
        yield from _answers(lengths, x, trace.logits.float() * step, fired, fan, trace.scanned, model.config)


def scanned(model, spikes):
    """Spikes of an `Rsnn`'s layers, (F, K, B, N) each, as its matrices meet them: matrix -> bool (B, F, K, N)."""
    heard = {"fc": model.late(spikes[-1], "readout")}
    for i, fired in enumerate(spikes):
        if i:
            heard[f"forward{i}"] = model.late(spikes[i - 1], f"forward{i}")
        if model.recurrent[i]:
            before = torch.cat([torch.zeros_like(fired[:1]), fired[:-1]])
            heard[f"recurrent{i}"] = model.late(before, f"recurrent{i}")
    return {name: values.permute(2, 0, 1, 3) > 0 for name, values in heard.items()}


def fitting(config, model):
    """The configuration that an `Rsnn` runs on: `config`, or as wide as the network; None where layers differ."""
    widths, recurrent = ([getattr(layer, f) for layer in config.layers] for f in ("neurons", "recurrent"))
    if list(model.widths) == widths and list(model.recurrent) == recurrent:
        return config
    if len(set(model.widths)) == 1 and list(model.recurrent) == recurrent:
        return widened(config, model.widths[0])
    return None


def widened(config, neurons):
    """The same accelerator with other layer sizes: what a network would cost before it is pruned."""
    return replace(config.with_layers(neurons=neurons), name=f"{config.name}-{neurons}", lanes=neurons,
                   lif_lanes=neurons, accumulator_bits=config.accumulator_bits + 2)


def modes(time_steps):
    """Names of the modes in which a network of T time steps is counted, as published first."""
    return ("t2_merged", "t2_union") if time_steps == 2 else ("t1",)


def _answers(lengths, x, logits, fired, fan, heard, config):
    costs = {name: golden.cycles(config, MODES[name], x, SimpleNamespace(scanned=heard))
             for name in (modes(fired[0].shape[2]) if config else ())}
    for b, n in enumerate(lengths):
        yield Answer(logits[b, :n].numpy(), tuple(s[b, :n].numpy() for s in fired), tuple(fan),
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
