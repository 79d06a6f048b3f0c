"""Energy a frame by block under the activity of real frames: leakage, clock, switching, SRAM reads.

    sottovoce power --config paper --lib ihp-sg13g2

Needs `sottovoce gate-activity` of the same synthesis before. Logic from OpenSTA 3 with every pin annotated, from the
Liberty tables where there is no OpenSTA 3 (`--tool tables` asks for them), from a stated model where there are no
tables (`hw.flow.lib.liberty_power`); the report names which. SRAM from the row reads of the design's own counters
times the macros' Liberty energy. A frame lasts 10 ms; outside its cycles the clock stands still and only leakage is
counted.
"""

import json
import re
import shutil

from hw import config as configs
from hw import store
from hw.flow.gate_activity import PERIOD
from hw.flow.lib import liberty_power, memories, published, runs, sta_tool
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist
from hw.flow.lib.tools import Progress

FRAME_S = 0.01
KINDS = ("registers_clock_nj", "combinational_nj", "switching_nj", "sram_nj", "leakage_nj")
VOLTAGES = (1.0, 0.9, 0.8)  # of nominal
CLOCKS = (1e5, 1e6, 1e7, 1e8)


def parse(text):
    """(list of instances with W values, share of pins annotated) of a `power.tcl` run."""
    annotated = sum(int(n) for n in re.findall(r"^(?:saif|vcd)\s+(\d+)", text, re.M))
    missing = int((re.search(r"^unannotated\s+(\d+)", text, re.M) or [0, 0])[1])
    body = text.split("POWER\n", 1)[1].rsplit("END", 1)[0]
    return json.loads(body), annotated / max(1, annotated + missing)


def by_block(instances, cells_of, seconds, frames):
    """Energy a frame in nJ by block and kind; `cells_of` maps instance path -> `liberty.Cell` or None for macros."""
    blocks = {}
    for item in instances:
        path = item["name"]
        if path not in cells_of:
            continue
        cell = cells_of[path]
        block = path.split("/")[0] if "/" in path else "accelerator"
        row = blocks.setdefault(block, dict.fromkeys(KINDS, 0.0))
        kind = "registers_clock_nj" if cell.storage or cell.gating else "combinational_nj"
        row[kind] += item["internal"] * seconds / frames * 1e9
        row["switching_nj"] += item["switching"] * seconds / frames * 1e9
        row["leakage_nj"] += item["leakage"] * FRAME_S * 1e9
    return blocks


def clock_root(sim_pins, voltage, cycles, frames):
    """Energy a frame of the clock net before any gate: its pins' capacitance, charged once a cycle. nJ."""
    return sim_pins * 1e-12 * voltage**2 * cycles / frames * 1e9


def add_memories(blocks, memories, reads, frames):
    """SRAM accesses and leakage into `blocks`, one block a memory.

    Row reads of weights were counted; of neurons, every word is read once a frame, and its state written once.
    """
    for name, m in memories.items():
        row = blocks.setdefault(name, dict.fromkeys(KINDS, 0.0))
        count = m["rows"] if name.startswith("neuron") else reads[name.removesuffix("_weights")] / frames
        row["sram_nj"] += count * m["read_pj"] * 1e-3
        if name == "neuron_state":
            row["sram_nj"] += count * m["write_pj"] * m["macros"] * 1e-3
        row["leakage_nj"] += m["leakage_nw"] * FRAME_S


def sweep(total, cycles):
    """Energy a frame against clock (sprint, then cut the supply) and voltage (dynamic ~ V^2, leakage ~ V at least)."""
    dynamic, leakage = total["dynamic_nj"], total["leakage_nj"]
    rows = []
    for clock in CLOCKS:
        awake = min(FRAME_S, cycles / clock)
        rows.append({"clock_hz": clock, "voltage_of_nominal": 1.0, "awake_ms": awake * 1e3,
                     "energy_nj": dynamic + leakage * awake / FRAME_S,
                     "assumes": "leakage falls to nothing outside the frame's cycles; retention not counted"})
    for v in VOLTAGES[1:]:
        rows.append({"clock_hz": CLOCKS[0], "voltage_of_nominal": v, "awake_ms": FRAME_S * 1e3,
                     "energy_nj": dynamic * v**2 + leakage * v,
                     "assumes": "dynamic ~ V^2, leakage ~ V; timing holds at 100 kHz"})
    return rows


def instances_of(library, result, folder, tool):
    """(leaf instances with W, share of pins annotated, what computed them). `tool`: auto, sta or tables."""
    saif = (folder / "activity.saif").resolve()
    version = sta_tool.version() if tool != "tables" and (tool == "sta" or shutil.which("sta")) else "0"
    if int(version.split(".")[0]) >= 3 and liberty_power.has_tables(library.cells.cells):
        text = sta_tool.run("power", folder, saif=saif, scope="accelerator", **sta_tool.settings(
            library, result["views"], folder / "netlist.v", "accelerator", PERIOD))
        return *parse(text), f"OpenSTA {version}"
    if tool == "sta":
        raise FlowError(f"sta {version} does not read SAIF: power needs OpenSTA 3 (github.com/parallaxsw/OpenSTA), "
                        "or --tool tables")
    with Progress("Liberty tables"):
        netlist = Netlist(folder / "netlist.json", library.cells.cells, "accelerator")
        buffers = memories.compose(configs.from_dict(result["configuration"]), library,
                                   result["settings"]["prefer"])
        return liberty_power.instances(library, netlist, {b.macro.name: b.macro for b in buffers.values()}, saif)


def analyse(library, result, folder, tool="auto"):
    """The power report of a synthesised folder that holds `activity.saif`."""
    for name in ("activity.saif", "activity.json", "netlist.json"):
        if not (folder / name).is_file():
            raise FlowError(f"{folder / name} is missing: run `sottovoce gate-activity` first")
    window = json.loads((folder / "activity.json").read_text())
    instances, share, method = instances_of(library, result, folder, tool)
    if share < 0.95:
        raise FlowError(f"only {100 * share:.1f} % of the pins got an activity: {folder / 'activity.saif'} is of "
                        "another netlist; run `sottovoce gate-activity` again")
    netlist = json.loads((folder / "netlist.json").read_text())["modules"]
    cells_of, root_pf = leaves(netlist, "accelerator", library.cells.cells)
    seconds = window["cycles"] * PERIOD * 1e-9
    blocks = by_block(instances, cells_of, seconds, window["frames"])
    blocks["clock net"] = dict.fromkeys(KINDS, 0.0)
    blocks["clock net"]["switching_nj"] = clock_root(root_pf, library.cells.voltage, window["cycles"], window["frames"])
    add_memories(blocks, result["memories"], window["row_reads"], window["frames"])
    total = {kind: sum(b[kind] for b in blocks.values()) for kind in KINDS}
    total["dynamic_nj"] = sum(total[k] for k in KINDS if k != "leakage_nj")
    total["energy_nj"] = total["dynamic_nj"] + total["leakage_nj"]
    cycles = window["cycles"] / window["frames"]
    return {
        "config": result["config"], "library": result["library"], "voltage": library.cells.voltage, "method": method,
        "pins_annotated": share, "frames": window["frames"], "cycles_per_frame": cycles,
        "row_reads_per_frame": {k: v / window["frames"] for k, v in window["row_reads"].items()},
        "energy_nj": {name: {k: round(v, 4) for k, v in row.items()} for name, row in blocks.items()},
        "total": {k: round(v, 4) for k, v in total.items()},
        "power_uw_at_10ms": round(total["energy_nj"] / 10, 4), "leakage_uw": round(total["leakage_nj"] / 10, 4),
        "sweep": sweep(total, cycles), "published_uw": published.POWER_UW, "differences": published.DIFFERENCES,
        "dynamic_scaled_to_28nm_nj": round(published.scaled_dynamic(
            total["dynamic_nj"], library.node or 130, library.cells.voltage), 4),
        "tool_versions": {**result["tool_versions"],
                          **({"sta": method.split()[1]} if method.startswith("OpenSTA") else {})}}


def leaves(modules, top, cells):
    """Instance path -> cell of every leaf, and pF of clock pins on the ungated clock."""
    out, root = {}, 0.0

    def walk(module, path, clocks):
        nonlocal root
        for name, c in modules[module]["cells"].items():
            inner = f"{path}/{name}" if path else name
            cell = cells.get(c["type"])
            if cell:
                out[inner] = cell
                for pin in cell.inputs:
                    if c["connections"].get(pin.name, [None])[0] in clocks:
                        root += pin.capacitance
            elif c["type"] in modules and not modules[c["type"]].get("attributes", {}).get("blackbox"):
                ports = modules[c["type"]]["ports"]
                walk(c["type"], inner, {bit for port, spec in ports.items() for bit, given in zip(
                    spec["bits"], c["connections"].get(port, []), strict=False) if given in clocks})

    walk(top, "", set(modules[top]["ports"]["clk"]["bits"]))
    return out, root


def table(report):
    """Text of a power report."""
    lines = [f"{'block':22}" + "".join(f"{k.removesuffix('_nj'):>17}" for k in KINDS) + f"{'total nJ':>12}"]
    rows = sorted(report["energy_nj"].items(), key=lambda item: -sum(item[1].values()))
    for name, row in [*rows, ("total", report["total"])]:
        lines.append(f"{name:22}" + "".join(f"{row[k]:17.3f}" for k in KINDS) + f"{sum(row[k] for k in KINDS):12.3f}")
    lines += [f"{report['cycles_per_frame']:.1f} cycles a frame, {report['frames']} frames, "
              f"{100 * report['pins_annotated']:.1f} % of pins annotated, {report['voltage']} V, {report['method']}",
              f"{report['power_uw_at_10ms']:.2f} uW at one frame in 10 ms ({report['leakage_uw']:.2f} uW leakage); "
              f"published {report['published_uw']} uW at 28 nm. What differs:"]
    return "\n".join(lines + [f"  - {d}" for d in report["differences"]])


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="OpenSTA 3, or the Liberty tables; auto: the first to be had (default: %(default)s)")


def run(args):
    """Compute and print the report."""
    _, library, folder = runs.opened(args)
    report = analyse(library, runs.synthesised(folder, args), folder, args.tool)
    store.write_json(folder / "power.json", report | {"command": args.command})
    print(table(report))
