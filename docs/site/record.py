"""What the pictures of docs/skipping.md show: signals recorded from the circuit while it works on a real frame.

The blocks that skip zeros run in Amaranth's simulator, at the size of `paper`, on one frame of the embedded recording
and its trained network; a whole `tiny` runs frames of drawn features, seen through its own counters and ports.
`tests/docs/test_pictures.py` holds each recording to the golden model. docs/pictures/recorded.json keeps it.
"""

import hashlib
import json

import torch
from amaranth.sim import Simulator

import sottovoce
from hw import config as configs
from hw.accelerator import Accelerator
from hw.input_scan import InputScan
from hw.interface import MODES, WEIGHT_BUFFERS, phases
from hw.types import Gate, Mask
from hw.zero_skip import ZeroSkip
from sw import golden
from sw.integers import images
from sw.integers.integer_model import IntegerModel

FRAME = 121  # of the recording: the vowel of "more"
TWO, ONE = "rsnn-paper-t2", "rsnn-paper-t1"  # networks for two time steps, and for one
SCANS = {  # picture -> (network, spikes scanned, mask, gate, whether each set scans its own half)
    "B": (ONE, "recurrent0", "STEP0", "STEP0", 1),
    "D published": (TWO, "recurrent0", "ALL", "OWN", 0),
    "D union": (TWO, "recurrent0", "UNION", "OWN", 0),
    "C unmerged, step 0": (TWO, "fc", "STEP0", "STEP0", 0),
    "C unmerged, step 1": (TWO, "fc", "STEP1", "STEP1", 0),
    "C merged": (TWO, "fc", "UNION", "MERGED", 0),
}


def simulate(dut, *benches):
    """Runs a block until every bench has returned."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-5)  # 100 kHz
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


def heard(name):
    """(model, features (T, F), golden trace) of the embedded recording up to the frame that is shown."""
    model = sottovoce.load(name)
    x = torch.as_tensor(sottovoce.features(model, sottovoce.CLIP)[:FRAME + 1])
    return model, x, golden.run(model, x[None])


def spikes_of(trace, matrix):
    """Spikes (2, N) that a matrix is multiplied with in the frame; a silent second step where there is only one."""
    spikes = trace.scanned[matrix][0, FRAME].int()
    return spikes if len(spikes) == 2 else torch.cat([spikes, torch.zeros_like(spikes)])


def digit_slots(config, x):
    """Type A: slots of a frame's features (F,), as `golden.input_scan` lists them."""
    dut, slots = InputScan(config=config), []

    async def bench(ctx):
        ctx.set(dut.scan.advance, 1)
        last = 0
        while not last:
            feature = ctx.get(dut.scan.index)
            ctx.set(dut.word, int(x[feature]))
            sets = [ctx.get(visit) for visit in dut.scan.visits]
            slots.append([feature, bool(ctx.get(dut.scan.read)),
                          [[v.gate, v.shift, v.negate] if v.gate else [0, 0, 0] for v in sets]])
            last = ctx.get(dut.scan.last)
            await ctx.tick()

    simulate(dut, bench)
    return slots


def spike_slots(config, spikes, mask, gate, split):
    """Types B, C, D: slots of a scan of spikes (2, N): [rows of both halves or None, [gate, double] of both sets]."""
    dut, slots, n = ZeroSkip(config=config), [], spikes.shape[1]

    async def bench(ctx):
        for port, value in (("mask", Mask[mask]), ("gate", Gate[gate]), ("split", split), ("advance", 1)):
            ctx.set(getattr(dut.scan, port), value)
        ctx.set(dut.present, (1 << n) - 1)
        for step in range(2):
            ctx.set(dut.spikes[step], sum(int(s) << i for i, s in enumerate(spikes[step])))
        last = 0
        while not last:
            ctx.set(dut.scan.start, not slots)
            rows = [ctx.get(visit) for visit in dut.scan.visits]
            slots.append([[v.row if v.valid else None for v in rows],
                          [[ctx.get(dut.scan.gates[k]), ctx.get(dut.scan.doubles[k])] for k in range(2)]])
            last = ctx.get(dut.scan.last)
            await ctx.tick()

    simulate(dut, bench)
    return slots


def small_network():
    """`tiny` with drawn weights, and three frames of drawn features: (model, x (1, 3, F)); the second is shown."""
    c, g = configs.load("tiny"), torch.Generator().manual_seed(7)
    matrices = [torch.randint(-4, 8, shape, generator=g, dtype=torch.int32) for shape in c.matrices().values()]
    return (IntegerModel(c, matrices, torch.tensor([900, 350])),
            torch.randint(-40, 90, (1, 3, c.features), generator=g, dtype=torch.int32))


def timeline(mode):
    """A frame of `tiny` among others, cycle by cycle: [phase, buffers read, feature taken, beat of logits leaves]."""
    model, x = small_network()
    c, dut, cycles = model.config, Accelerator(config=model.config), []
    names = [phase.name for phase in phases(c)]

    async def feed(ctx):
        async def send(port, payloads):
            ctx.set(port.valid, 1)
            for payload in payloads:
                ctx.set(port.payload, payload)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        fields = ("buffer", "row", "slice", "data")
        await send(dut.load, [dict(zip(fields, word, strict=True)) for word in images.load_words(model, MODES[mode])])
        await send(dut.x, x.flatten().tolist())

    async def watch(ctx):
        ctx.set(dut.logits.ready, 1)
        before, ports = None, []
        while ctx.get(dut.frames) < 3 or ctx.get(dut.logits.valid):
            now = [ctx.get(count) for count in (*dut.cycles, *dut.row_reads)]
            if before:
                went = [b - a for a, b in zip(before, now, strict=True)]
                phase = next((names[i] for i, n in enumerate(went[:len(names)]) if n), "")
                reads = [name for name, n in zip(WEIGHT_BUFFERS, went[len(names):], strict=True) if n]
                cycles.append([phase, reads, *ports])
            before = now
            ports = [bool(ctx.get(dut.x.valid) and ctx.get(dut.x.ready)), bool(ctx.get(dut.logits.valid))]
            await ctx.tick()

    simulate(dut, feed, watch)
    starts = [i for i in range(1, len(cycles)) if cycles[i][0] == "INPUT" and cycles[i - 1][0] != "INPUT"]
    return cycles[starts[-2]:starts[-1]]


def lanes(count, visits):
    """Broadcast: of the first `visits` neurons that fired at step 0, the weights by which they reach `count` lanes."""
    model, _, trace = heard(TWO)
    spikes = spikes_of(trace, "recurrent0")
    fired = spikes[0].nonzero().flatten()[:visits].tolist()
    return [[neuron, model.matrices["recurrent0"][neuron, :count].tolist()] for neuron in fired]


def recordings():
    """All that the pictures show, as plain values."""
    model, x, trace = heard(TWO)
    paper, now = model.config, x[FRAME]
    traces = {TWO: trace, ONE: heard(ONE)[2]}
    return {
        "frame": FRAME, "x": now.tolist(), "A": digit_slots(paper, now),
        "spikes": {name: spikes_of(traces[network], matrix).tolist()
                   for name, (network, matrix, *_) in SCANS.items()},
        **{name: spike_slots(paper, spikes_of(traces[network], matrix), *how)
           for name, (network, matrix, *how) in SCANS.items()},
        "broadcast": lanes(12, 8),
        "timeline": {mode: timeline(mode) for mode in ("t2_sequential", "t2_unmerged", "t2_merged", "t2_union", "t1")},
    }


def fingerprint(recorded):
    """Tells one recording from another; it stands in every picture."""
    return hashlib.sha256(json.dumps(recorded).encode()).hexdigest()[:16]
