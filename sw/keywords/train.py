"""Train a keyword spotter: `sottovoce train sparknet-32` (or `make train MODEL=sparknet-32 DATA=folder`).

DATA is Speech Commands in its standard layout, or a folder with a manifest like the packs'. Its training set trains;
the others are only scored, once, at the end. A run that was cut off resumes.
"""

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hw import config as hw_config
from hw import store
from sw.data import speech_commands
from sw.keywords import keyword_task, noise, recipes, score, spotter, teaching, waves
from sw.models import keyword_rsnn
from sw.training import optimise, trainer

DATA, NOISE, SPEECH = "../shared/data/keywords", "../shared/data/noise", "../shared/data/librispeech_251spk"
BITS = 4            # of the accelerator's weights
BABBLE_SCORES = 60  # so many talkers, the first of the folder, are babble that scores
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


def babblers(folder):
    """Talkers whose babble trains, none of those whose babble scores; none for ''."""
    return noise.recordings(folder, ("train", "dev", "test"))[BABBLE_SCORES:] if folder else []


def train(recipe, train_waves, labels, folder, *, seed=0, sources=(), talkers=(), data="", quiet=False,
          cache="build/cache", variants=None, rows=None, teacher=None):
    """Train `recipe` in `folder` (resumes there); returns a `Spotter`.

    `rows`: clips that train, all by default. `teacher`: a `Spotter` that this one learns from.
    """
    variants = variants or recipe.variants
    heard_as = dict(talkers=talkers, wide=True) if recipe.wide else {}
    work = keyword_task.Task(train_waves, labels, recipe.frontend, sources=sources, cache=cache, quiet=quiet,
                             variants=variants, rows=rows, masks=recipe.masks, heard_as=heard_as, teacher=teacher)
    torch.manual_seed(seed)
    model = recipe.build(len(labels))
    plain = {**recipe.values(), "model": recipe.name, "seed": seed, "data": data, "clips": len(work.rows),
             "labels": list(labels), "heard": keyword_task.identity(train_waves, sources), "variants": variants,
             "noise": bool(len(sources))}
    if teacher:
        plain["teacher"] = {"model": teacher.name, "sha256": teacher.manifest["sha256"]}
    stages = [("float", recipe.epochs, recipe.rate)]
    if recipe.quantised:
        stages.append(("q4", recipe.quantised, recipe.rate / 3))
    for stage, epochs, rate in stages:
        place = Path(folder) / stage if recipe.quantised else Path(folder)
        if stage == "q4":
            model.core.calibrate(BITS)
        trainer.fit(model, work.batches(seed, recipe.batch), keyword_task.loss_of(recipe), place,
                    epochs=epochs, rate=rate, seed=seed, recipe={**plain, "stage": stage}, decay=recipe.decay,
                    optimise=OPTIMISERS[recipe.optimiser], schedule=SCHEDULES[recipe.schedule], quiet=quiet,
                    average=recipe.average)
    model.eval()
    if recipe.quantised and recipe.config:
        integers = keyword_rsnn.integer_model(model, hw_config.load(recipe.config), work.normaliser, labels, plain)
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
    p.add_argument("--also", default="", help="folder with manifest.csv of more clips to train on, e.g. synthetic ones")
    p.add_argument("--speech", default=SPEECH, help="folder of talkers, for the babble of wide training; '' for none")
    p.add_argument("--teacher", help="folder of a trained model to learn from (its logits are a target)")
    p.add_argument("--nested", action="store_true",
                   help="leave a development part of the training speakers out and score on it: for choices")
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
        hear = found.of("train")
        chosen = np.array(teaching.chosen_on(hear.clips)) if args.nested else np.zeros(len(hear.clips), bool)
        held = hear.rows(np.flatnonzero(chosen)) if args.nested else found.of("held")
        data = Path(args.data).name
        if args.also:
            more, _ = gather(args.also, args.classes, quiet=args.quiet)
            hear, data = hear.joined(more), f"{data} + {Path(args.also).name}"
        rows = np.flatnonzero(~np.pad(chosen, (0, len(hear.clips) - len(chosen))))
        done = train(recipe, hear, labels, folder, seed=args.seed, sources=noise_sources(args.noise),
                     talkers=babblers(args.speech) if recipe.wide else (), data=data, quiet=args.quiet, rows=rows,
                     teacher=spotter.load(args.teacher) if args.teacher else None)
        if args.nested or {c.split for c in held.clips} != {"train"}:
            figures = score.measure(done.logits(held.floats()), held.clips, done.labels)
            done.manifest["metrics"] = figures = {k: figures[k] for k in ("clips", "accuracy", "macro_f1")}
            print(f"{recipe.name}, seed {args.seed}: {figures['accuracy']:.2f} % of {figures['clips']} "
                  f"{'development' if args.nested else 'held-out'} clips, macro-F1 {figures['macro_f1']:.2f} %")
        done.save(folder / "model")
        if args.export:
            print(f"{args.export}: {done.save(args.export)}")
    except (ValueError, RuntimeError, OSError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
