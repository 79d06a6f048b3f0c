"""Keyword models on the Verilated accelerator, bit for bit: the spiking spotters whole, and SparkNets' binary heads.

    sottovoce keyword-conformance --data FOLDER                      a folder with a manifest
    sottovoce keyword-conformance --models rsnn-delays --clips 12    some models, some clips

A spiking spotter: every spike, potential, logit, cycle and row read against the golden model. A head: gates of the
trained SparkNet enter as spikes; the summed logits of each clip against `sw.keywords.head`, the rest against golden.
"""

from dataclasses import replace

import numpy as np
import torch

from cosim import results
from cosim.rtl import side_by_side
from hw import config as hw_config
from hw import store
from hw.interface import MODES, phases
from sw import options
from sw.golden.prediction import difference
from sw.keywords import head as heads
from sw.keywords import score, spotter, train, waves

SPOTTERS = {"rsnn-keywords": ("t2_merged", "t2_union"), "rsnn-delays": ("t1",)}  # and the modes they run in
SPARKNETS = ("sparknet-32", "sparknet-16", "sparknet-8", "sparknet-4")


def rsnn(name, held, mode):
    """A row: a committed spiking spotter on clips, in one mode."""
    model = spotter.load(name)
    integers = model.network.integers
    x = model.hear(held.floats()).transpose(1, 2).to(torch.int8).numpy()  # (B, frames, 40)
    outcome = side_by_side.check(integers, mode, list(x))
    logits = outcome.run.prediction.logits.reshape(len(x), -1, integers.config.outputs)  # (B, frames, O)
    return _row(name, mode, held, model, integers.config, outcome,
                torch.from_numpy(logits.sum(1))[:, :len(model.labels)].float())


def head(name, held, mode, config):
    """A row: the binary head of a committed SparkNet on clips, in one mode."""
    model = spotter.load(name)
    gates = heads.gates_of(model, held.floats())
    integers = heads.of_network(model.network, gates.shape[2], config.weight_bits)
    steps = MODES[mode].time_steps
    network = heads.integer_model(integers, config, steps)
    x = [heads.features(g, config, steps).numpy() for g in gates]
    outcome = side_by_side.check(network, mode, x)
    logits = outcome.run.prediction.logits.reshape(len(x), len(x[0]), -1)
    summed = torch.from_numpy(logits.sum(1))[:, :len(model.labels)] + integers.bias
    values, wrong, first = difference("summed logit", ("clip", "class"), integers.logits(gates), summed)
    outcome = replace(outcome, compared=outcome.compared + values, differences=outcome.differences + wrong,
                      first=outcome.first or first)
    row = _row(name, mode, held, model, config, outcome, summed.float())
    row["accuracy_float_head"] = score.measure(model.logits(held.floats()), held.clips, model.labels)["accuracy"]
    row["open_gates_a_frame"] = round(float(gates.sum(1).float().mean()), 2)
    row["frames_of_gates_a_step"] = steps
    return row


def _row(name, mode, held, model, config, outcome, logits):
    if outcome.first:
        print(f"{name}, {mode}: first difference: {outcome.first}")
    spent = outcome.run.prediction.phases
    accuracy = score.measure(logits, held.clips, model.labels)["accuracy"]
    return {"model": name, "config": config.name, "mode": mode, "clips": len(held.clips), "compared": outcome.compared,
            "differences": outcome.differences, "accuracy": accuracy,
            "cycles_a_frame": round(float(spent.sum(1).mean()), 1),
            "fc_cycles_a_frame": round(float(spent[:, phases(config).FC.value].mean()), 2)}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--data", default=options.KEYWORDS, help="folder with a manifest")
    parser.add_argument("--models", nargs="+", choices=(*SPOTTERS, *SPARKNETS), default=(*SPOTTERS, *SPARKNETS),
                        metavar="MODEL", help="%(choices)s (default: all)")
    parser.add_argument("--clips", type=options.whole, default=60,
                        help="held-out clips, drawn with a fixed seed (default: %(default)s)")
    parser.add_argument("--config", default="keywords", help="of the heads' machine (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Compare every model and mode; 1 if anything differs."""
    torch.set_num_threads(1)
    held = train.gather(args.data, quiet=True)[0].of("held")
    chosen = np.random.default_rng(0).permutation(len(held.clips))[:args.clips]
    held = waves.Waves([held.clips[i] for i in chosen], held.samples[chosen], [])
    config = hw_config.load(args.config)
    rows = [rsnn(name, held, mode) for name, modes in SPOTTERS.items() if name in args.models for mode in modes]
    rows += [head(name, held, mode, config) for name in SPARKNETS if name in args.models
             for mode in ("t1", "t2_merged")]
    for r in rows:
        print(f"{r['model']:14} {r['mode']:9} {r['compared']:>11,} compared {r['differences']:>4} differ  "
              f"{r['accuracy']:6.2f} %  {r['cycles_a_frame']:7.1f} cycles a frame, FC {r['fc_cycles_a_frame']:.1f}")
    path = store.results("keywords-cosim.json", args.publish)
    wrong = any(r["differences"] for r in rows)
    rows += [r for r in store.read_json(path).get("rows", ()) if r["model"] not in args.models]  # of an earlier run
    store.write_json(path, {**store.recipe(args.command, config=config.name, data=args.data, packages=results.TOOLS),
                            "rows": rows})
    print(f"figures: {path}")
    return int(wrong)
