"""The generator held to the golden model over its whole space: shipped, named and random configurations, every mode.

    sottovoce networks                             all of them (half an hour)
    sottovoce networks --only delays drawn7        some
    sottovoce networks --model FOLDER              a network of one's own, its weights and configuration
    sottovoce networks --model FOLDER --features FILE.npy     on features of one's own
    sottovoce networks --refused                   graphs of other libraries that cannot be mapped, and why

Random weights, tables of single neurons over their whole range, random features, streamed and frame by frame; every
spike, potential, logit, cycle and row read is compared.
"""

import time
from pathlib import Path

import torch

from cosim import models, results
from cosim.bench import configurations
from cosim.bench.networks import random_model, random_utterances
from cosim.rtl import harness, side_by_side
from hw import config as configs
from hw import store
from hw.interface import modes_of
from sw import golden, options
from sw.networks import calibration, refusals

FILE = "networks.json"
SHIPPED = ("paper", "phone", "keywords", "tiny")
DRAWN = 24
LONG = 2000  # frames times layers from which on optimised C++ pays


def names():
    """Names of everything there is to hold it to."""
    return [*SHIPPED, *configurations.NAMED, *(f"drawn{seed}" for seed in range(DRAWN))]


def configuration(name):
    """(configuration, where it comes from). Raises `ConfigError` listing the names."""
    if name in SHIPPED:
        return configs.load(name), "shipped"
    if name in configurations.NAMED:
        return configurations.named(name), "made to be at a corner"
    if name.startswith("drawn") and name[5:].isdecimal():
        return configurations.drawn(int(name[5:])), f"random, seed {name[5:]}"
    raise configs.ConfigError(f"no configuration {name!r} here; there are {', '.join(names())}")


def row(model, source, utterances, folder):
    """Every mode, streamed and frame by frame -> (the figures of a network, the first difference in words or "").

    `folder`: a build of the configuration's harness.
    """
    config = model.config
    started = time.monotonic()
    compared = differences = 0
    first, cycles, reads = "", {}, {}
    for name in modes_of(config):
        for isolated in (False, True):
            outcome = side_by_side.check(model, name, utterances, isolated=isolated, quiet=True,
                                         folder=folder)
            compared, differences = compared + outcome.compared, differences + outcome.differences
            first = first or (outcome.first and f"{name}: {outcome.first}")
            if isolated:
                prediction = outcome.run.prediction
                late = int((outcome.run.latency != prediction.phases.sum(1) + golden.ends(config)).sum())
                compared, differences = compared + len(outcome.run.latency), differences + late
                first = first or (late and f"{name}: latency of {late} frames") or ""
                cycles[name] = round(float(outcome.run.latency.mean()), 1)
                reads[name] = round(float(prediction.reads.sum(1).mean()), 1)
    return {
        "network": config.name, "source": source, "layers": len(config.layers), "lanes": config.lanes,
        "neurons": [layer.neurons for layer in config.layers], "lif_lanes": config.lif_lanes,
        "values_compared": compared, "differences": differences, "cycles_per_frame": cycles, "row_reads": reads,
        **{key: model.manifest.get(key) for key in ("spike_agreement", "import_seconds")},
        "seconds": round(time.monotonic() - started, 1)}, first


def refused(publish):
    """Keep and print the graphs that cannot be mapped, with what is said of each."""
    found = refusals.collected()
    for graph in found:
        print(f"{graph['name']}: {graph['reason']}")
    return results.update({"refused": found}, "refused", {
        "command": "sottovoce networks --refused", "is_not": "all that is refused: one graph for each reason"}, publish,
        FILE)


def work_of(args):
    """(model, where it comes from, utterances) of everything asked for."""
    if not args.model:
        chosen = [configuration(name) for name in args.only or names()]
        made = [(random_model(c, torch.Generator().manual_seed(args.seed)), source) for c, source in chosen]
        return [(model, source, random_utterances(model.config, args.seed)) for model, source in made]
    model = models.load(args.model)
    source = model.manifest.get("source", f"model {model.sha256[:12]}")
    if not args.features:
        return [(model, source, random_utterances(model.config, args.seed))]
    heard = calibration.load(args.features, model.config.features, model.manifest.get("feature_step"))
    return [(model, source, list(heard.integers[:args.clips]))]


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--refused", action="store_true", help="only the graphs that cannot be mapped")
    parser.add_argument("--features", type=Path, metavar="FILE",
                        help=".npy of the model's features (clips, frames, features), in place of random ones")
    parser.add_argument("--clips", type=options.whole, default=12, help="clips of FILE (default: %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="NAME",
                        help=f"of {', '.join(names()[:-DRAWN])}, drawn0, drawn1, …")
    parser.add_argument("--model", help=f"{', '.join(models.names())}, or a folder")
    parser.add_argument("--seed", type=options.from_zero,
                        default=0, help="of weights and features (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Compare and keep a row for each; 1 if anything differs."""
    if args.refused:
        print(f"figures: {refused(args.publish)}")
        return 0
    differences = 0
    for model, source, utterances in work_of(args):
        config = model.config
        long = sum(map(len, utterances)) * len(config.layers) > LONG
        found, first = row(model, source, utterances, (harness.build if long else harness.build_quickly)(config))
        shape = "-".join(map(str, found["neurons"]))
        print(f"{config.name:22} {shape:24} on {config.lanes:>4} lanes {found['values_compared']:>11,} compared "
              f"{found['differences']:>4} differ  {found['cycles_per_frame']['t2_union']:>8.1f} cycles a frame "
              f"{found['seconds']:>6.1f} s", flush=True)
        if first:
            print(f"  first difference: {first}")
        differences += found["differences"]
        data = f"{args.clips} clips of {args.features.name}" if args.features else f"random features, seed {args.seed}"
        path = results.keep_row(FILE, found, "network", {
            "command": args.command, "data": f"{'its own' if args.model else 'random'} weights, {data}; every mode, "
            "streamed and frame by frame", "is_not": "how well it recognises anything"}, args.publish,
            "imported" if args.model else "networks")
    print(f"figures: {path}")
    return 1 if differences else 0
