"""One machine measured: a network on it, bit for bit in the RTL; its netlist, and the energy of real frames in it.

The record of a point has what docs/results/energy.json has of a variant. Cycles and row reads are the counters' of the
Verilated RTL over the whole embedded recording, which must equal the golden model's, as must every logit; logic energy
a cycle is measured on this netlist, under frames of the recording.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from cosim import activity, models
from cosim.explore import points
from cosim.gates import mapped, stimulus
from cosim.gates import record as records_of
from cosim.rtl import harness
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import supply
from hw.interface import ALL_MODES

CLOCK_KHZ = 100.0  # the least clock of a machine; one that needs more in its worst frame gets that
FRAME_MS = 10.0
MEASURED, ESTIMATED = "measured", "estimated"


def train(command, point, folder, quiet=True):
    """Train the point's network by `sottovoce train`, or find it trained; returns its folder.

    `command`: model and options of `sottovoce train` as a list. What was cut off resumes.
    """
    path = Path(folder) / "model"
    if not (path / "manifest.json").is_file():
        points.write_config(point.named, Path(folder) / "config.yaml")
        line = [sys.executable, "-m", "sottovoce", "train", *command, "--config", str(Path(folder) / "config.yaml"),
                "--out", str(Path(folder) / "run"), "--export", str(path), *(["--quiet"] if quiet else [])]
        log = Path(folder) / "train.log"
        with log.open("w") as out:
            done = subprocess.run(line, stdout=out, stderr=subprocess.STDOUT)
        if done.returncode:
            said = log.read_text().strip().splitlines() or ["nothing was said"]
            raise ValueError(f"training ended with status {done.returncode}: {said[-1]} ({log})")
    return path


def network(point, job, folder):
    """The `IntegerModel` of a point, on its configuration; trained first where the job says so."""
    source = train(job["train"], point, folder) if job["train"] else point.source
    return models.on(models.load(source), point.named)


def error_of(model):
    """Error in percent that the model's manifest tells of speakers who were held out, and of whom; None if it has none.
    """
    metrics = model.manifest.get("metrics", {})
    if "accuracy" in metrics:
        return round(100 - metrics["accuracy"], 2), f"{metrics.get('clips', '?')} clips held out in training"
    if "phone_error" in metrics:
        return metrics["phone_error"], f"{metrics.get('utterances', '?')} utterances held out in training"
    return None, "no speaker was held out"


def costs(model, mode):
    """Cycles and row reads of every frame of the recording, off the RTL's counters; and values compared."""
    _, x, said = stimulus.of(model.config, ALL_MODES[mode], None, "speech", model)
    cycles, _, reads, compared = activity.isolated(model, mode, x, harness.build_quickly(model.config))
    return cycles, reads, compared, said


def gates(model, point, library, folder, command):
    """The power report of the point's netlist under frames of the recording, and the synthesis report."""
    result = mapped.netlist(model.config, library, folder, command, prefer=point.macros)
    _, x, _ = stimulus.of(model.config, ALL_MODES[point.mode], mapped.WINDOW, "speech", model)
    report, _, differ = mapped.power_of(model.config, library, result, folder, model, point.mode, x, "auto")
    if differ:
        raise ValueError(f"{model.config.name}, {point.mode}: {differ} logits of the netlist differ from the golden "
                         "model's")
    return report, result


def record(point, model, found, command, library):
    """The part of a point's record that needs no netlist."""
    cycles, reads, compared, said = found
    error, of_whom = error_of(model)
    delay = model.manifest.get("targets", {}).get("delay", 0)
    khz = max(CLOCK_KHZ, int(np.max(cycles)) / FRAME_MS)
    return {
        "config": model.config.name, "model": Path(point.source).name, "mode": point.mode, "knobs": dict(point.knobs),
        "macros": point.macros,
        "sha256": model.sha256, "error": error, "error_of": of_whom,
        **records_of.counted(model.config, cycles, reads),
        "clock_khz": khz, "latency_ms": round(float(np.mean(cycles)) / khz + delay * FRAME_MS, 2),
        "frames": len(cycles), "stimulus": said, "compared": compared, "differences": 0,
        "library": library.name, "corner": library.corner, "configuration": model.config.to_dict(), "command": command}


def machine(job, todo):
    """Measure one machine in all its modes; writes a record a point, returns them. For a worker process."""
    library = libraries.load(job["lib"], job["pdk"], "typ")
    out, records = Path(job["out"]), []
    folder = out / "machines" / todo[0].machine
    model = network(todo[0], job, folder)
    for point in todo:
        begun = time.monotonic()
        cycles, reads, _, _ = found = costs(model, point.mode)
        row = record(point, model, found, job["command"], library)
        if job["physical"] == MEASURED:
            report, result = gates(model, point, library, folder / library.name, job["command"])
            found = records_of.physical(model.config, library, result, report, cycles, reads)
            row |= found | {"physical": MEASURED, "asleep": asleep(report, found, row["cycles_per_frame"])}
        row["seconds"] = round(time.monotonic() - begun, 1)
        store.write_json(record_path(out, point), row)
        records.append(row)
    return records


def asleep(report, parts, cycles):
    """A frame's nJ at each clock, the supply cut for the rest of it (`hw.flow.lib.supply`), for these cycles."""
    one = report["sweep"][0]
    total = {"dynamic_nj": parts["logic_nj"] + parts["sram_nj"], "leakage_nj": parts["leakage_nj"]}
    rows = supply.sweep(total, cycles, supply.Night(one["kept_nj"], one["wake_nj"]))
    return [{k: round(r[k], 4) for k in ("clock_hz", "awake_ms", "energy_nj", "kept_nj", "wake_nj")}
            for r in rows if "kept_nj" in r]


def record_path(out, point):
    """Where a point's record is kept."""
    return Path(out) / "points" / f"{point.machine}-{point.mode}.json"
