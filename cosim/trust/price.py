"""What watchdog and parity cost: area, leakage and energy a frame, each on a netlist of its own, beside the plain one.

    sottovoce guard-price                the network of `keywords` on 32 lanes (minutes: three syntheses)

As `sottovoce energy` measures it, IHP SG13G2 before layout, with every value held to the golden model: cycles and row
reads from the RTL's counters, energy of a cycle from the gates, accesses and leakage from the macros. The macros of
`paper`'s parity come beside it, by the same choice.
"""

from pathlib import Path

from cosim import results
from cosim.gates import energy, mapped, ways
from hw import config as configs
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories
from sw import options

NETWORK, PLAIN = "keywords", "32 lanes"
ROWS = (PLAIN, *(f"{PLAIN}, {option}" for option in sorted(ways.GUARDS)))
SILICON = ("area_um2", "logic_um2", "leakage_uw")
FRAME = ("energy_per_frame_nj", "parts_nj", "cycles_per_frame", "row_reads", "values_compared", "differences")


def silicon(name, library, args):
    """Area and leakage of a row's netlist."""
    config, way = ways.machine(NETWORK, name)
    folder = args.out / NETWORK / library.name / f"energy-{config.name}"
    total = mapped.netlist(config, library, folder, args.command, prefer=way.macros, **way.flow)["total"]
    return {"machine": f"{NETWORK}, {name}", "option": name.removeprefix(PLAIN).strip(", ") or "none",
            "area_um2": round(total["area_um2"] + total["sram_um2"], 1), "logic_um2": round(total["area_um2"], 1),
            "leakage_uw": round((total["leakage_nw"] + total["sram_leakage_nw"]) * 1e-3, 3)}


def beside(row, plain):
    """A row with what it has more than the plain one, in per cent."""
    return row | {f"{what}_more_percent": round(100 * (row[what] / plain[what] - 1), 2)
                  for what in ("area_um2", "logic_um2", "leakage_uw", "energy_per_frame_nj")
                  if what in row and what in plain}


def macros(name, row, library):
    """The memories of parity of a shipped configuration beside those of its weights: area, leakage, and what the reads
    of a frame of that row of the energy table cost in each.
    """
    config = configs.from_dict({**configs.load(name).to_dict(), "parity": True})
    table = store.read_json(store.results("energy.json", publish=True))["rows"]
    reads = next(r["reads_by_buffer"] for r in table if (r["config"], r["row"]) == (name, row))
    found = memories.compose(config, library)
    out = {"config": name, "row": row}
    for kind, end in (("weights", ""), ("parity", "_parity")):
        part = {buffer: found[buffer + end] for buffer in reads}
        out |= {f"{kind}_um2": round(sum(b.area for b in part.values()), 1),
                f"{kind}_leakage_uw": round(sum(b.leakage for b in part.values()) * 1e-3, 3),
                f"{kind}_reads_nj": round(sum(reads[n] * b.read_pj for n, b in part.items()) * 1e-3, 2)}
    return out


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, config=False)
    parser.add_argument("--windows", type=options.whole, default=4,
                        help="seconds of words that the network hears (default: %(default)s)")
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="as for `sottovoce power` (default: %(default)s)")
    parser.add_argument("--area", action="store_true", help="area and leakage alone, without running the gates")
    store.add_publish(parser)


def run(args):
    """Map all, then run their gates, and keep what there is after each; 1 if a value differs."""
    library = libraries.load(args.lib, args.pdk)
    args.out = Path(args.out)
    found = [silicon(name, library, args) for name in ROWS]
    path = kept(found, library, args)
    for i, name in enumerate(() if args.area else ROWS):
        measured = energy.measure(NETWORK, name, library, args)
        found[i] |= {key: measured[key] for key in FRAME}
        path = kept(found, library, args)
    print(results.plain_table(("machine", "mm2", "logic mm2", "leakage, uW", "nJ a frame"), [
        (r["machine"], f"{r['area_um2'] * 1e-6:.4f}", f"{r['logic_um2'] * 1e-6:.4f}", r["leakage_uw"],
         r.get("energy_per_frame_nj", "")) for r in found]))
    print(f"figures: {path}")
    return 1 if sum(r.get("differences", 0) for r in found) else 0


def kept(found, library, args):
    """Rows so far, into the figures; returns their path."""
    values = {"guards": [beside(row, found[0]) for row in found], "guard_macros": macros("paper", "union", library)}
    return results.update(values, "guards", {"command": args.command, "config": NETWORK, "note": energy.NOT},
                          args.publish, "trust.json")
