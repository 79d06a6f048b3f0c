"""What each mechanism costs and saves: area, cycles and energy a frame with and without it.

    python -m hw.flow.ablation --config paper --lib ihp-sg13g2 --costs costs.json

Only blocks whose RTL changes are mapped again, the others keep the area of the full design. Cycles and row reads come
from a JSON of `cosim` (variant -> cycles, reads); energy is leakage, SRAM reads and the measured logic energy a cycle.
"""

import argparse
import dataclasses
import json
from pathlib import Path

from hw import config as configs

from . import library as libraries
from . import memories, synth, yosys
from .errors import FlowError, command
from .netlist import Netlist
from .sta import synthesised

# variant -> (mechanisms switched off, mode that shows it)
VARIANTS = {
    "all (union mode)": ((), "t2_union"),
    "no union skip (as published)": (("union_skip",), "t2_merged"),
    "no parallel time steps": (("parallel_time_steps", "union_skip"), "t2_sequential"),
    "no merged spikes": (("merged_spikes", "union_skip"), "t2_unmerged"),
    "no input skipping": (("zero_skip_input", "union_skip"), "t2_merged"),
    "no recurrent skipping (T = 1)": (("zero_skip_recurrent",), "t1"),
    "all (T = 1)": ((), "t1"),
    "no FC skipping": (("zero_skip_fc", "union_skip"), "t2_merged"),
}


def variant(config, off):
    """The configuration with mechanisms `off` not built."""
    return dataclasses.replace(config, mechanisms=dataclasses.replace(config.mechanisms, **dict.fromkeys(off, False)))


def changed(base, other):
    """Modules whose text differs between two RTL files, or that only the second has."""
    old, new = synth.split_modules(base), synth.split_modules(other)
    return sorted(name for name in new if old.get(name) != new[name])


def area(config, library, base, folder, base_rtl):
    """Total logic area of a variant: {"area_um2", "nand2", "flip_flops", "remapped"}."""
    folder.mkdir(parents=True, exist_ok=True)
    buffers = memories.compose(config, library)
    files, _ = synth.sources(config, buffers, folder)
    rtl = (folder / "rtl.v").read_text()
    names = [n for n in changed(base_rtl, rtl) if not n.startswith("weight_buffer")]
    blocks = {path: dict(b) for path, b in base["blocks"].items()}
    if names:
        others = [n for n in synth.split_modules(rtl) if n not in names]
        for name in names:
            passes = synth.passes(files, library, folder, top=name)
            at = passes.index(f"hierarchy -check -top {name}")
            passes[at:at] = [f"blackbox {n}" for n in [*others, *(m for m in names if m != name)]]
            passes = [p for p in passes if not p.startswith("check -assert")]
            log, _, _ = yosys.run(passes, folder, name)
            yosys.triage(log)
            netlist = Netlist(folder / "mapped.json", library.cells.cells, name)
            netlist.buffer_fanout(synth.FANOUT, library.drive, ties=(library.tie_high[0], library.tie_low[0]))
            counts = netlist.count(name)
            for b in blocks.values():
                if b["module"] == name:
                    b.update(area_um2=counts["area_um2"], flip_flops=counts["flip_flops"],
                             leakage_nw=counts["leakage_nw"])
    total = {key: sum(b[key] for b in blocks.values()) for key in ("area_um2", "flip_flops", "leakage_nw")}
    return {**total, "nand2": library.gates(total["area_um2"]), "remapped": names}


def energy(result, areas, cost, logic_pj_cycle):
    """nJ a frame: leakage of 10 ms, SRAM reads, and logic at the measured energy a cycle."""
    sram = sum(cost["reads"][name] * result["memories"][f"{name}_weights"]["read_pj"] for name in cost["reads"]) * 1e-3
    leakage = (areas["leakage_nw"] + result["total"]["sram_leakage_nw"]) * 0.01
    return {"sram_nj": sram, "leakage_nj": leakage, "logic_nj": cost["cycles"] * logic_pj_cycle * 1e-3,
            "energy_nj": sram + leakage + cost["cycles"] * logic_pj_cycle * 1e-3}


def measure(config, library, folder, result, power, costs):
    """Rows of the table."""
    base_rtl = (folder / "rtl.v").read_text()
    dynamic = power["total"]["dynamic_nj"] - power["total"]["sram_nj"]
    per_cycle = 1e3 * dynamic / power["cycles_per_frame"]
    rows, done = [], {}
    for name, (off, mode) in VARIANTS.items():
        if off not in done:
            done[off] = area(variant(config, off), library, result, folder / "ablation" / ("-".join(off) or "all"),
                             base_rtl)
        if name not in costs:
            raise FlowError(f"no cycles for {name!r}: make them with `python -m cosim.mechanisms`")
        rows.append({"mechanisms": name, "off": list(off), "mode": mode,
                     **{k: round(v, 1) if isinstance(v, float) else v for k, v in done[off].items()},
                     "cycles": costs[name]["cycles"], "row_reads": costs[name]["reads"],
                     **{k: round(v, 2) for k, v in energy(result, done[off], costs[name], per_cycle).items()}})
    return rows


def markdown(rows, config, library):
    lines = [f"| {config} in {library} | logic um2 | flip-flops | cycles a frame | row reads | SRAM nJ | logic nJ | "
             "leakage nJ | total nJ |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in rows:
        lines.append(f"| {r['mechanisms']} | {r['area_um2']:.0f} | {r['flip_flops']} | {r['cycles']:.0f} | "
                     f"{sum(r['row_reads'].values()):.0f} | {r['sram_nj']:.1f} | {r['logic_nj']:.1f} | "
                     f"{r['leakage_nj']:.1f} | {r['energy_nj']:.1f} |")
    return "\n".join(lines) + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="hw.flow.ablation", description=__doc__.splitlines()[0])
    libraries.arguments(parser)
    parser.add_argument("--variant", default="default", help="folder of the synthesis (default: %(default)s)")
    parser.add_argument("--costs", type=Path, default=Path("build/physical/costs.json"),
                        help="cycles and reads by variant, from cosim.mechanisms (default: %(default)s)")
    args = parser.parse_args(argv)
    with command():
        config = configs.load(args.config)
        library = libraries.load(args.lib, args.pdk)
        folder = synth.folder_of(args, config, library)
        result = synthesised(folder, args)
        for path in (folder / "power.json", args.costs):
            if not path.is_file():
                raise FlowError(f"{path} is missing: run `make power` and `python -m cosim.mechanisms` first")
        rows = measure(config, library, folder, result, json.loads((folder / "power.json").read_text()),
                       json.loads(args.costs.read_text())[config.name])
        (folder / "ablation.json").write_text(json.dumps(rows, indent=1) + "\n")
        print(markdown(rows, config.name, library.name))


if __name__ == "__main__":
    main()
