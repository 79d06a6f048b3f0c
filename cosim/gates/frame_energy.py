"""Power over whole recordings and at the published activity, at each corner, before layout and after.

    sottovoce frame-energy --config paper                              the embedded recording; the published activity
    sottovoce frame-energy --config paper --data ../shared/data/phones  and 20 utterances of its dev split

    energy of a frame = cycles x energy of a cycle in logic + row reads x energy of a read + leakage x 10 ms

Cycles and row reads of every frame are the golden model's, which the RTL's counters equal (`sottovoce verify`). The
energy of a cycle is what `sottovoce power` measured on the gates over a few frames of the same kind of activity; reads
and leakage are the macros' and cells' own. How far that carries is measured where the gates have run all of a recording
(`--activity recording`): `gates` beside the estimate. A stage or a corner that `sottovoce power` was not run for has no
line; nothing is filled in.
"""

import json

import numpy as np

from cosim import activity
from cosim.gates import stimulus
from hw import config as configs
from hw import store
from hw.flow import power
from hw.flow.lib import library as libraries
from hw.flow.lib import memories, published, runs
from hw.interface import MODES, WEIGHT_BUFFERS
from sw import golden, options
from sw.features import causal
from sw.phones import phone_task

KIND = {"published": "published", "recording": "speech", "utterances": "speech"}  # whose energy of a cycle serves
STAGES = ("synthesised", "routed")


def costs(model, mode, utterances, skip=0):
    """(cycles (T,), row reads (T, B)) of all frames of a list of utterances, each from cleared state."""
    cycles, reads = [], []
    for x in utterances:
        found = golden.predict(model, [np.asarray(x)], mode)
        cycles.append(found.phases.sum(1)[skip:])
        reads.append(found.reads[skip:])
    return np.concatenate(cycles), np.concatenate(reads)


def heard(config, mode, data, count, seeds):
    """Name -> (cycles, reads, what it was), of every source of frames there is."""
    speech, x, said = stimulus.of(config, mode, None, "speech")
    out = {"recording": (*costs(speech, mode, [x]), said)}
    drawn = [activity.stimulus(config, mode.time_steps, seed, 8) for seed in range(seeds)]
    parts = [costs(model, mode, [x], activity.SEED_FRAMES) for model, x in drawn]
    out["published"] = (*(np.concatenate(p) for p in zip(*parts, strict=True)), f"{seeds} networks drawn, 8 frames")
    if data:
        chosen = sorted((u for u in phone_task.find(data) if u.split == "dev" and not u.sa), key=lambda u: str(u.audio))
        if not chosen:
            raise ValueError(f"--data {' '.join(data)}: no utterance of split dev in it")
        chosen = chosen[:count]
        norm = causal.normalisation_of(speech)
        out["utterances"] = (*costs(speech, mode, [norm(causal.log_mel(u.wave())) for u in chosen]),
                             f"{len(chosen)} utterances of split dev")
    return out


def estimate(report, buffers, cycles, reads, accesses=None):
    """nJ a frame by part, of frames with these cycles and reads, on the netlist of a report of `sottovoce power`.

    `accesses` are (reads, writes) a frame of the memories that are no weights, `config.accesses()`.
    """
    total = report["total"]
    pj_cycle = 1e3 * (total["dynamic_nj"] - total["sram_nj"]) / report["cycles_per_frame"]
    memory = {}
    power.add_memories(memory, {name: b.row() for name, b in buffers.items()},
                       dict(zip(WEIGHT_BUFFERS, reads.mean(0).tolist(), strict=True)), 1, accesses)
    sram = sum(row["sram_nj"] for row in memory.values())
    logic = float(np.mean(cycles)) * pj_cycle * 1e-3
    out = {"logic_nj": logic, "sram_nj": sram, "leakage_nj": total["leakage_nj"]}
    return {k: round(v, 3) for k, v in out.items()} | {
        "energy_nj": round(sum(out.values()), 3), "power_uw": round(sum(out.values()) / 10, 4),
        "pj_a_cycle": round(pj_cycle, 3)}


def reports(folder):
    """(stage, corner, activity) -> report, of all that `sottovoce power` left in a synthesis folder."""
    found = [json.loads(p.read_text()) for p in [*folder.glob("power*.json"), *folder.glob("*-*/power*.json")]]
    return {(r["stage"], r["corner"], r["activity"]): r for r in found if "stage" in r}


def table(args, config, folder):
    """Rows of the headline: one a stage, corner and source of frames."""
    mode = MODES["t2_merged"]
    sources = heard(config, mode, args.data, args.utterances, args.seeds)
    found, settings = reports(folder), runs.synthesised(folder, args)["settings"]
    out = []
    for stage in STAGES:
        for corner in libraries.CORNERS:
            library = None
            for source, (cycles, reads, said) in sources.items():
                report = found.get((stage, corner, KIND[source]))
                if report is None:
                    continue
                library = library or libraries.load(args.lib, args.pdk, corner)
                buffers = memories.built(config, library, settings)
                row = {"config": config.name, "library": library.name, "variant": args.variant, "stage": stage,
                       "corner": corner, "activity": source, "frames": len(cycles), "of": said,
                       "cycles_per_frame": round(float(np.mean(cycles)), 2),
                       "row_reads_per_frame": round(float(np.mean(reads.sum(1))), 2),
                       **estimate(report, buffers, cycles, reads, config.accesses()), "routed": report["routed"],
                       "command": args.command, "published_uw": published.POWER_UW}
                whole = found.get((stage, corner, "recording")) if source == "recording" else None
                if whole:
                    row["gates_nj"] = whole["total"]["energy_nj"]
                    row["error_percent"] = round(100 * (row["energy_nj"] / whole["total"]["energy_nj"] - 1), 2)
                    logic = whole["total"]["dynamic_nj"] - whole["total"]["sram_nj"]
                    row["logic_error_percent"] = round(100 * (row["logic_nj"] / logic - 1), 2)
                out.append(row)
    return out


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--data", nargs="+", help="folders of labelled speech, whose dev split is heard too")
    parser.add_argument("--utterances", type=options.whole, default=20, help="of it (default: %(default)s)")
    parser.add_argument("--seeds", type=options.whole, default=4,
                        help="networks drawn of the published activity (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Estimate, print, and keep beside the other figures."""
    config = configs.load(args.config)
    library = libraries.load(args.lib, args.pdk)
    folder = runs.folder_of(args, config, library)
    rows = table(args, config, folder)
    if not rows:
        raise ValueError(f"{folder}: no report of power in it: run `sottovoce gate-activity` and `sottovoce power`")
    target = store.results("physical.json", args.publish)
    data = store.read_json(target)
    key = ("config", "library", "variant", "stage", "corner", "activity")
    kept = {tuple(r[k] for k in key): r for r in [*data.get("frame_energy", []), *rows]}
    store.write_json(target, data | {"frame_energy": [kept[k] for k in sorted(kept)]})
    for r in rows:
        check = f"; gates {r['gates_nj']:.2f} nJ, {r['error_percent']:+.2f} %" if "gates_nj" in r else ""
        print(f"{r['stage']:11} {r['corner']:4} {r['activity']:10} {r['frames']:6} frames {r['cycles_per_frame']:7.1f} "
              f"cycles {r['row_reads_per_frame']:7.1f} reads: logic {r['logic_nj']:8.2f} SRAM {r['sram_nj']:8.2f} "
              f"leakage {r['leakage_nj']:8.2f} = {r['energy_nj']:9.2f} nJ, {r['power_uw']:8.2f} uW{check}")
    print(f"published {published.POWER_UW} uW ({published.NODE} nm); {target}")
