"""What each mechanism costs and saves: area, cycles and energy a frame with and without it.

    sottovoce mechanisms --config paper
    sottovoce ablation --config paper --lib ihp-sg13g2

Every row is a netlist of its own: blocks whose RTL changes are mapped again and take the place of the full design's.
Cycles and row reads are those that the first command read off the simulated RTL; SRAM energy is reads times the
macros' energy a read; logic energy a cycle is measured on the row's netlist under real frames (`--energy measured`), or
that of the full design (`--energy scaled`: seconds instead of minutes a row, and the row says so).
"""

import dataclasses
import json
import shutil
from pathlib import Path

from hw import store
from hw.flow import gate_activity, power
from hw.flow.lib import library as libraries
from hw.flow.lib import mapping, memories, runs, yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist

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


def slug(off, mode):
    """File name of a row."""
    return "-".join([mode, *(f"no_{name}" for name in off)])


def variant(config, off):
    """The configuration with mechanisms `off` not built."""
    return dataclasses.replace(config, mechanisms=dataclasses.replace(config.mechanisms, **dict.fromkeys(off, False)))


def changed(base, other):
    """Modules whose text differs between two RTL files, or that only the second has."""
    old, new = mapping.split_modules(base), mapping.split_modules(other)
    return sorted(name for name in new if old.get(name) != new[name])


def netlist(config, library, base, folder):
    """Leave the netlist of `config` in `folder`; returns its totals. `base`: folder of the full design's synthesis.

    One that is there serves again: a new synthesis removes them all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "totals.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    files, _ = mapping.sources(config, memories.compose(config, library), folder)
    rtl = (folder / "rtl.v").read_text()
    names = [n for n in changed((base / "rtl.v").read_text(), rtl)
             if not n.startswith(("weight_buffer", "state_memory"))]
    whole = Netlist(base / "netlist.json", library.cells.cells, "accelerator")
    for name in names:
        others = [n for n in mapping.split_modules(rtl) if n != name]
        passes = mapping.passes(files, library, folder, top=name)
        at = passes.index(f"hierarchy -check -top {name}")
        passes[at:at] = [f"blackbox {n}" for n in others]
        passes = [p for p in passes if not p.startswith("check -assert")]
        log, _, _ = yosys.run(passes, folder, name)
        yosys.triage(log)
        part = Netlist(folder / "mapped.json", library.cells.cells, name)
        part.buffer_fanout(mapping.FANOUT, library.drive, ties=(library.tie_high[0], library.tie_low[0]))
        part.tidy()
        whole.modules[name] = part.modules[name]
    if names:
        whole.modules["accelerator"].setdefault("attributes", {})["top"] = "1"
    whole.save(folder / "netlist.json")
    counts = [whole.count(module) for _, module in whole.instances()]
    total = {key: sum(c[key] for c in counts) for key in ("area_um2", "flip_flops", "leakage_nw")}
    total |= {"nand2": library.gates(total["area_um2"]), "remapped": names}
    store.write_json(kept, total)
    return total


def logic_pj_cycle(config, library, result, folder, stimulus, tool):
    """Measured energy of logic in one cycle of the netlist in `folder`, pJ; and what was measured."""
    gate_activity.record(config, library, folder, stimulus, 1, {"prefer": "area"})
    found = power.analyse(library, result | {"configuration": config.to_dict()}, folder, tool)
    dynamic = found["total"]["dynamic_nj"] - found["total"]["sram_nj"]
    return 1e3 * dynamic / found["cycles_per_frame"], \
        f"measured on this netlist: {found['frames']} frames, {found['cycles_per_frame']:.0f} cycles, {found['method']}"


def energy(result, totals, cost, pj_cycle):
    """nJ a frame: leakage of 10 ms, SRAM reads, and logic at the energy a cycle."""
    sram = sum(cost["reads"][name] * result["memories"][f"{name}_weights"]["read_pj"] for name in cost["reads"]) * 1e-3
    leakage = (totals["leakage_nw"] + result["total"]["sram_leakage_nw"]) * 0.01
    return {"sram_nj": sram, "leakage_nj": leakage, "logic_nj": cost["cycles"] * pj_cycle * 1e-3,
            "energy_nj": sram + leakage + cost["cycles"] * pj_cycle * 1e-3}


def scaled(folder):
    """Energy of logic a cycle of the full design in the published mode, pJ; and what it is."""
    path = folder / "power.json"
    if not path.is_file():
        raise FlowError(f"{path} is missing: run `sottovoce power` first")
    found = json.loads(path.read_text())
    dynamic = found["total"]["dynamic_nj"] - found["total"]["sram_nj"]
    return 1e3 * dynamic / found["cycles_per_frame"], "scaled: energy a cycle of the full design, t2_merged"


def measure(config, library, folder, result, costs, stimuli, how, tool="auto"):
    """Rows of the table. `stimuli`: folder with a stimulus of each row."""
    rows, done = [], {}
    for name, (off, mode) in VARIANTS.items():
        if name not in costs:
            raise FlowError(f"no cycles for {name!r}: make them with `sottovoce mechanisms`")
        built, place = variant(config, off), folder / "ablation" / slug(off, mode)
        if off not in done:
            done[off] = place, netlist(built, library, folder, place)
        source, totals = done[off]
        if how == "measured":
            place.mkdir(parents=True, exist_ok=True)
            if place != source:
                shutil.copy(source / "netlist.json", place / "netlist.json")
            mapping.to_verilog(place, "netlist.json", "netlist.v")
            pj_cycle, told = logic_pj_cycle(built, library, result, place, stimuli / f"{slug(off, mode)}.bin", tool)
        else:
            pj_cycle, told = scaled(folder)
        cost = costs[name]
        rows.append({"mechanisms": name, "off": list(off), "mode": mode,
                     **{k: round(v, 1) if isinstance(v, float) else v for k, v in totals.items()},
                     "cycles": cost["speech"]["cycles"], "row_reads": cost["speech"]["reads"],
                     "cycles_published_activity": cost["published_activity"]["cycles"],
                     "row_reads_published_activity": cost["published_activity"]["reads"],
                     "simulated": f"{cost['hardware']}: {cost['stimulus']}", "logic_pj_cycle": round(pj_cycle, 3),
                     "logic_energy": told,
                     **{k: round(v, 2) for k, v in energy(result, totals, cost["speech"], pj_cycle).items()}})
    return rows


def second_set(result, rows, report):
    """What the second PE set costs, and the cycles that two time steps at once save."""
    block = result["blocks"]["pe_set1"]
    cycles = {r["mechanisms"]: r["cycles"] for r in rows}
    out = {"area_um2": block["area_um2"], "nand2": block["nand2"], "flip_flops": block["flip_flops"],
           "share_of_logic": round(block["area_um2"] / result["total"]["area_um2"], 4),
           "leakage_nj": round(block["leakage_nw"] * 0.01, 3), "dynamic_nj": None,
           "cycles_saved_recurrent": round(
               cycles["no parallel time steps"] - cycles["no union skip (as published)"], 2),
           "how": "a lower bound: input and FC layers, too, use both sets at once"}
    if report:
        kinds = report["energy_nj"]["pe_set1"]
        out["dynamic_nj"] = round(sum(v for k, v in kinds.items() if k != "leakage_nj"), 3)
    return out


def markdown(rows, config, library):
    lines = [f"| {config} in {library} | logic um2 | flip-flops | cycles a frame | row reads | SRAM nJ | logic nJ | "
             "leakage nJ | total nJ |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in rows:
        lines.append(f"| {r['mechanisms']} | {r['area_um2']:.0f} | {r['flip_flops']} | {r['cycles']:.1f} | "
                     f"{sum(r['row_reads'].values()):.0f} | {r['sram_nj']:.1f} | {r['logic_nj']:.1f} | "
                     f"{r['leakage_nj']:.1f} | {r['energy_nj']:.1f} |")
    return "\n".join(lines) + "\n"


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--energy", choices=("measured", "scaled"), default="measured",
                        help="logic energy: of each row's netlist, or scaled from `power` (default: %(default)s)")
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="as for `sottovoce power` (default: %(default)s)")
    parser.add_argument("--costs", type=Path, default=Path("build/physical/costs.json"),
                        help="cycles and reads by variant, from `sottovoce mechanisms` (default: %(default)s)")


def run(args):
    """Measure every row and print the table."""
    config, library, folder = runs.opened(args)
    result = runs.synthesised(folder, args)
    costs = json.loads(args.costs.read_text()) if args.costs.is_file() else {}
    if config.name not in costs:
        raise FlowError(f"{args.costs} has no {config.name}: run `sottovoce mechanisms --config {args.config}`")
    rows = measure(config, library, folder, result, costs[config.name],
                   args.costs.parent / config.name / "mechanisms", args.energy, args.tool)
    path = folder / "power.json"
    report = json.loads(path.read_text()) if path.is_file() else None
    versions = dict(result["tool_versions"]) | (report["tool_versions"] if report else {})
    store.write_json(folder / "ablation.json", {
        "rows": rows, "second_pe_set": second_set(result, rows, report), "command": args.command,
        "tool_versions": versions})
    print(markdown(rows, config.name, library.name))
