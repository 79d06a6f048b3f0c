"""The whole network on whole utterances, with every signal a bench compares."""

from dataclasses import dataclass, field, replace

import torch

from .blocks import combine, delayed, fc_layer, input_layer, lif, recurrent_layer, synapse
from .readout import readout


@dataclass(frozen=True)
class State:
    """Where a run ended, by layer: potentials and synaptic currents (B, N_l); spikes (B, 1 + D_l, K, N_l), the newest
    frame first, D_l frames back as far as the layer's delays look. scanned: matrix -> (B, K, N_inputs), the spikes that
    it was last multiplied with, which is what a kept sum is of; none at first, as after a clear. sums: (B, C), logits
    summed over frames by a readout; None: none, or as after a clear.
    """

    potentials: list
    synapses: list
    spikes: list
    scanned: dict = field(default_factory=dict)
    sums: torch.Tensor | None = None

    @staticmethod
    def zero(config, batch, steps):
        """As after a clear."""
        sizes = [layer.neurons for layer in config.layers]
        potentials, synapses = ([torch.zeros(batch, n, dtype=torch.int32) for n in sizes] for _ in range(2))
        return State(potentials, synapses, [
            torch.zeros(batch, 1 + config.history_of(k), steps, n, dtype=torch.bool) for k, n in enumerate(sizes)])

    def copy(self):
        parts = ([value.clone() for value in part] for part in (self.potentials, self.synapses, self.spikes))
        return State(*parts, dict(self.scanned), self.sums)


@dataclass(frozen=True)
class Trace:
    """Signals of B utterances of T frames, K time steps, L layers; N is the widest layer, others end in zeros.

    low, high (B, T, N_0): group sums of type A.  current (B, T, N_0): input current.
    currents (B, T, L, K, N): sums that each LIF evaluation takes, by layer and time step.
    potentials (B, T, L, K, N): after reset.  spikes (B, T, L, K, N) bool.  logits (B, T, O).
    scanned: matrix -> (B, T, K, N_inputs), the spikes it is multiplied with, delays included; scanned_before: likewise,
    a frame earlier, silent where there was none or one of another number of time steps.
    saturations: potentials that met the lower bound.  state: where the run ended.  results (B, T, R): what leaves the
    machine, the logits or what its readout makes of them.
    """

    low: torch.Tensor
    high: torch.Tensor
    current: torch.Tensor
    currents: torch.Tensor
    potentials: torch.Tensor
    spikes: torch.Tensor
    logits: torch.Tensor
    scanned: dict
    scanned_before: dict
    saturations: int
    state: State
    results: torch.Tensor

    @property
    def previous(self):
        """Spikes of the frame before, (B, T, L, K, N)."""
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
    low, high = input_layer(x, model.input, c.input_code)  # (B, T, N_0)
    current = combine(low, high, c.input_shift)
    potentials = torch.zeros(batch, frames, len(c.layers), steps, c.widest, dtype=torch.int32)
    currents = torch.zeros_like(potentials)
    spikes = torch.zeros(potentials.shape, dtype=torch.bool)
    scanned = {name: torch.zeros(batch, frames, steps, inputs, dtype=torch.bool)
               for name, (inputs, _) in c.matrices().items() if name != "input"}
    state = state.copy() if state else State.zero(c, batch, steps)
    saturations = 0
    for t in (progress or iter)(range(frames)):

        def drive(name, source, t=t):
            scanned[name][:, t] = delayed(state.spikes[source], model.delays_of(name))
            return recurrent_layer(scanned[name][:, t], model.matrices[name])  # (B, K, N_l)

        for k, layer in enumerate(c.layers):
            total = current[:, t, None].expand(-1, steps, -1) if k == 0 else drive(f"forward{k}", k - 1)
            if layer.recurrent:
                total = total + drive(f"recurrent{k}", k)
            now, low_saturated = _layer_frame(model, k, total, state)
            n = layer.neurons
            currents[:, t, k, :, :n], potentials[:, t, k, :, :n], spikes[:, t, k, :, :n] = total, *now
            saturations += low_saturated
        drive("fc", len(c.layers) - 1)
    logits = fc_layer(scanned["fc"], model.fc)
    before = {name: torch.cat([_of_steps(state.scanned.get(name), found)[:, None], found[:, :-1]], 1)
              for name, found in scanned.items()}
    state.scanned.update({name: found[:, -1] for name, found in scanned.items()})
    results, sums = readout(c, logits, state.sums)
    return Trace(low, high, current, currents, potentials, spikes, logits, scanned, before, saturations,
                 replace(state, sums=sums), results)


def _of_steps(last, scanned):
    """Spikes (B, K, N) of the frame before the first of `scanned` (B, T, K, N), or silence."""
    silent = torch.zeros_like(scanned[:, 0])
    return silent if last is None or last.shape != silent.shape else last


def _layer_frame(model, k, total, state):
    """One frame of layer k on its sums (B, K, N_l): ((potentials, spikes), low saturations); moves `state` on."""
    c, layer = model.config, model.config.layers[k]
    u, i = state.potentials[k], state.synapses[k]
    if not layer.persist:
        u, i = torch.zeros_like(u), torch.zeros_like(i)
    potentials, spikes, saturations = [], [], 0
    for step in range(total.shape[1]):
        added = total[:, step].to(torch.int64) << c.potential_fraction
        if layer.synapse_shift:
            i = added = synapse(i, added, layer.synapse_shift, c)
        u, fired, low_saturated = lif(u, added, model.threshold_of(k), model.leak_of(k), c, scaled=True,
                                      bias=model.bias_of(k), reset=layer.reset)
        potentials.append(u)
        spikes.append(fired)
        saturations += int(low_saturated.sum())
    state.potentials[k], state.synapses[k] = u, i
    spikes = torch.stack(spikes, 1)  # (B, K, N_l)
    state.spikes[k] = torch.cat([spikes[:, None], state.spikes[k][:, :-1]], 1)
    return (torch.stack(potentials, 1), spikes), saturations
