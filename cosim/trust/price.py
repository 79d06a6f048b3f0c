"""What watchdog and parity cost: area, leakage and energy a frame, each on a netlist of its own, beside the plain one.

    sottovoce guard-price                the network of `keywords` on 32 lanes (minutes: three syntheses)

As `sottovoce energy` measures it, IHP SG13G2 before layout, with every value held to the golden model: cycles and row
reads from the RTL's counters, energy of a cycle from the gates, accesses and leakage from the macros. The macros of
`paper`'s parity come beside it, by the same choice.
"""

from pathlib import Path

from cosim import results
from cosim.gates import energy, ways
from hw import config as configs
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories
from sw import options

NETWORK, PLAIN = "keywords", "32 lanes"
ROWS = (PLAIN, *(f"{PLAIN}, {option}" for option in ways.GUARDS))
KEPT = ("area_um2", "logic_um2", "leakage_uw", "energy_per_frame_nj", "parts_nj", "cycles_per_frame", "row_reads",
        "values_compared", "differences")


def rows(library, args):
    """A row a machine, with what it has more than the plain one, in per cent."""
    found = []
    for name in ROWS:
        row = energy.measure(NETWORK, name, library, args)
        found.append({"machine": f"{NETWORK}, {name}", "option": name.removeprefix(PLAIN).strip(", ") or "none",
                      **{key: row[key] for key in KEPT}})
        for what in ("area_um2", "leakage_uw", "energy_per_frame_nj"):
            found[-1][f"{what}_more_percent"] = round(100 * (row[what] / found[0][what] - 1), 2)
    return found


def macros(name, library):
    """The memories of parity of a shipped configuration beside those of its weights: area, leakage, pJ a read."""
    config = configs.from_dict({**configs.load(name).to_dict(), "parity": True})
    found = memories.compose(config, library)
    parts = {kind: [b for buffer, b in found.items() if buffer.endswith("_parity") == (kind == "parity")]
             for kind in ("weights", "parity")}
    return {"config": name, **{f"{kind}_{what}": round(sum(getattr(b, key) for b in part) * scale, 3)
                               for kind, part in parts.items()
                               for what, key, scale in (("um2", "area", 1), ("leakage_uw", "leakage", 1e-3),
                                                        ("pj_a_read_of_each", "read_pj", 1))}}


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, config=False)
    parser.add_argument("--windows", type=options.whole, default=4,
                        help="seconds of words that the network hears (default: %(default)s)")
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="as for `sottovoce power` (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Measure, print, keep; 1 if a value differs."""
    library = libraries.load(args.lib, args.pdk)
    args.out = Path(args.out)
    found = rows(library, args)
    print(results.plain_table(("machine", "mm2", "more, %", "leakage, uW", "nJ a frame", "more, %"), [
        (r["machine"], f"{r['area_um2'] * 1e-6:.4f}", r["area_um2_more_percent"], r["leakage_uw"],
         r["energy_per_frame_nj"], r["energy_per_frame_nj_more_percent"]) for r in found]))
    beside = macros("paper", library)
    print(f"paper's macros: weights {beside['weights_um2'] * 1e-6:.3f} mm2, {beside['weights_leakage_uw']} uW; parity "
          f"{beside['parity_um2'] * 1e-6:.3f} mm2, {beside['parity_leakage_uw']} uW")
    path = results.update({"guards": found, "guard_macros": beside}, "guards", {
        "command": args.command, "config": NETWORK, "note": energy.NOT}, args.publish, "trust.json")
    print(f"figures: {path}")
    return 1 if sum(r["differences"] for r in found) else 0
