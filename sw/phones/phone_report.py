"""The table of docs/training.md: every finished run of the phone recognisers on its fold's held-out speakers.

    sottovoce training-report --runs build/runs --tune

Scores every stage found under `RUNS/foldN/STAGE`, and under `RUNS/VARIANT/foldN/STAGE` for other configurations and
targets, on that fold's held-out speakers. Stages are scored by the training model, whose quantised arithmetic is the
golden model's to the bit (tests/sw/models/test_models.py). With --tune decoder scales are chosen first
(`sw.phones.tune`). Rows of configurations and targets that are not in RUNS stay as they are.
"""

import json
import logging
import statistics
from dataclasses import asdict
from pathlib import Path

import torch
from tqdm import tqdm

from hw import config as hw_config
from hw import store
from sw import options
from sw.integers import export
from sw.models.gated import Gated
from sw.phones import corpus, decode, phone_task, recognise, stages, tune
from sw.phones.figures import FRAMES_A_SECOND
from sw.phones.scored_set import ScoredSet
from sw.training import trainer

ORDER = tuple(stages.STAGES)
TUNED = {"spiking": ("final", "adapt4"), "gated": ("gru", "gru-adapt")}  # scales are chosen on the first there is
TUNED_ON = 14  # utterances a fold, evenly spread


class Fold:
    """One fold of a variant: its finished runs, its held-out utterances and what decodes them."""

    def __init__(self, folder, utterances, fold, folds, noise):
        self.folder, self.number, self.noise = folder, fold, noise
        self.runs = [folder / name for name in ORDER if finished(folder / name)]
        first = manifest_of(self.runs[0])
        self.config = hw_config.load(first["config"])
        parts = phone_task.split(utterances, fold, folds)
        self.test = parts.test
        layout = phone_task.phone_layout(self.config, first.get("targets"))
        self.work = phone_task.PhoneTask(parts, layout, variants=("plain",), quiet=True,
                                         delay=first.get("delay", phone_task.DELAY))
        self.scales = {}

    def scored(self, snr=None):
        """Held-out utterances, with noise at `snr` dB if given."""
        return ScoredSet(self.test, self.work.normalisation, self.noise if snr is not None else None, snr, quiet=True)

    def sheet(self, kind):
        """Errors over the grid of scales of the stage that `kind` is tuned on; None where it has not been trained."""
        run = next((r for name in TUNED[kind] if (r := self.folder / name) in self.runs), None)
        if run is None:
            return None
        held = self.scored()
        some = range(0, len(held.xs), max(1, len(held.xs) // TUNED_ON))
        answers = recognise.of_network(stages.restore(run), [held.xs[i] for i in some], self.config, self.work.delay)
        return tune.sheet(list(answers), [held.references[i] for i in some], self.work,
                          lambda points: tqdm(points, desc=f"{self.folder} {kind} scales", unit="point"))

    def row(self, run, snr=None):
        """Figures of one run on the held-out utterances."""
        manifest, model, work, config = manifest_of(run), stages.restore(run), self.work, self.config
        gated = isinstance(model, Gated)
        bits = 0 if gated else int(model.bits)
        if bits == config.weight_bits:
            work.export(model, config, {})  # refused where it could overflow
        scales = self.scales.get("gated" if gated else "spiking") or decode.SCALES[work.layout.kind]
        held = self.scored(snr)
        answers = recognise.of_network(model, held.xs, config, work.delay)
        figures = held.score(answers, lambda: work.decoder(scales), config)
        if gated:
            weights = sum(p.numel() for n, p in model.named_parameters() if "bias" not in n)
            figures["mmac_per_s"] = round(weights * FRAMES_A_SECOND / 1e6, 2)
        for name in ("spike_sparsity", "cycles_per_frame"):
            figures.setdefault(name, None)
        return {"model": run.name.removesuffix("-adapt") if gated else "rsnn", "stage": run.name, "config": config.name,
                "targets": work.layout.kind, "time_steps": manifest.get("time_steps"),
                "bytes": model.size_bytes(), "bytes_without_mask": model.size_bytes(places=False),
                "seed": manifest["seed"], "split": manifest["split"], "data": manifest["data"], "delay": work.delay,
                "arithmetic": f"integer, {bits} bit" if bits else "float", "epochs": manifest["epochs"],
                "teacher": bool(manifest.get("teacher")), "decoder": asdict(scales), "commit": manifest["commit"],
                **figures}


def manifest_of(run):
    """A run's manifest as a dict."""
    return json.loads((run / "manifest.json").read_text())


def finished(run):
    """Whether there is a run in a folder that has trained all its epochs."""
    if not (run / trainer.CHECKPOINT).is_file():
        return False
    manifest = manifest_of(run)
    return manifest["metrics"]["epoch"] >= manifest["epochs"]


def gather(runs, utterances, folds, noise):
    """Folds with finished runs, one list a variant."""
    found = []
    for variant in (runs, *sorted(p for p in runs.iterdir() if p.is_dir() and not p.name.startswith("fold"))):
        places = [(k, p) for k in range(folds) if (p := variant / f"fold{k}").is_dir()]
        whole = [(k, p) for k, p in places if any(finished(p / s) for s in ORDER)]
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


def rate_warnings(rows):
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


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--runs", default="build/runs",
                        help="folder with fold0, fold1, ... as `sottovoce train` leaves them")
    parser.add_argument("--data", nargs="+", default=list(options.PHONES), help="folders that were trained on")
    parser.add_argument("--noise", default=options.NOISE, help="folder of noise with manifest.csv, for --snr")
    parser.add_argument("--snr", type=float, nargs="*", default=[], help="noise sweep of one stage, in dB")
    parser.add_argument("--sweep", default="final", choices=ORDER, help="stage of the noise sweep")
    parser.add_argument("--tune", action="store_true", help="choose decoder scales by nested cross-validation")
    parser.add_argument("--folds", type=options.whole, default=3, help="how many folds there are")
    store.add_publish(parser)


def run(args):
    """Score the runs, print the table and write the rows."""
    path = store.writable(store.results("training.json", args.publish))
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    noise = corpus.noises(args.noise, ["test"]) if args.snr else None
    if not (runs := Path(args.runs)).is_dir():
        raise ValueError(f"{runs}: no such folder; train first: `sottovoce train rsnn`")
    variants = gather(runs, phone_task.find(args.data), args.folds, noise)
    if not variants:
        raise ValueError(f"{runs}: no finished run under foldN; train first: `sottovoce train rsnn --out {runs}/fold0`")
    rows, sweep = [], []
    for folds in variants:
        if args.tune:
            set_scales(folds)
        for fold in folds:
            for found in tqdm(fold.runs, desc=str(fold.folder), unit="stage"):
                rows.append(fold.row(found))
                if found.name == args.sweep and folds is variants[0]:
                    sweep += [{"snr_db": snr, **fold.row(found, snr)} for snr in args.snr]
    stored = merged(store.read_json(path), rows, sweep, args)
    store.write_json(path, stored)
    print(table(stored["rows"]))
    show_sweep(sweep, args.snr)
    print(*stored["rate_warnings"], f"figures: {path}", sep="\n")
    return 0


def merged(stored, rows, sweep, args):
    """What was stored, with these rows in place of those of the same configurations and targets."""
    kinds = {(r["config"], r["targets"]) for r in rows}
    rows = rows + [r for r in stored.get("rows", ()) if (r["config"], r.get("targets", "context")) not in kinds]
    recipe = store.recipe(args.command, data=args.data)
    kept = {k: v for k, v in stored.items() if k != "command"}
    recipes = {**stored.get("recipes", {}), **{f"{config}, {targets}": recipe for config, targets in kinds}}
    return {**kept, "recipes": recipes, "rows": rows, "rate_warnings": rate_warnings(rows),
            **({"noise_sweep": sweep} if sweep else {})}


def show_sweep(sweep, snrs):
    """Print a line an SNR."""
    for snr in snrs:
        at = [s for s in sweep if s["snr_db"] == snr]
        if not at:
            print(f"{snr:g} dB: no run of that stage")
            continue
        layers = zip(*(a["spike_sparsity"] for a in at), strict=True)
        sparse = " / ".join(f"{100 * statistics.mean(s):.1f}" for s in layers)
        print(f"{snr:g} dB: PER {spread(a['per'] for a in at)}, zero spikes {sparse}, zero bits "
              f"{100 * statistics.mean(a['bit_sparsity'] for a in at):.1f}, MMAC/s "
              f"{spread(a['mmac_per_s'] for a in at)}, " + ", ".join(
                  f"{m} {spread(a['cycles_by_mode'][m] for a in at)}" for m in at[0]["cycles_by_mode"]))
