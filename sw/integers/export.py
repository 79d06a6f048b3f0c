"""From a trained network to the integers that the accelerator loads, with everything its decoder needs."""

from dataclasses import asdict

import torch

from hw import store
from sw.integers.integer_model import IntegerModel
from sw.phones.decode import SCALES
from sw.phones.stages import size_of

SILENT, SATURATED = 0.01, 0.90  # firing rates of a layer that has stopped to say anything


class ExportError(ValueError):
    """A network that has no integer form yet."""


@torch.no_grad()
def parts(network, config):
    """Trained, quantised `Rsnn` -> what an `IntegerModel` of `config` is made of: matrices, thresholds, neurons, steps.

    Raises `ExportError` for a float network and for one that is not what `config` builds.
    """
    if int(network.bits) != config.weight_bits:
        raise ExportError(f"the network has {int(network.bits) or 'float'} bit weights, {config.name} wants "
                          f"{config.weight_bits}: train its quantised stage first")
    if network.input_shift != config.input_shift:
        raise ExportError(f"input_shift={network.input_shift} was trained, but {config.name} has {config.input_shift}")
    shapes = {name: tuple(matrix.shape) for name, matrix in network.integers().items()}
    if shapes != config.matrices():
        raise ExportError(f"the network has {shapes}, {config.name} wants {config.matrices()}")
    neurons, thresholds = {}, torch.zeros(len(config.layers), dtype=torch.int32)
    for k, layer in enumerate(config.layers):
        threshold, shifts = network.threshold(k).round().to(torch.int32), getattr(network, f"shift{k}")
        if layer.threshold == "neuron":
            neurons[f"thresholds{k}"] = threshold.expand(layer.neurons).clone()
        else:
            thresholds[k] = _one(threshold, f"thresholds of layer {k}", config)
        if layer.leak_shift == "neuron":
            neurons[f"leaks{k}"] = shifts.to(torch.int32)
        elif _one(shifts, f"leak_shift of layer {k}", config) != layer.leak_shift:
            raise ExportError(f"leak_shift={network.leak_shift} was trained, but {config.name} has "
                              f"{list(config.leak_shift)}")
        if layer.bias:
            neurons[f"biases{k}"] = (network.integer_bias(k).round().to(torch.int32) if network.bias else
                                     torch.zeros(layer.neurons, dtype=torch.int32))
        elif network.bias:
            raise ExportError(f"layer {k} was trained with a bias, {config.name} has none: bias: true")
    late = {"fc" if name == "readout" else name: most for name, most in network.delays.items()}
    for matrix in {*late, *config.delays()}:
        if late.get(matrix, 0) > config.delays().get(matrix, (0, 0))[1]:
            raise ExportError(f"delays up to {late[matrix]} into {matrix} were trained, {config.name} has fewer")
    for matrix, (layer, _) in config.delays().items():
        source = getattr(network, f"delay_{'readout' if matrix == 'fc' else matrix}", None)
        neurons[f"delays_{matrix}"] = (torch.zeros(config.layers[layer].neurons, dtype=torch.int32)
                                       if source is None else source.to(torch.int32))
    return {"matrices": {name: w.round().to(torch.int32) for name, w in network.integers().items()},
            "thresholds": thresholds, "neurons": neurons, "time_steps": network.time_steps}


def _one(values, name, config):
    found = values.unique()
    if len(found) > 1:
        raise ExportError(f"{name} are a neuron's own ({int(found[0])} to {int(found[-1])}): {config.name} has one")
    return int(found[0])


@torch.no_grad()
def integer_model(model, config, task, recipe=None, scales=None):
    """Trained `Rsnn` -> `IntegerModel` of `config`. `task`: the `PhoneTask` it was trained on; `scales`: decoder's."""
    found = parts(model, config)
    manifest = {
        "model": "rsnn", "bytes": size_of(model), "commit": store.commit(), "torch": torch.__version__,
        "recipe": {"split": task.split.name, "train_utterances": len(task.split.train), **(recipe or {})},
        "corpora": sorted({u.corpus for u in task.split.train}),
        "licence_note": licence_note(task.split.train),
        "targets": {"kind": task.layout.kind, "delay": task.delay},
        "decoder": asdict(scales or SCALES[task.layout.kind]),
        "logit_step": float(model.steps_of[2]),
        "weight_steps": {"layer0": float(model.steps_of[0]), "layer1": float(model.steps_of[1])},
        "fc_zero_share": round(float((found["matrices"]["fc"] == 0).float().mean()), 4)}
    tables = {"feature_mean": torch.from_numpy(task.normalisation.mean),
              "feature_deviation": torch.from_numpy(task.normalisation.deviation),
              "bigram": torch.from_numpy(task.grammar.bigram), "stay": torch.from_numpy(task.grammar.stay),
              "log_prior": task.log_prior}
    return IntegerModel(config, **found, tables=tables, manifest=manifest)


def licence_note(utterances):
    """What must be said of weights trained on these utterances."""
    if any(u.corpus == "timit_sample" for u in utterances):
        return "trained in part on the TIMIT sample that NLTK distributes, whose licence is CC BY-NC-SA"
    return ""


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
