"""The table of docs/training.md and the rows of docs/results/training.json: `python -m sw.report --runs build/runs`.

Scores every stage found under `RUNS/foldN/STAGE` on that fold's held-out speakers. Stages are
scored by the training model, whose quantised arithmetic is the golden model's to the bit (tests/sw/test_models.py).
"""

import argparse
import json
import logging
import statistics
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from hw import config as hw_config
from sw import decode, export, recognise, stages, task
from sw.data import corpus
from sw.evaluate import Bench
from sw.integer_model import write_atomically
from sw.models.gated import Gated

ORDER = tuple(stages.STAGES)


def row(folder, parts, work, config, noise=None, snr=None):
    """Figures of the run in `folder`, scored on the held-out utterances of its `PhoneTask` `work`."""
    manifest = json.loads((folder / "manifest.json").read_text())
    model = stages.restore(folder)
    bench = Bench(parts.test, work.normalisation, noise, snr, quiet=True)
    bits = 0 if isinstance(model, Gated) else int(model.bits)
    if bits == config.weight_bits:
        export.check_bounds(export.integer_model(model, config, work))
    answers = recognise.of_network(model, bench.xs, config, work.delay)
    arithmetic = f"integer, {bits} bit" if bits else "float"
    figures = bench.score(answers, lambda: decode.search(work.grammar, work.layout, work.log_prior, delay=work.delay),
                          config)
    if isinstance(model, Gated):
        figures["mmac_per_s"] = round(sum(p.numel() for n, p in model.named_parameters() if "bias" not in n) * 1e-4, 2)
    result = {"model": folder.name if isinstance(model, Gated) else "rsnn", "stage": folder.name,
              "config": config.name, "time_steps": manifest.get("time_steps"), "bytes": stages.size_of(model),
              "bytes_without_mask": stages.size_of(model, mask=False),
              "seed": manifest["seed"], "split": manifest["split"], "data": manifest["data"], "arithmetic": arithmetic,
              "epochs": manifest["epochs"], "teacher": manifest.get("teacher", False), "commit": manifest["commit"]}
    for name in ("spike_sparsity", "cycles_per_frame"):
        figures.setdefault(name, None)
    return {**result, **figures}


def table(rows):
    """Markdown of rows, mean and spread over seeds."""
    lines = ["| stage | seeds | bytes | PER % | frames % | zero spikes L0 / L1 | zero bits | MMAC/s | cycles/frame |",
             "|---|---|---|---|---|---|---|---|---|"]
    for stage in ORDER:
        group = [r for r in rows if r["stage"] == stage]
        if not group:
            continue

        def mean(name, group=group):
            values = [r[name] for r in group if r[name] is not None]
            if not values:
                return "-"
            spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
            return f"{statistics.mean(values):.1f}{spread}"

        sparse = [r["spike_sparsity"] for r in group if r["spike_sparsity"]]
        spikes = " / ".join(f"{100 * statistics.mean(s):.1f}" for s in zip(*sparse, strict=True)) or "-"
        bits = 100 * statistics.mean(r["bit_sparsity"] for r in group)
        lines.append(f"| {stage} | {len(group)} | {group[0]['bytes']} | {mean('per')} | {mean('frame_accuracy')} "
                     f"| {spikes} | {bits:.1f} | {mean('mmac_per_s')} | {mean('cycles_per_frame')} |")
    return "\n".join(lines)


def main(argv=None):
    """Score the runs; returns the exit status."""
    p = argparse.ArgumentParser(prog="python -m sw.report", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--runs", default="build/runs", help="folder with fold0, fold1, ... as sw.train leaves them")
    p.add_argument("--data", nargs="+", default=["../shared/data/phones", "../shared/data/librispeech_251spk"])
    p.add_argument("--noise", default="../shared/data/noise")
    p.add_argument("--snr", type=float, nargs="*", default=[], help="noise sweep of the last stage, in dB")
    p.add_argument("--sweep", default="fcprune", help="stage of the noise sweep")
    p.add_argument("--folds", type=int, default=3)
    p.add_argument("--config", default="paper")
    p.add_argument("--json", default="docs/results/training.json")
    args = p.parse_args(argv)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    config = hw_config.load(args.config)
    utterances = task.find(args.data)
    path = Path(args.json)
    stored = json.loads(path.read_text()) if path.is_file() else {}
    rows, sweep = [], []
    for fold in range(args.folds):
        folders = [f for name in ORDER if (f := Path(args.runs) / f"fold{fold}" / name / "last.pt").is_file()]
        if not folders:
            continue
        parts = task.split(utterances, fold, args.folds)
        work = task.PhoneTask(parts, task.phone_layout(config), variants=("plain",), quiet=True)
        for file in tqdm(folders, desc=f"fold {fold}"):
            manifest = json.loads((file.parent / "manifest.json").read_text())
            if manifest["metrics"]["epoch"] < manifest["epochs"]:
                continue  # still in training
            rows.append(row(file.parent, parts, work, config))
            if file.parent.name == args.sweep:
                noises = corpus.noises(args.noise, ["test"]) if args.snr else None
                for snr in args.snr:
                    sweep.append({"snr_db": snr, **row(file.parent, parts, work, config, noises, snr)})
    stored.update(command="python -m sw.report", torch=torch.__version__, rows=rows)
    if sweep:
        stored["noise_sweep"] = sweep
    write_atomically(path, (json.dumps(stored, indent=1) + "\n").encode())
    print(table(rows))
    for s in sweep:
        print(f"{s['snr_db']:g} dB seed {s['seed']}: PER {s['per']}, zero spikes {s['spike_sparsity']}, "
              f"{s['cycles_by_mode']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
