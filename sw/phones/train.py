"""Train a recogniser: `python -m sw.phones.train --model rsnn --data FOLDER ...` (or `make train MODEL=rsnn DATA=...`).

Runs the chain float256 -> prune128 -> q8 -> q4 -> fcprune -> final, each stage from the one before; finished stages are
kept, a stage that was cut off resumes. With --export the integers of the last stage are written.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch

from hw import config as hw_config
from sw import keywords
from sw.integers import export
from sw.keywords import recipes
from sw.keywords import train as keyword_train
from sw.models.lif import SURROGATES
from sw.phones import corpus, phone_task, stages
from sw.phones.targets import KINDS

CHAIN = ("float256", "prune128", "q8", "q4", "fcprune", "final")


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.phones.train", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--model", default="rsnn", choices=("rsnn", "gru", "lstm"),
                   help=f"or a keyword model, which has options of its own: {', '.join(recipes.RECIPES)}")
    p.add_argument("--data", nargs="+", default=["../shared/data/phones", "../shared/data/librispeech_251spk"],
                   help="folders: with manifest.csv, TIMIT, or LibriSpeech with alignments")
    p.add_argument("--noise", default="../shared/data/noise", help="folder of noise with manifest.csv; '' for none")
    p.add_argument("--out", default="build/runs/rsnn", help="folder of the runs, one a stage")
    p.add_argument("--config", default="paper", help="configuration by name or YAML path")
    p.add_argument("--targets", choices=tuple(KINDS), help="what the outputs stand for (default: context for 1920 "
                   "outputs, mono for fewer)")
    p.add_argument("--stages", nargs="+", help=f"stages to run (default for rsnn: {' '.join(CHAIN)})")
    p.add_argument("--surrogate", default=stages.SURROGATE, choices=SURROGATES)
    p.add_argument("--fold", type=int, default=0, help="which fold of hand-labelled speakers is held out")
    p.add_argument("--folds", type=int, default=3)
    p.add_argument("--everything", action="store_true", help="hold nothing out: for weights that are given away")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--epochs", type=int, help="epochs of every stage, in place of its own number")
    p.add_argument("--rate-target", type=float, default=0.35, help="firing rate above which a layer is punished")
    p.add_argument("--teacher", help="run folder of a trained gru or lstm to distil from")
    p.add_argument("--start", help="run folder to start the first stage from, in place of the stage before it; its "
                   "readout is replaced where --config has other outputs")
    p.add_argument("--export", help="folder for the integer model of the last stage")
    p.add_argument("--threads", type=int, default=1, help="threads of one process")
    p.add_argument("--quiet", action="store_true")
    return p


def main(argv=None):
    """Train as told; returns the exit status."""
    if keywords.asked_for(argv, recipes.RECIPES):
        return keyword_train.main(argv)
    args = parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR if args.quiet else logging.WARNING)
    try:
        return _run(args)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(args):
    config = hw_config.load(args.config)
    chain = args.stages or (CHAIN if args.model == "rsnn" else (args.model,))
    for name in chain:
        if name not in stages.STAGES:
            raise ValueError(f"stage {name!r}: wanted one of {', '.join(stages.STAGES)}")
    for folder in args.data:
        if not Path(folder).is_dir():
            raise ValueError(f"{folder}: no such folder; name yours with --data, or make speech first: "
                             "`make synthetic`, then --data build/synthetic --noise ''")
    parts = phone_task.split(phone_task.find(args.data), args.fold, args.folds, args.everything)
    noise = corpus.noises(args.noise, ["train"]) if args.noise else None
    work = phone_task.PhoneTask(parts, phone_task.phone_layout(config, args.targets), noise, quiet=args.quiet)
    print(f"{len(parts.train)} utterances to train on, {len(parts.test)} held out ({parts.name})")
    model, extra = None, {"rate_target": args.rate_target}
    if args.teacher and work.layout.kind == "ctc":
        raise ValueError(f"teacher={args.teacher!r}: distilling is for frame targets, not for --targets ctc")
    if args.teacher:
        extra["teacher"] = stages.restore(args.teacher)
    before = Path(args.start) if args.start else None
    for name in chain:  # every stage trains, or is found finished and only loaded
        stage, folder = stages.STAGES[name], Path(args.out) / name
        if model is None and stage.before:
            model = stages.restore(args.start or Path(args.out) / stage.before)
        model = stages.train(stage, config, work, folder, model, seed=args.seed,
                             surrogate=args.surrogate, epochs=args.epochs, quiet=args.quiet,
                             data=[Path(d).name for d in args.data], **extra)
        tell_rates(name, folder, before if stage.bits else None)
        before = folder
    if args.export:
        integer = export.integer_model(model, config, work, recipe={"stage": chain[-1], "seed": args.seed})
        integer.save(args.export)
        print(f"{args.export}: {integer.sha256}")
    return 0


def tell_rates(name, folder, before=None):
    """Print how much each layer fires, beside the stage before, and warn of a layer that fell silent or saturated."""
    rates = stages.rates_of(folder)
    if not rates:
        return
    earlier = stages.rates_of(before) if before else None
    beside = f" ({before.name}: {' / '.join(f'{r:.1%}' for r in earlier)})" if earlier else ""
    print(f"{name}: neurons fire at {' / '.join(f'{r:.1%}' for r in rates)} of time steps{beside}")
    for line in export.check_rates(rates, earlier):
        print(line)


if __name__ == "__main__":
    sys.exit(main())
