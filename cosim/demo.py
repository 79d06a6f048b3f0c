"""A recording through the trained network, on the Verilated accelerator and on the golden model, bit for bit.

    sottovoce demo                             the embedded recording
    sottovoce demo --wav speech.flac           any 16-bit or float WAV or FLAC
    sottovoce demo --model keywords            words in place of phones: the embedded ten; or the folder of a network

Prints what was recognised, the mismatches between gates and golden model (0), what a frame costs beside the published
figures, and leaves a picture and a JSON in build/demo. One to two minutes the first time (Verilator compiles the
design), seconds after.
"""

import json
from pathlib import Path

import numpy as np
import torch

from cosim import models, picture, results
from cosim.rtl import side_by_side
from hw import store
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden
from sw.data import audio, labels
from sw.features import causal
from sw.keywords import stream
from sw.phones import decode, score

OUT = Path("build/demo")
# arXiv 2503.21337: figures 17 and 18
PUBLISHED_CYCLES = {"t1": 574, "t2_merged": 895}
PUBLISHED_SPARSITY = {"input bits": "57 %", "spikes": "60 to 71 %"}
SHOWN = ("t2_merged", "t2_union", "t1")


def sparsity(model, x, spikes):
    """Zero shares in percent: plain input bits, digits the machine visits, each layer's spikes at each time step."""
    plain = golden.digits(torch.as_tensor(x), "sign_magnitude")
    code = golden.digits(torch.as_tensor(x), model.config.input_code)
    out = {"input bits (sign-magnitude)": plain, f"input digits ({model.config.input_code})": code}
    shares = {name: 100 * float((digits == 0).double().mean()) for name, digits in out.items()}
    for layer, fired in enumerate(spikes):
        for step in range(fired.shape[1]):
            shares[f"L{layer} spikes, time step {step}"] = 100 * float(1 - fired[:, step].mean())
    return shares


def report(summary):
    """Plain text of a summary."""
    if "words" in summary:
        heard = ", ".join(f"{label} ({time:.2f} s, {sure:.2f})" for label, time, sure in summary["words"])
        lines = [f"words: {heard or 'none of ' + ', '.join(summary['vocabulary'])}"]
    else:
        lines = [f"recognised: {' '.join(phone for phone, _, _ in summary['phones'])}"]
    if summary.get("per") is not None:
        lines.append(f"reference:  {' '.join(summary['reference'])}\n"
                     f"phone error rate on this recording: {summary['per']:.1f} % "
                     "(published, on TIMIT: 22.6 %; this is one sentence, aligned by machine)")
    published = summary["config"] == "paper"
    head = ["a frame", "cycles", "most", *(["published"] if published else []), *[f"{b} reads" for b in WEIGHT_BUFFERS]]
    rows = [[name, f"{m['cycles']:.1f}", m["most"], *([PUBLISHED_CYCLES.get(name, "")] if published else []),
             *(f"{r:.1f}" for r in m["reads"])] for name, m in summary["modes"].items()]
    lines += ["", results.plain_table(head, rows), ""]
    rows = [[name, f"{share:.1f} %", PUBLISHED_SPARSITY["spikes" if "spikes" in name else "input bits"]]
            for name, share in summary["sparsity"].items()]
    lines += [results.plain_table(["zeros", "measured", "published"], rows), ""]
    lines.append(f"{summary['frames']} frames, {summary['compared']:,} values compared (spikes, potentials, logits, "
                 f"cycles, row reads): {summary['mismatches']} mismatches")
    lines += [f"first: {first}" for first in summary["first"]]
    return "\n".join(lines)


def recording_for(name):
    """The embedded recording in which a network has something to recognise."""
    heard = models.by_time_steps(name)
    return models.WORDS_CLIP if any(models.is_keyword(model) for model in heard.values()) else models.CLIP


def demo(wav, name=models.PAIR):
    """Run everything for one recording; returns the plain summary and what the picture needs."""
    wave = audio.read(wav)
    trained = models.by_time_steps(name)
    summary = {"recording": str(wav), "seconds": len(wave) / audio.RATE, "modes": {}, "first": []}
    compared = mismatches = 0
    shown = [mode for mode in SHOWN if MODES[mode].time_steps in trained]
    for mode in shown:
        model = trained[MODES[mode].time_steps]
        heard = models.hear(model, wave)
        outcome = side_by_side.check(model, mode, heard.utterances)
        compared, mismatches = compared + outcome.compared, mismatches + outcome.differences
        summary["first"] += [f"{mode}: {outcome.first}"] if outcome.first else []
        prediction = outcome.run.prediction
        cycles = prediction.phases.sum(1) + golden.ends(model.config)
        summary["modes"][mode] = {"cycles": float(cycles.mean()), "most": int(cycles.max()),
                                  "reads": prediction.reads.mean(0).tolist(), "model": model.sha256}
        if mode == shown[0]:
            kept = _recognised(summary, model, heard, prediction, wav, wave)
    summary |= {"config": model.config.name, "compared": compared, "mismatches": mismatches}
    return summary, kept


def _recognised(summary, model, heard, prediction, wav, wave):
    """Phones or words into the summary; returns what the picture shows."""
    x, spikes = np.concatenate(heard.utterances), prediction.spikes
    summary |= {"sparsity": sparsity(model, x, spikes), "frames": len(x)}
    if heard.keywords:
        found = models.words(model, prediction.logits, len(wave))
        vocabulary = [w for w in model.manifest["labels"] if not w.startswith("_")]
        summary |= {"words": [(d.label, d.time_s, d.score) for d in found], "vocabulary": vocabulary}
        frames = len(heard.utterances[0])
        # windows overlap: every tenth stands beside the one before, from the first that holds a whole second
        windows = np.arange(audio.RATE // stream.HOP - 1, len(heard.utterances), audio.RATE // stream.HOP)

        def in_a_row(values):
            """Values (windows x frames, ...) of those windows, each filled up to the second that it is."""
            blank = ((0, 0), (0, audio.RATE // causal.SHIFT - frames), *((0, 0),) * (values.ndim - 1))
            return np.pad(values.reshape(-1, frames, *values.shape[1:])[windows], blank).reshape(-1, *values.shape[1:])
        answers = models.posteriors(model, prediction.logits)
        times = (np.arange(len(answers)) + 1) * stream.HOP / audio.RATE  # a window answers when it is over
        curves = {w: answers[:, model.manifest["labels"].index(w)] for w in vocabulary}
        return in_a_row(x), [in_a_row(layer) for layer in spikes], picture.Words(found, times, curves), []
    phones = decode.decode(prediction.logits, model)
    summary["phones"] = phones
    known = Path(wav).with_suffix(".phn")
    reference = labels.read(known, len(wave)) if known.is_file() else []
    if reference:
        # aligner's labels: stops hold their closures, see `sw.phones.score.folded`
        wanted = score.folded([s.phone for s in reference], closures=False)
        got = score.folded([p for p, _, _ in phones], closures=False)
        wanted, got = ([p for p in sequence if p != "sil"] for sequence in (wanted, got))
        summary |= {"reference": wanted, "per": score.align(wanted, got).rate}
    return x, spikes, phones, reference


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--wav", type=Path, help="recording, WAV or FLAC, up to 2 minutes (default: an embedded "
                                                 "LibriVox sentence, or ten words where a network hears words)")
    parser.add_argument("--model", default=models.PAIR,
                        help=f"{models.KEYWORDS}, {', '.join(models.names())}, or a folder (default: %(default)s, the "
                             "published network)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the picture and JSON (default: %(default)s)")


def run(args):
    """Run the demo; 1 if the gates differ from the golden model."""
    wav = args.wav or recording_for(args.model)
    summary, shown = demo(wav, args.model)
    args.out.mkdir(parents=True, exist_ok=True)
    target = picture.draw(args.out / "demo.png", wav.name, *shown)
    text = json.dumps(summary, indent=1, default=np.ndarray.tolist)
    store.write_atomically(args.out / "demo.json", f"{text}\n".encode())
    print(report(summary))
    print(f"picture: {target}")
    return 1 if summary["mismatches"] else 0
