"""SparkNet's binary classifier head in integers, and as a network for the accelerator: gates are spikes to its FC path.

    logits = sum_t sum_{g open at t} W[g] + bias          W int4, bias the float one in units of step / frames

The FC path adds the weight rows of the neurons that fired and visits no other. So that gates reach it, each gate g is
one feature, which makes one neuron of both layers fire (`place`); one time step carries one frame of gates, two time
steps carry two, whose merged spikes are visited once: doubled where both frames have the gate open.
"""

from dataclasses import dataclass

import torch

from sw.integers.integer_model import IntegerModel, ModelError
from sw.integers.quantize import best_step, quantise

BOTH, LATE = 127, 80  # features that make a neuron fire in every time step, and in the second of two only


@dataclass(frozen=True, eq=False)
class IntegerHead:
    """`weight` int32 (gates, classes), `bias` int32 (classes,), `frames` a clip; a logit counts `step` / `frames`."""

    weight: torch.Tensor
    bias: torch.Tensor
    step: float
    frames: int

    def logits(self, gates):
        """Gates (B, gates, frames) of 0 and 1 -> int32 (B, classes)."""
        open_frames = gates.sum(2).double()  # exact: counts
        return (open_frames @ self.weight.double()).to(torch.int32) + self.bias


@torch.no_grad()
def of_network(network, frames, bits=4):
    """The head of a trained `SparkNet` with `bits`-bit weights and the step of least rounding error."""
    weight = network.linear.weight.T  # (gates, classes)
    step = best_step([weight], bits)
    return IntegerHead(quantise(weight, step, bits).to(torch.int32),
                       (network.linear.bias * frames / step).round().to(torch.int32), step, frames)


@torch.no_grad()
def gates_of(spotter, waves, batch=64):
    """Gates int32 (B, gates, frames) of 0 and 1 that a `Spotter` with a `SparkNet` opens, float32 (B, 16000) heard."""
    network = spotter.network
    return torch.cat([(network.mu(spotter.hear(w).float()) >= 0).int() for w in waves.split(batch)])


def place(gate, config):
    """Neuron of a gate: gates alternate between the two halves, so that the shared last group's PE sets work alike."""
    return gate // 2 + config.half * (gate % 2)


def integer_model(head, config, time_steps):
    """The head as an `IntegerModel`. Raises `ModelError` where the configuration is too small or keeps potentials."""
    gates, classes = head.weight.shape
    if gates > min(config.features, config.neurons) or classes > config.outputs:
        raise ModelError(f"{gates} gates, {classes} classes: {config.name} has {config.features} features, "
                         f"{config.neurons} neurons, {config.outputs} outputs")
    if config.reset != "zero" and time_steps == 2:
        raise ModelError(f"{config.name}: reset={config.reset!r}: two time steps need reset to zero, or a frame would "
                         "leave something to the next; use one")
    n, top = config.neurons, config.weight_limit - 1
    drive, fc = torch.zeros(config.features, n, dtype=torch.int32), torch.zeros(n, config.outputs, dtype=torch.int32)
    for gate in range(gates):
        drive[gate, place(gate, config)] = top
        fc[place(gate, config), :classes] = head.weight[gate]
    none = torch.zeros(n, n, dtype=torch.int32)
    half = (1 << config.input_shift) >> 1
    unit = 1 << config.potential_fraction
    # met exactly by BOTH in one time step, which leaves nothing; lower in two, where LATE reaches it after one leak
    first = round((BOTH * top + half >> config.input_shift) * unit * (1.0 if time_steps == 1 else 0.9))
    return IntegerModel(config, [drive, none, top * torch.eye(n, dtype=torch.int32), none.clone(), fc],
                        torch.tensor([first, top * unit]), time_steps=time_steps)


def features(gates, config, time_steps):
    """Gates (gates, frames) -> int32 (steps of the machine, features): a frame each, or two frames each."""
    count, frames = gates.shape
    x = torch.zeros(frames, config.features, dtype=torch.int32)
    x[:, :count] = gates.T.to(torch.int32)
    if time_steps == 1:
        return x * BOTH
    if frames % 2:
        x = torch.cat([x, torch.zeros_like(x[:1])])
    both = x.view(-1, 2, config.features).sum(1)  # 0, 1 or 2 of the pair
    return torch.tensor([0, LATE, BOTH], dtype=torch.int32)[both]
