"""The table of docs/training.md and the rows of docs/results/training.json: `python -m sw.phones.phone_report --runs build/runs`.

Scores every stage found under `RUNS/foldN/STAGE`, and under `RUNS/VARIANT/foldN/STAGE` for other configurations and
targets, on that fold's held-out speakers. Stages are scored by the training model, whose quantised arithmetic is the
golden model's to the bit (tests/sw/test_models.py). With --tune decoder scales are chosen first (`sw.phones.tune`). Rows of
configurations and targets that are not in RUNS stay as they are.
"""

import argparse
import json
import logging
import shlex
import statistics
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from hw import config as hw_config
from hw import store
from sw.integers import export
from sw.models.gated import Gated
from sw.phones import corpus, decode, phone_task, recognise, stages, tune
from sw.phones.evaluate import Bench

ORDER = tuple(stages.STAGES)
TUNED = {"spiking": "final", "gated": "gru"}  # stage that scales are chosen on
TUNED_ON = 14  # utterances a fold, evenly spread


class Fold:
    """One fold of a variant: its finished runs, its held-out utterances and what decodes them."""

    def __init__(self, folder, utterances, fold, folds, noise):
        self.folder, self.number, self.noise = folder, fold, noise
        self.runs = [f.parent for name in ORDER if (f := folder / name / "last.pt").is_file() and finished(f.parent)]
        first = manifest_of(self.runs[0])
        self.config = hw_config.load(first["config"])
        parts = phone_task.split(utterances, fold, folds)
        self.test = parts.test
        self.work = phone_task.PhoneTask(parts, phone_task.phone_layout(self.config, first.get("targets")), variants=("plain",),
                                   quiet=True)
        self.scales = {}

    def bench(self, snr=None):
        """Held-out utterances, with noise at `snr` dB if given."""
        return Bench(self.test, self.work.normalisation, self.noise if snr is not None else None, snr, quiet=True)

    def sheet(self, kind):
        """Errors over the grid of scales of the stage that `kind` is tuned on; None where it has not been trained."""
        run = self.folder / TUNED[kind]
        if run not in self.runs:
            return None
        bench = self.bench()
        some = range(0, len(bench.xs), max(1, len(bench.xs) // TUNED_ON))
        answers = recognise.of_network(stages.restore(run), [bench.xs[i] for i in some], self.config, self.work.delay)
        return tune.sheet(list(answers), [bench.references[i] for i in some], self.work,
                          lambda points: tqdm(points, desc=f"{self.folder} {kind} scales", unit="point"))

    def row(self, run, snr=None):
        """Figures of one run on the held-out utterances."""
        manifest, model, work, config = manifest_of(run), stages.restore(run), self.work, self.config
        gated = isinstance(model, Gated)
        bits = 0 if gated else int(model.bits)
        if bits == config.weight_bits:
            export.check_bounds(export.integer_model(model, config, work))
        scales = self.scales.get("gated" if gated else "spiking") or decode.SCALES[work.layout.kind]
        answers = recognise.of_network(model, (bench := self.bench(snr)).xs, config, work.delay)
        figures = bench.score(answers, lambda: decode.search(work.grammar, work.layout, work.log_prior, scales,
                                                             work.delay), config)
        if gated:
            weights = sum(p.numel() for n, p in model.named_parameters() if "bias" not in n)
            figures["mmac_per_s"] = round(weights * 1e-4, 2)
        for name in ("spike_sparsity", "cycles_per_frame"):
            figures.setdefault(name, None)
        return {"model": run.name if gated else "rsnn", "stage": run.name, "config": config.name,
                "targets": work.layout.kind, "time_steps": manifest.get("time_steps"),
                "bytes": stages.size_of(model), "bytes_without_mask": stages.size_of(model, mask=False),
                "seed": manifest["seed"], "split": manifest["split"], "data": manifest["data"],
                "arithmetic": f"integer, {bits} bit" if bits else "float", "epochs": manifest["epochs"],
                "teacher": manifest.get("teacher", False), "decoder": asdict(scales), "commit": manifest["commit"],
                **figures}


def manifest_of(run):
    """A run's manifest as a dict."""
    return json.loads((run / "manifest.json").read_text())


def finished(run):
    """Whether a run has trained all its epochs."""
    manifest = manifest_of(run)
    return manifest["metrics"]["epoch"] >= manifest["epochs"]


def gather(runs, utterances, folds, noise):
    """Folds with finished runs, one list a variant."""
    found = []
    for variant in (runs, *sorted(p for p in runs.iterdir() if p.is_dir() and not p.name.startswith("fold"))):
        places = [(k, p) for k in range(folds) if (p := variant / f"fold{k}").is_dir()]
        whole = [(k, p) for k, p in places if any((p / s / "last.pt").is_file() and finished(p / s) for s in ORDER)]
        if whole:
            found.append([Fold(p, utterances, k, folds, noise) for k, p in whole])
    return found


def set_scales(folds):
    """Choose the decoder's scales of every fold of a variant on the others."""
    for kind in TUNED:
        sheets = {f.number: sheet for f in folds if (sheet := f.sheet(kind))}
        chosen = tune.choose(sheets)
        for fold in folds:
            fold.scales[kind] = chosen.get(fold.number)


def rates_told(rows):
    """Warnings about layers that fell silent, saturated or changed much against their fold's `prune128`."""
    lines = []
    for row in rows:
        if row["spike_sparsity"]:
            before = [r for r in rows if r["stage"] == "prune128" and (r["config"], r["targets"], r["split"])
                      == (row["config"], row["targets"], row["split"]) and row["arithmetic"] != "float"]
            earlier = [1 - s for s in before[0]["spike_sparsity"]] if before else None
            lines += [f"{row['config']} {row['stage']} {row['split']}: {line}" for line in
                      export.check_rates([1 - s for s in row["spike_sparsity"]], earlier)]
    return lines


def table(rows):
    """Markdown of rows, mean and spread over seeds."""
    lines = ["| targets | stage | seeds | bytes | PER % | frames % | zero spikes L0 / L1 | zero bits | MMAC/s "
             "| cycles, published mode | union mode |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    kinds = dict.fromkeys((r["config"], r["targets"]) for r in rows)
    for (config, targets), stage in ((k, s) for k in kinds for s in ORDER):
        group = [r for r in rows if (r["config"], r["targets"], r["stage"]) == (config, targets, stage)]
        if not group:
            continue
        sparse = [r["spike_sparsity"] for r in group if r["spike_sparsity"]]
        spikes = " / ".join(f"{100 * statistics.mean(s):.1f}" for s in zip(*sparse, strict=True)) or "-"
        bits = 100 * statistics.mean(r["bit_sparsity"] for r in group)
        cycles = [list((r.get("cycles_by_mode") or {}).values()) for r in group]
        lines.append(f"| {config}, {targets} | {stage} | {len(group)} | {group[0]['bytes']} | "
                     f"{spread(r['per'] for r in group)} | {spread(r['frame_accuracy'] for r in group)} | {spikes} | "
                     f"{bits:.1f} | {spread(r['mmac_per_s'] for r in group)} | {spread(c[0] for c in cycles if c)} | "
                     f"{spread(c[-1] for c in cycles if c)} |")
    return "\n".join(lines)


def spread(values):
    """Mean and deviation in words; `-` where there is nothing."""
    values = [v for v in values if v is not None]
    if not values:
        return "-"
    return f"{statistics.mean(values):.1f}" + (f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else "")


def main(argv=None):
    """Score the runs; returns the exit status."""
    p = argparse.ArgumentParser(prog="python -m sw.phones.phone_report", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--runs", default="build/runs", help="folder with fold0, fold1, ... as sw.phones.train leaves them")
    p.add_argument("--data", nargs="+", default=["../shared/data/phones", "../shared/data/librispeech_251spk"])
    p.add_argument("--noise", default="../shared/data/noise")
    p.add_argument("--snr", type=float, nargs="*", default=[], help="noise sweep of one stage, in dB")
    p.add_argument("--sweep", default="final", help="stage of the noise sweep")
    p.add_argument("--tune", action="store_true", help="choose decoder scales by nested cross-validation")
    p.add_argument("--folds", type=int, default=3)
    p.add_argument("--json", default="docs/results/training.json")
    args = p.parse_args(argv)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    try:
        noise = corpus.noises(args.noise, ["test"]) if args.snr else None
        if not (runs := Path(args.runs)).is_dir():
            raise ValueError(f"{runs}: no such folder; train first: make train")
        variants = gather(runs, phone_task.find(args.data), args.folds, noise)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows, sweep = [], []
    for folds in variants:
        if args.tune:
            set_scales(folds)
        for fold in folds:
            for run in tqdm(fold.runs, desc=str(fold.folder), unit="stage"):
                rows.append(fold.row(run))
                if run.name == args.sweep and folds is variants[0]:
                    sweep += [{"snr_db": snr, **fold.row(run, snr)} for snr in args.snr]
    path = Path(args.json)
    stored = json.loads(path.read_text()) if path.is_file() else {}
    kinds = {(r["config"], r["targets"]) for r in rows}
    rows += [r for r in stored.get("rows", ()) if (r["config"], r.get("targets", "context")) not in kinds]
    command = f"python -m sw.phones.phone_report {shlex.join(argv or sys.argv[1:])}".strip()
    commands = {**stored.get("commands", {}), **{f"{config}, {targets}": command for config, targets in kinds}}
    stored.update(commands=commands, torch=torch.__version__, rows=rows, rate_warnings=rates_told(rows))
    stored.pop("command", None)
    if sweep:
        stored["noise_sweep"] = sweep
    store.write_json(path, stored)
    print(table(rows))
    for snr in args.snr:
        at = [s for s in sweep if s["snr_db"] == snr]
        layers = zip(*(a["spike_sparsity"] for a in at), strict=True)
        sparse = " / ".join(f"{100 * statistics.mean(s):.1f}" for s in layers)
        print(f"{snr:g} dB: PER {spread(a['per'] for a in at)}, zero spikes {sparse}, zero bits "
              f"{100 * statistics.mean(a['bit_sparsity'] for a in at):.1f}, MMAC/s "
              f"{spread(a['mmac_per_s'] for a in at)}, " + ", ".join(
                  f"{m} {spread(a['cycles_by_mode'][m] for a in at)}" for m in at[0]["cycles_by_mode"]))
    print(*stored["rate_warnings"], sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
