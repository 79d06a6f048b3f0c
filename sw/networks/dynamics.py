"""A chain of NIR layers as the machine's equation, still in floats: what each neuron multiplies, adds and compares.

    v <- beta v + forward s + recurrent s' + constant;  spike where v > threshold, there v <- 0 (or v - threshold)

With a synaptic current (CubaLIF) i <- alpha i + forward s + recurrent s', and v takes i in place of the sums.
Folded in: dt/tau and resistances into weights and constant, biases and leak potentials into the constant, v_reset into
constant and threshold (potentials count from it). A fold is exact but for its start: potentials begin at v_reset, and
what a CubaLIF's bias brings to its current is there from the first step.
"""

from dataclasses import dataclass

import numpy as np

from sw.networks.graph import GraphError

LATEST = 15         # frames that a spike may be delayed
DELAY_SLACK = 0.05  # of a time step, by which a delay may miss a whole number of them


@dataclass(frozen=True)
class Dynamics:
    """One layer of N neurons fed by P values, fan-in first: forward (P, N), recurrent (N, N) or None; beta, constant,
    threshold (N,), alpha (N,), 0 without a synaptic current. Delays in frames: forward (P,) of what feeds the layer,
    recurrent (N,) beyond its one frame. `reset`: zero or subtract.
    """

    name: str
    reset: str
    beta: np.ndarray
    alpha: np.ndarray
    forward: np.ndarray
    recurrent: np.ndarray | None
    constant: np.ndarray
    threshold: np.ndarray
    forward_delay: np.ndarray
    recurrent_delay: np.ndarray

    @property
    def neurons(self):
        return len(self.beta)

    def weights(self, gain):
        """All weights of each neuron, (P, N) or (P + N, N); those of the inputs `gain` times."""
        if self.recurrent is None:
            return self.forward * gain
        return np.concatenate([self.forward * gain, self.recurrent])


@dataclass(frozen=True)
class Head:
    """What reads the last layer of P neurons: weight (P, O), constant (O,); beta (O,) of a leaky readout, else None."""

    name: str
    kind: str
    weight: np.ndarray
    constant: np.ndarray
    beta: np.ndarray | None
    delay: np.ndarray


def fold(chain, dt, resets, steps=1):
    """(layers as `Dynamics`, `Head`) of a chain stepped by dt seconds, `steps` time steps a frame.

    `resets`: node name -> zero or subtract.
    """
    layers = [_layer(layer, dt, resets[layer.name], steps) for layer in chain.layers]
    read = chain.readout
    weight, constant, beta = read.way.weight, read.bias, None
    if read.kind == "leaky":
        rate = _rate(read.name, "tau", dt, read.values)
        beta, gain = 1 - rate, rate * read.values["r"]
        weight, constant = gain[:, None] * weight, gain * constant + rate * read.values["v_leak"]
    return layers, Head(read.name, read.kind, weight.T, constant, beta,
                        _frames(read.name, read.way.delay, dt, steps, 0))


def _layer(layer, dt, reset, steps):
    values, count = layer.values, layer.neurons
    if reset == "subtract" and values["v_reset"].any():
        away = values["v_reset"][values["v_reset"] != 0][0]
        raise GraphError(f"node {layer.name!r}: v_reset {away:g} with a reset that subtracts: wanted 0, or a reset to "
                         "it (--reset zero)")
    if layer.kind == "IF":
        rate, gain, alpha = np.zeros(count), dt * values["r"], np.zeros(count)
    else:
        rate = _rate(layer.name, "tau" if layer.kind == "LIF" else "tau_mem", dt, values)
        gain, alpha = rate * values["r"], np.zeros(count)
    leak = rate * (values["v_leak"] - values["v_reset"]) if layer.kind != "IF" else np.zeros(count)
    if layer.kind == "CubaLIF":
        quick = _rate(layer.name, "tau_syn", dt, values)
        gain, alpha = gain * quick * values["w_in"], 1 - quick
    own = layer.recurrent
    return Dynamics(
        layer.name, reset, 1 - rate, alpha, (gain[:, None] * layer.forward.weight).T,
        None if own is None else (gain[:, None] * own.weight).T, gain / (1 - alpha) * layer.bias + leak,
        values["v_threshold"] - values["v_reset"], _frames(layer.name, layer.forward.delay, dt, steps, 0),
        np.zeros(count, int) if own is None else _frames(layer.name, own.delay, dt, steps, steps - 1))


def _rate(name, key, dt, values):
    """dt / tau, the share that leaks in a step."""
    tau = values[key]
    if (tau <= 0).any():
        raise GraphError(f"node {name!r}: {key} {tau.min():g} s is not above 0")
    rate = dt / tau
    worst = int(rate.argmax())
    if rate[worst] > 1 + 1e-9:
        raise GraphError(f"node {name!r}: {key} {tau[worst]:g} s is shorter than dt {dt:g} s: give --dt the time step "
                         "that the graph was written for (snnTorch, SpikingJelly: 1e-4; Norse: its dt squared, 1e-6)")
    return np.minimum(rate, 1.0)


def _frames(name, delay, dt, steps, own):
    """Delays in seconds -> whole frames; `own`: time steps that a recurrence of `steps` a frame waits anyway."""
    count = delay / dt
    whole = np.floor(count + 0.5).astype(int)
    off = np.abs(count - whole)
    if (off > DELAY_SLACK).any():
        at = int(off.argmax())
        raise GraphError(f"node {name!r}: a delay of {delay[at]:g} s is {count[at]:.3g} time steps of {dt:g} s: wanted "
                         "a whole number of them")
    frames = whole - own
    between = (frames < 0) | (frames % steps > 0)
    if between.any():
        raise GraphError(f"node {name!r}: a delay of {int(whole[between][0])} time steps does not end with a frame of "
                         f"{steps}: wanted {own} and multiples of {steps} more")
    frames //= steps
    if frames.max(initial=0) > LATEST:
        raise GraphError(f"node {name!r}: a delay of {frames.max()} frames: spikes are delayed by 0 to {LATEST}")
    return frames
