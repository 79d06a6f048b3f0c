"""The whole network on whole utterances, with every signal a bench compares."""

from dataclasses import dataclass

import torch

from .blocks import combine, fc_layer, input_layer, lif, recurrent_layer


@dataclass(frozen=True)
class Trace:
    """Signals of B utterances of T frames, K time steps, N neurons. Frames past an utterance's end are padding.

    low, high (B, T, N): group sums of type A.  current (B, T, N): input current.
    currents (B, T, 2, K, N): what each LIF evaluation adds, by layer and time step.
    potentials (B, T, 2, K, N): after reset.  spikes (B, T, 2, K, N) bool.  logits (B, T, O).
    saturations: potentials that met the lower bound.  state: potentials (B, 2, N) and spikes (B, 2, K, N) at the end.
    """

    low: torch.Tensor
    high: torch.Tensor
    current: torch.Tensor
    currents: torch.Tensor
    potentials: torch.Tensor
    spikes: torch.Tensor
    logits: torch.Tensor
    saturations: int
    state: tuple

    @property
    def previous(self):
        """Spikes of the frame before, (B, T, 2, K, N)."""
        return torch.cat([torch.zeros_like(self.spikes[:, :1]), self.spikes[:, :-1]], 1)


def run(model, x, time_steps=None, state=None, progress=None):
    """Run int8 features x (B, T, F) through an `IntegerModel`; every mode of T time steps gives these bits.

    `time_steps` defaults to the model's. `state` continues from an earlier trace's; default zero, as after a clear.
    `progress` wraps the frame loop (tqdm, say).
    """
    c = model.config
    steps = time_steps or model.time_steps
    x = torch.as_tensor(x).to(torch.int32)
    if x.dim() != 3 or x.shape[-1] != c.features:
        raise ValueError(f"x has shape {tuple(x.shape)}, wanted (utterances, frames, {c.features})")
    batch, frames = x.shape[:2]
    low, high = input_layer(x, model.input, c.input_code)  # (B, T, N)
    current = combine(low, high, c.input_shift)
    potentials = torch.empty(batch, frames, 2, steps, c.neurons, dtype=torch.int32)
    currents = torch.empty_like(potentials)
    spikes = torch.empty(potentials.shape, dtype=torch.bool)
    u, s = state if state else (torch.zeros(batch, 2, c.neurons, dtype=torch.int32),
                                torch.zeros(batch, 2, steps, c.neurons, dtype=torch.bool))
    u, saturations = u.clone(), 0
    for t in (progress or iter)(range(frames)):
        before, s = s, spikes[:, t]
        own = [recurrent_layer(before[:, layer], matrix)  # (B, K, N)
               for layer, matrix in enumerate((model.recurrent0, model.recurrent1))]
        for layer in range(2):
            drive = current[:, t, None] if layer == 0 else recurrent_layer(s[:, 0], model.forward1)
            currents[:, t, layer] = own[layer] + drive
            for k in range(steps):
                u[:, layer], s[:, layer, k], low_saturated = lif(
                    u[:, layer], currents[:, t, layer, k], model.thresholds[layer], c.leak_shift[layer], c)
                potentials[:, t, layer, k] = u[:, layer]
                saturations += int(low_saturated.sum())
    logits = fc_layer(spikes[:, :, 1], model.fc)
    return Trace(low, high, current, currents, potentials, spikes, logits, saturations, (u, s.clone()))
