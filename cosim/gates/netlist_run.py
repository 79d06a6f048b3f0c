"""Gate-level co-simulation: the mapped netlist beside the RTL on real frames, every output bit at every clock edge.

    python -m cosim.gates.netlist_run --config tiny --blocks accelerator --frames 20
    python -m cosim.gates.netlist_run --config paper --blocks pe_array lif --frames 2

Needs `python -m hw.flow.synth` of the same configuration and library before. `--vcd` records the frames for
`hw.flow.power`. Cells are simulated by models made from their Liberty functions, SRAM macros by their behaviour.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cosim import activity
from cosim.bench.networks import random_model
from cosim.gates import ride_along
from cosim.rtl import harness, toolchain
from hw import config as configs
from hw import store
from hw.flow.files import recipe
from hw.flow.lib import cell_models, memories
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError, command
from hw.flow.synth import folder_of
from hw.interface import MODES, WEIGHT_BUFFERS
from hw.types import load_layout, logits_layout
from sw import golden
from sw.data import audio
from sw.features import causal
from sw.integers import integer_model

HERE = Path(__file__).parent
CLIP = Path("sw/clips/sense_and_sensibility.flac")
WEIGHTS = Path("sw/weights")


def trained_model(name, time_steps):
    """Committed weights of a configuration for so many time steps, or None."""
    for folder in (WEIGHTS / f"rsnn-{name}-t{time_steps}", WEIGHTS / f"rsnn-{name}"):
        if (folder / "manifest.json").is_file() and (model := integer_model.load(folder)).time_steps == time_steps:
            return model
    return None


def stimulus_of(config, mode, frames, source):
    """A model and features (T, F): real speech, or the published activity; and a line that says which.

    Speech is the embedded recording: `frames` of it from past the silence on, or all of it for None.
    """
    if source == "published":
        model, x = activity.stimulus(config, mode.time_steps, 0, frames)
        return model, x, "built network at the published activity"
    wave, rate = audio.read(CLIP), audio.RATE
    model = trained_model(config.name, mode.time_steps)
    if model:
        x, told = causal.extract(wave, rate, model), f"trained weights {model.sha256[:12]}"
    else:
        model = random_model(config, torch.Generator().manual_seed(0), mode.time_steps)
        logmel = causal.log_mel(wave)
        x, told = causal.Normalisation.of([logmel])(logmel), "random weights, seed 0"
        x = x[:, np.linspace(0, x.shape[1] - 1, config.features).round().astype(int)]
    if frames is None:
        return model, x, f"{told}; {CLIP.name}, {len(x)} frames"
    start = min(60, len(x) - frames)  # past the silence before the first word
    return model, x[start:start + frames], f"{told}; frames {start} to {start + frames} of {CLIP.name}"


def _geometry(config):
    beat = logits_layout(config)
    return (f"#pragma once\nconstexpr int FEATURES = {config.features}, NEURONS = {config.neurons};\n"
            f"constexpr int LAST_BIT = {beat['last'].offset}, LOGIT_WORDS = {-(-beat.size // 32)}, "
            f"LOAD_WORDS = {-(-load_layout(config).size // 32)};\n")


def compile_gates(config, library, synthesised, blocks, trace):
    """Verilate RTL with `blocks` riding along; returns the executable."""
    folder = synthesised / "gates" / "-".join(blocks)
    folder.mkdir(parents=True, exist_ok=True)
    netlist = (synthesised / "netlist.v").read_text()
    try:
        rtl, gates = ride_along.build((synthesised / "rtl.v").read_text(), netlist, blocks)
    except ValueError as error:
        raise FlowError(str(error)) from None
    (folder / "rtl.v").write_text(rtl)
    used = set(re.findall(r"^\s+(\w+) \w+ \($", gates, re.M)) & set(library.cells.cells)
    kinds = {b.macro.name: b.macro for b in memories.compose(config, library).values()}
    macros = "\n".join(memories.behaviour(m) for m in kinds.values())
    (folder / "gates.v").write_text("\n".join([gates, cell_models.library(library.cells.cells, used), macros]))
    (folder / "geometry.hpp").write_text(_geometry(config))
    # only the netlist's activity is wanted; the RTL around it is not traced
    (folder / "trace.vlt").write_text('`verilator_config\ntracing_off -scope "TOP.accelerator" -levels 1\n')
    env = toolchain.environment()
    env["MAKEFLAGS"] = env["MAKEFLAGS"].replace("-O2", "-O0")  # compiling is most of the time
    switches = ["--trace-vcd", "trace.vlt"] if trace else []
    quiet = [*toolchain.WAIVERS, "-Wno-MULTITOP"]  # cell models of blocks that another block holds
    run = ["verilator", "--cc", "--exe", "--build", "-j", "2", "-O3", "--x-initial", "unique", "--top-module",
           "accelerator", "--Mdir", "model", "--public-depth", "0", *switches, *quiet, "rtl.v", "gates.v",
           "-CFLAGS", f"-std=c++17 -I{folder.resolve()} -I{HERE.parent.resolve() / 'rtl'}", str((HERE / "gates.cpp").resolve()),
           "-o", "gates"]
    done = subprocess.run(run, env=env, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise FlowError(f"Verilator: {(done.stdout + done.stderr).strip()[-1500:]}")
    return folder / "model" / "gates"


def run_gates(executable, stimulus, frames, vcd=None, window=None):
    """Run; returns {block: (compared, differ)}, first differences, cycles, cycles in the window."""
    first, last = window or (0, frames)
    command_line = [executable, stimulus, str(first), str(last), *([str(vcd)] if vcd else [])]
    blocks, differences, numbers = {}, [], {}
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process, \
            tqdm(total=frames, unit="frame", file=sys.stderr, leave=False) as bar:
        for line in process.stdout:
            word = line.split()
            if line.startswith("frames"):
                bar.update(int(word[1]) - bar.n)
            elif line.startswith("GATES"):
                blocks[word[1]] = (int(word[2]), int(word[3]))
            elif line.startswith("DIFFERENCE"):
                differences.append(line.strip())
            elif word and word[0] in ("window", "cycles"):
                numbers[word[0]] = int(word[1])
            elif word and word[0] == "reads":
                numbers["row_reads"] = dict(zip(WEIGHT_BUFFERS, map(int, word[1:]), strict=True))
        errors = process.stderr.read()
    if process.returncode or not blocks:
        raise FlowError(errors.strip() or f"gates ended with code {process.returncode}")
    return blocks, differences, numbers


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.gates", description=__doc__.splitlines()[0])
    libraries.arguments(parser)
    parser.add_argument("--variant", default="default", help="folder of the synthesis (default: %(default)s)")
    parser.add_argument("--blocks", nargs="+", default=["accelerator"], help="modules (default: the whole)")
    parser.add_argument("--frames", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--mode", default="t2_merged", choices=MODES, help="default: %(default)s")
    parser.add_argument("--source", default="speech", choices=("speech", "published"),
                        help="real speech, or a network at the published activity (default: %(default)s)")
    parser.add_argument("--vcd", action="store_true", help="record the last half of the frames for hw.flow.power")
    parser.add_argument("--stimulus-only", type=Path, help="write this stimulus file and golden logits beside it, stop")
    args = parser.parse_args(argv)
    with command():
        config = configs.load(args.config)
        library = libraries.load(args.lib, args.pdk)
        mode = MODES[args.mode]
        model, x, told = stimulus_of(config, mode, args.frames, args.source)
        if args.stimulus_only:
            args.stimulus_only.parent.mkdir(parents=True, exist_ok=True)
            harness.write_stimulus(args.stimulus_only, model, mode, [x])
            trace = golden.run(model, torch.as_tensor(x)[None], mode.time_steps)
            np.save(args.stimulus_only.with_suffix(".npy"), trace.logits[0].numpy().astype(np.int32))
            print(f"{args.stimulus_only}: {len(x)} frames, {args.mode}; {told}")
            return
        synthesised = folder_of(args, config, library)
        if not (synthesised / "netlist.v").is_file():
            raise FlowError(
                f"{synthesised / 'netlist.v'} is missing: run `make synth CONFIG={args.config} LIB={args.lib}`"
            )
        executable = compile_gates(config, library, synthesised, args.blocks, args.vcd)
        folder = executable.parents[1]
        harness.write_stimulus(folder / "stimulus", model, mode, [x])
        vcd = folder / f"{args.mode}-{args.source}.vcd" if args.vcd else None
        window = (len(x) // 2, len(x)) if args.vcd else None
        blocks, differences, numbers = run_gates(executable, folder / "stimulus", len(x), vcd, window)
        for line in differences[:5]:
            print(line)
        compared, differ = (sum(b[i] for b in blocks.values()) for i in (0, 1))
        outcome = {
            "config": config.name,
            "library": library.name,
            "mode": args.mode,
            "frames": len(x),
            "stimulus": told,
            "blocks": {k: {"compared": c, "differ": d} for k, (c, d) in blocks.items()},
            "compared": compared,
            "differ": differ,
            **numbers,
            "command": recipe("gates", parser, args),
            "window_frames": window[1] - window[0] if window else 0,
        }
        store.write_json(folder / f"{args.mode}-{args.source}.json", outcome)
        for name, (c, d) in blocks.items():
            print(f"{name}: {c:,} output bits compared, {d} differ")
        print(f"{config.name}, {library.name}, {args.mode}, {len(x)} frames ({told}): {compared:,} compared, "
              f"{differ} differ, {numbers['cycles']} cycles")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
