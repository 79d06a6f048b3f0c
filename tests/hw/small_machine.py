"""A whole small machine in Amaranth's simulator beside the golden model: logits, cycles by phase, row reads."""

import torch
from hw_bench import lanes, simulate

from hw.accelerator import Accelerator
from sw import golden
from sw.integers import images, integer_model
from sw.integers.integer_model import IntegerModel

FRAMES = 3


def network(c, seed, frames=FRAMES):
    """A random model of a configuration, tables of neurons over their whole range, and features (1, frames, F)."""
    g = torch.Generator().manual_seed(seed)

    def some(low, high, *shape):
        return torch.randint(low, high, shape, generator=g, dtype=torch.int32)

    matrices = [some(-c.weight_limit, c.weight_limit, *shape) for shape in c.matrices().values()]
    if c.fc_two_of_four:
        matrices[-1] = integer_model.two_of_four(matrices[-1])
    tables = {}
    for name, (count, least, most) in c.neuron_tables().items():
        # so few that they matter, and the extremes
        tables[name] = some(max(least, -200), min(most, 300) + 1, count)
        tables[name][:2] = torch.tensor([least, most])
    thresholds = torch.tensor([0 if layer.threshold == "neuron" else (200, 60)[k > 0]
                               for k, layer in enumerate(c.layers)])
    return IntegerModel(c, matrices, thresholds, neurons=tables), some(-128, 128, 1, frames, c.features)


async def receive(ctx, logits):
    """The logits of one frame off a stream whose `ready` is high."""
    frame, last = [], False
    while not last:
        beat, = await ctx.tick().sample(logits.payload).until(logits.valid)
        frame, last = frame + lanes(beat["values"]), beat.last
    return frame


def run(model, mode, x, times=1):
    """Logits of every frame, cycles by phase, row reads by buffer; `times` in a row, each after a clear."""
    c, dut, frames = model.config, Accelerator(config=model.config), []

    async def feed(ctx):
        async def send(port, payloads):
            ctx.set(port.valid, 1)
            for payload in payloads:
                ctx.set(port.payload, payload)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        fields = ("buffer", "row", "slice", "data")
        await send(dut.load, [dict(zip(fields, word, strict=True)) for word in images.load_words(model, mode)])
        await send(dut.x, x.flatten().tolist())
        for _ in range(times - 1):
            await send(dut.load, [dict(zip(fields, word, strict=True)) for word in images.register_words(model, mode)])
            await send(dut.x, x.flatten().tolist())

    async def drain(ctx):
        ctx.set(dut.logits.ready, 1)
        for _ in range(times * x.shape[1]):
            frames.append(await receive(ctx, dut.logits))
        await ctx.tick()
        counters.extend([ctx.get(counter) for counter in ports] for ports in (
            (dut.cycles, dut.row_reads) if c.counters else ()))

    counters = []
    simulate(dut, feed, drain)
    return frames, *counters


def check(c, mode, seed=0, frames=FRAMES):
    """The machine equals the golden model; returns the golden trace."""
    model, x = network(c, seed, frames)
    trace = golden.run(model, x, mode.time_steps)
    cost = golden.cycles(c, mode, x, trace)
    expected = [trace.results[0].tolist()]
    if c.counters:
        expected += [cost.phases.sum((0, 1)).tolist(), cost.reads.sum((0, 1)).tolist()]
    assert list(run(model, mode, x)) == expected
    return trace
