"""From a graph's dynamics to a configuration of the machine and its `IntegerModel`."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.functional import pad

from hw.config import Config, Delays, Layer
from sw.integers.integer_model import IntegerModel
from sw.networks import quantise, rounding
from sw.networks.graph import GraphError
from sw.networks.shapes import LEAST

MOST_LANES, LANE_STEP, BEAT = 128, 16, 16
MOST_POTENTIAL, RARE = 24, 1e-3
SLACK = 1.3  # the error that a narrower accumulator may cost, over the least
WHOLE = 8  # weight bits + fraction bits of a potential by default: finer weights need fewer bits below theirs
GIVEN = ("weight_bits", "lanes", "lif_lanes", "input_code", "potential_bits", "potential_fraction", "input_shift",
         "load_bits", "counters", "mechanisms")  # fields that may be given


@dataclass(frozen=True)
class Built:
    """The model, its layers as rounded, the readout's step, and which of the model's outputs are the graph's."""

    model: IntegerModel
    layers: list
    readout_step: float
    outputs: int


def padded(layers, head):
    """Layers of fewer than `LEAST` neurons filled up with neurons that never fire."""
    out, before = [], 0
    for layer in layers:
        more = max(0, LEAST - layer.neurons)
        own = layer.recurrent
        out.append(replace(
            layer, beta=np.pad(layer.beta, (0, more), constant_values=layer.beta[0]),
            alpha=np.pad(layer.alpha, (0, more), constant_values=layer.alpha[0]),
            forward=np.pad(layer.forward, ((0, before), (0, more))), constant=np.pad(layer.constant, (0, more)),
            recurrent=None if own is None else np.pad(own, ((0, more), (0, more))),
            threshold=np.pad(layer.threshold, (0, more), constant_values=layer.threshold.max()),
            forward_delay=np.pad(layer.forward_delay, (0, before)),
            recurrent_delay=np.pad(layer.recurrent_delay, (0, more))))
        before = more
    return out, replace(head, weight=np.pad(head.weight, ((0, before), (0, 0))), delay=np.pad(head.delay, (0, before)))


def draft(name, layers, head, base):
    """A `Config` with a table for all that neurons may have, to choose them in. `base`: fields that are given."""
    base = {key: value for key, value in base.items() if key in GIVEN and value is not None}
    widest = max(layer.neurons for layer in layers)
    base.setdefault("lanes", min(MOST_LANES, -(-widest // LANE_STEP) * LANE_STEP))
    base.setdefault("potential_fraction", max(0, WHOLE - base.get("weight_bits", 4)))
    base.setdefault("load_bits", 64 if base["lanes"] * base.get("weight_bits", 4) % 64 == 0 else 32)
    specs = []
    for index, layer in enumerate(layers):
        drops = layer.beta < quantise.EXACT
        if drops.any() and not drops.all():
            raise GraphError(f"node {layer.name!r}: neuron {int(drops.argmax())} forgets all in a step (tau = dt) and "
                             "others do not; potentials are kept or dropped a layer: split it")
        forward = layers[index + 1].forward_delay.max() if index + 1 < len(layers) else 0
        specs.append(Layer(
            neurons=layer.neurons, recurrent=layer.recurrent is not None, reset=layer.reset, persist=not drops.all(),
            leak_shift="neuron", threshold="neuron", bias=bool(layer.constant.any()),
            synapse_shift=quantise.synapse_shift(layer.alpha),
            delays=Delays(forward=int(forward), recurrent=int(layer.recurrent_delay.max(initial=0)))))
    beat = min((d for d in range(1, BEAT + 1) if base["lanes"] % d == 0),
               key=lambda d: (-(-head.weight.shape[1] // d) * d, -d))
    values = base | {
        "name": name, "features": len(layers[0].forward), "layers": tuple(specs), "logits_per_beat": beat,
        "outputs": -(-head.weight.shape[1] // beat) * beat, "readout_delay": int(head.delay.max(initial=0))}
    wide = Config(**values | {"potential_bits": 32})
    return replace(wide, potential_bits=base.get("potential_bits", max(16, wide.accumulator_bits + 1)))


def quantised(layers, head, config, x, reference, feature_step, progress=iter, given=(), final=None, steps=1):
    """`Built` of padded `Dynamics` on calibration x (B, T, F) int8.

    `reference`: the float network's (spikes, potentials) by name, padded alike. `given`: fields that stay as they are.
    `final`: the configuration to use where the integers fit it. `steps`: time steps a frame.
    """
    spikes, potentials = reference
    if exact := _as_they_are(layers, config, feature_step):
        config, made = exact
        if "potential_bits" not in given:
            config = with_potential_bits(layers, config, [done.step for done in made], potentials)
        second = np.eye(len(head.weight))
    elif steps > 1:
        raise GraphError(f"a graph of {steps} time steps a frame whose numbers are not the machine's integers: only "
                         "graphs that `sottovoce export` wrote have so many; delete its metadata for one time step")
    else:
        if "input_shift" not in given:
            config = with_input_shift(layers[0], config, x, spikes[layers[0].name], feature_step)
        entering = [_entering(index, layers, spikes, x / 2.0 ** config.input_shift) for index in range(len(layers))]
        gains = [feature_step * 2.0 ** config.input_shift, *[1.0] * (len(layers) - 1)]
        rounds = [quantise.rounded(layer, config, gain, e)
                  for layer, gain, e in zip(layers, gains, entering, strict=True)]
        if "potential_bits" not in given:
            config = with_potential_bits(layers, config, [step for _, step in rounds], potentials)
        made, last = _tune(layers, config, x, spikes, gains, rounds, progress)
        second = rounding.moments(quantise.delayed(last, head.delay).astype(np.float64))
    fc, step = quantise.readout(head, second, config.weight_bits)
    model = assembled(config, layers, made, head, fc)
    if final and (as_noted := under(final, model)):
        model = as_noted
    return Built(replace(model, time_steps=steps), made, step, fc.shape[1])


def under(config, model):
    """The same integers under another configuration; None where it is not one of these layers, tables and outputs."""
    def kinds(c):
        return c.features, [(x.neurons, x.recurrent, x.reset, x.persist, x.synapse_shift) for x in c.layers]
    if kinds(config) != kinds(model.config):
        return None
    tables = {f"delays_{matrix}": model.delays_of(matrix) for matrix in config.delays()}
    thresholds = []
    for k, layer in enumerate(config.layers):
        own = {"thresholds": model.threshold_of(k), "leaks": model.leak_of(k), "biases": model.bias_of(k)}
        tables |= {f"{name}{k}": values for name, values in own.items()}
        thresholds.append(0 if layer.threshold == "neuron" else int(own["thresholds"][0]))
        one_leak = layer.leak_shift == "neuron" or (own["leaks"] == layer.leak_shift).all()
        one_threshold = layer.threshold == "neuron" or (own["thresholds"] == thresholds[-1]).all()
        if not one_leak or not one_threshold or (own["biases"].any() and not layer.bias):
            return None
    if set(model.config.delays()) - set(config.delays()) or config.outputs < model.config.outputs:
        return None
    matrices = {**model.matrices, "fc": pad(model.fc, (0, config.outputs - model.config.outputs))}
    return IntegerModel(config, matrices, _tensor(thresholds), {name: tables[name] for name in config.neuron_tables()},
                        time_steps=1)


def _entering(index, layers, spikes, x):
    """What meets a layer's weights in the float network, (B, T, P or P + N)."""
    layer = layers[index]
    before = quantise.delayed(spikes[layers[index - 1].name], layer.forward_delay) if index else x
    own = [] if layer.recurrent is None else [quantise.delayed(spikes[layer.name], layer.recurrent_delay + 1)]
    return np.concatenate([before, *own], -1, dtype=np.float64)


def with_potential_bits(layers, config, steps, potentials):
    """The configuration with potentials so wide that but a few in `RARE` meet the lower bound."""
    lowest = max(float(np.quantile(-potentials[layer.name] / (step / 2 ** config.potential_fraction), 1 - RARE))
                 for layer, step in zip(layers, steps, strict=True))
    needed = int(np.ceil(np.log2(max(lowest, 1)))) + 1
    return replace(config, potential_bits=min(MOST_POTENTIAL, max(config.potential_bits, needed)))


def _as_they_are(layers, config, feature_step):
    """(configuration, integer layers) where every layer's numbers are integers already, under some input shift."""
    for shift in (config.input_shift, *range(9)):
        made = [quantise.exact(layer, spec, config, feature_step * 2.0 ** shift if index == 0 else 1.0)
                for index, (layer, spec) in enumerate(zip(layers, config.layers, strict=True))]
        if None not in made[1:] and made[0]:
            return replace(config, input_shift=shift, accumulator_bits=None), made
    return None


def with_input_shift(layer, config, x, target, feature_step):
    """The configuration with the largest input shift that costs layer 0 no more than `SLACK` times the least.

    Input and recurrent weights of a neuron share a step; a smaller shift widens every accumulator.
    """
    own = [] if layer.recurrent is None else [quantise.delayed(target, layer.recurrent_delay + 1).astype(np.float64)]
    costs = {}
    for shift in range(9):
        weights = layer.weights(feature_step * 2.0 ** shift)
        second = rounding.moments(np.concatenate([x / 2.0 ** shift, *own], -1))
        integers, step = rounding.rounded(weights, second, config.weight_bits, layer.threshold * 1e-3)
        blur = step ** 2 / 12  # variance of the rounding of the input current
        error = rounding.cost(integers * step - weights, second) + blur
        costs[shift] = float((error / layer.threshold ** 2).mean())
    shift = max(shift for shift, cost in costs.items() if cost <= SLACK * min(costs.values()))
    wide = replace(config, input_shift=shift, accumulator_bits=None, potential_bits=32)
    return replace(wide, potential_bits=max(config.potential_bits, wide.accumulator_bits + 1))


def _tune(layers, config, x, spikes, gains, rounds, progress):
    """(integer layers, spikes of the last), each layer driven by the integer layers before it."""
    made, before = [], x.astype(np.float64)
    for index, (layer, spec, gain, (integers, step)) in progress(
            list(enumerate(zip(layers, config.layers, gains, rounds, strict=True)))):
        ready, split = quantise.exact(layer, spec, config, gain), len(layer.forward)
        if ready:
            integers = np.concatenate([ready.forward, *([] if ready.recurrent is None else [ready.recurrent])])
        if index:
            before = quantise.delayed(before, layer.forward_delay).astype(np.float64)
        current = before @ integers[:split]
        if index == 0:
            current = np.floor((current + ((1 << config.input_shift) >> 1)) / 2 ** config.input_shift)
        if ready is None:
            own = 0
            if layer.recurrent is not None:
                own = quantise.delayed(spikes[layer.name], layer.recurrent_delay + 1) @ integers[split:]
            ready = quantise.tuned(layer, spec, config, gain, integers, step, current + own, spikes[layer.name])
        made.append(ready)
        before = quantise.run(ready, layer, spec, config, current)
    return made, before


def assembled(config, layers, made, head, fc):
    """`IntegerModel` of one time step; tables that are the same for all neurons become one value."""
    specs, thresholds, neurons, matrices = [], [], {}, {}
    for k, (layer, done, spec) in enumerate(zip(layers, made, config.layers, strict=True)):
        leak, threshold = (int(t[0]) if (t == t[0]).all() else "neuron" for t in (done.leak, done.threshold))
        specs.append(replace(spec, leak_shift=leak, threshold="neuron" if threshold == "neuron" else "layer",
                             bias=bool(done.bias.any())))
        thresholds.append(0 if threshold == "neuron" else threshold)
        neurons |= {f"thresholds{k}": done.threshold, f"leaks{k}": done.leak, f"biases{k}": done.bias,
                    f"delays_recurrent{k}": layer.recurrent_delay, f"delays_forward{k}": layer.forward_delay}
        matrices |= {f"forward{k}" if k else "input": done.forward, f"recurrent{k}": done.recurrent}
    neurons["delays_fc"] = head.delay
    matrices["fc"] = np.pad(fc, ((0, 0), (0, config.outputs - fc.shape[1])))
    config = replace(config, layers=tuple(specs))
    return IntegerModel(
        config, {name: _tensor(matrices[name]) for name in config.matrices()}, _tensor(thresholds),
        {name: _tensor(neurons[name]) for name in config.neuron_tables()}, time_steps=1)


def _tensor(values):
    return torch.from_numpy(np.array(values, np.int32))
