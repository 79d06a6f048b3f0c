"""Cycles and row reads a frame of every mechanism set, simulated, for `hw.flow.ablation`.

    python -m cosim.gates.mechanisms --config paper        updates build/physical/costs.json

Every row runs on Verilated RTL and is read off its counters: the embedded recording through trained weights
(`tiny`: seeded ones), and networks that fire as published. What a mode can select runs on the full hardware; a
mechanism that no mode selects is left out of the hardware, which is then compiled without it. Logits, cycles and reads
must equal the golden model's. `--compile full` compiles the full hardware only (a quarter of the time): rows that need
another take cycles and reads from the golden cycle model, and say so. Beside the costs lies a stimulus of each row, for
its gate activity.
"""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cosim import activity
from cosim.gates import netlist_run
from cosim.rtl import harness, toolchain
from hw import config as configs
from hw import store
from hw.flow.ablation import VARIANTS, slug, variant
from hw.flow.lib.errors import FlowError, command
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden

BY_MODE = ("parallel_time_steps", "union_skip", "merged_spikes")  # what `Mode` selects at run time
WINDOW = 3  # frames of the stimulus for gate activity; the first is not recorded


def hardware(config, off):
    """The configuration to compile for a row: full but for what no mode can switch off."""
    absent = tuple(name for name in off if name not in BY_MODE)
    return dataclasses.replace(variant(config, absent), name=f"{config.name}-no-{'-'.join(absent)}") if absent \
        else config


def simulate(model, x, mode, compiled=True):
    """(cycles (T,), reads (T, 5), values compared) off the RTL's counters; raises where the golden model differs.

    Without `compiled` the golden cycle model's own, and nothing compared.
    """
    x = torch.as_tensor(np.asarray(x))
    trace = golden.run(model, x[None], mode.time_steps)
    cost = golden.cycles(model.config, mode, x[None], trace)
    if not compiled:
        return cost.latency[0].numpy(), cost.reads[0].numpy(), 0
    done = harness.run(model, mode, [x.numpy()], isolated=True)
    pairs = [(done.logits, trace.logits[0]), (done.reads, cost.reads[0]), (done.latency, cost.latency[0]),
             (done.phases, cost.phases[0])]
    wrong = sum(int((rtl != np.asarray(expected)).sum()) for rtl, expected in pairs)
    if wrong:
        raise FlowError(f"{model.config.name}: {wrong} values of the RTL differ from the golden model")
    return done.latency, done.reads, sum(np.size(rtl) for rtl, _ in pairs)


def _means(cycles, reads):
    return {"cycles": round(float(np.mean(cycles)), 2),
            "reads": {n: round(float(r), 2) for n, r in zip(WEIGHT_BUFFERS, np.mean(reads, axis=0), strict=True)}}


def row(config, off, mode_name, seeds, folder, every=True, frames=None):
    """The costs of one row, and its stimulus file in `folder`. `every`: compile hardware other than the full one."""
    built, mode = hardware(config, off), MODES[mode_name]
    compiled = every or built is config
    speech, x, told = netlist_run.stimulus_of(config, mode, frames, "speech")
    cycles, reads, compared = simulate(dataclasses.replace(speech, config=built), x, mode, compiled)
    out = {"mode": mode_name, "hardware": f"RTL of {built.name}" if compiled else f"cycle model of {built.name}",
           "frames": len(x), "stimulus": told, "speech": _means(cycles, reads)}
    drawn = []
    for seed in range(seeds):
        model, x = activity.stimulus(config, mode.time_steps, seed, 8)
        c, r, n = simulate(dataclasses.replace(model, config=built), x, mode, compiled)
        drawn.append((c[activity.SEED_FRAMES:], r[activity.SEED_FRAMES:]))
        compared += n
    out["published_activity"] = _means(*(np.concatenate(part) for part in zip(*drawn, strict=True)))
    out["compared"], out["differ"] = compared, 0
    _, window, _ = netlist_run.stimulus_of(config, mode, WINDOW, "speech")
    folder.mkdir(parents=True, exist_ok=True)
    model = dataclasses.replace(speech, config=variant(config, off))
    harness.write_stimulus(folder / f"{slug(off, mode_name)}.bin", model, mode, [window])
    trace = golden.run(model, torch.as_tensor(np.asarray(window))[None], mode.time_steps)
    np.save(folder / f"{slug(off, mode_name)}.npy", trace.logits[0].numpy().astype(np.int32))
    return out


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.gates.mechanisms", description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="paper", help="tiny, paper or a YAML file (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=4, help="networks drawn of the published activity")
    parser.add_argument("--frames", type=int, help="of the recording, from past its silence on (default: all of it)")
    parser.add_argument("--compile", choices=("each", "full"), default="each",
                        help="hardware of each row, or the full one only (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/physical/costs.json"), help="default: %(default)s")
    args = parser.parse_args(argv)
    with command():
        config = configs.load(args.config)
        kept = json.loads(args.out.read_text()) if args.out.is_file() else {}
        rows = {}
        try:
            for name, (off, mode_name) in tqdm(VARIANTS.items(), desc=f"{config.name}: mechanisms", unit="row",
                                               file=sys.stderr, leave=False):
                rows[name] = row(config, off, mode_name, args.seeds, args.out.parent / config.name / "mechanisms",
                                 args.compile == "each", args.frames)
        except (harness.HarnessError, toolchain.ToolError) as error:
            raise FlowError(str(error)) from None
        store.write_json(args.out, kept | {config.name: rows})
        for name, r in rows.items():
            print(f"{name:32} {r['speech']['cycles']:8.1f} cycles {sum(r['speech']['reads'].values()):8.1f} row reads "
                  f"in speech; {r['published_activity']['cycles']:8.1f} and "
                  f"{sum(r['published_activity']['reads'].values()):8.1f} as published  ({r['mode']}, {r['hardware']})")
        print(f"{sum(r['compared'] for r in rows.values()):,} values compared with the golden model, 0 differ; "
              f"{next(iter(rows.values()))['stimulus']}")


if __name__ == "__main__":
    main()
