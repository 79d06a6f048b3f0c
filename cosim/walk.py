"""The way of a new user, walked and timed: clone, demo, own recording, own network, Verilog, bus, report.

    sottovoce walk                             in a fresh folder, this checkout cloned: about a quarter of an hour
    sottovoce walk --source URL --wav me.wav   another origin, a recording of yours

Every step is the command that a user types, in a shell, in the clone, with an environment of its own that `make` sets
up. Its output goes to walk.log beside build/results/system.json, its time, and the processor's (which other work on
the machine does not lengthen), to `walkthrough` there. The recording, unless
one is given, is a sentence of this project saved as a telephone or a laptop would (44.1 kHz, stereo, 24 bits); the
network is written with the `nir` package alone.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.signal
import soundfile

from cosim import models, results
from cosim.errors import CosimError
from cosim.results import plain_table
from hw import store

LIMIT_S = 15 * 60  # together
NETWORK = '''"""A network of one's own: 32 recurrent LIF neurons, a linear readout; and features to measure it with."""
import nir, numpy, sottovoce
rng, dt, n = numpy.random.default_rng(1), 1e-4, 32
fill = lambda value: numpy.full(n, value, float)
lif = nir.LIF(tau=fill(4 * dt), r=fill(4), v_leak=fill(0), v_threshold=fill(1), v_reset=fill(0))
nodes = {"input": nir.Input(numpy.array([40])), "fc": nir.Affine(rng.normal(0, 0.3, (n, 40)), fill(0)), "lif": lif,
         "own": nir.Linear(rng.normal(0, 0.05, (n, n))),
         "out": nir.Affine(rng.normal(0, 0.3, (12, n)), numpy.zeros(12)), "output": nir.Output(numpy.array([12]))}
edges = [("input", "fc"), ("fc", "lif"), ("lif", "own"), ("own", "lif"), ("lif", "out"), ("out", "output")]
nir.write("../mine.nir", nir.NIRGraph(nodes, edges))
x = sottovoce.features(sottovoce.load("rsnn-paper-t2"), "../own.wav")
numpy.save("../features.npy", x[:len(x) // 8 * 8].reshape(8, -1, 40))
'''


class Step(NamedTuple):
    """`name` in the figures; `command` as typed in the clone."""

    name: str
    command: str


STEPS = (
    Step("demo, with everything set up", "make demo"),
    Step("own recording", "make listen WAV=../own.wav"),
    Step("own network, written", ".venv/bin/python mine.py"),
    Step("own network, imported", 'make import GRAPH=../mine.nir ARGS="--features 40 --calibration ../features.npy '
         '--out build/mine"'),
    Step("Verilog", "make verilog MODEL=build/mine"),
    Step("on a bus", "make verilog MODEL=build/mine BUS=axi"),
    Step("report", "make report"),
)


def recording(path):
    """A sentence as a laptop would have recorded it."""
    wave, rate = soundfile.read(models.CLIP)
    wave = scipy.signal.resample_poly(wave[:8 * rate], 441, rate // 100)
    soundfile.write(path, np.stack([wave, 0.8 * wave], 1), 44100, subtype="PCM_24")


def processor_seconds():
    """Of all that this process has started and that has ended: what a step takes whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def walk(source, folder, wav=None, log=sys.stderr):
    """Every step in `folder`: rows of step, command, seconds. Raises `CosimError` at the first that fails."""
    rows = []
    clone = folder / "sottovoce"
    plain = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")}
    steps = [Step("clone", f"git clone --quiet {source} {clone.name}"), *STEPS]
    for step in steps:
        print(f"{step.name:<30} {step.command}", end="", flush=True)
        print(f"\n$ {step.command}", file=log, flush=True)
        start, spent = time.monotonic(), processor_seconds()
        where = folder if step.name == "clone" else clone
        run = subprocess.run(step.command, shell=True, cwd=where, env=plain, stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL)
        seconds, spent = time.monotonic() - start, processor_seconds() - spent
        print(f"   {seconds:.0f} s", flush=True)
        if run.returncode:
            raise CosimError(f"{step.name}: `{step.command}` ended with status {run.returncode}; see {log.name}")
        rows.append({"step": step.name, "command": step.command.replace(str(source), "URL"),
                     "seconds": round(seconds, 1), "processor_seconds": round(spent, 1)})
        if step.name == "clone":
            (clone / "mine.py").write_text(NETWORK)
            shutil.copy(wav, folder / "own.wav") if wav else recording(folder / "own.wav")
    return rows


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--source", default=str(Path(__file__).parents[1]),
                        help="what is cloned (default: the checkout this runs from)")
    parser.add_argument("--wav", type=Path, help="your recording (default: a sentence of the project's)")
    parser.add_argument("--folder", type=Path, help="where, empty; it stays (default: a temporary folder that goes)")
    store.add_publish(parser)


def run(args):
    """Walk, print the times, keep them; 1 if it took longer than a quarter of an hour."""
    if args.wav and not args.wav.is_file():
        raise CosimError(f"--wav {args.wav}: no such file")
    if args.folder and args.folder.is_dir() and any(args.folder.iterdir()):
        raise CosimError(f"--folder {args.folder}: not empty; name a new one")
    path = store.writable(store.results("walk.log"))
    with tempfile.TemporaryDirectory(prefix="sottovoce-walk-") as place, path.open("w") as log:
        folder = Path(place)
        if args.folder:
            args.folder.mkdir(parents=True, exist_ok=True)
            folder = args.folder.absolute()
        before = os.getloadavg()[0]
        rows = walk(args.source, folder, args.wav, log)
    total, spent = (round(sum(row[kind] for row in rows), 1) for kind in ("seconds", "processor_seconds"))
    print("\n" + plain_table(("step", "seconds", "of processor"), [
        *((r["step"], r["seconds"], r["processor_seconds"]) for r in rows), ("together", total, spent)]))
    target = results.update({"walkthrough": rows, "walkthrough_seconds": total,
                             "walkthrough_processor_seconds": spent}, "walkthrough", {
        "command": args.command, "note": (
            f"{os.cpu_count()} cores, load {before:.1f} as it began and {os.getloadavg()[0]:.1f} as it ended (beside "
            "other work where that is over 2); packages from a registry near by; builds not kept from before")},
        args.publish, "system.json")
    print(f"figures: {target}")
    return int(total > LIMIT_S)
