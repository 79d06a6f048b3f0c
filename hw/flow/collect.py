"""One JSON from the reports that the other commands of the flow left under build/physical.

    sottovoce physical                  build/results/physical.json
    sottovoce physical --publish        docs/results/physical.json, in a checkout

Rows are merged by (config, library, corner, variant): a row without a folder stays as it is, and of a row that was
synthesised again from the same RTL with the same settings the figures that were not run again stay. Every figure group
has its command in `recipes`; a figure that was never run is null.
"""

import json
from pathlib import Path

from hw import store
from hw.flow.lib import published, routed
from hw.flow.lib.errors import FlowError

KEY = ("config", "library", "corner", "variant")
# fields that are dictionaries of independent runs: corners, blocks, options
PARTS = ("slack_ns", "critical_path", "gate_level", "layout", "recipes", "tool_versions")
# one row of energy a netlist, corner and activity
ENERGY_KEY = ("config", "library", "variant", "stage", "corner", "activity")
ENERGY = ("config", "library", "variant", "stage", "corner", "activity", "voltage", "frames", "cycles_per_frame",
          "row_reads_per_frame", "leakage_uw", "power_uw_at_10ms", "pins_annotated", "method", "routed", "command",
          "tool_versions")


def _read(path):
    return json.loads(path.read_text()) if path.is_file() else None


def mechanism_set(configuration):
    """Names of the mechanisms built, for a row's key."""
    return sorted(k for k, v in configuration["mechanisms"].items() if v)


def _gates(folder):
    """Gate-level runs by block, and their recipes."""
    out, recipes = {}, {}
    for path in sorted(folder.glob("gates/*/*.json")):
        found = _read(path)
        out[path.parent.name] = {k: found[k] for k in ("frames", "compared", "differ", "stimulus", "mode")}
        recipes[f"gate_level, {path.parent.name}"] = found["command"]
    for place, stage in ((folder, ""), (folder / "routed-speech", ", routed")):
        activity = _read(place / "activity.json") or {}
        if "logits_compared" in activity:
            name = f"whole netlist{stage}, gate simulator"
            out[name] = {"compared": activity["logits_compared"], "differ": activity["logits_differ"],
                         "signal": "logits"}
            recipes[f"gate_level, {name}"] = activity["command"]
    return out, recipes


def row(folder):
    """One row of a folder CONFIG/LIB/VARIANT."""
    synth, power = _read(folder / "synth.json"), _read(folder / "power.json")
    ablation = _read(folder / "ablation.json")
    versions, recipes, timing = dict(synth["tool_versions"]), {"area": synth["command"]}, {}
    gates, more = _gates(folder)
    recipes |= more
    for path in sorted(folder.glob("sta-*.json")):
        found = _read(path)
        if found.get("block", "accelerator") != "accelerator" or found.get("stage") == "routed-blocks":
            continue  # a block's own, or clocks with and without trees: no timing of the whole
        kind = found["corner"] if found.get("stage", "synthesised") == "synthesised" else f"{found['corner']}, routed"
        timing[kind] = found["timing"]
        versions |= found["tool_versions"]
        recipes[f"slack_ns, {kind}"] = found["command"]
    layouts = {name: _read(place / "layout.json") for name, place in routed.every(folder).items()}
    for name, found in layouts.items():
        versions |= found["tool_versions"]
        recipes[f"layout, {name}"] = found.pop("command")
    for name, found in (("energy", power), ("ablation", ablation)):
        if found:
            versions |= found["tool_versions"]
            recipes[name] = found["command"]
    area = {name: b["area_um2"] for name, b in synth["blocks"].items()}
    area |= {f"{name} (SRAM)": m["area_um2"] for name, m in synth["memories"].items()}
    total = synth["total"]
    return {
        "config": synth["config"], "library": synth["library"], "corner": synth["corner"],
        "variant": folder.name, "settings": synth["settings"], "mechanism_set": mechanism_set(synth["configuration"]),
        "rtl_sha256": synth["rtl_sha256"],
        "area_um2": area, "logic_um2": total["area_um2"], "sram_area_um2": total["sram_um2"],
        "total_um2": round(total["area_um2"] + total["sram_um2"], 3),
        "cells": total["cells"], "nand2_equivalents": round(total["nand2"]), "flip_flops": total["flip_flops"],
        "clock_gates": total["clock_gates"], "latches": total["latches"],
        "depth": {name: b["depth"] for name, b in synth["blocks"].items()},
        "slack_ns": {corner: {clock: {"setup": t["setup_slack_ns"], "hold": t["hold_slack_ns"]}
                              for clock, t in clocks.items()} for corner, clocks in timing.items()},
        "critical_path": {corner: {k: list(clocks.values())[-1]["setup"][k] for k in ("start", "end", "arrival_ns")}
                          for corner, clocks in timing.items()},
        "leakage_uw": round((total["leakage_nw"] + total["sram_leakage_nw"]) / 1e3, 4),
        "leakage_states_uw": power and power["leakage_uw"],
        "energy_per_frame_nj": power and {name: round(sum(b.values()), 4) for name, b in power["energy_nj"].items()},
        "energy_by_kind_nj": power and power["total"], "energy_method": power and power["method"],
        "row_reads_per_frame": power and power["row_reads_per_frame"],
        "power_uw_at_10ms": power and power["power_uw_at_10ms"],
        "cycles_per_frame": power and power["cycles_per_frame"],
        "pins_annotated": power and power["pins_annotated"], "sweep": power and power["sweep"],
        "dynamic_scaled_to_28nm_nj": power and power["dynamic_scaled_to_28nm_nj"],
        "gate_level": gates, "layout": layouts, "ablation": ablation and ablation["rows"],
        "second_pe_set": ablation and ablation["second_pe_set"],
        "warnings": synth["warnings"], "seconds": synth["seconds"], "peak_mb": synth["peak_mb"],
        "recipes": recipes, "not": synth["note"], "tool_versions": versions}


def energies(folder):
    """Rows of energy of a folder CONFIG/LIB/VARIANT, one a report of `sottovoce power`."""
    out = []
    for path in sorted([*folder.glob("power*.json"), *folder.glob("*-*/power*.json")]):
        found = _read(path)
        if "stage" in found:
            out.append({key: found[key] for key in ENERGY} | {
                "energy_per_frame_nj": found["total"],
                "by_block_nj": {name: round(sum(row.values()), 4) for name, row in found["energy_nj"].items()},
                "dynamic_by_block_nj": {name: round(sum(row.values()) - row["leakage_nj"], 4)
                                        for name, row in found["energy_nj"].items()}})
    return out


def merge_row(old, new):
    """`new`, with figures of `old` that were not run again; only where both are of one RTL and one setting."""
    if any(old.get(key) != new[key] for key in ("rtl_sha256", "settings")):
        return new
    out = {key: old.get(key) if value is None else value for key, value in new.items()}
    for key in PARTS:
        out[key] = (old.get(key) or {}) | new[key]
    return out


def merge(old, new, key):
    """Lists of rows merged by the values of `key`; rows only one list has are kept."""
    def name(entry):
        return tuple(entry[k] for k in key)

    before = {name(entry): entry for entry in old}
    after = {name(entry): entry for entry in new}
    for k, entry in after.items():
        if k in before and "rtl_sha256" in entry:
            after[k] = merge_row(before[k], entry)
    return [entry for _, entry in sorted((before | after).items())]


def collect(folder, old=None):
    """All rows under a build folder merged into `old`, and the published row beside them."""
    folder, old = Path(folder), old or {}
    found = sorted(p.parent for p in folder.glob("*/*/*/synth.json"))
    if not found:
        raise FlowError(f"{folder}: no synthesis in it: run `sottovoce synth` first")
    return {
        "rows": merge(old.get("rows", []), [row(path) for path in found], KEY),
        "energy": merge(old.get("energy", []), [row for path in found for row in energies(path)], ENERGY_KEY),
        "fpga": merge(old.get("fpga", []), [_read(p) for p in folder.glob("*/ecp5/fpga.json")], ("config", "part")),
        "memory_options": merge(old.get("memory_options", []),
                                [_read(p) for p in folder.glob("*/*/*/memory_options.json")], ("config", "library")),
        "frame_energy": old.get("frame_energy", []), "after_layout": old.get("after_layout", {}),
        "published": {
            "power_uw": published.POWER_UW,
            "process": "TSMC 28 nm",
            "tops_per_w": published.TOPS_PER_W,
            "gops_per_mm2": published.GOPS_PER_MM2,
            "mmac_per_s": published.MMAC_S,
            "cycles": published.CYCLES,
            "derived": {
                k: {"value": round(v, 4), "unit": unit, "how": how} for k, (v, unit, how) in published.derived().items()
            },
            "differences": published.DIFFERENCES,
        },
    }


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--build", type=Path, default=Path("build/physical"), help="default: %(default)s")
    store.add_publish(parser)


def run(args):
    """Merge what is found into the figures that are there."""
    target = store.results("physical.json", args.publish)
    data = collect(args.build, _read(target))
    store.write_json(target, data)
    print(f"{target}: {len(data['rows'])} rows")
