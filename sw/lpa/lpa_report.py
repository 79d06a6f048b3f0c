"""docs/results/lpa.json and its plots, from what the runs left: `make lpa-report`.

Every part carries the command that made it. Parts without a run are left as they were, and named.
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import matplotlib

from hw import store

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch

from sw.lpa.encoder import EncoderError
from sw.lpa.pretrain import RUN, run
from sw.lpa.replace import RUNS, TABLE, Row
from sw.lpa.scaling import OUT
from sw.lpa.sweep import SWEEP

PUBLISHED = {"source": "arXiv 2603.16922, wav2vec2-base, LibriSpeech test-clean, Apple M4 Pro", "layers": 8, "of": 12,
             "word_error_rate": 10.61, "word_error_rate_original": 3.37, "speedup_120s_end_to_end": 3.27}
COLOURS = {"easiest": "tab:blue", "random": "tab:gray", "hardest": "tab:red"}


def parts(args):
    """What the runs left, as {key: value} of the results file; raises `EncoderError` where there is nothing at all."""
    found = {}
    path = Path(args.scaling)
    if path.is_file():
        told = json.loads(path.read_text())
        first = told["widths"][0]
        found.update(scaling=first["scaling"], exponent_lpa=first["exponent_lpa"],
                     exponent_attention=first["exponent_attention"], crossover_seconds=first["crossover_seconds"],
                     ratio_at_longest=first["scaling"][-1]["ratio"], scaling_by_width=told["widths"][1:],
                     scaling_recipe={**{k: v for k, v in told.items() if k != "widths"}, "width": first["width"],
                                     "heads": first["heads"], "machine": machine()})
    path = Path(args.sweep) / "sweep.json"
    if path.is_file():
        found["sweep"] = {"command": "python -m sw.lpa.sweep", **json.loads(path.read_text())}
    path = Path(args.encoder) / "manifest.json"
    if path.is_file():
        found["encoder"] = {"command": "python -m sw.lpa.pretrain", **json.loads(path.read_text())}
    rows = [json.loads(p.read_text()) for p in sorted(Path(args.runs).glob("*/result.json"))]
    if rows:
        error = found.get("sweep", {}).get("error")
        original = [] if error is None else [{"layers": 0, "order": "none", "error": error, "kl": 0.0}]
        found["replacement"] = original + rows
        found["untrained"] = [json.loads(p.read_text()) for p in sorted(Path(args.untrained).glob("*/result.json"))]
        found["untrained_command"] = f"python -m sw.lpa.replace --rows NAME ... --epochs 0 --out {args.untrained}"
        found["replacement_command"] = "python -m sw.lpa.replace --table --epochs 4 --steps 16 --frames 2400"
        best = next((r for r in rows if Row(8).name == name_of(r)), rows[0])
        found.update(near_binary_share=best["near_binary_share"], soft_error=best["soft_error"],
                     hard_error=best["hard_error"], gates_of_row=name_of(best))
    if not found:
        raise EncoderError(f"{args.runs}: no run here: see make lpa-sweep, lpa-train and lpa-scaling")
    return found


def name_of(result):
    """The name of the run that a result is of."""
    return Row(*(result[f] for f in Row.__dataclass_fields__)).name


def machine():
    """The processor as Linux names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())


def plot_scaling(results, path):
    """Time and memory over length, both axes logarithmic."""
    rows = results["scaling"]
    x = [r["seconds"] for r in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for name, label, colour in (("lpa", "LPA, hard gates", "tab:blue"), ("attention", "attention, torch", "tab:red")):
        left.loglog(x, [r[f"{name}_ms"] for r in rows], "o-", color=colour,
                    label=f"{label}: n^{results[f'exponent_{name}']:.2f}")
        right.loglog(x, [max(0.1, r.get(f"{name}_mb", 0)) for r in rows], "o-", color=colour, label=label)
    right.loglog(x, [max(0.1, r.get("attention_full_mb", 0)) for r in rows], "o--", color="tab:orange",
                 label="attention, n × n form")
    recipe = results["scaling_recipe"]
    left.set(xlabel="seconds of speech (50 frames a second)", ylabel="ms of one thread",
             title=f"one layer, width {recipe['width']}")
    right.set(xlabel="seconds of speech", ylabel="MB added to the peak")
    for axes in (left, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    save(figure, path)


def plot_replacement(results, path):
    """Error over layers replaced by order, and each layer's MSE beside the damage it does alone."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    rows = [r for r in results["replacement"] if r["layers"]]
    base = [r["error"] for r in results["replacement"] if not r["layers"]]
    for order, colour in COLOURS.items():
        chosen = sorted((r["layers"], r["error"]) for r in rows if r["anneal"] and r["adapt"] and
                        r["mixer"] == "pulses" and (r["order"] == order or r["layers"] == 12))
        if all(count == 12 for count, _ in chosen):
            continue  # nothing of this order alone
        points = [(0, e) for e in base] + chosen
        left.plot(*zip(*points, strict=True), "o-", color=colour, label=f"{order} first")
    for r in rows:
        note = ("attention left out" if r["mixer"] == "nothing" else "not annealed" if not r["anneal"] else
                "not adapted" if not r["adapt"] else None)
        if note:
            left.plot(r["layers"], r["error"], "x", color="black")
            left.annotate(note, (r["layers"], r["error"]), textcoords="offset points", xytext=(6, -3), fontsize=7)
    left.set(xlabel="layers replaced, of 12", ylabel="phone error rate, %", title="hard gates, held-out speakers")
    left.legend(fontsize=8)
    swept = results.get("sweep")
    if swept:
        right.loglog(swept["mse"], swept["alone_kl"], "o", color="tab:blue")
        for i, point in enumerate(zip(swept["mse"], swept["alone_kl"], strict=True)):
            right.annotate(str(i), point, textcoords="offset points", xytext=(4, 2), fontsize=8)
        right.set(xlabel="MSE of the layer in the sweep", ylabel="KL from the original, replaced alone",
                  title=f"does the sweep foretell? rank correlation {swept['mse_to_kl']}")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    save(figure, path)


def save(figure, path):
    """Write a PNG whole or not at all."""
    part = path.with_suffix(".part")
    figure.tight_layout()
    figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
    plt.close(figure)
    part.replace(path)


def table(rows):
    """Markdown of the replacement's rows."""
    lines = ["| layers | order | annealed | adapted | mixer | error, hard % | soft % | KL | before training % "
             "| near-binary |", "|---|---|---|---|---|---|---|---|---|---|"]

    def cell(value):
        return "-" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    for r in sorted(rows, key=lambda r: (r["layers"], r["order"])):
        share = r.get("near_binary_share")
        lines.append("| " + " | ".join(map(cell, (
            r["layers"], r["order"], r.get("anneal"), r.get("adapt"), r.get("mixer"), r["error"], r.get("soft_error"),
            r["kl"], r.get("untrained_error"), None if share is None else f"{share:.1%}"))) + " |")
    return "\n".join(lines)


def report(args):
    """Collect, plot, print."""
    path = Path(args.json)
    stored = json.loads(path.read_text()) if path.is_file() else {}
    stored.update(command="python -m sw.lpa.lpa_report", torch=torch.__version__, commit=store.commit(),
                  published=PUBLISHED, **parts(args))
    path.parent.mkdir(parents=True, exist_ok=True)
    store.write_json(path, stored)
    if "scaling" in stored:
        plot_scaling(stored, Path(args.plots) / "lpa-scaling.png")
    if "replacement" in stored:
        plot_replacement(stored, Path(args.plots) / "lpa-replacement.png")
        print(table(stored["replacement"]))
        if stored["untrained"]:
            print("nothing trained after the sweep:\n" + table(stored["untrained"]))
        done = {name_of(r) for r in stored["replacement"] if r["layers"]}
        missing = [row.name for row in TABLE if row.name not in done]
        print(f"not run yet: {', '.join(missing)}" if missing else "all rows are there")


def main(argv=None):
    """Run the command; returns the exit status."""
    p = argparse.ArgumentParser(prog="python -m sw.lpa.lpa_report", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--runs", default=f"{RUNS}/replaced", help="folder of the replacement's runs")
    p.add_argument("--untrained", default=f"{RUNS}/untrained", help="folder of runs without training after the sweep")
    p.add_argument("--sweep", default=SWEEP, help="folder of the sweep")
    p.add_argument("--scaling", default=OUT, help="file that sw.lpa.scaling wrote")
    p.add_argument("--encoder", default=RUN, help="folder of the encoder's run")
    p.add_argument("--json", default="docs/results/lpa.json", help="results file")
    p.add_argument("--plots", default="docs", help="folder of the plots")
    p.add_argument("--threads", type=int, default=1)
    return run(report, argv, p)


if __name__ == "__main__":
    sys.exit(main())
