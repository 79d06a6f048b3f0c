"""The recurrent spiking network: features -> LIF -> LIF ... -> linear, in floats or as the accelerator computes it.

Source: arXiv 2503.21337, figure 2. With `bits` set, every forward pass is docs/arithmetic.md to the bit: integer
weights (fake-quantised with a straight-through gradient), rounded input current, floored leak, saturating potentials.
Float thresholds are 1; `step` (the weight step of each layer or neuron) turns them into integers of the potential's
format. A reset to zero leaves a neuron's scale free, so a step a neuron costs the hardware a threshold a neuron only.
"""

import math

import torch
from torch import nn

from sw.features.causal import BINS, SCALE
from sw.integers.quantize import best_step, dequantised, floor_through, power_of_two, quantise, round_through
from sw.models.lif import delayed, lif

SPREADS = {"input": 0.12, "recurrent": 0.08, "forward": 0.14, "fc": 0.08}  # for 128 neurons
ROOM = 4  # times a neuron's threshold and bias that its potential holds at least
STEP_RATE = 0.1  # of learnt steps' logarithms beside other parameters


def spread(lowest, highest, count, turn=1):
    """`count` whole numbers from `lowest` to `highest` as evenly as may be; `turn` > 1 deals them like cards."""
    at = torch.arange(count) * turn % count if turn > 1 else torch.arange(count)
    return lowest + at * (highest - lowest + 1) // count


class Rsnn(nn.Module):
    """`features` inputs, spiking layers of `neurons` each, `outputs` logits, `time_steps` 1 or 2.

    neurons     one number for two layers, or one a layer
    recurrent   whether each layer feeds itself; all do by default
    leak_shift  a shift a layer (0: no leak); [lowest, highest] deals shifts from that range to the layer's neurons
    delays      longest delay in frames by connection, `forward1` (layer 0's spikes on their way to layer 1),
                `recurrent0`, `readout`: 0 to it, dealt evenly to the neurons that fire
    bias        a trained current a neuron and time step
    steps       weight steps are one a "layer", or one a "neuron", learnt in integers (arXiv 1902.08153)
    norm        first gain of batch norms of the currents between layers (arXiv 2011.05280); 0: none. `calibrate` folds
                them into weights and biases

    `encode` gives what the readout needs, so that a loss on some frames only pays for those frames.
    """

    def __init__(self, *, outputs, features=BINS, neurons=128, time_steps=2, leak_shift=(2, 2), input_shift=4,
                 potential_fraction=4, potential_bits=16, surrogate="triangle", damping=0.4, dropout=0.0,
                 reset="zero", recurrent=None, delays=None, bias=False, steps="layer", norm=0.0):
        super().__init__()
        widths = [neurons] * 2 if isinstance(neurons, int) else list(neurons)
        recurrent = [True] * len(widths) if recurrent is None else list(recurrent)
        leaks = [leak_shift[min(i, len(leak_shift) - 1)] for i in range(len(widths))]
        self.sizes = dict(features=features, neurons=neurons if isinstance(neurons, int) else widths, outputs=outputs,
                          time_steps=time_steps, leak_shift=leaks, input_shift=input_shift,
                          potential_fraction=potential_fraction, potential_bits=potential_bits, surrogate=surrogate,
                          damping=damping, dropout=dropout, reset=reset)
        self.sizes.update(recurrent=recurrent, delays=dict(delays or {}), bias=bool(bias or norm), steps=steps,
                          norm=norm)
        self.widths = widths
        fan_in = [features, *widths]
        self.matrices = {}
        for i, n in enumerate(widths):
            self.matrices[f"forward{i}" if i else "input"] = (fan_in[i], n)
            if recurrent[i]:
                self.matrices[f"recurrent{i}"] = (n, n)
        self.matrices["fc"] = (widths[-1], outputs)
        self.hidden_matrices = tuple(name for name in self.matrices if name != "fc")
        for name, shape in self.matrices.items():
            size = SPREADS[name.rstrip("0123456789")] * (2 / time_steps if name == "fc" else 1)
            size *= 1 if name == "input" else (128 / shape[0]) ** 0.5
            setattr(self, name, nn.Parameter(torch.randn(shape) * size))
        for i, n in enumerate(widths):
            if norm:
                setattr(self, f"norm{i}", nn.BatchNorm1d(n))
                nn.init.constant_(getattr(self, f"norm{i}").weight, norm)
            if bias or norm:
                setattr(self, f"bias{i}", nn.Parameter(torch.zeros(n)))
            if steps == "neuron":
                setattr(self, f"stretch{i}", nn.Parameter(torch.zeros(n)))
                self.register_buffer(f"step{i}", torch.ones(n))
            low, high = leaks[i] if isinstance(leaks[i], (list, tuple)) else (leaks[i],) * 2
            self.register_buffer(f"shift{i}", spread(low, high, n, 37))
        for name, longest in (delays or {}).items():
            source = widths[-1] if name == "readout" else widths[int(name[-1]) - (name[:-1] == "forward")]
            self.register_buffer(f"delay_{name}", spread(0, longest, source, 37 if name[:-1] == "recurrent" else 1))
        self.register_buffer("fc_mask", torch.ones(self.matrices["fc"]))
        self.register_buffer("steps_of", torch.ones(len(widths) + 1))  # of layers and FC; used where bits > 0
        self.register_buffer("bits", torch.tensor(0))    # 0: floats

    def __getattr__(self, name):
        sizes = self.__dict__.get("sizes", {})
        return sizes[name] if name in sizes else super().__getattr__(name)

    # --- quantisation --------------------------------------------------------------------------------------
    def groups(self):
        """Per layer, the names of the matrices that share its step, and the factor of each on it."""
        ratio = SCALE / 2 ** self.input_shift  # the input weights' step is this many of layer 0's
        return [[(name, ratio if name == "input" else 1.0)
                 for name in (f"forward{i}" if i else "input", f"recurrent{i}") if name in self.matrices]
                for i in range(len(self.widths))]

    def calibrate(self, bits):
        """Choose weight steps for `bits` from the float weights; from here on the forward pass is the integer one."""
        if self.norm:
            self.fold()
        layers = [[getattr(self, name) / factor for name, factor in group] for group in self.groups()]
        self.steps_of = torch.tensor([best_step(group, bits) for group in layers] +
                                     [power_of_two(best_step([self.fc * self.fc_mask], bits))])
        if self.steps == "neuron":
            for i, group in enumerate(layers):
                setattr(self, f"step{i}", torch.tensor([best_step([w[:, n] for w in group], bits)
                                                        for n in range(self.widths[i])]))
        self.bits.fill_(bits)

    @torch.no_grad()
    def fold(self):
        """Norms of the feed-forward currents become weights and biases: what is left needs no norm."""
        for i in range(len(self.widths)):
            norm = getattr(self, f"norm{i}")
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            getattr(self, f"forward{i}" if i else "input").mul_(gain)
            getattr(self, f"bias{i}").copy_(norm.bias - norm.running_mean * gain)

    def step(self, layer):
        """Weight step of a layer, scalar or (N,).

        A neuron whose norm has all but closed has weights near 0, and a step as small would put its threshold and
        bias beyond the potential's range: its step is floored, which rounds its weights to 0 and keeps the two in
        proportion.
        """
        if self.steps == "layer":
            return self.steps_of[layer]
        step = getattr(self, f"step{layer}") * (STEP_RATE * getattr(self, f"stretch{layer}")).exp()
        reach = getattr(self, f"bias{layer}").detach().abs().clamp(min=1) if self.bias else torch.ones_like(step)
        return torch.maximum(step, ROOM * reach * 2.0 ** (self.potential_fraction - self.potential_bits + 1))

    def threshold(self, layer):
        """Integer threshold of a layer in the potential's format, scalar or (N,)."""
        top = 2 ** (self.potential_bits - 1) - 1
        return round_through((2 ** self.potential_fraction / self.step(layer)).clamp(1, top))

    def integer_bias(self, layer):
        """Bias of a layer in the potential's format (N,)."""
        return round_through(getattr(self, f"bias{layer}") * 2 ** self.potential_fraction / self.step(layer))

    def thresholds(self):
        """Integer thresholds: (layers,), or a list of (N,) where each neuron has a step."""
        found = [self.threshold(i).detach() for i in range(len(self.widths))]
        return torch.stack(found) if self.steps == "layer" else found

    def integers(self):
        """The weights as integers (float32 tensors) by name; gradients pass to the float weights."""
        bits = int(self.bits)
        weights = {name: quantise(getattr(self, name), self.step(i) * factor, bits)
                   for i, group in enumerate(self.groups()) for name, factor in group}
        weights["fc"] = quantise(self.fc, self.steps_of[-1], bits) * self.fc_mask
        return weights

    def size_bytes(self, places=True):
        """Bytes of the weights; a pruned FC counts as its kept weights and, with `places`, the bits that place them."""
        kept = int(self.fc_mask.sum()) + sum(getattr(self, name).numel() for name in self.hidden_matrices)
        return ((int(self.bits) or 32) * kept + (index_bits(self.fc_mask) if places else 0) + 7) // 8

    # --- forward -------------------------------------------------------------------------------------------
    def late(self, spikes, connection):
        """Spikes (F, K, B, N) as a connection hears them."""
        return delayed(spikes, getattr(self, f"delay_{connection}")) if connection in self.delays else spikes

    def encode(self, x):
        """x (F, B, features), int8 values -> merged spikes (F, B, N) of the last layer, spikes of every layer."""
        integer = int(self.bits) > 0
        if integer:
            w, half, gain = self.integers(), 2.0 ** (self.input_shift - 1), 2.0 ** self.potential_fraction
            feed = floor_through((x @ w["input"] + half) / 2 ** self.input_shift).unsqueeze(1)
        else:
            w, gain = {name: getattr(self, name) for name in self.hidden_matrices}, 1.0
            feed = ((x / SCALE) @ w["input"]).unsqueeze(1)
        spikes = []
        for i in range(len(self.widths)):
            if i:
                heard = nn.functional.dropout(self.late(spikes[-1], f"forward{i}"), self.dropout, self.training)
                feed = heard @ w[f"forward{i}"]  # (F, K, B, N)
            if self.norm and not integer:
                feed = getattr(self, f"norm{i}")(feed.flatten(0, 2)).view(feed.shape)
            elif self.bias:
                feed = feed + (self.integer_bias(i) / gain if integer else getattr(self, f"bias{i}"))
            shift = getattr(self, f"shift{i}")
            fired, _ = lif(feed, w.get(f"recurrent{i}"), self.threshold(i) if integer else torch.ones(()),
                           leak=torch.where(shift > 0, 2.0 ** -shift, 0.0),
                           delays=getattr(self, f"delay_recurrent{i}", None), steps=self.time_steps,
                           surrogate=self.surrogate, damping=self.damping, reset=self.reset,
                           limit=2 ** (self.potential_bits - 1), gain=gain, integer=integer)
            spikes.append(fired)
        merged = self.late(fired, "readout").sum(1)
        return nn.functional.dropout(merged, self.dropout, self.training), tuple(spikes)

    def readout(self, merged):
        """Merged spikes (..., N) -> logits (..., O)."""
        if self.bits > 0:
            return merged @ self.integers()["fc"] * self.steps_of[-1]
        return merged @ (self.fc * self.fc_mask)

    def forward(self, x):
        """x (F, B, features) -> logits (F, B, O)."""
        return self.readout(self.encode(x)[0])


@torch.no_grad()
def of_integers(model):
    """An `Rsnn` in floats with an `IntegerModel`'s weights (currents not rounded, leak not floored).

    Raises `ValueError` for what only the integer model has: layers that reset differently, forget their potentials
    after a frame, or have synapses with a state.
    """
    c = model.config
    odd = [i for i, layer in enumerate(c.layers)
           if layer.reset != c.layers[0].reset or not layer.persist or layer.synapse_shift]
    if odd:
        raise ValueError(f"{c.name}: layer {odd[0]} has no form in floats here: one reset for all, potentials that "
                         "persist and no synapse_shift are wanted")
    delays = {"readout" if name == "fc" else name: int(model.delays_of(name).max()) for name in c.delays()}
    network = Rsnn(features=c.features, neurons=[layer.neurons for layer in c.layers], outputs=c.outputs,
                   recurrent=[layer.recurrent for layer in c.layers], time_steps=model.time_steps,
                   leak_shift=[0 if layer.leak_shift == "neuron" else layer.leak_shift for layer in c.layers],
                   input_shift=c.input_shift, potential_fraction=c.potential_fraction,
                   potential_bits=c.potential_bits, reset=c.layers[0].reset, delays=delays,
                   bias=any(layer.bias for layer in c.layers))
    for name, weight in dequantised(model).items():
        getattr(network, name).copy_(weight)
    for i in range(len(c.layers)):
        getattr(network, f"shift{i}").copy_(model.leak_of(i))
    for name in delays:
        getattr(network, f"delay_{name}").copy_(model.delays_of("fc" if name == "readout" else name))
    return network.eval()


def index_bits(mask, group=4):
    """Bits that say where the kept weights of `mask` (N, O) are: the cheaper of a bit each and, where every group of
    neighbours keeps equally many, a number of the combination."""
    if bool(mask.all()):
        return 0
    kept = mask.unflatten(1, (-1, group)).sum(-1) if mask.shape[1] % group == 0 else None
    if kept is None or kept.min() != kept.max():
        return mask.numel()
    return kept.numel() * (math.comb(group, int(kept[0, 0])) - 1).bit_length()
