"""Cycles a frame at the published activity, read off the Verilated design.

Published (arXiv 2503.21337, figures 17 and 18, and their reconstruction): 57 % of the input bits are zero; of 128
neurons 45 fire in L0 at each time step, 30 of them at both; 51 in L1, 44 at both. A network is built that keeps
exactly these counts: each L0 neuron excites itself from frame to frame, each L1 neuron follows one L0 neuron; who
fires is drawn anew for each seed. Two frames seed the pattern and are not counted.

    sottovoce activity --config paper         prints where the cycles go
"""

import dataclasses
import sys

import numpy as np
import torch
from tqdm import tqdm

from cosim import models, results
from cosim.errors import HarnessError
from cosim.rtl import harness, side_by_side
from hw import config as configs
from hw import store
from hw.interface import MODES, WEIGHT_BUFFERS, Phase, Recurrent
from sw import golden, options
from sw.integers.integer_model import IntegerModel

ZERO_BITS = 0.57
FIRED, BOTH = (45 / 128, 51 / 128), (30 / 128, 44 / 128)
SEED_FRAMES = 2
PUBLISHED = {"t1": 574, "t2_unmerged": 1224, "t2_merged": 895}
# 895 ≈ 70 + 128 + 256 + 7.5 x 59;  574 ≈ 70 + 77 + 7.5 x 51 + control
RECONSTRUCTION = {
    "t1": {"input": 70, "recurrent": 77, "fc": 382.5}, "t2_unmerged": {"input": 70, "recurrent": 384, "fc": 772.5},
    "t2_merged": {"input": 70, "recurrent": 384, "fc": 442.5},
}
GROUPS = {"input": [Phase.INPUT], "recurrent": [Phase.L0_RECURRENT, Phase.L1_RECURRENT, Phase.L1_FORWARD],
          "fc": [Phase.FC], "control": [Phase.COMBINE, Phase.L0_LIF, Phase.L1_LIF, Phase.WAIT, Phase.FINAL]}


def _features(config, frames, generator):
    """(frames, F) int8 with exactly 57 % zero bits: of x in two's complement, else of |x|. Seed features stay zero."""
    free = config.features - 3
    usable = 8 if config.input_code == "twos_complement" else 7
    ones = round((1 - ZERO_BITS) * 8 * config.features)
    x = np.zeros((frames, config.features), np.int64)
    for frame in range(frames):
        chosen = generator.permutation(free * usable)[:ones]
        np.add.at(x[frame], 3 + chosen // usable, 1 << (chosen % usable))
    if usable == 8:
        return np.where(x > 127, x - 256, x)
    return x * generator.choice([-1, 1], x.shape)


def check_shape(config):
    """Raise `ConfigError` where the published activity cannot be: it is of two recurrent layers without extras."""
    plain = configs.Layer(neurons=4)
    for k, layer in enumerate(config.layers):
        for name in ("recurrent", "reset", "persist", "threshold", "bias", "synapse_shift", "delays"):
            if getattr(layer, name) != getattr(plain, name):
                raise configs.ConfigError(f"{config.name}: layers[{k}].{name}={getattr(layer, name)!r}: the published "
                                          f"activity wants {getattr(plain, name)!r}")
        if layer.leak_shift not in range(1, 7):
            raise configs.ConfigError(f"{config.name}: layers[{k}].leak_shift={layer.leak_shift!r}: the published "
                                      "activity wants one shift a layer, from 1 to 6")
    for name, ok, wanted in (("layers", len(config.layers) == 2, "two"),
                             ("features", config.features >= 4, "4 or more"),
                             ("readout_delay", not config.readout_delay, "0"),
                             ("weight_bits", config.weight_bits >= 4, "4 or more")):
        if not ok:
            given = len(config.layers) if name == "layers" else getattr(config, name)
            raise configs.ConfigError(f"{config.name}: {name}={given}: the published activity wants {wanted}")


def stimulus(config, steps, seed, frames):
    """A model and features (SEED_FRAMES + frames, F) that fire exactly as published from frame SEED_FRAMES on.

    Self-excitation 7 meets a threshold of 7, so a neuron repeats its spikes of each time step. Seeds, in units of a
    weight: 7 fires at both steps; 5 from rest at step 1 only; 3, then 5 in the next frame, at step 0 only.
    """
    check_shape(config)
    generator = np.random.default_rng(seed)
    n, last = (layer.neurons for layer in config.layers)
    counts = []
    for neurons, fired, both in zip((n, last), FIRED, BOTH, strict=True):
        every = round(fired * neurons)
        shared = round(both * neurons) if steps == 2 else every
        counts.append((shared, every - shared, every - shared))  # both, step 0 only, step 1 only
    roles = [np.split(generator.permutation(neurons), np.cumsum(c))
             for neurons, c in zip((n, last), counts, strict=True)]
    shift = min(config.input_shift, 4)
    weight = 1 << (config.input_shift - shift)
    w_input = torch.zeros(config.features, n, dtype=torch.int32)
    both, first, second = roles[0][:3]
    w_input[0, first] = weight
    w_input[1, np.concatenate([first, second])] = weight
    w_input[2, both] = weight
    forward = torch.zeros(n, last, dtype=torch.int32)
    for drivers, followers in zip(roles[0][:3], roles[1][:3], strict=True):
        if len(followers):
            forward[generator.choice(drivers, len(followers)), followers] = 7
    threshold = 7 << config.potential_fraction
    fc = torch.from_numpy(generator.integers(-8, 8, (last, config.outputs), dtype=np.int32))
    model = IntegerModel(config, [w_input, 7 * torch.eye(n, dtype=torch.int32), forward,
                                  torch.zeros(last, last, dtype=torch.int32), fc],
                         torch.tensor([threshold] * 2), time_steps=steps)
    x = _features(config, SEED_FRAMES + frames, generator)
    x[:SEED_FRAMES] = 0
    x[0, 0], x[1, 1], x[1, 2] = 3 << shift, 5 << shift, 7 << shift
    return model, x.astype(np.int8)


def check_activity(config, trace, steps):
    """Raise `HarnessError` unless the counted frames fire exactly as published."""
    spikes = trace.spikes[:, SEED_FRAMES:]
    for layer, (fired, both) in enumerate(zip(FIRED, BOTH, strict=True)):
        counts, neurons = spikes[:, :, layer].sum(-1), config.layers[layer].neurons
        if (counts != round(fired * neurons)).any():
            raise HarnessError(f"layer {layer} fires {counts.unique().tolist()}, not {fired} of the neurons")
        if steps == 2 and (spikes[:, :, layer].all(-2).sum(-1) != round(both * neurons)).any():
            raise HarnessError(f"layer {layer}: a wrong share fires at both time steps")


def measure(config, seeds, frames):
    """Mode name -> mean cycles (latency, interval), by phase group, and row reads by buffer; all off the RTL."""
    harness.build(config)
    out = {}
    for name, mode in MODES.items():
        costs = []
        for seed in tqdm(range(seeds), desc=f"{config.name} {name}", unit="seed", file=sys.stderr, leave=False,
                         disable=None):
            model, x = stimulus(config, mode.time_steps, seed, frames)
            latency, phases, reads, _ = isolated(model, name, x)
            check_activity(config, golden.run(model, x[None]), mode.time_steps)
            costs.append([values[SEED_FRAMES:].mean(0) for values in (latency, phases, reads)])
        latency, phases, reads = (np.mean([c[i] for c in costs], axis=0) for i in range(3))
        groups = {group: float(sum(phases[p.value] for p in members)) for group, members in GROUPS.items()}
        groups["arrival and drain"] = float(latency - phases.sum())
        out[name] = {"cycles": float(latency), "interval": float(phases.sum()), "phases": groups,
                     "reads": dict(zip(WEIGHT_BUFFERS, reads.tolist(), strict=True))}
    return out


def isolated(model, mode_name, x, folder=None):
    """Frames one at a time through the RTL: (latency (T,), phases (T, P), reads (T, B), values compared).

    `folder` of the compiled harness, if another than the quickest to run. Raises `HarnessError` where anything differs
    from the golden model.
    """
    outcome = side_by_side.check(model, mode_name, [x], isolated=True, quiet=True, folder=folder)
    latency = outcome.run.latency
    expected = outcome.run.prediction.phases.sum(1) + golden.ends(model.config)
    late = int((latency != expected).sum())
    if outcome.differences or late:
        raise HarnessError(f"{model.config.name}, {mode_name}: {outcome.differences + late} values differ from the "
                           f"golden model, first {outcome.first or 'latency'}")
    return latency, outcome.run.prediction.phases, outcome.run.prediction.reads, outcome.compared + len(latency)


def by_input_code(config, seeds, frames):
    """Cycles of the published mode by input code, from the cycle model that `measure` has just held to the RTL."""
    out = {}
    for code in configs.INPUT_CODES:
        other = dataclasses.replace(config, input_code=code, accumulator_bits=14)
        latency = []
        for seed in range(seeds):
            model, x = stimulus(other, 2, seed, frames)
            trace = golden.run(model, x[None])
            latency.append(golden.cycles(other, MODES["t2_merged"], x[None], trace).latency[:, SEED_FRAMES:])
        out[code] = round(float(torch.cat(latency).double().mean()), 1)
    return out


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", default="paper", help="configuration by name, or a file (default: %(default)s)")
    parser.add_argument("--model", help=f"the configuration of a model: {', '.join(models.names())}, or a folder")
    parser.add_argument("--seeds", type=options.whole, default=12, help="networks drawn (default: %(default)s)")
    parser.add_argument("--frames", type=options.whole, default=8, help="frames counted of each (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Print the table; figures into the results."""
    config = models.load(args.model).config if args.model else configs.load(args.config)
    if args.publish and config.name != "paper":
        raise ValueError(f"--publish: docs/results holds the figures of paper; got configuration {config.name}")
    measured = measure(config, args.seeds, args.frames)
    codes = by_input_code(config, args.seeds, args.frames)
    head = ["cycles a frame", "published", "measured", "interval", *GROUPS, "arrival and drain"]
    rows = []
    for name, m in measured.items():
        if name in RECONSTRUCTION and config.name == "paper":
            model = RECONSTRUCTION[name]
            rows.append([f"  {name} reconstruction", PUBLISHED[name], "", "", *(model.get(g, "") for g in GROUPS), ""])
        rows.append([name, PUBLISHED.get(name, "") if config.name == "paper" else "", f"{m['cycles']:.1f}",
                     f"{m['interval']:.1f}", *(f"{v:.1f}" for v in m["phases"].values())])
    print(results.plain_table(head, rows))
    saved = 1 - measured["t2_merged"]["cycles"] / measured["t2_unmerged"]["cycles"]
    recurrent = {name: m["reads"]["recurrent0"] + m["reads"]["recurrent1"] for name, m in measured.items()}
    print(f"merging saves {100 * saved:.1f} % (published 26.9 %); row reads of the recurrent layers a frame: " +
          ", ".join(f"{r.name.lower()} {recurrent[n]:.0f}" for r, n in zip(
              Recurrent, ("t2_sequential", "t2_merged", "t2_union"), strict=True)))
    print("published mode by input code: " + ", ".join(f"{code} {c}" for code, c in codes.items()))
    path = results.update(_values(measured, saved, codes, recurrent), "activity", {
        "command": args.command,
        "config": config.name, "published": PUBLISHED,
        "data": "drawn networks that fire as published; isolated frames, first feature in to last logit out",
        "is_not": "the published chip's own spike trains, which nobody has published"}, args.publish,
        "accelerator.json" if config.name == "paper" else f"activity-{config.name}.json")
    print(f"figures: {path}")
    return 0


def _values(measured, saved, codes, recurrent):
    values = {f"cycles_{name}": round(m["cycles"], 1) for name, m in measured.items()}
    values |= {f"interval_{name}": round(m["interval"], 1) for name, m in measured.items()}
    values |= {f"phases_{name}": {k: round(v, 1) for k, v in m["phases"].items()} for name, m in measured.items()}
    return values | {
        "merging_saves": round(saved, 4), "cycles_t2_merged_by_input_code": codes,
        "recurrent_row_reads_sequential": recurrent["t2_sequential"],
        "recurrent_row_reads_parallel": recurrent["t2_merged"], "recurrent_row_reads_union": recurrent["t2_union"]}
