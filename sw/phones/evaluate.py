"""Score a phone recogniser on a folder of labelled speech: integers through the golden model, and the same in floats.

    sottovoce evaluate rsnn --data FOLDER --snr 20 10 --noise FOLDER

The folder has a manifest like the packs', or is TIMIT or LibriSpeech. In floats the weights are the same; currents are
not rounded, the leak not floored.
"""

from tqdm import tqdm

from hw import store
from sw import options
from sw.features import causal
from sw.integers import export, integer_model
from sw.models import rsnn
from sw.phones import corpus, decode, phone_task, recognise
from sw.phones.scored_set import ScoredSet


def selected(utterances, split):
    """Utterances to score: of a split, or all; sa sentences left out."""
    chosen = [u for u in utterances if split in ("all", u.split) and not u.sa]
    if not chosen:
        raise ValueError(f"split={split!r}: no utterance; there are {', '.join(sorted({u.split for u in utterances}))}")
    return chosen


def evaluate(model, utterances, quiet=False, noise=None, snr=None, with_floats=True):
    """Figures of an `IntegerModel` on utterances: {"integer": {...}, "float": {...}}."""
    test = ScoredSet(utterances, causal.normalisation_of(model), noise, snr, quiet=quiet)

    def progress(name):
        return lambda it, total: tqdm(it, total=total, desc=name, unit="utt", disable=quiet)

    rest = (lambda: decode.of(model), model.config)
    result = {"integer": test.score(recognise.of_integers(model, test.xs), *rest, progress=progress("integer"))}
    if with_floats:
        answers = recognise.of_network(rsnn.of_integers(model), test.xs, model.config, model.entry("targets", "delay"))
        result["float"] = test.score(answers, *rest, progress=progress("float"))
    return result


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="rsnn", help="name of a recogniser, or folder of an integer model")
    parser.add_argument("--data", nargs="+", default=[options.PHONES[0]], help="folders of labelled speech")
    parser.add_argument("--split", default="all", help="train, dev, test or all")
    parser.add_argument("--hand", action="store_true", help="only utterances labelled by hand")
    parser.add_argument("--fold", type=options.from_zero,
                        help="only the speakers that `sottovoce train rsnn --fold` holds out")
    parser.add_argument("--folds", type=options.whole, default=3, help="how many folds there are")
    parser.add_argument("--noise", help="folder of noise with manifest.csv; its test split is mixed in")
    parser.add_argument("--snr", type=float, nargs="*", default=[], help="dB; each is scored, beside no noise")
    options.add_json(parser)
    options.add_run(parser, seed=False)


def run(args):
    """Score without noise and at every SNR, and print."""
    options.begin(args)
    if args.snr and not args.noise:
        raise ValueError(f"--snr {' '.join(f'{s:g}' for s in args.snr)}: needs --noise FOLDER")
    if args.fold is not None:
        phone_task.check_fold(args.fold, args.folds)
    target = store.writable(args.json) if args.json else None
    model = integer_model.load(args.model)
    utterances = selected(phone_task.find(args.data), args.split)
    if args.fold is not None:
        utterances = phone_task.split(utterances, args.fold, args.folds).test
    if args.hand:
        utterances = [u for u in utterances if u.hand] or selected([], "hand")
    noise = corpus.noises(args.noise, ["test"]) if args.noise else None
    results = {"clean": evaluate(model, utterances, args.quiet)}
    for snr in args.snr:
        results[f"{snr:g} dB"] = evaluate(model, utterances, args.quiet, noise, snr, with_floats=False)
    show(model, results)
    if target:
        recipe = store.recipe(args.command, config=model.config.name, data=args.data, split=args.split,
                              model=model.sha256)
        store.write_json(target, {**results, "recipe": recipe})
    return 0


def show(model, results):
    """Print a table of figures, one line a condition and arithmetic."""
    print(f"model {model.sha256[:12]}, {model.config.name}, T = {model.time_steps}")
    print(f"{'condition':10} {'arithmetic':10} {'PER':>6} {'sub':>5} {'del':>5} {'ins':>5} {'phones':>6} {'frames':>7} "
          f"{'zero spikes':>13} {'zero bits':>9} {'MMAC/s':>7}  cycles/frame")
    for condition, both in results.items():
        for arithmetic, r in both.items():
            e = r["errors"]
            print(f"{condition:10} {arithmetic:10} {r['per']:6.2f} {e['substitutions']:5} {e['deletions']:5} "
                  f"{e['insertions']:5} {e['reference']:6} {r['frame_accuracy'] or float('nan'):6.2f}% "
                  f"{' / '.join(f'{s:.1%}' for s in r['spike_sparsity']):>13} {r['bit_sparsity']:9.1%} "
                  f"{r['mmac_per_s']:7.2f}  " + ", ".join(f"{k} {v:.0f}" for k, v in r["cycles_by_mode"].items()))
    for line in export.check_rates([1 - s for s in results["clean"]["integer"]["spike_sparsity"]]):
        print(line)
