"""The table of docs/keywords.md: every run of the keyword models on held-out speakers.

    sottovoce keyword-report --runs build/runs/keywords

Scores every run found as `RUNS/MODEL-SEED/model` on the held-out speakers of the data, without noise and with real
noise at 5 dB, and with `--export` keeps each model's first seed: who is scored chooses nothing.
"""

import statistics
from pathlib import Path

import torch
from scipy.stats import spearmanr
from tqdm import tqdm

from hw import store
from sw import options, registry
from sw.bootstrap import interval
from sw.keywords import evaluate, noise, recipes, spotter, train

# accuracy in percent on the official 12-class test set of the data named; macs a second of sound
_V2 = "Speech Commands v2, whole training set"
PUBLISHED = [
    {"model": "tiny-kws", "parameters": 119372, "macs": None, "accuracy": 96.65, "macro_f1": 96.64,
     "latency_ms": 1.90, "latency_on": "Apple M2", "data": _V2, "source": "model card"},
    *({"model": name, "parameters": parameters, "macs": macs, "accuracy": accuracy, "data": _V2,
       "source": "arXiv 2406.06634, the authors' table"}
      for name, parameters, macs, accuracy in (
        ("sparknet-32", 11500, 1200000, 97.0), ("sparknet-16", 4636, 454500, 95.7),
        ("sparknet-8", 2292, 190000, 92.1), ("sparknet-4", 1416, 105000, 83.5),
        ("bcresnet-0.625", 4585, 1900000, 95.4), ("bcresnet-1", 9232, 3600000, 96.9)))]
PAIRS = (("sparknet-32", "bcresnet-1"), ("sparknet-16", "bcresnet-0.625"))  # "same accuracy, a quarter of the MACs"


def row(model, held, source, data):
    """One row of the results."""
    r = evaluate.figures(model, held)
    recipe = model.manifest["recipe"]
    keys = ("parameters", "macs", "macs_published_rule", "bytes", "accuracy", "interval", "macro_f1",
            "accuracy_spoken", "latency_ms", "latency_p95_ms",
            "gates_zero", "spikes_zero", "accuracy_int4_head", "additions_after_skipping", "cycles_a_frame_t2_union",
            "cycles_a_frame_t1", "clips")
    return {"model": model.name, **{k: r[k] for k in keys if k in r},
            "accuracy_5db": evaluate.under_noise(model, held, "real", 5, source), "data": recipe.get("data") or data,
            "seed": recipe["seed"], "recipe": recipe.get("by", "ours"),
            "epochs": sum(recipe.get(k, 0) for k in ("epochs", "again", "quantised")), "train_clips": recipe["clips"]}


def table(rows):
    """Markdown: mean and deviation over seeds of a model by each recipe, published beside."""
    lines = ["| model | parameters | MACs a clip | bytes | accuracy % | macro-F1 % | words only % | words, 5 dB % "
             "| latency ms (p95) | zeros | published: accuracy, MACs |", "|---" * 11 + "|"]
    published = {p["model"]: p for p in PUBLISHED}
    for name, by in ((name, by) for name in recipes.RECIPES for by in recipes.BY):
        group = [r for r in rows if trained(r) == (name, by)]
        if not group:
            continue
        label = name if by == "ours" else (f"{name}, authors' recipe, {' and '.join(epochs_of(group))} epochs, "
                                           f"{len(group)} seed{'s'[:len(group) - 1]}")

        def mean(key, digits=1, group=group):
            values = [r[key] for r in group]
            spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
            return f"{statistics.mean(values):.{digits}f}{spread}"

        zeros = [r.get("gates_zero") if "gates_zero" in r else r.get("spikes_zero") for r in group]
        flat = [z if isinstance(z, list) else [z] for z in zeros if z is not None]
        shown = " / ".join(f"{100 * statistics.mean(z):.0f} %" for z in zip(*flat, strict=True)) or "-"
        p = published.get(name, {})
        macs = f", {p['macs']:,}" if p.get("macs") else ""
        lines.append(f"| {label} | {group[0]['parameters']:,} | {group[0]['macs']:,} | {group[0]['bytes']:,} "
                     f"| {mean('accuracy')} | {mean('macro_f1')} | {mean('accuracy_spoken')} | {mean('accuracy_5db')} "
                     f"| {mean('latency_ms', 2)} ({statistics.mean(r['latency_p95_ms'] for r in group):.2f}) | {shown} "
                     f"| {str(p['accuracy']) + macs if p else '-'} |")
    return "\n".join(lines)


def epochs_of(rows):
    """The different lengths of training among rows, in words."""
    return [str(n) for n in sorted({r["epochs"] for r in rows})]


def trained(row):
    """(model, recipe) of a row."""
    return row["model"], row.get("recipe", "ours")


def means(rows):
    """Mean accuracy in percent over seeds, and MACs, by model; of two recipes, the one that scores better here."""
    found = {}
    for name, by in dict.fromkeys(map(trained, rows)):
        group = [r for r in rows if trained(r) == (name, by)]
        mean = statistics.mean(r["accuracy"] for r in group)
        if name not in found or mean > found[name][0]:
            found[name] = mean, group[0]["macs"]
    return found


def against_published(rows):
    """What holds here of the papers' order and ratios: rank correlation of accuracies, MACs at the same accuracy.

    A row of `macs` for each pair of SparkNet and BC-ResNet that the paper compares, and one for the smallest SparkNet
    that is at least as accurate here as the BC-ResNet, or None.
    """
    here, published = means(rows), {p["model"]: p for p in PUBLISHED}
    both = [n for n in published if n in here]
    result = {"models": both, "macs": []}
    if len(both) > 2:
        result["rank_correlation"] = round(float(spearmanr([here[n][0] for n in both],
                                                           [published[n]["accuracy"] for n in both]).statistic), 3)
    for small, large in PAIRS:
        if large not in here:
            continue
        equal = [n for n in here if n.startswith("sparknet") and here[n][0] >= here[large][0]]
        for name, why in ((small, "compared in the paper"), (min(equal, key=lambda n: here[n][1], default=None),
                                                             "smallest that is as accurate here")):
            if name in here:
                result["macs"].append({
                    "model": name, "beside": large, "why": why, "ratio": round(here[name][1] / here[large][1], 3),
                    "published_ratio": round(published[name]["macs"] / published[large]["macs"], 3),
                    "accuracy": [round(here[name][0], 2), round(here[large][0], 2)],
                    "published_accuracy": [published[name]["accuracy"], published[large]["accuracy"]]})
            elif name is None:
                result["macs"].append({"model": None, "beside": large, "why": "no SparkNet is as accurate here"})
    return result


def differences(models, held):
    """For each of `PAIRS` among `Spotter`s by name: accuracy less the other's in points, and its 95 % interval."""
    answers = {name: evaluate.hits(model, model.logits(held.floats()), held.clips)
               for name, model in models.items() if any(name in pair for pair in PAIRS)}
    speakers = [c.speaker for c in held.clips]
    return [{"model": a, "beside": b, "points": round(100 * float((answers[a] - answers[b])[:, 0].mean()), 2),
             "interval": list(interval(answers[a], speakers, answers[b]))}
            for a, b in PAIRS if a in answers and b in answers]


def runs_of(folder):
    """Trained models, `folder`/MODEL-SEED/model, in the recipes' order. Raises `ValueError` where there is none."""
    found = [f for name in recipes.RECIPES for f in sorted(Path(folder).glob(f"{name}-[0-9]*/model"))
             if f.parent.name.removeprefix(f"{name}-").isdigit()]
    if not found:
        raise ValueError(f"{folder}: no run; train one (`sottovoce train sparknet-32`)")
    return found


def add_arguments(parser):
    """Options of the command."""
    options.add_keywords(parser)
    parser.add_argument("--runs", default="build/runs/keywords", help="folder of runs as `sottovoce train` leaves them")
    parser.add_argument("--committed", action="store_true",
                        help="score the models that come along instead, and put them where their runs' rows are")
    parser.add_argument("--export", metavar="FOLDER",
                        help="keep each model's first seed in FOLDER/MODEL (sw/weights: the committed ones)")
    store.add_publish(parser)


def run(args):
    """Score the runs, write the rows, print the table."""
    torch.set_num_threads(1)
    path = store.writable(store.results("keywords.json", args.publish))
    folders = [registry.folder_of(name) for name in registry.names("evaluate", "keywords")] if args.committed else \
        runs_of(args.runs)
    held = train.gather(args.data, quiet=True)[0].of("held")
    source, rows, first, anew = noise.source("real", args.noise, ""), [], {}, set()
    for folder in tqdm(folders, desc="runs"):
        model = spotter.load(folder)
        rows.append(row(model, held, source, Path(args.data).name))
        first.setdefault(model.name, (rows[-1]["accuracy"], folder))
        anew.add(trained(rows[-1]))
    for name, (accuracy, folder) in first.items() if args.export else ():
        model = spotter.load(folder)
        model.manifest["metrics"] = {"accuracy": accuracy, "clips": len(held.clips), "note": evaluate.COMPARE}
        print(f"{args.export}/{name}: {model.save(Path(args.export) / name)}")
    # models of an earlier report may have no runs here
    earlier = store.read_json(path).get("rows", ())
    if args.committed:  # each stands for the run that it was kept from
        rows, kept = [], {(r["model"], r["seed"], r["recipe"]): r for r in rows}
        for r in earlier:
            whose = {"recipe": "ours", **r}
            scored = kept.pop((whose["model"], whose["seed"], whose["recipe"]), whose)
            timed = {k: r[k] for k in ("latency_ms", "latency_p95_ms") if k in r}  # with the others' on one machine
            rows.append({**scored, **timed})
        rows += kept.values()
        by_rule = {r["model"]: r["macs_published_rule"] for r in rows if r.get("macs_published_rule")}
        rows = [{**r, **({"macs_published_rule": by_rule[r["model"]]} if r["model"] in by_rule else {})} for r in rows]
        first = {r["model"]: None for r in rows}
        anew = set(map(trained, rows))
    rows += [r for r in earlier if trained(r) not in anew and r["model"] in recipes.RECIPES]
    compared = against_published(rows)
    if args.committed:
        compared["differences"] = differences({name: spotter.load(registry.folder_of(name)) for name in first
                                               if name in registry.names("evaluate", "keywords")}, held)
    store.write_json(path, {**store.recipe(args.command, data=args.data, note=evaluate.COMPARE),
                            "accuracy_5db": "clips but _silence_, real noise of the pack's test split", "rows": rows,
                            "published": PUBLISHED, "against_published": compared})
    print(table(rows))
    print(f"rank correlation with the published accuracies: {compared.get('rank_correlation')}")
    for r in compared["macs"]:
        print(" ".join(f"{k}={v}" for k, v in r.items()))
    print(f"figures: {path}")
    return 0
