"""The main job: a recording, its features, the trained RSNN on the Verilated accelerator and on the golden model.

    python -m cosim.demo                     the embedded recording
    python -m cosim.demo --wav speech.flac   any 16-bit or float WAV or FLAC

Prints the recognised phones, the mismatches between gates and golden model (0), what a frame costs beside the
published figures, and leaves a picture and a JSON in build/demo. One to two minutes the first time (Verilator
compiles the design), seconds after.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cosim import conformance, picture, results
from cosim.rtl import harness, side_by_side, toolchain
from hw import store
from hw.config import ConfigError
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden
from sw.data import audio, labels
from sw.features import causal
from sw.integers import integer_model
from sw.phones import decode, score

OUT = Path("build/demo")
# arXiv 2503.21337: figures 17 and 18
PUBLISHED_CYCLES = {"t1": 574, "t2_merged": 895}
PUBLISHED_SPARSITY = {"input bits": "57 %", "spikes": "60 to 71 %"}
SHOWN = ("t2_merged", "t2_union", "t1")


def run_mode(name, model, x):
    """One mode on both sides; returns (result, comparison)."""
    mode = MODES[name]
    with tqdm(total=2 * len(x), desc=f"{name}: gates and golden", unit="frame", file=sys.stderr, leave=False) as bar:
        result = harness.run(model, mode, [x], progress=lambda done: bar.update(done - bar.n))

        def counted(frames):
            for frame in frames:
                bar.update()
                yield frame
        return result, side_by_side.compare(result, side_by_side.golden_of(model, [x], mode, counted))


def sparsity(model, x, spikes):
    """Zero shares in percent: plain input bits, digits the machine visits, each layer's spikes at each time step."""
    plain = golden.digits(torch.as_tensor(x), "sign_magnitude")
    code = golden.digits(torch.as_tensor(x), model.config.input_code)
    out = {"input bits (sign-magnitude)": plain, f"input digits ({model.config.input_code})": code}
    shares = {name: 100 * float((digits == 0).double().mean()) for name, digits in out.items()}
    for layer in range(2):
        for step in range(spikes.shape[2]):
            shares[f"L{layer} spikes, time step {step}"] = 100 * float(1 - spikes[:, layer, step].mean())
    return shares


def report(summary):
    """Plain text of a summary."""
    lines = [f"recognised: {' '.join(phone for phone, _, _ in summary['phones'])}"]
    if summary.get("per") is not None:
        lines.append(f"reference:  {' '.join(summary['reference'])}\n"
                     f"phone error rate on this recording: {summary['per']:.1f} % "
                     "(published, on TIMIT: 22.6 %; this is one sentence, aligned by machine)")
    head = ["a frame", "cycles", "most", "published", *[f"{b} reads" for b in WEIGHT_BUFFERS]]
    rows = [[name, f"{m['cycles']:.1f}", m["most"], PUBLISHED_CYCLES.get(name, ""), *(f"{r:.1f}" for r in m["reads"])]
            for name, m in summary["modes"].items()]
    lines += ["", results.plain_table(head, rows), ""]
    rows = [[name, f"{share:.1f} %", PUBLISHED_SPARSITY["spikes" if "spikes" in name else "input bits"]]
            for name, share in summary["sparsity"].items()]
    lines += [results.plain_table(["zeros", "measured", "published"], rows), ""]
    lines.append(f"{summary['frames']} frames, {summary['compared']:,} values compared (spikes, potentials, logits, "
                 f"cycles, row reads): {summary['mismatches']} mismatches")
    lines += [f"first: {first}" for first in summary["first"]]
    return "\n".join(lines)


def demo(wav):
    """Run everything for one recording; returns the plain summary and what the picture needs."""
    wave = audio.read(wav)
    models = {steps: integer_model.load(folder) for steps, folder in conformance.MODELS.items()}
    summary = {"recording": str(wav), "seconds": len(wave) / audio.RATE, "modes": {}, "first": []}
    compared = mismatches = 0
    for name in SHOWN:
        model = models[MODES[name].time_steps]
        x = causal.extract(wave, audio.RATE, model)
        result, outcome = run_mode(name, model, x)
        compared, mismatches = compared + outcome.compared, mismatches + outcome.differences
        summary["first"] += [f"{name}: {outcome.first}"] if outcome.first else []
        cycles = result.phases.sum(1) + golden.ends(model.config)
        summary["modes"][name] = {"cycles": float(cycles.mean()), "most": int(cycles.max()),
                                  "reads": result.reads.mean(0).tolist(), "model": model.sha256}
        if name == SHOWN[0]:
            phones = decode.decode(result.logits, model)
            shares = sparsity(model, x, result.spikes)
            kept = (x, result.spikes, phones)
    summary |= {"phones": phones, "sparsity": shares, "frames": len(x), "compared": compared, "mismatches": mismatches}
    known = Path(wav).with_suffix(".phn")
    reference = labels.read(known, len(wave)) if known.is_file() else []
    if reference:
        # aligner's labels: stops hold their closures, see `sw.score.folded`
        wanted = score.folded([s.phone for s in reference], closures=False)
        got = score.folded([p for p, _, _ in phones], closures=False)
        wanted, got = ([p for p in sequence if p != "sil"] for sequence in (wanted, got))
        summary |= {"reference": wanted, "per": score.align(wanted, got).rate}
    return summary, (*kept, reference)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--wav", type=Path, default=conformance.CLIP,
                        help="recording, WAV or FLAC, up to 2 minutes (default: an embedded LibriVox sentence)")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the picture and JSON (default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        summary, shown = demo(args.wav)
        args.out.mkdir(parents=True, exist_ok=True)
        target = picture.draw(args.out / "demo.png", args.wav.name, *shown)
        text = json.dumps(summary, indent=1, default=np.ndarray.tolist)
        store.write_atomically(args.out / "demo.json", f"{text}\n".encode())
    except (audio.AudioError, labels.LabelError, integer_model.ModelError, ConfigError, harness.HarnessError,
            toolchain.ToolError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; nothing was written")
    print(report(summary))
    print(f"picture: {target}")
    sys.exit(1 if summary["mismatches"] else 0)


if __name__ == "__main__":
    main()
