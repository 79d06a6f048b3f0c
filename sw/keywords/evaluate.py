"""Score a keyword spotter on labelled clips: accuracy, macro-F1, confusions, cost, and accuracy under noise.

    sottovoce evaluate sparknet-32 --data FOLDER --snr 20 10 0 --kinds babble

FOLDER is Speech Commands or has a `manifest.csv` with `path` and `label` (and, if known, `speaker` and `split`). A clip
need not be one second or 16 kHz; one that cannot be read is named and left out, one that is silent is named.
"""

import math
from collections import Counter

import torch

from hw import store
from sw import options, registry
from sw.bootstrap import interval
from sw.data import speech_commands
from sw.keywords import cost, head, noise, score, spotter, waves
from sw.models.sparknet import SparkNet

COMPARE = "comparable with published accuracy only where both are the official sets of Speech Commands"

WORDS = {  # of the figures that not every model has
    "accuracy_spoken": "accuracy on clips with a word in them (_silence_ left out): {} %",
    "gates_zero": "share of SparkNet's gates that are closed, a frame and gate: {}",
    "spikes_zero": "share of neurons that do not fire, a time step, by layer: {}",
    "additions_after_skipping": "additions a clip that zero-skipping leaves: {:,}",
    "cycles_a_frame_t2_union": "the accelerator's cycles a frame, mode t2_union: {}"}


def figures(model, found, timed=True):
    """Everything measured of a `Spotter` on `Waves`, without added noise. SparkNets with binary gates are
    also scored with the accelerator's 4-bit weights in their head."""
    logits = model.logits(found.floats())
    result = score.measure(logits, found.clips, model.labels)
    right = hits(model, logits, found.clips)
    if len({c.speaker for c in found.clips}) > 1:
        result["interval"] = list(interval(right, [c.speaker for c in found.clips]))
    spoken = [i for i, c in enumerate(found.clips) if c.label != speech_commands.SILENCE]
    if spoken:
        result["accuracy_spoken"] = score.measure(logits[spoken], [found.clips[i] for i in spoken],
                                                  model.labels)["accuracy"]
    x = model.hear(found.floats(slice(0, 1)))
    result.update(parameters=cost.parameters(model), macs=cost.macs(model, x), bytes=cost.size(model),
                  macs_published_rule=cost.macs_published_rule(model, x), **cost.sparsity(model, found.floats()))
    if isinstance(model.network, SparkNet) and model.network.gate == "binary":
        gates = head.gates_of(model, found.floats())
        integers = head.of_network(model.network, gates.shape[2]).logits(gates)
        result["accuracy_int4_head"] = score.measure(integers, found.clips, model.labels)["accuracy"]
    if timed:
        result["latency_ms"], result["latency_p95_ms"] = cost.latency(model, x)
    return result


def hits(model, logits, clips):
    """1 or 0 for a right or wrong answer, and 1 clip: int (clips, 2), for `sw.bootstrap.interval`."""
    right = logits.argmax(1) == torch.tensor([model.labels.index(c.label) for c in clips])
    return torch.stack((right.long(), torch.ones_like(right, dtype=torch.long)), 1).numpy()


def under_noise(model, found, kind, snr_db, source, seed=0):
    """Accuracy in percent of the spoken clips (no `_silence_`) with noise of `kind` from `source` at `snr_db`."""
    rows = [i for i, c in enumerate(found.clips) if c.label != speech_commands.SILENCE]
    if not rows:
        raise ValueError(f"{len(found.clips)} clips, all {speech_commands.SILENCE}: nothing to mix noise into")
    mixed = torch.from_numpy(noise.noisy(found.floats(rows).numpy(), source, snr_db, seed))
    return score.measure(model.logits(mixed), [found.clips[i] for i in rows], model.labels)["accuracy"]


def clips_for(model, data, split):
    """Clips of a folder's set with labels that the model knows, and a line for what else is there."""
    clips = speech_commands.load(data, 12 if speech_commands.UNKNOWN in model.labels else 35)
    wanted = speech_commands.sets_of(clips, split)
    clips = [c for c in clips if c.split in wanted]
    strange = Counter(c.label for c in clips if c.label not in model.labels)
    if len(clips) == sum(strange.values()):
        raise ValueError(f"{data}: no clip has a label that {model.name} knows: {', '.join(model.labels)}")
    lines = [f"left out, unknown to {model.name}: {n} clips labelled {label!r}" for label, n in strange.items()]
    return [c for c in clips if c.label in model.labels], sorted(wanted), lines


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="sparknet-32",
                        help=f"{', '.join(registry.names('evaluate', 'keywords'))}, or a folder with a model")
    options.add_keywords(parser, "Speech Commands, folders of words, or a folder with manifest.csv")
    parser.add_argument("--split", default="held",
                        help="train, dev, test, all, or held: test, without it dev, without it all")
    parser.add_argument("--snr", type=float, nargs="+", default=[], help="dB at which noise is mixed in, beside none")
    parser.add_argument("--kinds", nargs="+", choices=noise.KINDS, help="noises to mix in, with --snr (default: real)")
    parser.add_argument("--speech", default=options.SPEECH, help="folder of talkers, for babble")
    options.add_json(parser)
    parser.add_argument("--picture", help="confusion matrix (default: build/keywords/MODEL.png)")
    options.add_run(parser, seed=False)


def run(args):
    """Score without noise and under every kind and SNR, print and draw."""
    options.begin(args)
    if args.kinds and not args.snr:
        raise ValueError(f"--kinds {' '.join(args.kinds)}: wanted --snr too, e.g. --snr 20 10 0")
    if bad := [snr for snr in args.snr if not math.isfinite(snr)]:
        raise ValueError(f"--snr {bad[0]}: wanted decibels")
    model = spotter.load(args.model)
    picture = store.writable(args.picture or f"build/keywords/{model.name}.png")
    target = store.writable(args.json) if args.json else None
    sources = {kind: noise.source(kind, args.noise, args.speech)
               for kind in (args.kinds or ["real"] if args.snr else ())}
    clips, sets, problems = clips_for(model, args.data, args.split)
    found = waves.gather(clips, quiet=args.quiet)
    problems += found.problems
    for line in problems:
        print(line)
    result = figures(model, found)
    result.update(problems=problems, sets=sets)
    for kind, source in sources.items():
        for snr in args.snr:
            result.setdefault("noise", {})[f"{kind} {snr:g} dB"] = under_noise(model, found, kind, snr, source)
    show(model, result, args)
    score.picture(result["confusion"], model.labels, picture,
                  f"{model.name}: {result['accuracy']:.2f} % of {result['clips']} clips")
    print(f"confusion matrix: {picture}")
    if target:
        store.write_json(target, {**result, "recipe": store.recipe(args.command, data=args.data, note=COMPARE)})
    return 0


def show(model, r, args):
    """Print the figures."""
    print(f"{model.name}: {r['clips']} clips of {args.data} ({', '.join(r['sets'])})")
    recipe = model.manifest.get("recipe", {})
    print(f"accuracy {r['accuracy']:.2f} %, macro-F1 {r['macro_f1']:.2f} %; trained on {recipe.get('clips', '?')} "
          f"clips of {recipe.get('data', '?')!r}: {COMPARE}")
    if "interval" in r:
        print("95 % interval of the accuracy, speakers drawn anew: {} to {} %".format(*r["interval"]))
    print(f"{r['parameters']:,} parameters, {r['bytes']:,} bytes, {r['macs']:,} MACs a clip"
          f"{f' ({p:,} by the published rule)' if (p := r['macs_published_rule']) else ''}; one thread, batch 1: "
          f"{r['latency_ms']:.2f} ms mean, {r['latency_p95_ms']:.2f} ms p95 (features not included)")
    if "accuracy_int4_head" in r:
        print(f"with the accelerator's 4-bit head {r['accuracy_int4_head']:.2f} %")
    for name, words in WORDS.items():
        if name in r:
            print(words.format(r[name]))
    print(f"{'class':12} {'clips':>5} {'precision':>9} {'recall':>7} {'F1':>7}")
    for label, c in r["per_class"].items():
        print(f"{label:12} {c['clips']:5} {c['precision']:9.2f} {c['recall']:7.2f} {c['f1']:7.2f}")
    for condition, accuracy in r.get("noise", {}).items():
        print(f"{condition:14} {accuracy:6.2f} % of the spoken clips")
