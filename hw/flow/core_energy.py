"""Energy a cycle of the RISC-V core of `sottovoce soc`, mapped to a real library, under its own firmware.

    sottovoce soc yes.wav --front-end firmware --trace build/core.trace
    sottovoce core-energy --trace build/core.trace

The first command writes down what the core's buses carry from reset on: loading the weights, then frames. The core
(VexRiscv, Verilog by others) is mapped with the flow's own script; its caches become SRAM macros, its registers
flip-flops. The netlist then lives through the same cycles, and must put the same on its buses in every one of them:
toggles of every pin, from `--skip` on, go through the Liberty tables, accesses of the caches times the macros' energy.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np

from hw import store
from hw.flow import gate_activity
from hw.flow.lib import liberty_power, mapping, memories, yosys
from hw.flow.lib import library as libraries
from hw.flow.lib.compiled_gates import PINS, CompiledGates
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist
from hw.flow.lib.tools import Progress
from hw.flow.power import leaves
from hw.soc.system import CORE, SEEN, core_text

LARGE = 2048  # bits from which a memory of the core is an SRAM; the 32 registers stay flip-flops
WORDS = 5     # of 32 bits a cycle: flags, data read, fetch address, access address, data written
SKIP = 130_000  # cycles: the start and the weights' load, without features
RESET = 4     # cycles of it in cosim/rtl/soc.cpp
BEAT = 4096   # cycles between two looks at the progress


def as_macro(rows, bits, library):
    """(macro, how many side by side) that hold such a memory with the least energy a read."""
    fit = [m for m in map(memories.from_liberty, library.macros) if m and m.rows >= rows]
    if not fit:
        raise FlowError(f"{library.name}: no SRAM macro of {rows} rows; use --lib ihp-sg13g2")
    return min(((m, -(-bits // m.bits)) for m in fit), key=lambda pair: (pair[0].read_pj * pair[1], pair[0].area))


def box_memories(path):
    """Memories of a Yosys JSON of at least `LARGE` bits become black boxes; returns their names and (rows, bits)."""
    data = json.loads(path.read_text())
    found = {}
    for module in list(data["modules"].values()):
        for cell in module["cells"].values():
            if cell["type"] != "$mem_v2":
                continue
            p = {name: int(value, 2) if set(value) <= set("01") else value
                 for name, value in cell["parameters"].items() if name not in ("INIT", "MEMID")}
            if p["SIZE"] * p["WIDTH"] < LARGE:
                continue
            if (p["RD_PORTS"], p["WR_PORTS"], p["RD_CLK_ENABLE"], p["WR_CLK_ENABLE"]) != (1, 1, 1, 1):
                raise FlowError(f"{path.name}: a memory with {p['RD_PORTS']} read and {p['WR_PORTS']} write ports")
            name = f"sram_{p['SIZE']}x{p['WIDTH']}"
            found[name] = (p["SIZE"], p["WIDTH"])
            wires = {pin: cell["connections"][pin] for pin in PINS}
            cell |= {"type": name, "parameters": {}, "attributes": {}, "connections": wires,
                     "port_directions": {pin: "output" if pin == "RD_DATA" else "input" for pin in PINS}}
            ports = {pin: {"direction": "output" if pin == "RD_DATA" else "input",
                           "bits": list(range(2 + 100 * i, 2 + 100 * i + len(wires[pin])))}
                     for i, pin in enumerate(PINS)}
            data["modules"][name] = {"attributes": {"blackbox": f"{1:032b}"}, "ports": ports, "cells": {},
                                     "netnames": {}}
    path.write_text(json.dumps(data))
    return found


def synthesise(library, folder, text, top):
    """Map Verilog with memories; returns (netlist, name -> (rows, bits) of its SRAMs)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "core.v").write_text(text)
    (folder / "none.v").write_text("")
    script = mapping.passes([folder / "none.v", folder / "core.v"], library, folder, top=top)
    script.remove("check -assert")  # the core leaves unused inputs open; the last check, of the mapped netlist, stays
    cut = script.index("memory -nomap") + 2
    yosys.run([*script[:cut], "write_json memories.json"], folder, "core")
    srams = box_memories(folder / "memories.json")
    yosys.run(["read_json memories.json", *script[cut:]], folder, "core-mapped")
    netlist = Netlist(folder / "mapped.json", library.cells.cells, top)
    netlist.buffer_fanout(mapping.FANOUT, library.drive, ties=(library.tie_high[0], library.tie_low[0]))
    netlist.tidy()
    netlist.save(folder / "netlist.json")
    return netlist, srams


def replay(sim, trace, skip):
    """The netlist through the traced cycles, recorded from `skip` on; raises `FlowError` where its buses differ."""
    def flag(name):
        field = SEEN[name]
        return (trace[:, 0] >> field.offset & (1 << field.width) - 1).tolist()

    inputs = {"iBusWishbone_ACK": flag("fetch_ack"), "dBusWishbone_ACK": flag("access_ack"),
              "softwareInterrupt": flag("fault"), "externalInterruptArray": flag("interrupt"),
              "iBusWishbone_DAT_MISO": trace[:, 1].tolist(), "dBusWishbone_DAT_MISO": trace[:, 1].tolist()}
    fetch, access, write, sel = (flag(name) for name in ("fetch", "access", "write", "sel"))
    sim.set("reset", 1)
    for name in ("timerInterrupt", "externalResetVector", "iBusWishbone_ERR", "dBusWishbone_ERR"):
        sim.set(name, 0)
    before, compared = {}, 0
    with Progress("gates", len(trace) // BEAT + 1) as progress:
        for cycle in range(len(trace)):
            if cycle % BEAT == 0:
                progress.tick(cycle // BEAT, f"cycle {cycle:,}")
            if cycle == RESET:
                sim.set("reset", 0)
            for name, values in inputs.items():
                if before.get(name) != values[cycle]:
                    before[name] = values[cycle]
                    sim.set(name, values[cycle])
            sim.settle()
            if cycle > RESET:
                said = [("fetch", sim.get("iBusWishbone_CYC"), fetch[cycle]),
                        ("access", sim.get("dBusWishbone_CYC"), access[cycle])]
                if fetch[cycle]:
                    said.append(("fetch address", sim.get("iBusWishbone_ADR"), int(trace[cycle, 2])))
                if access[cycle]:
                    said += [("access address", sim.get("dBusWishbone_ADR"), int(trace[cycle, 3])),
                             ("write", sim.get("dBusWishbone_WE"), write[cycle])]
                    if write[cycle]:
                        said += [("sel", sim.get("dBusWishbone_SEL"), sel[cycle]),
                                 ("data written", sim.get("dBusWishbone_DAT_MOSI"), int(trace[cycle, 4]))]
                for what, gates, rtl in said:
                    if gates != rtl:
                        raise FlowError(f"cycle {cycle}: {what}: the netlist says {gates:#x}, the RTL {rtl:#x}")
                compared += len(said)
            sim.recording = cycle >= skip
            sim.step()
    return compared


def analyse(library, folder, trace, skip):
    """Energy a cycle and leakage, by part, as plain values."""
    netlist, srams = synthesise(library, folder, core_text(), CORE)
    shapes = {name: memories.Macro(name, rows, bits, 0, 0, 0, 0, 0, 0, "") for name, (rows, bits) in srams.items()}
    sim = CompiledGates(netlist, shapes)
    compared = replay(sim, trace, skip)
    gate_activity.saif(sim, folder / "activity.saif", CORE)
    rows, share, method = liberty_power.instances(library, netlist, shapes, folder / "activity.saif")
    seconds = sim.cycles * gate_activity.PERIOD * 1e-9
    _, root_pf = leaves(netlist.modules, CORE, library.cells.cells)
    logic = sum(r["internal"] + r["switching"] for r in rows) * seconds / sim.cycles * 1e12
    clock = root_pf * library.cells.voltage ** 2
    caches, leak, area = {}, 0.0, 0.0
    for path, ram in sim.rams.items():
        macro, count = as_macro(ram.rows, ram.bits, library)
        pj = count * (ram.reads * macro.read_pj + ram.writes * macro.write_pj) / sim.cycles
        caches[path] = {"macro": macro.name, "macros": count, "reads": ram.reads, "writes": ram.writes,
                        "pj_a_cycle": round(pj, 3)}
        leak, area = leak + count * macro.leakage, area + count * macro.area
    counts = [netlist.count(module) for _, module in netlist.instances()]
    sram = sum(c["pj_a_cycle"] for c in caches.values())
    return {"core": f"{CORE}, pythondata-cpu-vexriscv {importlib.metadata.version('pythondata-cpu-vexriscv')}",
            "library": library.name, "voltage": library.cells.voltage, "cycles": int(sim.cycles),
            "bus_values_compared": compared, "bus_values_differ": 0, "pins_annotated": round(share, 4),
            "method": method, "cells": sum(c["cells"] for c in counts),
            "flip_flops": sum(c["flip_flops"] for c in counts),
            "logic_um2": round(sum(c["area_um2"] for c in counts), 1), "sram_um2": round(area, 1), "caches": caches,
            "pj_a_cycle": {"logic": round(logic, 3), "clock net": round(clock, 3), "caches": round(sram, 3),
                           "total": round(logic + clock + sram, 3)},
            "leakage_uw": {"logic": round(sum(r["leakage"] for r in rows) * 1e6, 3), "caches": round(leak * 1e-3, 3)}}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--trace", type=Path, default=Path("build/core.trace"),
                        help="file that `soc --trace` wrote (default: %(default)s)")
    parser.add_argument("--skip", type=int, default=SKIP,
                        help="cycles before recording starts (default: %(default)s, the load of `keywords`)")
    parser.add_argument("--lib", default="ihp-sg13g2", help="library (default: %(default)s)")
    parser.add_argument("--pdk", help="folder with the IHP views (default: ../shared/pdk/ihp-sg13g2 beside a checkout)")
    parser.add_argument("--out", type=Path, default=Path("build/physical/core"), help="folder (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Print energy a cycle by part, and keep it."""
    library = libraries.load(args.lib, args.pdk)
    if not args.trace.is_file():
        raise FlowError(f"{args.trace}: no such trace; make it with `sottovoce soc RECORDING --trace {args.trace}`")
    trace = np.fromfile(args.trace, np.uint32).reshape(-1, WORDS)
    if not 0 <= args.skip < len(trace):
        raise FlowError(f"--skip {args.skip}: the trace has {len(trace)} cycles")
    out = analyse(library, args.out / library.name, trace, args.skip)
    path = store.results("system.json", args.publish)
    kept = store.read_json(path)
    recipes = kept.get("recipes", {}) | {"core energy": store.recipe(args.command, packages=(
        "pyosys", "pythondata-cpu-vexriscv"), note=(
        "cells and SRAM macros before layout: no wires, no clock tree beyond its pins; caches as single-port macros "
        "where the core reads and writes at once; the memory outside the core is not counted"))}
    store.write_json(path, {**kept, "core": out, "recipes": recipes})
    for name, pj in out["pj_a_cycle"].items():
        print(f"{name:12} {pj:9.2f} pJ a cycle")
    print(f"leakage      {sum(out['leakage_uw'].values()):9.2f} uW; {out['logic_um2'] / 1e6:.3f} mm2 of logic, "
          f"{out['sram_um2'] / 1e6:.3f} mm2 of SRAM, {out['cells']:,} cells, {out['flip_flops']:,} flip-flops")
    print(f"{out['cycles']:,} cycles; {out['bus_values_compared']:,} values on the buses equal the RTL's")
    print(f"figures: {path}")
