"""Train a phone recogniser: float, structured pruning, 8 and 4 bit, pruning of the readout; or a GRU or LSTM beside it.

    sottovoce train rsnn --data FOLDER --export build/my-rsnn

Runs the chain float256 -> prune128 -> q8 -> q4 -> fcprune -> final, each stage from the one before; finished stages are
kept, a stage that was cut off resumes. With --export the integers of the last stage are written. `rsnn-phone-delays`
has a chain of its own, delays -> delays4; `teacher` trains what others learn from (--teacher).
"""

from pathlib import Path

from hw import config as hw_config
from sw import options, registry
from sw.integers import export
from sw.models.lif import SURROGATES
from sw.phones import corpus, evaluate, phone_task, stages, teaching
from sw.phones.targets import KINDS
from sw.training import trainer

CHAINS = {"rsnn": ("float256", "prune128", "q8", "q4", "fcprune", "final"), "rsnn-phone-delays": ("delays", "delays4")}
CONFIGS = {"rsnn-phone-delays": "phone-delays"}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="rsnn", choices=registry.names("train", "phones"))
    options.add_phones(parser)
    parser.add_argument("--out", default="build/runs/rsnn", help="folder of the runs, one a stage")
    parser.add_argument("--config", help="configuration by name or YAML path (default: paper, or the model's own)")
    parser.add_argument("--targets", choices=tuple(KINDS), help="what the outputs stand for (default: context where "
                        "they suffice for it, mono for fewer)")
    parser.add_argument("--stages", nargs="+", help=f"stages to run (default for rsnn: {' '.join(CHAINS['rsnn'])})")
    parser.add_argument("--surrogate", default=stages.SURROGATE, choices=SURROGATES, help="gradient of a spike")
    parser.add_argument("--everything", action="store_true", help="hold nothing out: for weights that are given away")
    parser.add_argument("--develop", action="store_true", help="hold out no fold but a part of the aligned speakers, "
                        "and train on no speaker labelled by hand: for choices")
    parser.add_argument("--delay", type=options.from_zero, default=phone_task.DELAY,
                        help="frames that answers come late: what the network hears of the future")
    parser.add_argument("--epochs", type=options.whole, help="epochs of every stage, in place of its own number")
    parser.add_argument("--rate-target", type=float, default=0.35, help="firing rate above which a layer is punished")
    parser.add_argument("--teacher", help="run folder of a trained gru, lstm or teacher to distil from")
    parser.add_argument("--start", help="run folder to start the first stage from, in place of the stage before it; "
                        "its readout is replaced where --config has other outputs")
    parser.add_argument("--export", help="folder for the integer model of the last stage")
    options.add_run(parser)


def check(args, config):
    """The stages to run; raises `ValueError` for what would be found out late, or never."""
    chain = tuple(args.stages or CHAINS.get(args.model, (args.model,)))
    for name in chain:
        if name not in stages.STAGES:
            raise ValueError(f"stage {name!r}: wanted one of {', '.join(stages.STAGES)}")
    if args.develop and args.everything:
        raise ValueError("--develop --everything: one holds a part out, the other nothing; give one of them")
    shapes = {(layer.neurons, layer.recurrent) for layer in config.layers}
    if args.model == "rsnn" and (len(config.layers) != 2 or len(shapes) > 1 or not config.layers[0].recurrent):
        raise ValueError(f"--config {config.name}: has layers {[layer.neurons for layer in config.layers]}: this chain "
                         "trains two recurrent layers of one width")
    for folder in args.data:
        if not Path(folder).is_dir():
            raise ValueError(f"{folder}: no such folder; name yours with --data, or make speech first: "
                             "`sottovoce synthetic`, then --data build/synthetic --noise ''")
    phone_task.check_fold(args.fold, args.folds)
    layout = phone_task.phone_layout(config, args.targets)
    if args.teacher and layout.kind == "ctc":
        raise ValueError(f"teacher={args.teacher!r}: distilling is for frame targets, not for --targets ctc")
    for option, folder in (("--start", args.start), ("--teacher", args.teacher)):
        if folder and not (Path(folder) / trainer.CHECKPOINT).is_file():
            raise ValueError(f"{option} {folder}: no run there: wanted a folder with {trainer.CHECKPOINT}, as "
                             "`sottovoce train` leaves it")
    if args.export:
        if stages.STAGES[chain[-1]].bits != config.weight_bits:
            raise ValueError(f"--export {args.export}: stage {chain[-1]!r} does not end in {config.weight_bits}-bit "
                             "weights: export a quantised one, e.g. final")
        if Path(args.export).is_file():
            raise ValueError(f"--export {args.export}: is a file; name a folder")
    return chain, layout


def run(args):
    """Train every stage, or find it finished and load it; export the last."""
    options.begin(args)
    config = hw_config.load(args.config or CONFIGS.get(args.model, "paper"))
    chain, layout = check(args, config)
    parts = phone_task.split(phone_task.find(args.data), args.fold, args.folds, args.everything, args.develop)
    noise = corpus.noises(args.noise, ["train"]) if args.noise else None
    teacher = teaching.Teacher(args.teacher) if args.teacher else None
    work = phone_task.PhoneTask(parts, layout, noise, delay=args.delay, quiet=args.quiet, teacher=teacher)
    print(f"{len(parts.train)} utterances to train on, {len(parts.test)} held out ({parts.name})")
    model, extra = None, {"rate_target": args.rate_target}
    before = Path(args.start) if args.start else None
    for name in chain:
        stage, folder = stages.STAGES[name], Path(args.out) / name
        if model is None and (args.start or stage.before):
            model = stages.restore(args.start or Path(args.out) / stage.before)
        model = stages.train(stage, config, work, folder, model, seed=args.seed, teacher=args.teacher or "",
                             surrogate=args.surrogate, epochs=args.epochs, quiet=args.quiet,
                             data=[Path(d).name for d in args.data], **extra)
        show_rates(name, folder, before if stage.bits else None)
        before = folder
    if args.export:
        integer = work.export(model, config, {"stage": chain[-1], "seed": args.seed})
        if args.develop and parts.test:
            integer.manifest["metrics"] = found = scored(integer, parts.test, args.quiet)
            print(f"phone error {found['phone_error']} % of {found['utterances']} development utterances")
        integer.save(args.export)
        print(f"{args.export}: {integer.sha256}")
    return 0


def scored(integer, utterances, quiet=False):
    """What the manifest tells of speakers who were held out: phone error in percent, of so many utterances."""
    found = evaluate.evaluate(integer, utterances, quiet, with_floats=False)["integer"]
    return {"phone_error": round(found["per"], 2), "utterances": len(utterances)}


def show_rates(name, folder, before=None):
    """Print how much each layer fires, beside the stage before, and warn of a layer that fell silent or saturated."""
    rates = stages.rates_of(folder)
    if not rates:
        return
    earlier = stages.rates_of(before) if before else None
    beside = f" ({before.name}: {' / '.join(f'{r:.1%}' for r in earlier)})" if earlier else ""
    print(f"{name}: neurons fire at {' / '.join(f'{r:.1%}' for r in rates)} of time steps{beside}")
    for line in export.check_rates(rates, earlier):
        print(line)
