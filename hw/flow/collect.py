"""`docs/results/physical.json` from the reports that the other commands left under build/physical.

    python -m hw.flow.collect

Every row carries the command that makes it and the versions of the tools; a figure that was not run is null.
"""

import argparse
import json
from pathlib import Path

from . import published
from .errors import FlowError, command

TARGET = Path("docs/results/physical.json")


def _read(path):
    return json.loads(path.read_text()) if path.is_file() else None


def mechanism_set(configuration):
    """Names of the mechanisms built, for a row's key."""
    return sorted(k for k, v in configuration["mechanisms"].items() if v)


def row(folder):
    """One row of a folder CONFIG/LIB/VARIANT."""
    synth = _read(folder / "synth.json")
    power, gates = _read(folder / "power.json"), {}
    for path in sorted(folder.glob("gates/*/*.json")):
        found = _read(path)
        gates[path.parent.name] = {k: found[k] for k in ("frames", "compared", "differ", "stimulus", "mode")}
    activity = _read(folder / "activity.json") or {}
    if "logits_compared" in activity:
        gates["whole netlist, gate simulator"] = {"compared": activity["logits_compared"],
                                                  "differ": activity["logits_differ"], "signal": "logits"}
    timing, versions = {}, dict(synth["tool_versions"])
    for path in sorted(folder.glob("sta-*.json")):
        found = _read(path)
        versions |= found["tool_versions"]
        timing[found["corner"]] = found["timing"]
    if power:
        versions |= power["tool_versions"]
    area = {name: b["area_um2"] for name, b in synth["blocks"].items()}
    area |= {f"{name} (SRAM)": m["area_um2"] for name, m in synth["memories"].items()}
    total = synth["total"]
    args = f"CONFIG={synth['config']} LIB={synth['library']}"
    return {
        "config": synth["config"], "library": synth["library"], "corner": synth["corner"],
        "variant": folder.name, "settings": synth["settings"], "mechanism_set": mechanism_set(synth["configuration"]),
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
        "energy_by_kind_nj": power and power["total"],
        "row_reads_per_frame": power and power["row_reads_per_frame"],
        "power_uw_at_10ms": power and power["power_uw_at_10ms"],
        "cycles_per_frame": power and power["cycles_per_frame"],
        "pins_annotated": power and power["pins_annotated"], "sweep": power and power["sweep"],
        "dynamic_scaled_to_28nm_nj": power and power["dynamic_scaled_to_28nm_nj"],
        "gate_level": gates, "placed": _read(folder / "openroad.json"), "ablation": _read(folder / "ablation.json"),
        "warnings": synth["warnings"], "seconds": synth["seconds"], "peak_mb": synth["peak_mb"],
        "command": f"make synth {args}; make sta {args}; make power {args}",
        "not": synth["note"], "tool_versions": versions}


def collect(folder):
    """All rows under a build folder, and the published row beside them."""
    found = sorted(p.parent for p in Path(folder).glob("*/*/*/synth.json"))
    if not found:
        raise FlowError(f"{folder}: no synthesis in it: run `make synth` first")
    return {
        "rows": [row(path) for path in found],
        "fpga": [_read(p) for p in sorted(Path(folder).glob("*/ecp5/fpga.json"))],
        "memory_options": [_read(p) for p in sorted(Path(folder).glob("*/*/*/memory_options.json"))],
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


def main(argv=None):
    parser = argparse.ArgumentParser(prog="hw.flow.collect", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build/physical"), help="default: %(default)s")
    parser.add_argument("--target", type=Path, default=TARGET, help="default: %(default)s")
    args = parser.parse_args(argv)
    with command():
        data = collect(args.build)
        args.target.parent.mkdir(parents=True, exist_ok=True)
        part = args.target.with_name(f".{args.target.name}")
        part.write_text(json.dumps(data, indent=1) + "\n")
        part.replace(args.target)
        print(f"{args.target}: {len(data['rows'])} rows")


if __name__ == "__main__":
    main()
