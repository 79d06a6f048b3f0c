"""Train a keyword spotter: `python -m sw.phones.train --model sparknet-32` (or `make train MODEL=sparknet-32 DATA=folder`).

DATA is Speech Commands in its standard layout, or a folder with a manifest like the packs'. Its training set trains;
the others are only scored, once, at the end. A run that was cut off resumes.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

import torch

from hw import config as hw_config
from hw import store
from sw.data import speech_commands
from sw.keywords import keyword_task, noise, recipes, score, spotter, waves
from sw.models import keyword_rsnn
from sw.training import optimise, trainer

DATA, NOISE, CONFIG = "../shared/data/keywords", "../shared/data/noise", "keywords"
OPTIMISERS = {"adamw": optimise.adamw, "sgd": optimise.sgd, "muon": optimise.muon}
SCHEDULES = {"cosine": trainer.cosine, "hold_decay": trainer.hold_decay}


def gather(data, classes=12, cache="build/cache", quiet=False):
    """Waves of a data folder, speaker-disjoint sets, and their labels. The same for every seed of a training."""
    clips = speech_commands.must_be_disjoint(speech_commands.load(data, classes))
    found = waves.gather(clips, cache, quiet)
    for line in found.problems[:20]:
        logging.warning("%s", line)
    return found, speech_commands.labels_of(found.clips)


def noise_sources(folder):
    """Recordings that training mixes in; none for ''. Never those that silences are cut from."""
    return noise.recordings(folder, ("train",)) if folder else []


def train(recipe, train_waves, labels, folder, *, seed=0, sources=(), data="", quiet=False, cache="build/cache",
          variants=keyword_task.frontends.VARIANTS):
    """Train `recipe` in `folder` (resumes there); returns a `Spotter`."""
    work = keyword_task.Task(train_waves, labels, recipe.frontend, sources=sources, cache=cache, quiet=quiet, variants=variants)
    torch.manual_seed(seed)
    model = recipe.build(len(labels))
    plain = {**recipe.values(), "model": recipe.name, "seed": seed, "data": data, "clips": len(train_waves.clips),
             "labels": list(labels), "heard": keyword_task.identity(train_waves, sources), "variants": variants,
             "noise": bool(len(sources))}
    stages = [("float", recipe.epochs, recipe.rate)]
    if recipe.quantised:
        stages.append(("q4", recipe.quantised, recipe.rate / 3))
    for stage, epochs, rate in stages:
        place = Path(folder) / stage if recipe.quantised else Path(folder)
        if stage == "q4":
            model.core.calibrate(hw_config.load(CONFIG).weight_bits)
        trainer.fit(model, work.batches(seed, recipe.batch), keyword_task.loss_of(recipe), place,
                    epochs=epochs, rate=rate, seed=seed, recipe={**plain, "stage": stage}, decay=recipe.decay,
                    optimise=OPTIMISERS[recipe.optimiser], schedule=SCHEDULES[recipe.schedule], quiet=quiet)
    model.eval()
    if recipe.quantised:
        integers = keyword_rsnn.integer_model(model, hw_config.load(CONFIG), work.normaliser, labels, plain)
        return spotter.of_integers(recipe.name, integers)
    return spotter.Spotter(recipe.name, model, work.normaliser, work.labels,
                           {"recipe": plain, "commit": store.commit(), "torch": torch.__version__})


def positive(text):
    """A whole number from 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: wanted a whole number from 1")
    return int(text)


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.phones.train", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--model", default="sparknet-32", choices=tuple(recipes.RECIPES))
    p.add_argument("--data", default=DATA, help="Speech Commands (v1 or v2), or a folder with manifest.csv")
    p.add_argument("--noise", default=NOISE, help="folder of noise with manifest.csv to mix in; '' for none")
    p.add_argument("--classes", type=int, default=12, help="12, or 35: every word a class (30 in v1)")
    p.add_argument("--out", help="folder of the run (default: build/runs/keywords[-CLASSES]/MODEL-SEED)")
    p.add_argument("--export", help="folder for the trained model, e.g. sw/weights/MODEL")
    p.add_argument("--epochs", type=positive, help="in place of the recipe's")
    p.add_argument("--rate", type=float, help="learning rate, in place of the recipe's")
    p.add_argument("--optimiser", choices=tuple(OPTIMISERS), help="in place of the recipe's (muon: the RSNN's only)")
    p.add_argument("--sparsity", type=float, help="weight of SparkNet's sparsity loss (1 / lambda)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=positive, default=1)
    p.add_argument("--quiet", action="store_true")
    return p


def main(argv=None):
    """Train as told; returns the exit status."""
    args = parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR if args.quiet else logging.WARNING)
    try:
        recipe = recipes.find(args.model)
        given = {k: getattr(args, k) for k in ("epochs", "rate", "optimiser", "sparsity")}
        recipe = replace(recipe, **{k: v for k, v in given.items() if v is not None})
        found, labels = gather(args.data, args.classes, quiet=args.quiet)
        classes = "" if args.classes == 12 else f"-{args.classes}"
        folder = Path(args.out or f"build/runs/keywords{classes}/{recipe.name}-{args.seed}")
        done = train(recipe, found.of("train"), labels, folder, seed=args.seed, sources=noise_sources(args.noise),
                     data=Path(args.data).name, quiet=args.quiet)
        held = found.of("held")
        if {c.split for c in held.clips} != {"train"}:
            figures = score.measure(done.logits(held.floats()), held.clips, done.labels)
            done.manifest["metrics"] = figures = {k: figures[k] for k in ("clips", "accuracy", "macro_f1")}
            print(f"{recipe.name}, seed {args.seed}: {figures['accuracy']:.2f} % of {figures['clips']} held-out clips, "
                  f"macro-F1 {figures['macro_f1']:.2f} %")
        done.save(folder / "model")
        if args.export:
            print(f"{args.export}: {done.save(args.export)}")
    except (ValueError, RuntimeError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
