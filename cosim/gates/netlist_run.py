"""Gate-level co-simulation: the mapped netlist beside the RTL on real frames, every output bit at every clock edge.

    sottovoce gates --config tiny --blocks accelerator --frames 20
    sottovoce gates --config paper --blocks pe_array lif --frames 2
    sottovoce gates --config tiny --layout             the routed netlist, with its clock tree and repairs
    sottovoce gates --model mine --features x.npy      an imported network on what it hears

Needs `sottovoce synth` of the same configuration and library before. Cells are simulated by models made from their
Liberty functions, SRAM macros by their behaviour; the RTL around them is held to the golden model as everywhere.
"""

import re
from pathlib import Path

import numpy as np

from cosim import models
from cosim.gates import ride_along, stimulus
from cosim.rtl import builder, harness, side_by_side
from cosim.rtl import stimulus as stimulus_file
from hw import config as configs
from hw import store
from hw.flow.lib import cell_models, memories, routed
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError
from hw.flow.lib.runs import folder_of, stimulus_of
from hw.interface import ALL_MODES
from sw import golden, options


def compile_gates(config, library, synthesised, blocks, netlist=None):
    """Verilate RTL with `blocks` of a synthesis folder riding along; returns the folder of the harness.

    `netlist` is the Verilog file to take them from (default: the mapped one).
    """
    try:
        rtl, gates = ride_along.build((synthesised / "rtl.v").read_text(),
                                      (netlist or synthesised / "netlist.v").read_text(), blocks)
    except ValueError as error:
        raise FlowError(str(error)) from None
    used = set(re.findall(r"^\s+(\w+) \S+\s*\(", gates, re.M)) & set(library.cells.cells)
    settings = store.read_json(synthesised / "synth.json").get("settings", {"prefer": "area"})
    kinds = {b.macro.name: b.macro for b in memories.built(config, library, settings).values()}
    cells = [cell_models.library(library.cells.cells, used), *(memories.behaviour(m) for m in kinds.values())]
    # cell models of blocks that another block holds are tops of their own; compiling is most of the time, hence -O0
    label = f"gates-{'layout-' if netlist else ''}{library.name}-{'-'.join(blocks)}"
    return builder.build(harness.design(
        config, rtl, ("harness",), label, gates="\n".join([gates, *cells]),
        verilator=("--x-initial", "unique", "--public-depth", "0", "-Wno-MULTITOP"), optimise="-O0"))


def run_gates(folder, model, mode_name, x):
    """Run frames x (T, F); returns {block: (compared, differ)}, the first differences, and the RTL's `Outcome`."""
    outcome = side_by_side.check(model, mode_name, [x], folder=folder)
    blocks = {word[1]: (int(word[2]), int(word[3])) for word in map(str.split, outcome.run.lines)
              if word and word[0] == "GATES"}
    if not blocks:
        raise FlowError("the netlist reported nothing: is one of the blocks in the design?")
    return blocks, [line for line in outcome.run.lines if line.startswith("DIFFERENCE")], outcome


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--blocks", nargs="+", default=["accelerator"], help="modules (default: the whole)")
    parser.add_argument("--layout", action="store_true", help="the netlist of `sottovoce layout`")
    parser.add_argument("--frames", type=options.whole, default=20, help="frames to run (default: %(default)s)")
    parser.add_argument("--mode", choices=ALL_MODES,
                        help="default: t2_merged; t1 for a model that was trained for one time step")
    parser.add_argument("--source", default="speech", choices=("speech", "published"),
                        help="real speech, or a network at the published activity (default: %(default)s)")
    parser.add_argument("--model", help=f"network that hears the speech: {', '.join(models.names())}, or a folder "
                        "(default: the committed one of the configuration, else random weights)")
    parser.add_argument("--features", type=Path, metavar="FILE", help=".npy of what --model hears, (clips, frames, "
                        "features), for one without a front-end; the clips that the import held back")
    parser.add_argument("--stimulus-only", nargs="?", const="", help="write the stimulus for `sottovoce gate-activity` "
                        "and golden logits beside it, and stop; a file (default: OUT/CONFIG/stimulus.bin)")


def run(args):
    """Compare; 1 if a bit differs."""
    model = models.load(args.model) if args.model else None
    config = model.config if model else configs.load(args.config)
    args.mode = args.mode or ("t1" if model and model.time_steps == 1 else "t2_merged")
    model, x, said = stimulus.of(config, ALL_MODES[args.mode], args.frames, args.source, model, args.features)
    if args.stimulus_only is not None:
        path = Path(args.stimulus_only or stimulus_of(args, config, args.source))
        write_stimulus(path, model, ALL_MODES[args.mode], x)
        print(f"{path}: {len(x)} frames, {args.mode}; {said}")
        return 0
    library = libraries.load(args.lib, args.pdk)
    synthesised = folder_of(args, config, library)
    if not (synthesised / "netlist.v").is_file():
        raise FlowError(f"{synthesised / 'netlist.v'} is missing: run `sottovoce synth --config {args.config} "
                        f"--lib {args.lib}`")
    netlist = routed.collect(synthesised, library, args.blocks)[0] / "netlist.v" if args.layout else None
    folder = compile_gates(config, library, synthesised, args.blocks, netlist)
    blocks, differences, outcome = run_gates(folder, model, args.mode, x)
    for line in [*differences[:5], *([f"RTL: {outcome.first}"] if outcome.first else [])]:
        print(line)
    compared, differ = (sum(b[i] for b in blocks.values()) for i in (0, 1))
    where = synthesised / "gates" / "-".join([*args.blocks, *(["routed"] if args.layout else [])])
    store.write_json(where / f"{args.mode}-{args.source}.json", {
        "config": config.name, "library": library.name, "mode": args.mode,
        "stage": "routed" if args.layout else "synthesised", "frames": len(x), "stimulus": said,
        "blocks": {k: {"compared": c, "differ": d} for k, (c, d) in blocks.items()},
        "compared": compared, "differ": differ, "cycles": outcome.run.cycles,
        "rtl": {"compared": outcome.compared, "differ": outcome.differences},
        "command": args.command})
    for name, (c, d) in blocks.items():
        print(f"{name}: {c:,} output bits compared, {d} differ")
    print(f"{config.name}, {library.name}, {args.mode}, {len(x)} frames ({said}): {compared:,} compared, "
          f"{differ} differ, {outcome.run.cycles} cycles; RTL against golden model: {outcome.compared:,} compared, "
          f"{outcome.differences} differ")
    return 1 if differ or outcome.differences else 0


def write_stimulus(path, model, mode, x):
    """A stimulus file of frames x (T, F), and the golden logits beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stimulus_file.write(path, model, mode, [x])
    np.save(path.with_suffix(".npy"), golden.predict(model, [x], mode).logits.astype(np.int32))
