"""Score a keyword spotter: `python -m sw.evaluate --model sparknet-32 --data FOLDER` (or `make evaluate`).

FOLDER is Speech Commands or has a `manifest.csv` with `path` and `label` (and, if known, `speaker` and `split`). A clip
need not be one second or 16 kHz; one that cannot be read is named and left out, one that is silent is named.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import torch

from sw.data import speech_commands
from sw.integer_model import write_atomically
from sw.keywords import cost, head, noise, recipes, score, spotter, waves
from sw.keywords.train import DATA, NOISE
from sw.models.sparknet import SparkNet

SPEECH = "../shared/data/librispeech_251spk"
SEEN = "trained on speakers of the official test set: not to be compared with published 12-class accuracy"


def figures(model, found, timed=True):
    """Everything measured of a `Spotter` on `Waves`, without added noise. SparkNets with binary gates are
    also scored with the accelerator's 4-bit weights in their head."""
    result = score.measure(model.logits(found.floats()), found.clips, model.labels)
    x = model.hear(found.floats(slice(0, 256)))
    result.update(parameters=cost.parameters(model), macs=cost.macs(model, x[:1]), bytes=cost.size(model),
                  **cost.sparsity(model, x))
    if isinstance(model.network, SparkNet) and model.network.gate == "binary":
        gates = head.gates_of(model, found.floats())
        logits = head.of_network(model.network, gates.shape[2]).logits(gates)
        result["accuracy_int4_head"] = score.measure(logits, found.clips, model.labels)["accuracy"]
    if timed:
        result["latency_ms"], result["latency_p95_ms"] = cost.latency(model, x)
    return result


def under_noise(model, found, kind, snr_db, source, seed=0):
    """Accuracy in percent of the spoken clips (no `_silence_`) with noise of `kind` from `source` at `snr_db`."""
    rows = [i for i, c in enumerate(found.clips) if c.label != speech_commands.SILENCE]
    mixed = torch.from_numpy(noise.noisy(found.floats(rows).numpy(), source, snr_db, seed))
    return score.measure(model.logits(mixed), [found.clips[i] for i in rows], model.labels)["accuracy"]


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.evaluate", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--model", default="sparknet-32", help=f"{', '.join(recipes.RECIPES)}, or a folder with a model")
    p.add_argument("--data", default=DATA, help="Speech Commands, or a folder with manifest.csv")
    p.add_argument("--split", default="held", help="train, dev, test, all, or held: all that does not train, if any")
    p.add_argument("--snr", type=float, nargs="*", default=[], help="dB at which noise is mixed in, beside none")
    p.add_argument("--kinds", nargs="+", default=["real"], choices=noise.KINDS, help="noises to mix in")
    p.add_argument("--noise", default=NOISE, help="noise pack, for real noise (its test split)")
    p.add_argument("--speech", default=SPEECH, help="folder of talkers, for babble")
    p.add_argument("--json", help="write the figures to this file too")
    p.add_argument("--picture", help="confusion matrix (default: build/keywords/MODEL.png)")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--quiet", action="store_true", help="no progress bars")
    return p


def main(argv=None):
    """Score as told; returns the exit status."""
    args = parser().parse_args(argv)
    torch.set_num_threads(args.threads)
    logging.basicConfig(format="%(message)s", level=logging.ERROR if args.quiet else logging.WARNING)
    try:
        model = spotter.load(args.model)
        classes = 12 if speech_commands.UNKNOWN in model.labels else 35
        found = waves.gather(speech_commands.load(args.data, classes), quiet=args.quiet)
        for line in found.problems:
            print(line)
        held = found.of(args.split)
        result = figures(model, held)
        result["problems"] = found.problems
        for kind in args.kinds if args.snr else ():
            source = noise.source(kind, args.noise, args.speech)
            for snr in args.snr:
                result.setdefault("noise", {})[f"{kind} {snr:g} dB"] = under_noise(model, held, kind, snr, source)
        picture = Path(args.picture or f"build/keywords/{model.name}.png")
        picture.parent.mkdir(parents=True, exist_ok=True)
        score.picture(result["confusion"], model.labels, picture,
                      f"{model.name}: {result['accuracy']:.2f} % of {result['clips']} clips")
        show(model, result, args)
        print(f"confusion matrix: {picture}")
        if args.json:
            write_atomically(args.json, (json.dumps(result, indent=1) + "\n").encode())
    except (ValueError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def show(model, r, args):
    """Print the figures."""
    print(f"{model.name}: {r['clips']} clips of {args.data} ({args.split})")
    print(f"accuracy {r['accuracy']:.2f} %, macro-F1 {r['macro_f1']:.2f} %; {SEEN}")
    print(f"{r['parameters']:,} parameters, {r['bytes']:,} bytes, {r['macs']:,} MACs a clip; one thread, batch 1: "
          f"{r['latency_ms']:.2f} ms mean, {r['latency_p95_ms']:.2f} ms p95 (features not included)")
    if "accuracy_int4_head" in r:
        print(f"with the accelerator's 4-bit head {r['accuracy_int4_head']:.2f} %")
    for name in ("gates_zero", "spikes_zero", "additions_after_skipping", "cycles_a_frame_t2_union"):
        if name in r:
            print(f"{name.replace('_', ' ')}: {r[name]}")
    print(f"{'class':12} {'clips':>5} {'precision':>9} {'recall':>7} {'F1':>7}")
    for label, c in r["per_class"].items():
        print(f"{label:12} {c['clips']:5} {c['precision']:9.2f} {c['recall']:7.2f} {c['f1']:7.2f}")
    for condition, accuracy in r.get("noise", {}).items():
        print(f"{condition:14} {accuracy:6.2f} % of the spoken clips")


if __name__ == "__main__":
    sys.exit(main())
