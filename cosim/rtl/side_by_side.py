"""The Verilated design and the golden model on the same utterances, compared value by value."""

from dataclasses import dataclass

import numpy as np
import torch

from cosim.rtl import harness
from hw.interface import WEIGHT_BUFFERS, Phase
from sw import golden


@dataclass(frozen=True)
class Comparison:
    """How many values were compared, how many differ, and where the first difference is (one line)."""

    compared: int
    differences: int
    first: str = ""


def _name(signal, index, value, wanted):
    """One line for the first difference of a signal."""
    frame, *rest = (int(i) for i in index)
    where = {
        "logit": lambda r: f"output {r[0]}",
        "spike": lambda r: f"layer {r[0]}, time step {r[1]}, neuron {r[2]}",
        "potential": lambda r: f"layer {r[0]}, time step {r[1]}, neuron {r[2]}",
        "cycles": lambda r: f"phase {Phase(r[0]).name}",
        "row reads": lambda r: f"buffer {WEIGHT_BUFFERS[r[0]]}",
    }[signal](rest)
    return f"frame {frame}, {where}, signal {signal}: expected {wanted}, got {value}"


def golden_of(model, utterances, mode, progress=None):
    """Golden signals of each utterance's frames, in order, in the shapes of `harness.Result`."""
    torch.set_num_threads(1)  # products of 128 x 128: more threads only wait for each other
    frames = [len(u) for u in utterances]
    x = torch.zeros(len(utterances), max(frames), model.config.features, dtype=torch.int32)
    for i, u in enumerate(utterances):
        x[i, :len(u)] = torch.as_tensor(np.asarray(u, np.int32))
    trace = golden.run(model, x, mode.time_steps, progress=progress)
    cost = golden.cycles(model.config, mode, x, trace)
    real = torch.arange(max(frames)) < torch.tensor(frames)[:, None]  # (B, T)
    return {name: values[real].numpy() for name, values in (
        ("logit", trace.logits), ("spike", trace.spikes), ("potential", trace.potentials),
        ("cycles", cost.phases), ("row reads", cost.reads))}


def compare(result, expected):
    """Hold a `harness.Result` to `golden_of`'s arrays."""
    got = {"logit": result.logits, "spike": result.spikes, "potential": result.potentials,
           "cycles": result.phases, "row reads": result.reads}
    compared, differences, first = 0, 0, ""
    for signal, wanted in expected.items():
        if got[signal].shape != wanted.shape:
            raise harness.HarnessError(f"{signal}: {got[signal].shape} values from the RTL, {wanted.shape} expected")
        wrong = got[signal] != wanted
        compared += wrong.size
        differences += int(wrong.sum())
        if wrong.any() and not first:
            index = tuple(np.argwhere(wrong)[0])
            first = _name(signal, index, got[signal][index], wanted[index])
    return Comparison(compared, differences, first)
