"""Cycles and row reads a frame of every mechanism set, simulated, for the ablation of area and energy.

    sottovoce mechanisms --config paper        updates build/physical/costs.json

Every row runs on Verilated RTL and is read off its counters: the embedded recording through trained weights
(`tiny`: seeded ones), and networks that fire as published. What a mode can select runs on the full hardware; a
mechanism that no mode selects is left out of the hardware, which is then compiled without it. Logits, cycles and reads
must equal the golden model's. `--compile full` compiles the full hardware only (a quarter of the time): rows that need
another take cycles and reads from the golden cycle model, and say so. Beside the costs lies a stimulus of each row, for
its gate activity.
"""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cosim import activity
from cosim.gates import netlist_run, stimulus
from hw import config as configs
from hw import store
from hw.flow.ablation import VARIANTS, slug, variant
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden, options

BY_MODE = ("parallel_time_steps", "union_skip", "merged_spikes")  # what `Mode` selects at run time
WINDOW = 3  # frames of the stimulus for gate activity; the first is not recorded


def hardware(config, off):
    """The configuration to compile for a row: full but for what no mode can switch off."""
    absent = tuple(name for name in off if name not in BY_MODE)
    return dataclasses.replace(variant(config, absent), name=f"{config.name}-no-{'-'.join(absent)}") if absent \
        else config


def costs(model, x, mode_name, compiled=True):
    """(cycles (T,), reads (T, B), values compared) off the RTL's counters; raises where the golden model differs.

    Without `compiled` the golden cycle model's own, and nothing compared.
    """
    if compiled:
        cycles, _, reads, compared = activity.isolated(model, mode_name, x)
        return cycles, reads, compared
    mode, x = MODES[mode_name], torch.as_tensor(np.asarray(x))[None]
    cost = golden.cycles(model.config, mode, x, golden.run(model, x, mode.time_steps))
    return cost.latency[0].numpy(), cost.reads[0].numpy(), 0


def _means(cycles, reads):
    return {"cycles": round(float(np.mean(cycles)), 2),
            "reads": {n: round(float(r), 2) for n, r in zip(WEIGHT_BUFFERS, np.mean(reads, axis=0), strict=True)}}


def row(config, off, mode_name, seeds, folder, every=True, frames=None):
    """The costs of one row, and its stimulus file in `folder`. `every`: compile hardware other than the full one."""
    built, mode = hardware(config, off), MODES[mode_name]
    compiled = every or built is config
    speech, x, said = stimulus.of(config, mode, frames, "speech")
    cycles, reads, compared = costs(dataclasses.replace(speech, config=built), x, mode_name, compiled)
    out = {"mode": mode_name, "hardware": f"RTL of {built.name}" if compiled else f"cycle model of {built.name}",
           "frames": len(x), "stimulus": said, "speech": _means(cycles, reads)}
    drawn = []
    for seed in range(seeds):
        model, x = activity.stimulus(config, mode.time_steps, seed, 8)
        c, r, n = costs(dataclasses.replace(model, config=built), x, mode_name, compiled)
        drawn.append((c[activity.SEED_FRAMES:], r[activity.SEED_FRAMES:]))
        compared += n
    out["published_activity"] = _means(*(np.concatenate(part) for part in zip(*drawn, strict=True)))
    out["compared"], out["differ"] = compared, 0
    _, window, _ = stimulus.of(config, mode, WINDOW, "speech")
    netlist_run.write_stimulus(folder / f"{slug(off, mode_name)}.bin",
                               dataclasses.replace(speech, config=variant(config, off)), mode, window)
    return out


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", default="paper", help="configuration by name, or a file (default: %(default)s)")
    parser.add_argument("--seeds", type=options.whole, default=4,
                        help="networks drawn of the published activity (default: %(default)s)")
    parser.add_argument("--frames", type=options.whole,
                        help="of the recording, from past its silence on (default: all of it)")
    parser.add_argument("--compile", choices=("each", "full"), default="each",
                        help="hardware of each row, or the full one only (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/physical/costs.json"), help="default: %(default)s")


def run(args):
    """Simulate every row; nothing is written before all of them agree with the golden model."""
    config = configs.load(args.config)
    kept = json.loads(args.out.read_text()) if args.out.is_file() else {}
    rows = {}
    for name, (off, mode_name) in tqdm(VARIANTS.items(), desc=f"{config.name}: mechanisms", unit="row",
                                       file=sys.stderr, leave=False, disable=None):
        rows[name] = row(config, off, mode_name, args.seeds, args.out.parent / config.name / "mechanisms",
                         args.compile == "each", args.frames)
    store.write_json(args.out, kept | {config.name: rows})
    for name, r in rows.items():
        print(f"{name:32} {r['speech']['cycles']:8.1f} cycles {sum(r['speech']['reads'].values()):8.1f} row reads "
              f"in speech; {r['published_activity']['cycles']:8.1f} and "
              f"{sum(r['published_activity']['reads'].values()):8.1f} as published  ({r['mode']}, {r['hardware']})")
    print(f"{sum(r['compared'] for r in rows.values()):,} values compared with the golden model, 0 differ; "
          f"{next(iter(rows.values()))['stimulus']}")
    return 0
