"""From a trained network to the integers that the accelerator loads: one export, with every check, for every task."""

import torch

from hw import store
from sw.integers.integer_model import IntegerModel

SILENT, SATURATED = 0.01, 0.90  # firing rates of a layer that has stopped to say anything
FORMATS = ("input_shift", "potential_fraction", "potential_bits")  # of both network and configuration


class ExportError(ValueError):
    """A network that has no integer form on this configuration; the message quotes both values."""


@torch.no_grad()
def parts(network, config):
    """Trained, quantised `sw.models.rsnn.Rsnn` -> what an `IntegerModel` of `config` is made of, by field.

    Raises `ExportError` for a network of floats, and for one that is not what `config` builds, quoting both values.
    """
    if int(network.bits) != config.weight_bits:
        raise ExportError(f"the network has {int(network.bits) or 'float'} bit weights, {config.name} wants "
                          f"{config.weight_bits}: train a quantised stage first")
    for field in FORMATS:
        _same(field, getattr(network, field), getattr(config, field), config)
    for field, trained in (("neurons", network.widths), ("recurrent", network.recurrent)):
        _same(field, list(trained), [getattr(layer, field) for layer in config.layers], config)
    layers = [_layer(network, config, i) for i in range(len(config.layers))]
    return {"matrices": {name: w.round().to(torch.int32) for name, w in network.integers().items()},
            "thresholds": torch.tensor([threshold for _, threshold in layers], dtype=torch.int32),
            "neurons": {key: values for tables, _ in layers for key, values in tables.items()} |
            _delays(network, config), "time_steps": network.time_steps}


@torch.no_grad()
def integer_model(network, config, *, name, recipe, tables, used_outputs=None, **manifest):
    """Trained, quantised `Rsnn` -> `IntegerModel` of `config`, checked to be the machine that was trained.

    `recipe`: how it was trained, plain values. `tables`: tensors that travel along. `used_outputs`: outputs beyond
    these get weights of 0. `manifest`: what else its users want to know (targets, labels, decoder). Raises what `parts`
    does; `ModelError` for another number of features or outputs; `ExportError` naming a neuron whose accumulator could
    overflow.
    """
    found = parts(network, config)
    fc = found["matrices"]["fc"]
    if used_outputs is not None:
        fc[:, used_outputs:] = 0
    entries = {"model": name, "bytes": network.size_bytes(), **store.recipe(""), "recipe": recipe,
               "logit_step": float(network.steps_of[-1]), **manifest,
               "fc_zero_share": round(float((fc == 0).float().mean()), 4)}
    if network.steps == "layer":
        entries["weight_steps"] = {f"layer{k}": float(step) for k, step in enumerate(network.steps_of[:-1])}
    model = IntegerModel(config, **found, tables=tables, manifest=entries)
    check_bounds(model)
    return model


def _same(field, trained, built, config):
    if trained != built:
        raise ExportError(f"{field}={trained!r} was trained, but {config.name} has {built!r}: the machine would "
                          "differ; train again, or name the configuration it was trained for")


def _layer(network, config, i):
    """(tables of single neurons, the layer's threshold) of layer `i`, whose arithmetic is the configuration's."""
    layer, where, tables = config.layers[i], f"layers[{i}].", {}
    shifts, thresholds = getattr(network, f"shift{i}").int(), network.threshold(i).round().int()
    for field, trained, built in (("reset", network.reset, layer.reset), ("persist", True, layer.persist),
                                  ("synapse_shift", 0, layer.synapse_shift)):
        _same(where + field, trained, built, config)
    if network.bias and not layer.bias:
        raise ExportError(f"{where}bias=True was trained, but {config.name} has False: set `bias: true`")
    if layer.leak_shift == "neuron":
        tables[f"leaks{i}"] = shifts
    else:
        trained = sorted(set(shifts.tolist()))
        _same(where + "leak_shift", trained[0] if len(trained) == 1 else trained, layer.leak_shift, config)
    if layer.bias:
        tables[f"biases{i}"] = network.integer_bias(i).round().int() if network.bias else torch.zeros_like(shifts)
    if layer.threshold == "neuron":
        tables[f"thresholds{i}"] = thresholds.expand(layer.neurons).contiguous()
        return tables, 0
    if thresholds.numel() > 1:
        raise ExportError(f"{where}threshold: a weight step a neuron was trained, but {config.name} has one threshold "
                          "a layer: set `threshold: neuron`")
    return tables, int(thresholds)


def _delays(network, config):
    """Tables of the frames that single neurons' spikes come late."""
    built, tables = config.delays(), {}
    for connection in network.delays:
        matrix = "fc" if connection == "readout" else connection
        longest = int(getattr(network, f"delay_{connection}").max())
        if longest > built.get(matrix, (0, 0))[1]:
            raise ExportError(f"delays up to {longest} into {matrix} were trained, but {config.name} has "
                              f"{built.get(matrix, (0, 0))[1]} frames at most: raise its delays")
    for matrix, (layer, _) in built.items():
        late = getattr(network, f"delay_{'readout' if matrix == 'fc' else matrix}", None)
        tables[f"delays_{matrix}"] = torch.zeros(config.layers[layer].neurons, dtype=torch.int32) \
            if late is None else late.int()
    return tables


def bounds(model):
    """Largest magnitude that each accumulator can reach with these weights and any input, and the neuron that has it.

    Returns name -> (bits needed, neuron, bound); a layer's bound sums the magnitudes of all its inputs' weights.
    """
    c = model.config
    size = {name: matrix.to(torch.int64).abs().sum(0) for name, matrix in model.matrices.items()}
    sums = {"input group": size["input"] * c.digit_limit}
    for k in range(len(c.layers)):
        forward = size[f"forward{k}"] if k else (size["input"] * (1 << (c.feature_bits - 1)) >> c.input_shift) + 1
        sums[f"layer {k}"] = forward + size.get(f"recurrent{k}", 0)
    sums["fc"] = size["fc"] * model.time_steps
    report = {}
    for name, bound in sums.items():
        worst = int(bound.argmax())
        report[name] = (int(bound[worst]).bit_length() + 1, worst, int(bound[worst]))
    return report


def check_bounds(model):
    """Raise `ExportError` naming the worst neuron if an accumulator could overflow; returns `bounds`."""
    report = bounds(model)
    for name, (bits, neuron, bound) in report.items():
        if bits > model.config.accumulator_bits:
            raise ExportError(f"{name}: neuron {neuron} can reach {bound}, {bits} bits; accumulators have "
                              f"{model.config.accumulator_bits}")
    return report


def check_rates(rates, before=None):
    """Warnings (list of lines) about layers that are silent or saturated, or changed much by quantisation."""
    lines = []
    for i, rate in enumerate(rates):
        if not SILENT <= rate <= SATURATED:
            lines.append(f"WARNING: layer {i} {'is silent' if rate < SILENT else 'is saturated'}: it fires at "
                         f"{rate:.1%} of neurons and time steps")
        if before and abs(rate - before[i]) > 0.5 * max(before[i], 0.02):
            lines.append(f"WARNING: layer {i} fired at {before[i]:.1%} before quantisation, {rate:.1%} after")
    return lines
