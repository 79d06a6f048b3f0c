"""Latency and peak memory over length, an accumulator beside torch's attention.

    sottovoce lpa-scaling

Both mix the same frames, projections and all: `PulseAccumulator` with hard gates, and q, k, v, output projections
around `torch.nn.functional.scaled_dot_product_attention`. Times are medians of rounds over every length in which the
two alternate; with one thread they are that thread's own time on the processor, so that other work on the machine does
not count. Memory is what one call adds to the process's peak, from the kernel. `attention_mb` is that of torch's own
choice of kernel, which need not hold the n x n products; `attention_full_mb` is that of the form that does.
"""

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from hw import store
from sw import options
from sw.lpa import kinds, speedup, whisper
from sw.lpa.encoder import EncoderError
from sw.models.lpa import PulseAccumulator

FRAME_RATE = 50   # frames a second, as Wav2Vec2's encoder has them
SECONDS = (1, 2, 5, 10, 20, 30, 60, 120)
LONG = 20         # seconds from which growth exponents are fitted: below, what is constant in n still counts
OUT = "build/runs/lpa/scaling.json"


class Attention(nn.Module):
    """Self-attention of (B, T, D) frames by torch's kernel, or spelled out with its n x n products if `full`."""

    def __init__(self, width, heads, full=False):
        super().__init__()
        if width % heads:
            raise EncoderError(f"width={width}: wanted a multiple of heads={heads}")
        self.heads, self.full = heads, full
        self.into, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        """Frames (B, T, D) -> (B, T, D)."""
        q, k, v = self.into(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, T, D / H)
        if self.full:
            y = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1) @ v
        else:
            y = functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).flatten(2))


def build(kind, width, heads):
    """The mixer by name: lpa, attention or attention_full."""
    torch.manual_seed(0)
    return (PulseAccumulator(width) if kind == "lpa" else Attention(width, heads, kind == "attention_full")).eval()


@torch.inference_mode()
def latency(mixer, x):
    """Milliseconds of one call."""
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter
    began = clock()
    mixer(x)
    return 1000 * (clock() - began)


def resident(reset=False):
    """Peak resident memory of this process in MB since the last `reset`, as Linux counts it."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


@torch.inference_mode()
def peaks(kind, seconds, width, heads):
    """MB that one call adds to the peak, for each length; wants a process of its own."""
    torch.set_num_threads(1)
    mixer, found = build(kind, width, heads), []
    mixer(torch.randn(1, 64, width))
    for s in seconds:
        x = torch.randn(1, FRAME_RATE * s, width)
        before = resident(reset=True)
        mixer(x)
        found.append(resident() - before)
    return found


def peaks_apart(kind, seconds, width, heads):
    """`peaks` in a fresh process; raises `RuntimeError` with its last line if that fails."""
    code = "import json, sys; from sw.lpa import scaling; print(json.dumps(scaling.peaks(*json.loads(sys.argv[1]))))"
    result = subprocess.run([sys.executable, "-c", code, json.dumps([kind, list(seconds), width, heads])],
                            capture_output=True, text=True,
                            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]),
                                 "MALLOC_MMAP_THRESHOLD_": "65536"})  # freed tensors leave at once
    if result.returncode:
        raise RuntimeError(f"memory of {kind}: {(result.stderr.strip().splitlines() or ['killed'])[-1]}")
    return json.loads(result.stdout)


def exponent(rows, name, shortest=LONG):
    """Slope of log `name` over log seconds, least squares, from `shortest` seconds on."""
    points = [(math.log(r["seconds"]), math.log(r[name])) for r in rows if r["seconds"] >= shortest and r.get(name)]
    if len(points) < 2:
        raise EncoderError(f"seconds={[r['seconds'] for r in rows]}: wanted two lengths of {shortest} s or more")
    mx, my = (statistics.mean(p[i] for p in points) for i in range(2))
    return sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)


def crossover(rows):
    """Seconds at which the accumulator becomes the faster one, between measured lengths; None if it never does."""
    ratios = [(r["seconds"], math.log(r["attention_ms"] / r["lpa_ms"])) for r in rows]
    if ratios[0][1] >= 0:
        return ratios[0][0]
    for (s, a), (t, b) in zip(ratios, ratios[1:], strict=False):
        if a < 0 <= b:
            return math.exp(math.log(s) + (math.log(t) - math.log(s)) * a / (a - b))
    return None


def measure(width, heads, seconds, rounds, quiet=False, memory=True):
    """Rows of one width: seconds, medians in ms, their ratio, peaks in MB."""
    mixers = {kind: build(kind, width, heads) for kind in ("lpa", "attention")}
    frames = {s: torch.randn(1, FRAME_RATE * s, width) for s in seconds}
    times = {(kind, s): [] for kind in mixers for s in seconds}
    for number in tqdm(range(rounds + 1), desc=f"width {width}", unit="round", disable=quiet):
        for s, x in frames.items():  # every length in every round: what else the machine does meets all alike
            for kind, mixer in mixers.items():
                taken = latency(mixer, x)
                times[kind, s] += [taken] if number else []  # the first round warms up
    rows = []
    for s in seconds:
        row = {"seconds": s, "frames": FRAME_RATE * s,
               **{f"{kind}_ms": round(statistics.median(times[kind, s]), 3) for kind in mixers},
               **{f"{kind}_ms_least": round(min(times[kind, s]), 3) for kind in mixers}}
        row["ratio"] = round(row["attention_ms"] / row["lpa_ms"], 2)
        rows.append(row)
    for kind in (*mixers, "attention_full") if memory else ():
        for row, mb in zip(rows, peaks_apart(kind, seconds, width, heads), strict=True):
            row[f"{kind}_mb"] = round(mb, 1)
    return rows


def machine():
    """The processor as Linux names it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []
    return next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), platform.machine())


def figures(rows):
    """Exponents, crossover and the ratio at the longest."""
    fits = {f"exponent_{kind}": round(exponent(rows, f"{kind}_ms"), 3) for kind in ("lpa", "attention")}
    at = crossover(rows)
    return {**fits, "fitted_from_seconds": LONG, "crossover_seconds": at and round(at, 2),
            f"ratio_{rows[-1]['seconds']}s": rows[-1]["ratio"]}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--width", type=options.whole, nargs="+", default=[768, 96],
                        help="channels; the first is the one reported")
    parser.add_argument("--heads", type=options.whole, nargs="+", default=[12, 4],
                        help="heads of the attention, one a width")
    parser.add_argument("--seconds", type=options.whole, nargs="+", default=list(SECONDS),
                        help="lengths, at 50 frames a second")
    parser.add_argument("--rounds", type=options.whole, default=5, help="rounds, each of every length and both mixers")
    parser.add_argument("--encoder", help="a Whisper, as sweeps take it: its whole encoder is timed at 30, 60, 120 s "
                                          "instead, and added to the file")
    parser.add_argument("--kind", nargs="+", choices=kinds.NAMES, default=["pulses", "weighted", "windows", "slots"],
                        help="what stands for attention there")
    parser.add_argument("--no-memory", action="store_true", help="times only")
    parser.add_argument("--out", default=OUT, help="file of the figures")
    options.add_run(parser, seed=False)


def run(args):
    """Measure, print, write."""
    options.begin(args)
    out = store.writable(args.out)
    if len(args.width) != len(args.heads):
        raise EncoderError(f"heads={args.heads}: wanted one number for each width, {args.width}")
    if args.encoder:
        return run_whole(args, out)
    result = {**store.recipe(args.command), "machine": machine(), "threads": args.threads, "rounds": args.rounds,
              "frames_a_second": FRAME_RATE, "widths": [],
              **{name: part for name, part in store.read_json(out).items() if name == "whole"}}
    for width, heads in zip(args.width, args.heads, strict=True):
        rows = measure(width, heads, sorted(args.seconds), args.rounds, args.quiet, not args.no_memory)
        part = {"width": width, "heads": heads, **figures(rows), "scaling": rows}
        result["widths"].append(part)
        print(f"width {width}, {heads} heads: seconds, LPA ms, attention ms, ratio, MB of LPA, attention, n x n form")
        for r in rows:
            print(f"{r['seconds']:5} {r['lpa_ms']:10.2f} {r['attention_ms']:10.2f} {r['ratio']:7.2f} "
                  f"{r.get('lpa_mb', 0):8.1f} {r.get('attention_mb', 0):8.1f} {r.get('attention_full_mb', 0):9.1f}")
        print(f"growth of time from {LONG} s: LPA n^{part['exponent_lpa']}, attention n^{part['exponent_attention']}; "
              f"LPA is faster from {part['crossover_seconds']} s")
        store.write_json(out, result)
    return 0


def run_whole(args, out):
    """Time a whole encoder, print, and keep it in the file beside what it holds."""
    listener = whisper.load(args.encoder)
    rows = speedup.measure(listener, args.kind, latency, args.rounds, quiet=args.quiet)
    kept = store.read_json(out)
    store.write_json(out, {**kept, "whole": {**store.recipe(args.command), "machine": machine(), "rows": rows,
                                             "threads": args.threads, "rounds": args.rounds,
                                             "encoder": listener.name}})
    print("seconds kind      original ms  replaced ms  ratio  chunks of 30 s ms  at most")
    for r in rows:
        print(f"{r['seconds']:7} {r['kind']:9} {r['original_ms']:11.1f} {r['replaced_ms']:12.1f} {r['ratio']:6.2f} "
              f"{r['chunked_ms']:18.1f} {r['bound']:8.2f}")
    return 0
