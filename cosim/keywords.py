"""Keyword models on the Verilated accelerator, bit for bit: the RSNN spotter whole, and SparkNets' binary heads.

    python -m cosim.keywords --data <folder with a manifest>

The RSNN: every spike, potential, logit, cycle and row read against the golden model. A head: gates of the trained
SparkNet enter as spikes; the summed logits of each clip against `sw.keywords.head`, everything else against golden.
Writes docs/results/keywords-cosim.json.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cosim.rtl import harness, side_by_side, toolchain
from hw import config as hw_config
from hw import store
from hw.interface import MODES, Phase
from sw.integers import integer_model
from sw.keywords import head as heads
from sw.keywords import score, spotter, train, waves

SPARKNETS = ("sparknet-32", "sparknet-16", "sparknet-8", "sparknet-4")


def rsnn(held, mode):
    """A row: the committed RSNN on clips, in one mode."""
    model = spotter.load("rsnn-keywords")
    integers = model.network.integers
    x = model.hear(held.floats()).transpose(1, 2).to(torch.int8).numpy()  # (B, frames, 40)
    result = harness.run(integers, MODES[mode], list(x))
    outcome = side_by_side.compare(result, side_by_side.golden_of(integers, list(x), MODES[mode]))
    summed = torch.from_numpy(result.logits.reshape(len(x), -1, integers.config.outputs).sum(1))[:, :len(model.labels)]
    return _row("rsnn-keywords", mode, held, model, result, outcome, summed.float())


def head(name, held, mode, config):
    """A row: the binary head of a committed SparkNet on clips, in one mode."""
    model = spotter.load(name)
    gates = heads.gates_of(model, held.floats())
    integers = heads.of_network(model.network, gates.shape[2], config.weight_bits)
    steps = MODES[mode].time_steps
    network = heads.integer_model(integers, config, steps)
    x = [heads.features(g, config, steps).numpy() for g in gates]
    result = harness.run(network, MODES[mode], x)
    outcome = side_by_side.compare(result, side_by_side.golden_of(network, x, MODES[mode]))
    classes = len(model.labels)
    summed = torch.from_numpy(result.logits.reshape(len(x), len(x[0]), -1).sum(1))[:, :classes] + integers.bias
    wrong = int((summed != integers.logits(gates)).sum())
    outcome = side_by_side.Comparison(outcome.compared + summed.numel(), outcome.differences + wrong,
                                      outcome.first or ("summed logits" if wrong else ""))
    row = _row(name, mode, held, model, result, outcome, summed.float())
    row["accuracy_float_head"] = score.measure(model.logits(held.floats()), held.clips, model.labels)["accuracy"]
    row["open_gates_a_frame"] = round(float(gates.sum(1).float().mean()), 2)
    row["frames_of_gates_a_step"] = steps
    return row


def _row(name, mode, held, model, result, outcome, logits):
    if outcome.first:
        print(f"{name}, {mode}: first difference: {outcome.first}")
    fc = result.phases[:, Phase.FC.value]
    accuracy = score.measure(logits, held.clips, model.labels)["accuracy"]
    return {"model": name, "mode": mode, "clips": len(held.clips), "compared": outcome.compared,
            "differences": outcome.differences, "accuracy": accuracy,
            "cycles_a_frame": round(float(result.phases.sum(1).mean()), 1),
            "fc_cycles_a_frame": round(float(fc.mean()), 2)}


def main(argv=None):
    p = argparse.ArgumentParser(prog="cosim.keywords", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--data", default=train.DATA, help="folder with a manifest")
    p.add_argument("--clips", type=int, default=60, help="held-out clips, drawn with a fixed seed")
    p.add_argument("--config", default="keywords")
    p.add_argument("--json", default="docs/results/keywords-cosim.json")
    args = p.parse_args(argv)
    torch.set_num_threads(1)
    try:
        held = train.gather(args.data, quiet=True)[0].of("held")
        chosen = np.random.default_rng(0).permutation(len(held.clips))[:args.clips]
        held = waves.Waves([held.clips[i] for i in chosen], held.samples[chosen], [])
        config = hw_config.load(args.config)
        runs = [("rsnn-keywords", m) for m in ("t2_merged", "t2_union")]
        runs += [(name, mode) for name in SPARKNETS for mode in ("t1", "t2_merged")]
        rows = [rsnn(held, mode) if name == "rsnn-keywords" else head(name, held, mode, config)
                for name, mode in tqdm(runs, desc="runs")]
    except (integer_model.ModelError, hw_config.ConfigError, harness.HarnessError, toolchain.ToolError,
            ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    for r in rows:
        print(f"{r['model']:14} {r['mode']:9} {r['compared']:>11,} compared {r['differences']:>4} differ  "
              f"{r['accuracy']:6.2f} %  {r['cycles_a_frame']:7.1f} cycles a frame, FC {r['fc_cycles_a_frame']:.1f}")
    store.write_json(Path(args.json), {
        "command": f"python -m cosim.keywords --clips {args.clips}", "config": config.name, "commit": store.commit(),
        "data": Path(args.data).name, "rows": rows})
    sys.exit(1 if any(r["differences"] for r in rows) else 0)


if __name__ == "__main__":
    main()
