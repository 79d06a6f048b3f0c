"""Score a recogniser on a folder of labelled speech: `python -m sw.phones.evaluate --model rsnn --data FOLDER`.

The folder has a manifest like the packs', or is TIMIT or LibriSpeech. The committed integers are scored through the
golden model, and once more in float arithmetic (same weights, currents not rounded, leak not floored).
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hw import store
from sw import keywords
from sw.features import causal
from sw.integers import export, integer_model
from sw.integers.quantize import dequantised
from sw.keywords import evaluate as keyword_evaluate
from sw.keywords import recipes
from sw.models.rsnn import Rsnn
from sw.phones import corpus, decode, metrics, phone_task, recognise

WEIGHTS = Path(__file__).parents[1] / "weights"
NAMES = {"rsnn": "rsnn-paper-t2", "rsnn-t1": "rsnn-paper-t1", "rsnn-phone": "rsnn-phone-t2"}


class Bench:
    """Utterances with their references and features under one normalisation, ready to score any network.

    `noise` (name -> wave) and `snr` in dB mix noise in; without them the recordings are taken as they are.
    """

    def __init__(self, utterances, normalisation, noise=None, snr=None, cache="build/cache", quiet=False):
        variant = "plain" if snr is None else "noisy"
        items = corpus.prepare(utterances, [variant], noise, cache, snr, quiet=quiet)[variant]
        self.xs = [normalisation(i.logmel.astype(np.float32)) for i in items]
        self.labels = [i.labels for i in items]
        self.references = [([s.phone for s in u.segments()], u.hand) for u in utterances]

    def score(self, answers, viterbi, config, progress=None):
        """Figures of `answers` (an iterable of `recognise.Answer`), see `sw.metrics.measure`."""
        answers = progress(answers, total=len(self.xs)) if progress else answers
        return metrics.measure(answers, self.references, self.labels, self.xs, viterbi, config)


def floats(model):
    """A float `Rsnn` with an `IntegerModel`'s weights."""
    c = model.config
    network = Rsnn(features=c.features, neurons=c.neurons, outputs=c.outputs, time_steps=model.time_steps,
                   leak_shift=c.leak_shift, input_shift=c.input_shift, reset=c.reset)
    with torch.no_grad():
        for name, weight in dequantised(model).items():
            getattr(network, name).copy_(weight)
    return network.eval()


def selected(utterances, split):
    """Utterances to score: of a split, or all; sa sentences left out."""
    chosen = [u for u in utterances if split in ("all", u.split) and not u.sa]
    if not chosen:
        raise ValueError(f"split={split!r}: no utterance; there are {', '.join(sorted({u.split for u in utterances}))}")
    return chosen


def evaluate(model, utterances, quiet=False, noise=None, snr=None, with_floats=True):
    """Figures of an `IntegerModel` on utterances: {"integer": {...}, "float": {...}}."""
    bench = Bench(utterances, causal.normalisation_of(model), noise, snr, quiet=quiet)

    def progress(name):
        return lambda it, total: tqdm(it, total=total, desc=name, unit="utt", disable=quiet)

    rest = (lambda: decode.of(model), model.config)
    result = {"integer": bench.score(recognise.of_integers(model, bench.xs), *rest, progress=progress("integer"))}
    if with_floats:
        answers = recognise.of_network(floats(model), bench.xs, model.config, model.entry("targets", "delay"))
        result["float"] = bench.score(answers, *rest, progress=progress("float"))
    return result


def load(name):
    """An `IntegerModel` by short name (rsnn, rsnn-t1), folder name under sw/weights, or path."""
    return integer_model.load(next((p for p in (WEIGHTS / NAMES.get(name, name),) if p.is_dir()), Path(name)))


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.phones.evaluate", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--model", default="rsnn", help=f"{', '.join(NAMES)}, or a folder with an integer model; or a "
                   f"keyword model, which has options of its own: {', '.join(recipes.RECIPES)}")
    p.add_argument("--data", nargs="+", default=["../shared/data/phones"], help="folders of labelled speech")
    p.add_argument("--split", default="all", help="train, dev, test or all")
    p.add_argument("--hand", action="store_true", help="only utterances labelled by hand")
    p.add_argument("--fold", type=int, help="only the speakers that `sw.phones.train --fold` holds out")
    p.add_argument("--folds", type=int, default=3)
    p.add_argument("--noise", help="folder of noise with manifest.csv; its test split is mixed in")
    p.add_argument("--snr", type=float, nargs="*", default=[], help="dB; each is scored, beside no noise")
    p.add_argument("--json", help="write the figures to this file too")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--quiet", action="store_true", help="no progress bars")
    return p


def main(argv=None):
    """Score as told; returns the exit status."""
    if keywords.asked_for(argv, recipes.RECIPES):
        return keyword_evaluate.main(argv)
    args = parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR if args.quiet else logging.WARNING)
    try:
        if args.snr and not args.noise:
            raise ValueError(f"snr={args.snr}: needs --noise FOLDER")
        model = load(args.model)
        utterances = selected(phone_task.find(args.data), args.split)
        if args.fold is not None:
            utterances = phone_task.split(utterances, args.fold, args.folds).test
        if args.hand:
            utterances = [u for u in utterances if u.hand] or selected([], "hand")
        noise = corpus.noises(args.noise, ["test"]) if args.noise else None
        results = {"clean": evaluate(model, utterances, args.quiet)}
        for snr in args.snr:
            results[f"{snr:g} dB"] = evaluate(model, utterances, args.quiet, noise, snr, with_floats=False)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    show(model, results)
    if args.json:
        store.write_json(args.json, results)
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


if __name__ == "__main__":
    sys.exit(main())
