"""The load port on a whole small machine: what it refuses, when it is open, and what says so."""

import pytest
import torch
from hw_bench import lanes, simulate, small
from small_machine import network
from test_networks import config

from hw.accelerator import Accelerator
from hw.interface import MODES, Buffer, Mode, Recurrent, Register
from hw.load_port import load_targets
from hw.types import load_layout
from sw import golden
from sw.integers import images

MODE = MODES["t2_union"]
REGISTER = Buffer.REGISTER.value


class Machine:
    """A machine in a testbench, driven port by port."""

    def __init__(self, c, seed=0):
        self.model, self.x = network(c, seed)
        self.dut, self.frames = Accelerator(config=c), []

    def words(self, mode=MODE):
        return list(images.load_words(self.model, mode))

    def golden(self, x=None, mode=MODE):
        return golden.run(self.model, self.x if x is None else x, mode.time_steps).logits[0].tolist()

    async def load(self, ctx, words):
        await self.send(ctx, self.dut.load, [dict(zip(("buffer", "row", "slice", "data"), w, strict=True))
                                             for w in words])

    async def send(self, ctx, port, payloads):
        ctx.set(port.valid, 1)
        for payload in payloads:
            ctx.set(port.payload, payload)
            await ctx.tick().until(port.ready)
        ctx.set(port.valid, 0)
        if port is self.dut.load:  # what is on the wires of a word that is not valid matters to nobody
            ctx.set(port.payload, dict(buffer=Buffer.INPUT, row=1, slice=0, data=0x55))

    async def drain(self, ctx, frames):
        ctx.set(self.dut.logits.ready, 1)
        for _ in range(frames):
            frame, last = [], False
            while not last:
                beat, = await ctx.tick().sample(self.dut.logits.payload).until(self.dut.logits.valid)
                frame, last = frame + lanes(beat["values"]), beat.last
            self.frames.append(frame)

    def value(self, ctx, name):
        return ctx.get(getattr(self.dut, name))


def illegal_words(c):
    """Loads that lead nowhere: the first row, slice, buffer and register that do not exist, and the last that fit."""
    layout = load_layout(c)
    most = {name: (1 << layout[name].width) - 1 for name in ("row", "slice")}
    targets = load_targets(c)
    words = [(buffer, 0, 0, 1) for buffer in range(len(Buffer)) if buffer not in targets and buffer != REGISTER]
    for buffer, (rows, slices) in targets.items():
        words += [(buffer, row, 0, 1) for row in {rows, most["row"]} if rows <= row <= most["row"]]
        words += [(buffer, 0, part, 1) for part in {slices, most["slice"]} if slices <= part <= most["slice"]]
    known = {r.value for r in Register if not r.name.startswith("THRESHOLD")}
    known |= {Register[f"THRESHOLD{k}"].value for k, x in enumerate(c.layers) if x.threshold == "layer"}
    words += [(REGISTER, row, 0, 1) for row in range(most["row"] + 1) if row not in known][:20]
    words += [(REGISTER, row, most["slice"], 0) for row in known if most["slice"]]
    return words


CONFIGS = {"recurrent": small(), "slices": config("fewer neurons than lanes"),
           "tables": config("thresholds, leaks, biases a neuron"), "memory": config("LIF in memory"),
           "delays": config("delays"), "one group": config("one layer, feed-forward")}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_word_that_leads_nowhere_is_refused_and_counted_and_changes_nothing(name):
    machine, words = Machine(CONFIGS[name]), illegal_words(CONFIGS[name])
    assert words

    async def feed(ctx):
        await machine.load(ctx, machine.words())
        assert machine.value(ctx, "load_errors") == 0
        for count, word in enumerate(words, 1):
            await machine.load(ctx, [word])
            assert machine.value(ctx, "load_errors") == min(count, 255), word
        assert [ctx.get(counter) for counter in machine.dut.row_reads] == 5 * [0]
        await machine.send(ctx, machine.dut.x, machine.x.flatten().tolist())

    async def drain(ctx):
        await machine.drain(ctx, machine.x.shape[1])

    simulate(machine.dut, feed, drain)
    assert machine.frames == machine.golden()


def test_refusals_count_to_255_and_a_clear_of_counters_forgets_them():
    machine = Machine(small())

    async def feed(ctx):
        await machine.load(ctx, 300 * [(7, 0, 0, 0)])
        assert machine.value(ctx, "load_errors") == 255
        await machine.load(ctx, [(REGISTER, Register.CLEAR.value, 0, 1)])
        assert machine.value(ctx, "load_errors") == 255
        await machine.load(ctx, [(REGISTER, Register.CLEAR.value, 0, 2)])
        assert machine.value(ctx, "load_errors") == 0

    simulate(machine.dut, feed)


def test_a_load_behind_a_stream_of_features_gets_its_turn_after_the_frames_that_came_first():
    """Features never pause. The frames that had begun to arrive end as they began; those after have the new mode."""
    machine = Machine(small())
    x = machine.x.repeat(1, 3, 1)
    taken = []  # features accepted when the load was

    async def feed(ctx):
        await machine.load(ctx, machine.words(MODES["t2_union"]))
        ctx.set(machine.dut.x.valid, 1)
        for i, value in enumerate(x.flatten().tolist()):
            ctx.set(machine.dut.x.payload, value)
            await ctx.tick().until(machine.dut.x.ready)
            taken.append(i)
        ctx.set(machine.dut.x.valid, 0)

    async def change(ctx):
        await ctx.tick().until(machine.dut.logits.valid)
        await machine.load(ctx, [(REGISTER, Register.CLEAR.value, 0, 1)])
        taken.append("cleared")

    async def drain(ctx):
        await machine.drain(ctx, x.shape[1])

    simulate(machine.dut, feed, change, drain)
    before = taken.index("cleared") / machine.model.config.features
    assert before in (2, 3)  # whole frames, and long before the end
    parts = x[:, :int(before)], x[:, int(before):]
    assert machine.frames == [frame for part in parts for frame in machine.golden(part)]


@pytest.mark.parametrize("arrived", [1, 3, 5])
def test_a_load_offered_while_a_frame_starves_waits_and_starved_says_why(arrived):
    machine = Machine(small())
    dut, first = machine.dut, machine.x[0, 0].tolist()

    async def feed(ctx):
        await machine.load(ctx, machine.words())
        assert not ctx.get(dut.starved)
        await machine.send(ctx, dut.x, first[:arrived])
        ctx.set(dut.load.payload, dict(buffer=REGISTER, row=Register.THRESHOLD0.value, slice=0, data=1))
        ctx.set(dut.load.valid, 1)
        for _ in range(40):
            await ctx.tick()
            assert not ctx.get(dut.load.ready) and not ctx.get(dut.idle)
        assert ctx.get(dut.starved)
        await machine.send(ctx, dut.x, first[arrived:])
        await ctx.tick().until(dut.load.ready)
        ctx.set(dut.load.valid, 0)
        assert not ctx.get(dut.starved)

    async def drain(ctx):
        await machine.drain(ctx, 1)

    simulate(dut, feed, drain)
    assert machine.frames == machine.golden()[:1]


@pytest.mark.parametrize("slow", [0, 3])
def test_idle_says_that_logits_have_left_and_the_frame_is_counted(slow):
    machine = Machine(small())
    dut, beats = machine.dut, []

    async def feed(ctx):
        await machine.load(ctx, machine.words())
        assert ctx.get(dut.idle)
        await machine.send(ctx, dut.x, machine.x[0, 0].tolist())
        await ctx.tick().until(dut.idle)
        assert ctx.get(dut.frames) == 1
        assert beats and beats[-1] == 1  # the last beat has left

    async def drain(ctx):
        while not beats or not beats[-1]:
            for _ in range(slow):
                await ctx.tick()
            ctx.set(dut.logits.ready, 1)
            beat, = await ctx.tick().sample(dut.logits.payload).until(dut.logits.valid)
            ctx.set(dut.logits.ready, 0)
            beats.append(beat.last)
        await ctx.tick().repeat(5)

    simulate(dut, feed, drain)


def test_a_clear_that_waited_for_a_frame_loses_no_count():
    """A clear offered in mid-frame is taken in the first cycle it can be: the frame's own count comes before it."""
    machine = Machine(small())
    dut, seen = machine.dut, []

    async def feed(ctx):
        await machine.load(ctx, machine.words())
        await machine.send(ctx, dut.x, machine.x[0, 0].tolist())
        ctx.set(dut.load.payload, dict(buffer=REGISTER, row=Register.CLEAR.value, slice=0, data=2))
        ctx.set(dut.load.valid, 1)
        while not ctx.get(dut.load.ready):
            await ctx.tick()
        seen.append(ctx.get(dut.frames))
        await ctx.tick()
        ctx.set(dut.load.valid, 0)
        await ctx.tick().repeat(3)
        seen.extend([ctx.get(dut.frames), sum(ctx.get(count) for count in dut.cycles)])

    async def drain(ctx):
        await machine.drain(ctx, 1)

    simulate(dut, feed, drain)
    assert seen == [1, 0, 0]


@pytest.mark.parametrize("threshold", [0, 0x3fff, 0x4001, 0x7fff, 0x8000, 0xffff])
def test_any_threshold_is_compared_as_an_unsigned_number(threshold):
    """0 fires at every potential from 0 on, 0x8000 and above never; all 16 bits count (docs/load-port.md)."""
    machine = Machine(small(potential_fraction=8))  # currents of 2^8: potentials over their whole range
    object.__setattr__(machine.model, "thresholds", torch.tensor([threshold, 60]))
    expected = machine.golden()
    words = [(*word[:3], threshold) if word[:2] == (REGISTER, Register.THRESHOLD0.value) else word
             for word in machine.words()]

    async def feed(ctx):
        await machine.load(ctx, words)
        await machine.send(ctx, machine.dut.x, machine.x.flatten().tolist())

    async def drain(ctx):
        await machine.drain(ctx, machine.x.shape[1])

    simulate(machine.dut, feed, drain)
    assert machine.frames == expected


def test_recurrent_mode_3_runs_as_1():
    machine = Machine(small())
    words = [(*word[:3], word[3] | 2 << 1) if word[:2] == (REGISTER, Register.MODE.value) else word
             for word in machine.words(Mode(recurrent=Recurrent.PARALLEL))]
    assert words != machine.words(Mode(recurrent=Recurrent.PARALLEL))
    trace = golden.run(machine.model, machine.x, 2)
    cost = golden.cycles(machine.model.config, Mode(recurrent=Recurrent.PARALLEL), machine.x, trace)
    spent = []

    async def feed(ctx):
        await machine.load(ctx, words)
        await machine.send(ctx, machine.dut.x, machine.x.flatten().tolist())

    async def drain(ctx):
        await machine.drain(ctx, machine.x.shape[1])
        await ctx.tick().repeat(2)
        spent.extend(ctx.get(counter) for counter in machine.dut.cycles)

    simulate(machine.dut, feed, drain)
    assert machine.frames == trace.logits[0].tolist() and spent == cost.phases.sum((0, 1)).tolist()


@pytest.mark.parametrize("bits", [0, 1, 2, 3])
def test_each_bit_of_clear_clears_its_own(bits):
    machine = Machine(small())

    async def feed(ctx):
        await machine.load(ctx, machine.words())
        await machine.send(ctx, machine.dut.x, machine.x[0, :2].flatten().tolist())
        await machine.load(ctx, [(REGISTER, Register.CLEAR.value, 0, bits)])
        counted = bool(ctx.get(machine.dut.frames)), any(ctx.get(c) for c in machine.dut.row_reads)
        assert counted == 2 * (not bits & 2,)
        await machine.send(ctx, machine.dut.x, machine.x[0, 2].tolist())

    async def drain(ctx):
        await machine.drain(ctx, 3)

    simulate(machine.dut, feed, drain)
    assert machine.frames == machine.golden()[:2] + (
        machine.golden(machine.x[:, 2:]) if bits & 1 else machine.golden()[2:])
