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
def integer_model(model, config, task, recipe=None, scales=None):
    """Trained `Rsnn` -> `IntegerModel` of `config`. `task`: the `PhoneTask` it was trained on; `scales`: decoder's."""
    if int(model.bits) != config.weight_bits:
        raise ExportError(f"the network has {int(model.bits) or 'float'} bit weights, {config.name} wants "
                          f"{config.weight_bits}: train a quantised stage first")
    if tuple(model.leak_shift) != config.leak_shift or model.input_shift != config.input_shift:
        raise ExportError(f"leak_shift={model.leak_shift}, input_shift={model.input_shift} were trained, but "
                          f"{config.name} has {list(config.leak_shift)}, {config.input_shift}")
    weights = {name: w.round().to(torch.int32) for name, w in model.integers().items()}
    manifest = {
        "model": "rsnn", "bytes": size_of(model), "commit": store.commit(), "torch": torch.__version__,
        "recipe": {"split": task.split.name, "train_utterances": len(task.split.train), **(recipe or {})},
        "corpora": sorted({u.corpus for u in task.split.train}),
        "licence_note": licence_note(task.split.train),
        "targets": {"kind": task.layout.kind, "delay": task.delay},
        "decoder": asdict(scales or SCALES[task.layout.kind]),
        "logit_step": float(model.steps_of[2]),
        "weight_steps": {"layer0": float(model.steps_of[0]), "layer1": float(model.steps_of[1])},
        "fc_zero_share": round(float((weights["fc"] == 0).float().mean()), 4)}
    tables = {"feature_mean": torch.from_numpy(task.normalisation.mean),
              "feature_deviation": torch.from_numpy(task.normalisation.deviation),
              "bigram": torch.from_numpy(task.grammar.bigram), "stay": torch.from_numpy(task.grammar.stay),
              "log_prior": task.log_prior}
    return IntegerModel(config, weights, thresholds=model.thresholds().to(torch.int32), time_steps=model.time_steps,
                        tables=tables, manifest=manifest)


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
