"""The recurrent spiking network: features -> LIF -> LIF -> linear, in floats or as the accelerator computes it.

Source: arXiv 2503.21337, figure 2. With `bits` set, every forward pass is docs/arithmetic.md to the bit: integer
weights (fake-quantised with a straight-through gradient), rounded input current, floored leak, saturating potentials.
Float thresholds are 1; `steps_of` (the weight step of each layer) turn them into integers of the potential's format.
"""

import torch
from torch import nn

from sw.features.causal import SCALE
from sw.integers.integer_model import MATRICES
from sw.integers.quantize import best_step, floor_through, power_of_two, quantise
from sw.models.lif import lif

SPREADS = {"input": 0.12, "recurrent0": 0.08, "forward1": 0.14, "recurrent1": 0.08, "fc": 0.08}  # for 128 neurons


class Rsnn(nn.Module):
    """`features` inputs, two layers of `neurons`, `outputs` logits, `time_steps` 1 or 2.

    `encode` gives what the readout needs, so that a loss on some frames only pays for those frames.
    """

    def __init__(self, *, features=40, neurons=128, outputs=1920, time_steps=2, leak_shift=(2, 2), input_shift=4,
                 potential_fraction=4, potential_bits=16, surrogate="triangle", damping=0.4, dropout=0.0,
                 reset="zero"):
        super().__init__()
        self.sizes = dict(features=features, neurons=neurons, outputs=outputs, time_steps=time_steps,
                          leak_shift=list(leak_shift), input_shift=input_shift, potential_fraction=potential_fraction,
                          potential_bits=potential_bits, surrogate=surrogate, damping=damping, dropout=dropout,
                          reset=reset)
        self.hidden_matrices = tuple(name for name in MATRICES if name != "fc")
        shapes = {"input": (features, neurons), "recurrent0": (neurons, neurons), "forward1": (neurons, neurons),
                  "recurrent1": (neurons, neurons), "fc": (neurons, outputs)}
        shrink = (128 / neurons) ** 0.5
        for name in MATRICES:
            spread = SPREADS[name] * (1 if name == "input" else shrink) * (2 / time_steps if name == "fc" else 1)
            setattr(self, name, nn.Parameter(torch.randn(shapes[name]) * spread))
        self.register_buffer("fc_mask", torch.ones(neurons, outputs))
        self.register_buffer("steps_of", torch.ones(3))  # weight steps of L0, L1 and FC; used where bits > 0
        self.register_buffer("bits", torch.tensor(0))    # 0: floats

    def __getattr__(self, name):
        sizes = self.__dict__.get("sizes", {})
        return sizes[name] if name in sizes else super().__getattr__(name)

    # --- quantisation --------------------------------------------------------------------------------------
    def calibrate(self, bits):
        """Choose weight steps for `bits` from the float weights; from here on the forward pass is the integer one."""
        ratio = SCALE / 2 ** self.input_shift  # the input weights' step is this many of layer 0's
        self.steps_of = torch.tensor([best_step([self.input / ratio, self.recurrent0], bits),
                                      best_step([self.forward1, self.recurrent1], bits),
                                      power_of_two(best_step([self.fc * self.fc_mask], bits))])
        self.bits.fill_(bits)

    def thresholds(self):
        """Integer thresholds (2,) in the potential's format."""
        return (2 ** self.potential_fraction / self.steps_of[:2]).round().clamp(1, 2 ** (self.potential_bits - 1) - 1)

    def integers(self):
        """The weights as integers (float32 tensors) by name; gradients pass to the float weights."""
        bits, (first, second, last) = int(self.bits), self.steps_of.tolist()
        steps = {"input": first * SCALE / 2 ** self.input_shift, "recurrent0": first, "forward1": second,
                 "recurrent1": second, "fc": last}
        weights = {name: quantise(getattr(self, name), steps[name], bits) for name in MATRICES}
        weights["fc"] = weights["fc"] * self.fc_mask
        return weights

    # --- forward -------------------------------------------------------------------------------------------
    def encode(self, x):
        """x (F, B, features), int8 values -> merged spikes s0 + s1 of layer 1 (F, B, N), spikes of both layers."""
        frames, batch = x.shape[:2]
        if self.bits > 0:
            w, half = self.integers(), 2.0 ** (self.input_shift - 1)
            current = floor_through((x @ w["input"] + half) / 2 ** self.input_shift)
            thresholds, common = self.thresholds(), dict(gain=2 ** self.potential_fraction, integer=True)
        else:
            w = {name: getattr(self, name) for name in MATRICES}
            current = (x / SCALE) @ w["input"]
            thresholds, common = torch.ones(2), dict(gain=1.0, integer=False)
        common.update(steps=self.time_steps, surrogate=self.surrogate, damping=self.damping, reset=self.reset,
                      limit=2 ** (self.potential_bits - 1))
        s0, _ = lif(current.unsqueeze(1), w["recurrent0"], thresholds[0], shift=self.leak_shift[0], **common)
        feed = nn.functional.dropout(s0, self.dropout, self.training) @ w["forward1"]  # (F, K, B, N)
        s1, _ = lif(feed, w["recurrent1"], thresholds[1], shift=self.leak_shift[1], **common)
        return nn.functional.dropout(s1.sum(1), self.dropout, self.training), (s0, s1)

    def readout(self, merged):
        """Merged spikes (..., N) -> logits (..., O)."""
        if self.bits > 0:
            return merged @ self.integers()["fc"] * self.steps_of[2]
        return merged @ (self.fc * self.fc_mask)

    def forward(self, x):
        """x (F, B, features) -> logits (F, B, O)."""
        return self.readout(self.encode(x)[0])
