"""The supply cut between frames: what is not retained is lost, and no answer changes."""

import random
from dataclasses import replace

import pytest
import test_change
import test_networks
from hw_bench import simulate
from small_machine import network, receive

from hw import accelerator, emit
from hw.interface import ALL_MODES, MODES, Buffer
from hw.sleep import Sleeper
from sw import golden
from sw.integers import images

SHAPES = ("delays", "LIF in memory", "thresholds, leaks, biases a neuron", "groups", "resets and persistence differ",
          "three layers of different widths")


def asleep(shape):
    """A configuration of that shape which may sleep."""
    return replace((test_change if shape in test_change.SHAPES else test_networks).config(shape), sleep=True)


def run(model, mode, x, seed=0):
    """(logits of every frame, cycles by phase, row reads, nights): frames far apart, a supply that takes its time."""
    c, dut, draw = model.config, Sleeper(config=model.config), random.Random(seed)
    frames, counters, nights, done = [], [], [0], []

    async def feed(ctx):
        async def send(port, payloads):
            for payload in payloads:
                ctx.set(port.valid, 1)
                ctx.set(port.payload, payload)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        fields = ("buffer", "row", "slice", "data")
        await send(dut.load, [dict(zip(fields, word, strict=True)) for word in images.load_words(model, mode)])
        for frame in x[0].tolist():
            await ctx.tick().repeat(draw.randrange(1, 12))
            await send(dut.x, frame)
            while len(frames) < len(done) + 1:
                await ctx.tick()
            done.append(frame)
            await ctx.tick().repeat(draw.choice((1, 2, 3, 4, 5, 30)))

    async def drain(ctx):
        ctx.set(dut.logits.ready, 1)
        for _ in range(x.shape[1]):
            frames.append(await receive(ctx, dut.logits))
        await ctx.tick()
        if c.counters:
            counters.extend([ctx.get(counter) for counter in ports] for ports in (dut.core.cycles, dut.core.row_reads))

    async def power(ctx):
        while len(frames) < x.shape[1]:
            _, _, closed = await ctx.tick().sample(dut.switch)
            if not closed:
                ctx.set(dut.powered, 0)
                nights[0] += 1
                while not ctx.get(dut.switch):
                    await ctx.tick()
                await ctx.tick().repeat(draw.randrange(1, 5))
            ctx.set(dut.powered, 1)

    simulate(dut, feed, drain, power)
    return frames, *counters, nights[0]


def check(c, mode, seed=0, frames=6):
    """The machine that sleeps equals the golden model, and has slept."""
    model, x = network(c, seed, frames)
    cost = golden.cycles(c, mode, x, trace := golden.run(model, x, mode.time_steps))
    *found, nights = run(model, mode, x, seed)
    expected = [trace.logits[0].tolist()]
    if c.counters:
        expected += [cost.phases.sum((0, 1)).tolist(), cost.reads.sum((0, 1)).tolist()]
    assert found == expected
    assert nights >= 2


@pytest.mark.parametrize("shape", SHAPES)
def test_no_answer_and_no_counter_changes(shape):
    check(asleep(shape), MODES["t2_union"])


@pytest.mark.parametrize("shape", ["everything", "synapses, tables"])
def test_sums_are_kept_over_the_night(shape):
    check(asleep(shape), ALL_MODES["t2_change"])


@pytest.mark.parametrize("block, shape", [
    ("lif", "delays"), ("spike_select", "delays"), ("load_port", "groups"), ("counters", "groups"),
    ("neuron_table", "thresholds, leaks, biases a neuron")])
def test_a_block_that_is_wrongly_lost_is_noticed(block, shape, monkeypatch):
    monkeypatch.setattr(accelerator, "LOST", (*accelerator.LOST, block))
    with pytest.raises(AssertionError):
        check(asleep(shape), MODES["t2_union"])


def test_a_sequencer_that_forgets_its_sums_is_noticed(monkeypatch):
    monkeypatch.setattr(accelerator, "lost", lambda config: accelerator.LOST)
    with pytest.raises(AssertionError):
        check(asleep("everything"), ALL_MODES["t2_change"])


def test_the_controller_keeps_its_order():
    c, seen = asleep("groups"), []
    dut = Sleeper(config=c)

    async def watch(ctx):
        names = ("switch", "isolate", "retain", "x", "idle")
        for cycle in range(24):
            ctx.set(dut.powered, 0 if 8 <= cycle < 16 else 1)
            ctx.set(dut.x.valid, cycle >= 10)
            values = [ctx.get(v) for v in (dut.switch, dut.isolate, dut.retain, dut.x.ready, dut.idle)]
            seen.append(dict(zip(names, values, strict=True)))
            await ctx.tick()

    simulate(dut, watch)
    night = [i for i, s in enumerate(seen) if not s["switch"]]
    assert night, "it never slept"
    for i in night:  # dark: isolated and retained, and nothing is taken
        assert seen[i] == {"switch": 0, "isolate": 1, "retain": 1, "x": 0, "idle": 1}
    first, last = night[0], night[-1]
    assert seen[first - 1]["isolate"] and seen[first - 2]["isolate"] and not seen[first - 3]["isolate"]
    assert not seen[first - 1]["retain"], "saved before the outputs were isolated"
    woken = next(i for i in range(last, len(seen)) if not seen[i]["isolate"])
    assert woken - last >= 7, "it did not wait for the supply"
    assert all(s["isolate"] for s in seen[last:woken]) and not seen[woken - 1]["retain"] and seen[woken]["x"]
    assert not any(s["retain"] for s in seen[:first]), "garbage would be given back before the first night"


def test_in_the_dark_every_output_is_clamped_and_nothing_passes():
    """A refused word is counted; the count shows when awake, and reads 0 between isolation and its end. A word on offer
    is let in when all is restored.
    """
    dut, seen = Sleeper(config=asleep("groups")), []
    nowhere = {"buffer": Buffer.REGISTER.value, "row": 15, "slice": 0, "data": 0}

    async def watch(ctx):
        ctx.set(dut.load.payload, nowhere)
        for cycle in range(60):
            ctx.set(dut.load.valid, cycle % 30 == 4 or 20 < cycle < 30)
            ctx.set(dut.powered, not 12 < cycle < 26)
            seen.append([ctx.get(v) for v in (
                dut.isolate, dut.load_errors, dut.load.ready, dut.core.load.valid, dut.core.x.valid)])
            await ctx.tick()

    simulate(dut, watch)
    assert any(errors for isolated, errors, *_ in seen if not isolated), "no word was refused"
    dark = [values for isolated, *values in seen if isolated]
    assert len(dark) > 10 and not any(any(values) for values in dark)


def test_the_first_morning_and_one_after_a_night():
    """Retention holds until what was lost is reset; on the first morning it has nothing to give, yet all is reset."""
    dut, order = Sleeper(config=asleep("groups")), []

    async def watch(ctx):
        for cycle in range(28):
            ctx.set(dut.powered, cycle > 1)
            ctx.set(dut.x.valid, cycle > 14)
            now = "".join(name[0] if ctx.get(port) else "-" for name, port in (
                ("switch", dut.switch), ("isolate", dut.isolate), ("keep", dut.retain), ("reset", dut.core.restart)))
            order.extend([now] if order[-1:] != [now] else [])
            await ctx.tick()

    simulate(dut, watch)
    assert order == ["si--", "si-r", "si--", "s---",          # boot
                     "si--", "-ik-", "sik-", "sikr", "si--", "s---"]  # isolate and save, dark, wake, restart, restore


def test_a_configuration_that_does_not_sleep_is_refused():
    with pytest.raises(emit.EmitError, match="sleep=False"):
        emit.block(emit.SLEEP, test_networks.config("groups"))
