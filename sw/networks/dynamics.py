"""A chain of NIR layers as the machine's equation, still in floats: what each neuron multiplies, adds and compares.

    v <- beta v + forward s + recurrent s' + constant;  spike where v > threshold, there v <- 0 (or v - threshold)

Folded in: dt/tau and resistances into weights and constant, biases and leak potentials into the constant, v_reset into
constant and threshold (potentials count from it). A fold is exact but for a start at v = v_reset instead of 0.
"""

from dataclasses import dataclass

import numpy as np

from sw.networks.graph import GraphError

LATEST = 15        # frames that a spike may be delayed
DELAY_SLACK = 0.05  # of a frame: further off, a rounded delay is reported


@dataclass(frozen=True)
class Dynamics:
    """One layer of N neurons fed by P values: forward (P, N) and recurrent (N, N) or None, fan-in first; beta, constant,
    threshold (N,); delays in frames: forward (P,) of what feeds the layer, recurrent (N,) beyond its one frame.
    """

    name: str
    kind: str
    beta: np.ndarray
    forward: np.ndarray
    recurrent: np.ndarray | None
    constant: np.ndarray
    threshold: np.ndarray
    forward_delay: np.ndarray
    recurrent_delay: np.ndarray

    @property
    def neurons(self):
        return len(self.beta)

    @property
    def stacked(self):
        """All weights of a neuron, (P, N) or (P + N, N)."""
        return self.forward if self.recurrent is None else np.concatenate([self.forward, self.recurrent])


@dataclass(frozen=True)
class Head:
    """What reads the last layer of P neurons: weight (P, O), constant (O,); beta (O,) of a leaky readout, else None."""

    name: str
    kind: str
    weight: np.ndarray
    constant: np.ndarray
    beta: np.ndarray | None
    delay: np.ndarray


def fold(chain, dt, reset="zero", steps=1):
    """(layers as `Dynamics`, `Head`) of a chain stepped by dt seconds, `steps` time steps a frame."""
    layers = [_layer(layer, dt, reset, steps) for layer in chain.layers]
    read = chain.readout
    weight, constant, beta = read.way.weight, read.bias, None
    if read.kind == "leaky":
        rate = _rate(read.name, dt, read.values["tau"])
        beta = 1 - rate
        gain = rate * read.values["r"]
        weight, constant = gain[:, None] * weight, gain * constant + rate * read.values["v_leak"]
    return layers, Head(read.name, read.kind, weight.T, constant, beta,
                        _frames(read.name, read.way.delay, dt, steps, 0))


def _layer(layer, dt, reset, steps):
    values = layer.values
    if layer.kind == "CubaLIF":
        raise GraphError(f"node {layer.name!r}: a synaptic current (CubaLIF) is one more state a neuron, which the machine "
                         "has not: train with LIF neurons (tau_syn so short that its current is its input)")
    if reset == "subtract" and values["v_reset"].any():
        raise GraphError(f"node {layer.name!r}: v_reset {values['v_reset'][values['v_reset'] != 0][0]:g} with a reset that "
                         "subtracts; wanted 0, or a reset to it (--reset zero)")
    rate = np.zeros(layer.neurons) if layer.kind == "IF" else _rate(layer.name, dt, values["tau"])
    gain = dt * values["r"] if layer.kind == "IF" else rate * values["r"]
    leak = np.zeros(layer.neurons) if layer.kind == "IF" else rate * (values["v_leak"] - values["v_reset"])
    own = layer.recurrent
    return Dynamics(
        layer.name, layer.kind, 1 - rate, (gain[:, None] * layer.forward.weight).T,
        None if own is None else (gain[:, None] * own.weight).T, gain * layer.bias + leak,
        values["v_threshold"] - values["v_reset"], _frames(layer.name, layer.forward.delay, dt, steps, 0),
        np.zeros(layer.neurons, int) if own is None else _frames(layer.name, own.delay, dt, steps, steps - 1))


def _rate(name, dt, tau):
    """dt / tau, the share that leaks in a step."""
    if (tau <= 0).any():
        raise GraphError(f"node {name!r}: tau {tau.min():g} s is not above 0")
    rate = dt / tau
    worst = int(rate.argmax())
    if rate[worst] > 1 + 1e-9:
        raise GraphError(f"node {name!r}: tau {tau[worst]:g} s is shorter than dt {dt:g} s: give --dt the time step that the "
                         "exporter wrote the graph for (snnTorch, SpikingJelly: 1e-4; Norse: its own dt squared, 1e-6)")
    return np.minimum(rate, 1.0)


def _frames(name, delay, dt, steps, own):
    """Delays in seconds -> whole frames; `own`: time steps that a recurrence of `steps` a frame waits anyway."""
    count = delay / dt
    whole = np.floor(count + 0.5).astype(int)
    if (np.abs(count - whole) > DELAY_SLACK).any():
        at = int(np.abs(count - whole).argmax())
        raise GraphError(f"node {name!r}: a delay of {delay[at]:g} s is {count[at]:.3g} time steps of {dt:g} s; "
                         "wanted a whole number of them")
    frames = whole - own
    if (frames < 0).any() or (frames % steps).any():
        raise GraphError(f"node {name!r}: a delay of {int(whole[(frames < 0) | (frames % steps > 0)][0])} time steps does "
                         f"not fall on a frame of {steps}")
    frames //= steps
    if frames.max(initial=0) > LATEST:
        raise GraphError(f"node {name!r}: a delay of {frames.max()} frames; spikes are delayed by 0 to {LATEST}")
    return frames
