"""The sequencer is what joins the blocks: checked on whole small machines, with each mechanism built and left out."""

import pytest
import torch
from hw_bench import lanes, simulate, small

from hw.accelerator import Accelerator
from hw.interface import MODES
from sw import golden
from sw.integers import images
from sw.integers.integer_model import IntegerModel

FRAMES = 3


def network(c, seed):
    g = torch.Generator().manual_seed(seed)

    def matrix(rows, columns):
        return torch.randint(-c.weight_limit, c.weight_limit, (rows, columns), generator=g, dtype=torch.int32)

    n = c.neurons
    x = torch.randint(-128, 128, (1, FRAMES, c.features), generator=g, dtype=torch.int32)
    return IntegerModel(c, [matrix(c.features, n), matrix(n, n), matrix(n, n), matrix(n, n), matrix(n, c.outputs)],
                        torch.tensor([200, 60])), x


def run(model, mode, x):
    """Logits of every frame, cycles by phase, row reads by buffer."""
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

    async def drain(ctx):
        ctx.set(dut.logits.ready, 1)
        for _ in range(FRAMES):
            frame, last = [], False
            while not last:
                beat, = await ctx.tick().sample(dut.logits.payload).until(dut.logits.valid)
                frame, last = frame + lanes(beat["values"]), beat.last
            frames.append(frame)
        await ctx.tick()
        counters.extend([ctx.get(counter) for counter in ports] for ports in (
            (dut.cycles, dut.row_reads) if c.counters else ()))

    counters = []
    simulate(dut, feed, drain)
    return frames, *counters


def check(c, mode, seed=0):
    model, x = network(c, seed)
    trace = golden.run(model, x, mode.time_steps)
    cost = golden.cycles(c, mode, x, trace)
    expected = [trace.logits[0].tolist()]
    if c.counters:
        expected += [cost.phases.sum((0, 1)).tolist(), cost.reads.sum((0, 1)).tolist()]
    assert list(run(model, mode, x)) == expected


@pytest.mark.parametrize("mode", MODES)
def test_mode(mode):
    check(small(), MODES[mode])


@pytest.mark.parametrize("mechanism", ["parallel_time_steps", "union_skip", "merged_spikes", "zero_skip_input",
                                       "zero_skip_recurrent", "zero_skip_fc"])
@pytest.mark.parametrize("mode", ["t1", "t2_union"])
def test_mechanism_left_out(mechanism, mode):
    check(small(mechanisms={mechanism: False}), MODES[mode], seed=1)


@pytest.mark.parametrize("changes", [
    {"input_code": "twos_complement", "accumulator_bits": 11},
    {"input_code": "sign_magnitude", "accumulator_bits": 11},
    {"reset": "subtract"},
    {"leak_shift": [1, 4]},
    {"outputs": 16},                    # even group count: no shared last group
    {"outputs": 20},                    # last group half filled
    {"outputs": 8},                     # one group only
    {"logits_per_beat": 1},             # so slow a drain that the FC waits for it
    {"logits_per_beat": 8},
    {"weight_bits": 8, "accumulator_bits": 15, "potential_bits": 24},
    {"counters": False},
], ids=str)
@pytest.mark.parametrize("mode", ["t1", "t2_union"])
def test_configuration(changes, mode):
    check(small(**changes), MODES[mode], seed=2)
