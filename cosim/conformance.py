"""Whole real utterances through the Verilated design and the golden model: every spike, potential, logit and counter.

    python -m cosim.conformance --data <folder with a manifest>

The embedded recording and dev utterances, one and two time steps, every mode. Updates docs/results/accelerator.json.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cosim import results
from cosim.rtl import harness, side_by_side, toolchain
from hw.interface import MODES
from sw import golden
from sw.data import audio, manifest
from sw.data.utterance import DataError
from sw.features import causal
from sw.integers import integer_model

WEIGHTS = Path("sw/weights")
MODELS = {1: WEIGHTS / "rsnn-paper-t1", 2: WEIGHTS / "rsnn-paper-t2"}
CLIP = Path("sw/clips/sense_and_sensibility.flac")


def recordings(folder, count):
    """The embedded recording, then `count` dev utterances of a manifest folder: list of paths."""
    paths = [CLIP]
    if folder:
        paths += [u.audio for u in manifest.load(folder, splits=("dev",))][:count]
    return paths


def utterances(paths, model):
    """Recordings as int8 features (T, F)."""
    return [causal.extract(audio.read(path), audio.RATE, model) for path in paths]


def check_mode(name, model, inputs):
    """Run one mode over all utterances; returns (harness result, comparison)."""
    mode = MODES[name]
    total = sum(len(x) for x in inputs)
    with tqdm(total=total, desc=name, unit="frame", file=sys.stderr, leave=False) as bar:
        result = harness.run(model, mode, inputs, progress=lambda done: bar.update(done - bar.n))
    return result, side_by_side.compare(result, side_by_side.golden_of(model, inputs, mode))


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.conformance", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="../shared/data/phones",
                        help="folder with a manifest.csv and dev utterances; skipped if absent (default: %(default)s)")
    parser.add_argument("--count", type=int, default=20, help="dev utterances (default: %(default)s)")
    args = parser.parse_args(argv)
    data = args.data if Path(args.data).is_dir() else None
    if data is None:
        print(f"{args.data} is absent: only the embedded recording is run; name another folder with --data")
    try:
        models = {steps: integer_model.load(folder) for steps, folder in MODELS.items()}
        paths = recordings(data, args.count)
        values, rows = {}, []
        compared = differences = frames = 0
        for name, mode in MODES.items():
            model = models[mode.time_steps]
            inputs = utterances(paths, model)
            result, outcome = check_mode(name, model, inputs)
            compared, differences = compared + outcome.compared, differences + outcome.differences
            frames += len(result.logits)
            interval = result.phases.sum(1)
            rows.append([name, len(inputs), len(interval), f"{outcome.compared:,}", outcome.differences,
                         f"{interval.mean():.1f}", interval.max()])
            # a frame's count, first feature in to last logit out, is its slots plus arrival and drain
            values[f"cycles_{name}_real"] = round(float(interval.mean() + golden.ends(model.config)), 1)
            values[f"cycles_{name}_real_p95"] = round(float(np.percentile(interval, 95) + golden.ends(model.config)), 1)
            if outcome.first:
                print(f"{name}: first difference: {outcome.first}")
    except (integer_model.ModelError, audio.AudioError, DataError, harness.HarnessError, toolchain.ToolError) as error:
        sys.exit(f"error: {error}")
    print(results.plain_table(
        ["mode", "utterances", "frames", "values", "differ", "cycles a frame", "most"], rows))
    print(f"{compared:,} values compared, {differences} differences")
    if data:
        results.update({"values_compared": compared, "differences": differences, "frames": frames} | values,
                       "conformance", {
            "command": f"make conformance (python -m cosim.conformance --count {args.count})", "config": "paper",
            "models": {str(m): integer_model.load(f).sha256 for m, f in MODELS.items()},
            "data": f"embedded recording and {len(paths) - 1} dev utterances of the phone pack",
            "compared": "spikes and potentials after each LIF evaluation, logits, cycles, row reads: every frame"})
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
