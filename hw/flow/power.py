"""Energy a frame by block under the activity of real frames: leakage, clock, switching, SRAM reads.

    sottovoce power --config paper --lib ihp-sg13g2
    sottovoce power --config tiny --layout --activity published --corner slow

Needs `sottovoce gate-activity` of the same synthesis before. Logic from OpenSTA 3 with every pin annotated, from the
Liberty tables where there is no OpenSTA 3 (`--tool tables` asks for them), from a stated model where there are no
tables (`hw.flow.lib.liberty_power`); the report names which. SRAM from the row reads of the design's own counters
times the macros' Liberty energy. A frame lasts 10 ms; outside its cycles the clock stands still and only leakage is
counted. After layout (`--layout`) wires are the extracted ones and the clock has its tree.
"""

import json
import re
import shutil

from hw import config as configs
from hw import store
from hw.flow.gate_activity import PERIOD, activity_arguments
from hw.flow.lib import liberty_power, mapping, memories, published, routed, runs, spef, sta_tool, supply
from hw.flow.lib import library as libraries
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist
from hw.flow.lib.supply import FRAME_S
from hw.flow.lib.tools import Progress

KINDS = ("registers_clock_nj", "combinational_nj", "switching_nj", "sram_nj", "leakage_nj")
CLOCK_TREE = ("clkbuf", "delaybuf")  # names of the cells that a layout adds to the clock


def parse(text):
    """(list of instances with W values, share of pins annotated) of a `power.tcl` run."""
    annotated = sum(int(n) for n in re.findall(r"^(?:saif|vcd)\s+(\d+)", text, re.M))
    missing = int((re.search(r"^unannotated\s+(\d+)", text, re.M) or [0, 0])[1])
    body = text.split("POWER\n", 1)[1].rsplit("END", 1)[0]
    return json.loads(body), annotated / max(1, annotated + missing)


def block_of(path, blocks):
    """Which of the named blocks a leaf is of, by its path, or by its name in a flat netlist; else the top."""
    name = path.split("/")[0] if "/" in path else path.split(routed.JOINT)[0]
    return name if name in blocks else "accelerator"


def by_block(instances, cells_of, seconds, frames, blocks=()):
    """Energy a frame in nJ by block and kind; `cells_of` maps instance path -> `liberty.Cell` or None for macros."""
    names = set(blocks) | {path.split("/")[0] for path in cells_of if "/" in path}
    blocks = {}
    for item in instances:
        path = item["name"]
        if path not in cells_of:
            continue
        cell = cells_of[path]
        row = blocks.setdefault(block_of(path, names), dict.fromkeys(KINDS, 0.0))
        clocked = cell.storage or cell.gating or path.split("/")[-1].startswith(CLOCK_TREE)
        kind = "registers_clock_nj" if clocked else "combinational_nj"
        row[kind] += item["internal"] * seconds / frames * 1e9
        row["switching_nj"] += item["switching"] * seconds / frames * 1e9
        row["leakage_nj"] += item["leakage"] * FRAME_S * 1e9
    return blocks


def clock_root(sim_pins, voltage, cycles, frames):
    """Energy a frame of the clock net before any gate: its pins' capacitance, charged once a cycle. nJ."""
    return sim_pins * 1e-12 * voltage**2 * cycles / frames * 1e9


def add_memories(blocks, memories, reads, frames, accesses=None):
    """SRAM accesses and leakage into `blocks`, one block a memory.

    Row reads of weights were counted; of other memories, `accesses` are (reads, writes) a frame (`config.accesses()`);
    without them every row is read once, and written once where it is no table.
    """
    if accesses is None:
        accesses = {name: (m["rows"], m["rows"] * (name != "neuron_table")) for name, m in memories.items()
                    if name.startswith(("neuron", "kept"))}
    for name, m in memories.items():
        row = blocks.setdefault(name, dict.fromkeys(KINDS, 0.0))
        if name in accesses:
            row["sram_nj"] += access_nj(m, *accesses[name])
        else:
            weights = name.removesuffix("_weights").removesuffix("_parity")  # parity is read with its row
            row["sram_nj"] += reads[weights] / frames * m["read_pj"] * 1e-3
        row["leakage_nj"] += m["leakage_nw"] * FRAME_S


def access_nj(memory, reads, writes):
    """nJ of so many reads, and writes of whole rows, of a memory by its row of a report."""
    return (reads * memory["read_pj"] + writes * memory["write_pj"] * memory["macros"]) * 1e-3


def instances_of(library, result, folder, tool, netlist, spefs):
    """(leaf instances with W, share of pins annotated, what computed them). `tool`: auto, sta or tables.

    `folder` holds the activity, `netlist` the netlist; `spefs` are extracted wires, instance path -> file.
    """
    saif = (folder / "activity.saif").resolve()
    version = sta_tool.version() if tool != "tables" and (tool == "sta" or shutil.which("sta")) else "0"
    if int(version.split(".")[0]) >= 3 and liberty_power.has_tables(library.cells.cells):
        text = sta_tool.run("power", folder, saif=saif, scope="accelerator", **sta_tool.settings(
            library, result["views"], netlist / "netlist.v", "accelerator", PERIOD, spefs))
        return *parse(text), f"OpenSTA {version}"
    if tool == "sta":
        raise FlowError(f"sta {version} does not read SAIF: power needs OpenSTA 3 (github.com/parallaxsw/OpenSTA), "
                        "or --tool tables")
    with Progress("Liberty tables"):
        netlist = Netlist(netlist / "netlist.json", library.cells.cells, "accelerator")
        buffers = memories.built(configs.from_dict(result["configuration"]), library, result["settings"])
        return liberty_power.instances(library, netlist, {b.macro.name: b.macro for b in buffers.values()}, saif,
                                       spef.of(spefs or {}))


def analyse(library, result, folder, tool="auto", netlist=None, spefs=None):
    """The power report of a folder that holds `activity.saif`; `netlist`: the folder of the netlist, if another."""
    netlist = netlist or folder
    for path in (folder / "activity.saif", folder / "activity.json", netlist / "netlist.json"):
        if not path.is_file():
            raise FlowError(f"{path} is missing: run `sottovoce gate-activity` first")
    window = json.loads((folder / "activity.json").read_text())
    if window.get("logits_differ"):
        raise FlowError(f"{folder / 'activity.json'}: {window['logits_differ']} logits of this activity differ from "
                        "the golden model's: it is of no use; run `sottovoce gate-activity` again")
    instances, share, method = instances_of(library, result, folder, tool, netlist, spefs)
    if share < 0.95:
        raise FlowError(f"only {100 * share:.1f} % of the pins got an activity: {folder / 'activity.saif'} is of "
                        "another netlist; run `sottovoce gate-activity` again")
    modules = json.loads((netlist / "netlist.json").read_text())["modules"]
    cells_of, root_pf = leaves(modules, "accelerator", library.cells.cells)
    seconds = window["cycles"] * PERIOD * 1e-9
    blocks = by_block(instances, cells_of, seconds, window["frames"], result["blocks"])
    blocks["clock net"] = dict.fromkeys(KINDS, 0.0)
    blocks["clock net"]["switching_nj"] = clock_root(root_pf, library.cells.voltage, window["cycles"], window["frames"])
    add_memories(blocks, result["memories"], window["row_reads"], window["frames"],
                 configs.from_dict(result["configuration"]).accesses())
    total = {kind: sum(b[kind] for b in blocks.values()) for kind in KINDS}
    total["dynamic_nj"] = sum(total[k] for k in KINDS if k != "leakage_nj")
    total["energy_nj"] = total["dynamic_nj"] + total["leakage_nj"]
    cycles = window["cycles"] / window["frames"]
    names = {*result["blocks"], *(p.split("/")[0] for p in cells_of if "/" in p)}
    return {
        "config": result["config"], "library": result["library"], "voltage": library.cells.voltage, "method": method,
        "pins_annotated": share, "frames": window["frames"], "cycles_per_frame": cycles,
        "row_reads_per_frame": {k: v / window["frames"] for k, v in window["row_reads"].items()},
        "energy_nj": {name: {k: round(v, 4) for k, v in row.items()} for name, row in blocks.items()},
        "total": {k: round(v, 4) for k, v in total.items()},
        "power_uw_at_10ms": round(total["energy_nj"] / 10, 4), "leakage_uw": round(total["leakage_nj"] / 10, 4),
        "sweep": supply.sweep(total, cycles, supply.night(
            configs.from_dict(result["configuration"]), instances, cells_of,
            lambda path: block_of(path, names),
            sum(blocks[name]["leakage_nj"] for name in result["memories"]), library.cells.voltage)),
        "published_uw": published.POWER_UW, "differences": published.DIFFERENCES,
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
              f"{report['power_uw_at_10ms']:.2f} uW at one frame in 10 ms ({report['leakage_uw']:.2f} uW leakage)"]
    if report["config"] == "paper":  # the only network that a figure was published of
        lines += [f"published {report['published_uw']} uW at 28 nm. What differs:",
                  *(f"  - {d}" for d in report["differences"])]
    return "\n".join(lines)


def against(report, other, stage):
    """A line: how far each kind of energy lies from that of the same frames at another stage."""
    parts = [f"{kind.removesuffix('_nj')} {100 * (report['total'][kind] / value - 1):+.1f} %"
             for kind, value in other["total"].items() if value]
    return f"against {stage}: {', '.join(parts)}"


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, corners=True)
    activity_arguments(parser)
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="OpenSTA 3, or the Liberty tables; auto: the first to be had (default: %(default)s)")


def run(args):
    """Compute and print the report."""
    config, library, base = runs.opened(args)
    result = runs.synthesised(base, args)
    buffers = memories.built(config, library, result["settings"])  # of this corner
    result["views"] = mapping.write_views({b.macro.name: b.macro for b in buffers.values()}, library, base)
    result["memories"] = {name: m | buffers[name.removesuffix("_weights")].row()
                          for name, m in result["memories"].items()}
    stage = routed.stage_of(args.layout)
    folder = runs.activity_of(base, stage, args.activity, args.glitches)
    netlist, blocks, spefs = (base, [], {}) if args.layout is None else \
        routed.collect(base, library, args.layout or None)
    report = analyse(library, result, folder, args.tool, netlist, spefs) | {
        "stage": stage, "corner": library.corner, "activity": args.activity + ("-glitches" if args.glitches else ""),
        "variant": args.variant, "routed": blocks,
        "command": args.command}
    name = "power" if library.corner == "typ" else f"power-{library.corner}"
    store.write_json(folder / f"{name}.json", report)
    print(table(report))
    for other in ("routed", "synthesised"):
        path = runs.activity_of(base, other, args.activity, args.glitches) / f"{name}.json"
        if other != stage and path.is_file():
            print(against(report, json.loads(path.read_text()), other))
