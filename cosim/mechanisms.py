"""Cycles and row reads a frame of every mechanism set, at the published activity, for `hw.flow.ablation`.

    python -m cosim.mechanisms --config paper        updates build/physical/costs.json

The golden cycle model, which `cosim.activity` and `cosim.conformance` hold equal to the RTL's counters.
"""

import argparse
import json
from pathlib import Path

from hw import config as configs
from hw.flow.ablation import VARIANTS, variant
from hw.flow.errors import command
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden

from . import activity


def costs(config, seeds=4, frames=8):
    """Variant -> {"cycles", "reads"}: first feature in to last logit out, mean over seeds and frames."""
    out = {}
    for name, (off, mode_name) in VARIANTS.items():
        built, mode = variant(config, off), MODES[mode_name]
        cycles, reads = 0.0, [0.0] * len(WEIGHT_BUFFERS)
        for seed in range(seeds):
            model, x = activity.stimulus(built, mode.time_steps, seed, frames)
            trace = golden.run(model, x[None], mode.time_steps)
            cost = golden.cycles(built, mode, x[None], trace)
            part = slice(activity.SEED_FRAMES, None)
            cycles += float(cost.latency[0, part].double().mean()) / seeds
            reads = [r + float(n) / seeds for r, n in zip(reads, cost.reads[0, part].double().mean(0), strict=True)]
        out[name] = {"cycles": round(cycles, 2), "mode": mode_name,
                     "reads": {n: round(r, 2) for n, r in zip(WEIGHT_BUFFERS, reads, strict=True)}}
    return out


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.mechanisms", description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="paper", help="tiny, paper or a YAML file (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/physical/costs.json"), help="default: %(default)s")
    args = parser.parse_args(argv)
    with command():
        config = configs.load(args.config)
        kept = json.loads(args.out.read_text()) if args.out.is_file() else {}
        kept[config.name] = costs(config)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(kept, indent=1) + "\n")
        for name, row in kept[config.name].items():
            print(
                f"{name:32} {row['cycles']:8.1f} cycles  {sum(row['reads'].values()):8.1f} row reads  ({row['mode']})"
            )


if __name__ == "__main__":
    main()
