"""Spikes as a scan takes them: halves aligned to the widest layer, each neuron as late as its delay."""

from hw_bench import simulate
from test_networks import config

from hw.interface import Buffer
from hw.spike_select import SpikeSelect


def observe(c, bench):
    dut, seen = SpikeSelect(config=c), []

    async def testbench(ctx):
        await bench(ctx, dut, seen)

    simulate(dut, testbench, clocked=dut.clocked)
    return seen


def test_halves_of_a_narrow_layer_lie_where_a_wide_one_has_them():
    c = config("fewer neurons than lanes")  # 5 and 4 neurons: halves of 3

    async def bench(ctx, dut, seen):
        ctx.set(dut.spikes[0], 0b10110)
        ctx.set(dut.spikes[3], 0b0111)
        for source in range(2):
            ctx.set(dut.source, source)
            seen.append((ctx.get(dut.chosen[0]), ctx.get(dut.chosen[1]), ctx.get(dut.present)))

    assert observe(c, bench) == [(0b010_110, 0, 0b011_111), (0, 0b001_011, 0b011_011)]


def test_each_neuron_is_as_late_as_its_delay_says():
    c = config("delays")  # layer 0, 8 neurons: into forward1 up to 3 frames, into itself up to 1

    async def bench(ctx, dut, seen):
        assert Buffer.DELAYS.value == 7 and c.delay_rows() == {
            "recurrent0": range(0, 1), "forward1": range(1, 2), "recurrent1": range(2, 4), "fc": range(4, 6)}
        ctx.set(dut.row, 1)
        ctx.set(dut.data, 0x00003210)  # neurons 0 to 3: 0 to 3 frames
        ctx.set(dut.write, 1)
        await ctx.tick()
        ctx.set(dut.write, 0)
        ctx.set(dut.source, 0)  # (0, forward1)
        for frame in range(6):  # all fire in frame 0 only; the LIF unit commits each next frame
            ctx.set(dut.spikes[0], 0xFF if frame == 0 else 0)
            seen.append(ctx.get(dut.chosen[0]) & 0b1111)
            ctx.set(dut.commit, 1)
            await ctx.tick()
            ctx.set(dut.commit, 0)
        ctx.set(dut.spikes[0], 0xFF)
        ctx.set(dut.commit, 1)
        await ctx.tick()
        ctx.set(dut.clear, 1)
        ctx.set(dut.spikes[0], 0)
        await ctx.tick()
        seen.append(ctx.get(dut.chosen[0]))

    assert observe(c, bench) == [0b0001, 0b0010, 0b0100, 0b1000, 0, 0, 0]
