"""Train a keyword spotter: SparkNet, tiny-kws, BC-ResNet, a spiking or a gated network.

    sottovoce train sparknet-32 --data FOLDER

DATA is Speech Commands in its standard layout, or a folder with a manifest like the packs'. Its training set trains;
the others are only scored, once, at the end. A run that was cut off resumes.
"""

import copy
import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from hw import config as hw_config
from hw import store
from sw import options, registry
from sw.data import speech_commands
from sw.integers import export
from sw.keywords import frontends, keyword_task, noise, recipes, score, spotter, talk, teaching, waves
from sw.training import optimise, trainer

TALK_WINDOWS = 3000  # of running speech, from which every epoch draws
BITS = 4            # of the accelerator's weights
BABBLE_SCORES = 60  # so many talkers, the first of the folder, are babble that scores
OPTIMISERS = {"adamw": optimise.adamw, "sgd": optimise.sgd, "momentum": optimise.momentum, "muon": optimise.muon}
SCHEDULES = {"cosine": trainer.cosine, "cosine_to_zero": trainer.cosine_to_zero, "hold_decay": trainer.hold_decay}
TRIED = 5  # steps by which a training's time is estimated


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


def talk_of(folders, quiet=False):
    """`Waves` of running speech in folders with transcripts, none of the ten words in it."""
    return waves.gather(talk.windows(folders, TALK_WINDOWS), quiet=quiet)


def train(recipe, train_waves, labels, folder, *, seed=0, sources=(), talkers=(), data="", quiet=False,
          cache="build/cache", variants=None, rows=None, teacher=None, talk=None,
          device="cpu", mixed=False, workers=1, judged=None):
    """Train `recipe` in `folder` (resumes there); returns a `Spotter`.

    `rows`: clips that train, all by default. `teacher`: a `Spotter` that this one learns from. `talk`: `Waves` of
    running speech, none of it a word. `device`, `mixed`: as in `sw.training.trainer.fit`; `workers`: threads that make
    features. `judged`: `Waves` of validation clips, by which the best epoch of a recipe with `best` is kept.
    """
    variants = variants or recipe.variants
    heard_as = dict(talkers=talkers, wide=True) if recipe.wide else dict(as_in=recipe.as_in)
    work = keyword_task.KeywordTask(
        train_waves, labels, recipe.frontend, sources=sources, cache=cache, quiet=quiet, variants=variants, rows=rows,
        masks=recipe.masks, heard_as=heard_as, teacher=teacher, mix=recipe.mix, talk=talk, talked=recipe.talk,
        move=recipe.move, workers=workers)
    torch.manual_seed(seed)
    model = recipe.build(len(labels))
    plain = {**recipe.values(), "model": recipe.name, "seed": seed, "data": data, "clips": len(work.rows),
             "labels": list(labels), "heard": keyword_task.identity(train_waves, sources), "variants": variants,
             "noise": bool(len(sources))}
    if talk:
        plain["talk_heard"] = keyword_task.identity(talk, sources)
    if teacher:
        plain["teacher"] = {"model": teacher.name, "sha256": teacher.manifest["sha256"]}
    stages = [("float", recipe.epochs, recipe.rate), ("again", recipe.again, 0.6 * recipe.rate),
              ("q4", recipe.quantised, recipe.rate / 3)]
    stages = [stage for stage in stages if stage[1]]
    judge = judge_of(recipe, work, judged, device) if recipe.best and judged else None
    if not quiet:
        steps = -(-len(work.rows) // recipe.batch) * sum(epochs for _, epochs, _ in stages)
        print(f"about {estimated(recipe, model, work, steps, device, mixed):.1f} h of training, {steps:,} steps on "
              f"{device}, by the time of {TRIED}", flush=True)
    more = keyword_task.more_unknown(labels, [train_waves.clips[i] for i in work.rows], work.talked)
    for number, (stage, epochs, rate) in enumerate(stages):
        place = Path(folder) / stage if len(stages) > 1 else Path(folder)
        plainly = recipe.again > 0 and number == 0
        if stage == "q4":
            model.core.calibrate(BITS)
        trainer.fit(model, work.batches(seed, recipe.batch, plainly),
                    keyword_task.loss_of(recipe, 0.0 if plainly else more), place, epochs=epochs, rate=rate, seed=seed,
                    recipe={**plain, "stage": stage}, decay=recipe.decay, optimise=OPTIMISERS[recipe.optimiser],
                    schedule=SCHEDULES[recipe.schedule], quiet=quiet, average=recipe.average, warm=recipe.warm,
                    clip=recipe.clip or float("inf"), judge=judge, device=device, mixed=mixed)
    model.eval()
    if recipe.quantised and recipe.config:
        return spotter.of_integers(recipe.name, integers_of(recipe.name, model, work, plain, recipe.config))
    return spotter.Spotter(recipe.name, model, work.normaliser, work.labels, {"recipe": plain, **store.recipe("")})


def estimated(recipe, model, work, steps, device="cpu", mixed=False):
    """Hours that `steps` of a training take, by those of a copy after its first."""
    trial, loss = copy.deepcopy(model).to(device).train(), keyword_task.loss_of(recipe)
    batch, began = next(work.batches(0, recipe.batch)(0)), 0.0
    for i in range(TRIED + 1):
        if i == 1:
            began = time.monotonic()
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mixed):
            value = loss(trial, trainer.moved(batch, device))[0]
        value.backward()
        value.item()  # waits for the device
    return (time.monotonic() - began) / TRIED * steps / 3600


def judge_of(recipe, work, judged, device="cpu"):
    """What `sw.training.trainer.fit` keeps the best epoch by: loss, or errors in %, on validation `Waves`."""
    labels = torch.tensor([work.labels.index(c.label) for c in judged.clips])
    x = torch.cat([work.normaliser(frontends.raw(judged.floats(slice(b, b + 64)), recipe.frontend))
                   for b in range(0, len(judged.clips), 64)])

    @torch.no_grad()
    def judge(model):
        logits = torch.cat([model(part.to(device)).float().cpu() for part in x.split(256)])
        if recipe.best == "loss":
            return torch.nn.functional.cross_entropy(logits, labels).item()
        return 100 * (logits.argmax(1) != labels).float().mean().item()
    return judge


def integers_of(name, model, work, recipe, config):
    """The trained, quantised `KeywordRsnn` as an `IntegerModel` that knows its labels; outputs beyond them are 0."""
    return export.integer_model(
        model.core, hw_config.load(config), name=name, recipe=recipe, tables=work.normaliser.tables(),
        used_outputs=len(work.labels), labels=list(work.labels), targets={"kind": "keywords", "delay": 0})


def check_device(name, mixed=False):
    """Raise `ValueError` for a device that torch does not know or does not find, or where `mixed` would be slower."""
    if mixed and name == "cpu":
        raise ValueError("--mixed: convolutions in bfloat16 take longer on a CPU: wanted --device cuda")
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device {name}: {str(error).strip().splitlines()[0][:120]}") from None


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="sparknet-32", choices=registry.names("train", "keywords"))
    options.add_keywords(parser)
    parser.add_argument("--classes", type=int, choices=(12, 35), default=12,
                        help="12, or 35: every word a class (30 in v1)")
    parser.add_argument("--out", help="folder of the run (default: build/runs/keywords[-CLASSES]/MODEL-SEED)")
    parser.add_argument("--export", help="folder for the trained model, e.g. build/my-sparknet")
    parser.add_argument("--also", default="",
                        help="folder with manifest.csv of more clips to train on, e.g. synthetic ones")
    parser.add_argument("--speech", default=options.SPEECH,
                        help="folder of talkers, for the babble of wide training; '' for none")
    parser.add_argument("--talk", nargs="+", default=[], metavar="FOLDER",
                        help="folders of speech with transcripts: windows of it without the ten words are _unknown_")
    parser.add_argument("--teacher", help="folder of a trained model to learn from (its logits are a target)")
    parser.add_argument("--nested", action="store_true",
                        help="leave a development part of the training speakers out and score on it: for choices")
    parser.add_argument("--config", help="configuration that rsnn-keywords takes its sizes from and is exported to, by "
                        "name or YAML path (default: keywords)")
    parser.add_argument("--recipe", choices=recipes.BY, default="ours",
                        help="whose training: ours, or as the model's authors train it")
    parser.add_argument("--device", default="cpu", help="where it trains: cpu, cuda, cuda:1, mps")
    parser.add_argument("--mixed", action="store_true", help="forward passes in bfloat16, on a GPU")
    parser.add_argument("--workers", type=options.whole, default=1, help="threads that make features")
    parser.add_argument("--epochs", type=options.whole, help="in place of the recipe's")
    parser.add_argument("--rate", type=float, help="learning rate, in place of the recipe's")
    parser.add_argument("--optimiser", choices=tuple(OPTIMISERS),
                        help="in place of the recipe's (muon: the RSNN's only)")
    parser.add_argument("--sparsity", type=float, help="weight of SparkNet's sparsity loss (1 / lambda)")
    options.add_run(parser)


def run(args):
    """Train or resume, score on the held-out clips, save and export."""
    options.begin(args)
    recipe = recipes.find(args.model, args.recipe)
    check_device(args.device, args.mixed)
    given = {k: getattr(args, k) for k in ("epochs", "rate", "optimiser", "sparsity")}
    recipe = replace(recipe, **{k: v for k, v in given.items() if v is not None})
    if args.config:
        recipe = recipes.sized(recipe, args.config)
    if args.export and Path(args.export).is_file():
        raise ValueError(f"--export {args.export}: is a file; name a folder")
    teacher = spotter.load(args.teacher) if args.teacher else None
    found, labels = gather(args.data, args.classes, quiet=args.quiet)
    classes = "" if args.classes == 12 else f"-{args.classes}"
    whose = "" if recipe.by == "ours" else f"-{recipe.by}"
    folder = Path(args.out or f"build/runs/keywords{classes}{whose}/{recipe.name}-{args.seed}")
    hear = found.of("train")
    chosen = np.array(teaching.chosen_on(hear.clips)) if args.nested else np.zeros(len(hear.clips), bool)
    held = hear.rows(np.flatnonzero(chosen)) if args.nested else found.of("held")
    data = Path(args.data).name
    if args.also:
        more, _ = gather(args.also, args.classes, quiet=args.quiet)
        hear, data = hear.joined(more), f"{data} + {Path(args.also).name}"
    judged = None
    if recipe.best:  # the official validation set where that is not what scores, else some speakers of the training
        official = [c.split for c in found.clips]
        if {"dev", "test"} <= set(official) and not args.nested:
            judged = found.of("dev")
        else:
            chosen = np.array(teaching.chosen_on(hear.clips))
            judged = hear.rows(np.flatnonzero(chosen))
    rows = np.flatnonzero(~np.pad(chosen, (0, len(hear.clips) - len(chosen))))
    talked = None
    if args.talk and recipe.talk and args.classes == 12:
        data = " + ".join([data, *(Path(folder).name for folder in args.talk)])
        talked = talk_of(args.talk, args.quiet)
    done = train(recipe, hear, labels, folder, seed=args.seed, sources=noise_sources(args.noise),
                 talkers=babblers(args.speech) if recipe.wide else (), data=data, quiet=args.quiet, rows=rows,
                 teacher=teacher, talk=talked, device=args.device, mixed=args.mixed, workers=args.workers,
                 judged=judged)
    if args.nested or {c.split for c in held.clips} != {"train"}:
        figures = score.measure(done.logits(held.floats()), held.clips, done.labels)
        done.manifest["metrics"] = figures = {k: figures[k] for k in ("clips", "accuracy", "macro_f1")}
        print(f"{recipe.name}, seed {args.seed}: {figures['accuracy']:.2f} % of {figures['clips']} "
              f"{'development' if args.nested else 'held-out'} clips, macro-F1 {figures['macro_f1']:.2f} %")
    done.save(folder / "model")
    if args.export:
        print(f"{args.export}: {done.save(args.export)}")
    return 0
