"""Energy after layout of machines that were not routed: theirs before layout, times what layout was measured to cost.

    sottovoce after-layout                    factors, the sum of blocks against the whole, rows of the energy table
    sottovoce after-layout --publish

A design of which some blocks are routed is estimated as their sum: each of them as measured with its wires and clock
tree, the rest before layout times the blocks' factor,

    factor = sum of the routed blocks after layout / sum of the same blocks before

for dynamic energy and for leakage apart. Where a whole has been routed too, the estimate stands beside it, and its
error is that of the rule; a whole without blocks of its own takes the factor of the first design that has some. Rows
of `sottovoce energy` take the blocks' factor: logic is multiplied, accesses of SRAM macros and their leakage are not,
for layout changes nothing inside a macro. Beside it stands what the factor of the routed whole gives, clock trunk and
port buffers in it. The bounds are the smallest and the largest factor of any routed block.
"""

from cosim.gates import ways
from cosim.gates.record import KINDS, laid_out, macro_leakage_nj
from hw import config as configs
from hw import store
from hw.flow.lib import library as libraries

OF = ("config", "library", "variant", "corner", "activity")


def blocks_of(row):
    """Block -> (dynamic, leakage) in nJ a frame, of a row of `sottovoce power`."""
    dynamic = row["dynamic_by_block_nj"]
    return {name: (dynamic[name], round(total - dynamic[name], 4)) for name, total in row["by_block_nj"].items()}


def routed_blocks(before, after):
    """Names of the blocks that a layout has changed: cells were added, so that they leak more."""
    return sorted(name for name in set(before) & set(after) if before[name][1] and after[name][1] != before[name][1])


def ratio(before, after, names):
    """Factor of each kind over the named blocks together."""
    return {kind: sum(after[n][i] for n in names) / sum(before[n][i] for n in names) for i, kind in enumerate(KINDS)}


def bounds(before, after, names):
    """Smallest and largest factor of each kind of any of the named blocks."""
    each = [ratio(before, after, [name]) for name in names]
    return {kind: [min(f[kind] for f in each), max(f[kind] for f in each)] for kind in KINDS}


def summed(before, after, names):
    """The rule: named blocks as they are after layout, the others before it times the factor of those. nJ a frame."""
    factor = ratio(before, after, names)
    return {kind: sum(after[n][i] if n in names else before[n][i] * factor[kind] for n in before)
            for i, kind in enumerate(KINDS)}


def logic_of(row, leaks):
    """(dynamic, leakage) in nJ a frame of a row of `sottovoce power` without its SRAM macros, which leak `leaks`."""
    total = row["energy_per_frame_nj"]
    return total["dynamic_nj"] - total["sram_nj"], total["leakage_nj"] - leaks


def whole_factor(before, after, leaks):
    """Factor of each kind of a whole, its macros apart, which layout leaves as they are."""
    return {kind: round(new / old, 4)
            for kind, old, new in zip(KINDS, logic_of(before, leaks), logic_of(after, leaks), strict=True)}


def checks(rows, leaks_of):
    """One entry a design of which blocks or the whole were routed; `rows`: `energy` of docs/results/physical.json.

    `leaks_of(row)` is what the macros of a row's design leak, nJ a frame.
    """
    found = {}
    for row in rows:
        found.setdefault(tuple(row[k] for k in OF), {})[row["stage"]] = row
    out, wholes = [], []
    for key, stages in sorted(found.items()):
        before, blocks, whole = (stages.get(s) for s in ("synthesised", "routed-blocks", "routed"))
        if before is None or blocks is None and whole is None:
            continue
        entry = dict(zip(OF, key, strict=True))
        old = blocks_of(before)
        if blocks:
            new = blocks_of(blocks)
            names = routed_blocks(old, new)
            entry |= {"blocks": names, "block_factor": _rounded(ratio(old, new, names)),
                      "block_bounds": {k: [round(v, 4) for v in b] for k, b in bounds(old, new, names).items()},
                      "sum_nj": _rounded(summed(old, new, names))}
        if whole:
            leaks = leaks_of(before)
            rest = before["energy_per_frame_nj"]["sram_nj"], leaks
            logic = logic_of(before, leaks)
            entry |= {"whole_nj": {kind: whole["energy_per_frame_nj"][f"{kind}_nj"] for kind in KINDS},
                      "whole_factor": whole_factor(before, whole, leaks)}
            wholes.append((entry, rest, logic))
        out.append(entry)
    rule = next((e["block_factor"] for e in out if "block_factor" in e), None)
    for entry, rest, logic in wholes if rule else []:
        entry.setdefault("sum_nj", {k: round(rest[i] + logic[i] * rule[k], 4) for i, k in enumerate(KINDS)})
        entry["error_percent"] = errors(entry["sum_nj"], entry["whole_nj"])
    return out


def errors(estimated, measured):
    """How far an estimate lies from what was measured, of each kind and of both, in percent."""
    parts = {k: (estimated[k], measured[k]) for k in KINDS} | {"energy": (sum(estimated.values()),
                                                                          sum(measured.values()))}
    return {k: round(100 * (a / b - 1), 2) for k, (a, b) in parts.items()}


def _rounded(values):
    return {k: round(v, 4) for k, v in values.items()}


def applied(row, leaks, factor, limits, whole=None):
    """A row of the energy table after layout; `limits`: kind -> (smallest, largest), `whole`: a whole's factor."""
    low, high = (laid_out(row["parts_nj"], leaks, {k: limits[k][i] for k in KINDS})["energy_nj"] for i in (0, 1))
    after = laid_out(row["parts_nj"], leaks, factor)
    return {"config": row["config"], "row": row["row"], "before_nj": row["energy_per_frame_nj"],
            "macro_leakage_nj": round(leaks, 4), **after, "power_uw_at_10ms": round(after["energy_nj"] / 10, 4),
            "low_nj": low, "high_nj": high,
            "by_whole_nj": laid_out(row["parts_nj"], leaks, whole)["energy_nj"] if whole else None}


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    store.add_publish(parser)


def run(args):
    """Factors and checks of what was routed, then the energy table times them."""
    library = libraries.load(args.lib, args.pdk)
    data = store.read_json(store.results("physical.json", True))
    settings = {(r["config"], r["library"], r["variant"]): r["settings"] for r in data["rows"]}
    found = checks(
        [r for r in data["energy"] if r["library"] == library.name and r["corner"] == library.corner],
        lambda r: macro_leakage_nj(configs.load(r["config"]), library,
                                   settings[r["config"], r["library"], r["variant"]]))
    for entry in found:
        for name in ("block_factor", "block_bounds", "whole_factor", "error_percent"):
            if name in entry:
                print(f"{entry['config']} {entry['variant']} {entry['activity']}: {name} {entry[name]}")
    base = next((e for e in found if "block_factor" in e), None)
    if base is None:
        raise ValueError("no design of which blocks are routed: run `sottovoce layout` and `sottovoce power --layout`")
    whole, rows = next((e["whole_factor"] for e in found if "whole_factor" in e), None), []
    for row in store.read_json(store.results("energy.json", True)).get("rows", []):
        config, way = ways.machine(row["config"], row["row"])
        leaks = macro_leakage_nj(config, library, {"prefer": way.macros})
        rows.append(applied(row, leaks, base["block_factor"], base["block_bounds"], whole))
        print(line(rows[-1]))
    target = store.results("physical.json", args.publish)
    out = {"of": {k: base[k] for k in OF}, "factor": base["block_factor"], "checks": found, "rows": rows,
           "command": args.command}
    store.write_json(target, store.read_json(target) | {"after_layout": out})
    print(f"figures: {target}")


def line(r):
    """A row in words."""
    return (f"{r['config']:9} {r['row']:26} {r['before_nj']:7.1f} nJ before layout: logic {r['logic_nj']:6.1f} + SRAM "
            f"{r['sram_nj']:6.1f} + leakage {r['leakage_nj']:6.1f} = {r['energy_nj']:6.1f} nJ after "
            f"({r['low_nj']:.1f} to {r['high_nj']:.1f})"
            + (f", {r['by_whole_nj']:.1f} by the whole's factor" if r["by_whole_nj"] else ""))
