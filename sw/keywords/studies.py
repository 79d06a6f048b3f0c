"""A study that the papers on keyword spotting ask for.

    sottovoce study lambda --data FOLDER

    lambda    weight of SparkNet's sparsity loss        bins      16, 32, 64 MFCC bins (and gates)
    noise     kind of the gates' noise                  sparsity  erf loss, L1 and structured pruning of gates
    classes   every word of the data a class            snr       trained models under noise, by kind and SNR
    stream    trained models on a long recording: hits and false alarms an hour
    strangers trained models on the voices of espeak-ng, which are in none of the packs
    ideas     what could make the spiking spotter better, on a part of the training speakers

Each writes keywords-NAME.json and keywords-NAME.png. The first five train small SparkNets for few epochs: they compare
with each other, not with the main table.
"""

import hashlib
import json
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean, stdev

import torch

from hw import store
from sw import options, pictures, registry
from sw.keywords import (
    cost,
    evaluate,
    frontends,
    recipes,
    score,
    study_ideas,
    study_noise,
    study_strangers,
    study_stream,
    train,
)
from sw.models.sparknet import SparkNet

LAMBDAS = (10, 100, 1000)
BINS = (16, 32, 64)


class SmallRuns:
    """Data of a study and its small trainings, each an entry of figures."""

    def __init__(self, args, classes=12):
        self.args = args
        found, self.labels = train.gather(args.data, classes, quiet=True)
        self.train, self.held = found.of("train"), found.of("held")
        self.sources = train.noise_sources(args.noise)

    def run(self, name, recipe, seed=0):
        """Train `recipe` and score it: figures with its `name`, and the `Spotter`.

        A run is kept by what it is, so that studies share what they have in common.
        """
        sizes = {k: v for k, v in recipe.build(len(self.labels)).sizes.items() if k != "classes"}  # with defaults
        recipe = replace(recipe, sizes=sizes)
        what = [recipe.values(), self.labels, Path(self.args.data).name, self.args.noise, self.args.variants]
        key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
        folder = Path("build/studies") / f"{recipe.name}-{key}-{seed}"
        model = train.train(recipe, self.train, self.labels, folder, seed=seed, sources=self.sources,
                            data=Path(self.args.data).name, variants=self.args.variants, quiet=self.args.quiet)
        return {"name": name, "seed": seed, **self.measure(model)}, model

    def measure(self, model):
        """Accuracy, macro-F1, zero gates, MACs and parameters on the held clips."""
        r = evaluate.figures(model, self.held, timed=False)
        print(f"{r['accuracy']:6.2f} %  zero gates {r.get('gates_zero', 0):.1%}", flush=True)
        return {k: r[k] for k in ("accuracy", "macro_f1", "gates_zero", "macs", "parameters", "clips") if k in r}

    def small(self, name="sparknet-16", **values):
        """The recipe that a study varies, at the study's epochs."""
        return recipes.changed(recipes.find(name), epochs=self.args.epochs, **values)


def study_lambda(args):
    """lambda multiplies the cross-entropy in the authors' code; multiplying the sparsity loss closes every gate."""
    runs, rows = SmallRuns(args), []
    for value in LAMBDAS:
        for seed in range(args.seeds):
            row, _ = runs.run(f"cross-entropy x {value}", runs.small(sparsity=1 / value), seed)
            rows.append({"lambda": value, "on": "cross-entropy", **row})
    row, _ = runs.run("sparsity loss x 10", runs.small(sparsity=10.0))
    rows.append({"lambda": 10, "on": "sparsity loss", **row})
    return rows


def study_bins(args):
    """16, 32 and 64 MFCC bins, with as many gates."""
    runs = SmallRuns(args)
    return [{"bins": bins, **runs.run(f"{bins} bins", runs.small(
        frontend=f"mfcc{bins}", sizes=dict(bins=bins, gates=bins)), seed)[0]}
        for bins in BINS for seed in range(args.seeds)]


def study_noise_kind(args):
    """Gaussian, uniform and Laplace noise of the same deviation on the gates."""
    runs = SmallRuns(args)
    return [{"noise": kind, **runs.run(kind, runs.small(sizes=dict(noise=kind)), seed)[0]}
            for kind in ("gaussian", "uniform", "laplace") for seed in range(args.seeds)]


def keep_gates(model, count):
    """A smaller SparkNet `Spotter` with only the `count` gates whose linear weights are largest."""
    whole = model.network
    best = whole.linear.weight.detach().abs().sum(0).argsort(descending=True)[:count].sort().values
    state = {key: value[best] if key.startswith("gating") and value.dim() else value
             for key, value in whole.state_dict().items()}
    state["linear.weight"] = whole.linear.weight.detach()[:, best]
    small = SparkNet(**{**whole.sizes, "gates": count})
    small.load_state_dict(state)
    return replace(model, network=small.eval())


def study_sparsity(args):
    """Zero gates by the erf loss, by an L1 loss on the gates, and by leaving out whole gates after training."""
    runs, rows = SmallRuns(args), []
    for seed in range(args.seeds):
        for weight in (0.01, 0.1, 0.3):
            row, _ = runs.run(f"erf {weight}", runs.small(sparsity=weight), seed)
            rows.append({"way": "erf", "weight": weight, **row})
            row, _ = runs.run(f"L1 {weight}", runs.small(sparsity=0.0, l1=weight), seed)
            rows.append({"way": "L1", "weight": weight, **row})
        row, model = runs.run("no loss, 32 of 32 gates", runs.small(sparsity=0.0), seed)
        rows.append({"way": "structured", "gates": 32, **row})
        for count in (24, 16, 8):
            rows.append({"way": "structured", "gates": count, "name": f"no loss, {count} of 32 gates", "seed": seed,
                         **runs.measure(keep_gates(model, count))})
    return rows


def study_classes(args):
    """Every word a class: 35 in v2. The twelve classes beside them, as long trained."""
    runs, twelve, rows = SmallRuns(args, classes=35), SmallRuns(args), []
    counts = {label: sum(c.label == label for c in runs.train.clips) for label in runs.labels}
    for name, seed in product(("sparknet-32", "sparknet-16"), range(args.seeds)):
        row, model = runs.run(f"{name}, {len(runs.labels)} classes", runs.small(name), seed)
        figures = score.measure(model.logits(runs.held.floats()), runs.held.clips, runs.labels)
        many = [f["recall"] * f["clips"] for w, f in figures["per_class"].items() if counts[w] >= 100]
        heard = [f["clips"] for w, f in figures["per_class"].items() if counts[w] >= 100]
        rows.append({"model": name, "classes": len(runs.labels), **row, "train_clips": counts,
                     "accuracy_of_words_with_100_clips": round(sum(many) / max(1, sum(heard)), 2)})
        row, _ = twelve.run(f"{name}, 12 classes", twelve.small(name), seed)
        rows.append({"model": name, "classes": 12, **row})
    return rows


WHAT = {"lambda": "lambda: weight of SparkNet's sparsity loss", "bins": "bins: of its features, and gates",
        "noise": "noise: kind of the gates' noise", "sparsity": "sparsity: erf loss, L1, structured pruning",
        "classes": "classes: every word one", "snr": "snr: trained models under noise",
        "strangers": "strangers: trained models on voices of espeak-ng",
        "stream": "stream: trained models on a long recording",
        "ideas": "ideas: what could make the spiking spotter better"}
STUDIES = {"lambda": study_lambda, "bins": study_bins, "noise": study_noise_kind, "sparsity": study_sparsity,
           "classes": study_classes, "snr": study_noise.study, "stream": study_stream.study, "ideas": study_ideas.study,
           "strangers": study_strangers.study}
OF_MODELS = ("snr", "stream", "strangers")
DRAWN = {"snr": study_noise.draw, "stream": study_stream.draw, "ideas": study_ideas.draw,
         "strangers": study_strangers.draw}


def draw(rows, path, title):
    """Accuracy and share of zero gates of each setting, as bars: mean over seeds, with the deviation where several."""
    names = list(dict.fromkeys(r["name"] for r in rows))
    seeds = max(sum(r["name"] == name for r in rows) for name in names)
    figure, axes = pictures.pyplot().subplots(figsize=(7, 0.45 * len(names) + 1.5))
    for shift, key, scale, label in ((-0.2, "accuracy", 1, "accuracy %"), (0.2, "gates_zero", 100, "zero gates %")):
        values = [[scale * r[key] for r in rows if r["name"] == name] for name in names]
        spread = [stdev(v) if len(v) > 1 else 0 for v in values]
        axes.barh([p + shift for p in range(len(names))], [mean(v) for v in values], 0.4, xerr=spread, label=label,
                  error_kw={"linewidth": 1})
    axes.set(yticks=range(len(names)), xlim=(0, 100), title=f"{title}, {seeds} seed{'s' * (seeds > 1)}")
    axes.set_yticklabels(names)
    axes.invert_yaxis()
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    pictures.save(figure, path, 90)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("study", choices=tuple(STUDIES), help="; ".join(WHAT.values()))
    options.add_keywords(parser)
    parser.add_argument("--also", default=study_ideas.ALSO, help="folder of more clips to train on, in ideas")
    parser.add_argument("--talk", nargs="+", default=[], metavar="FOLDER",
                        help="folders of speech with transcripts, for the idea that hears it")
    parser.add_argument("--teacher", help="folder of a trained model, for ideas that learn from one")
    parser.add_argument("--speech", default=options.SPEECH, help="talkers with a manifest and transcripts")
    parser.add_argument("--epochs", type=options.whole, default=15, help="of each small training")
    parser.add_argument("--seeds", type=options.whole, default=3, help="trainings of each setting")
    parser.add_argument("--variants", type=options.whole, default=frontends.VARIANTS,
                        help="augmented versions of a clip")
    parser.add_argument("--models", nargs="+", help="trained models, for snr and stream (default: all with weights)")
    parser.add_argument("--clips", type=options.whole, help="clips scored a condition in snr (default: all)")
    parser.add_argument("--minutes", type=float, default=20, help="of speech in stream")
    parser.add_argument("--words", type=options.whole, default=200, help="spoken words in stream")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    store.add_publish(parser)


def run(args):
    """Run a study, write its rows and draw them."""
    torch.set_num_threads(1)
    name = "ideas" if args.study == "ideas" else f"keywords-{args.study}"
    target, picture = (store.writable(store.results(file, args.publish))
                       for file in (f"{name}.json", f"keywords-{args.study}.png"))
    args.models = args.models or registry.names("load", "keywords")
    rows = STUDIES[args.study](args)
    if args.study in OF_MODELS:  # models that were not asked for keep the rows they had
        rows = [r for r in store.read_json(target).get("rows", ()) if r["model"] not in args.models] + rows
    size = {k: getattr(args, k) for k in ("epochs", "variants", "seeds", "clips", "minutes", "words")}
    store.write_json(target, {**store.recipe(args.command, data=args.data, note=evaluate.COMPARE, size=size,
                                             macs_by=cost.__name__), "rows": rows})
    DRAWN.get(args.study, draw)(rows, picture, f"{args.study}: " + (
        "voices of espeak-ng" if args.study == "strangers" else f"{Path(args.data).name}, held-out clips"))
    print(f"{target}, {picture}")
    return 0
