from hw_bench import simulate, small

from hw.counters import Counters
from hw.interface import WEIGHT_BUFFERS, Phase


def test_counts_each_event_where_it_happens():
    dut = Counters(config=small())

    async def bench(ctx):
        ctx.set(dut.count, 1)
        for phase in Phase:
            ctx.set(dut.phase, phase)
            await ctx.tick().repeat(phase.value + 1)
        ctx.set(dut.count, 0)  # idle cycles are nobody's
        for buffer in range(len(WEIGHT_BUFFERS)):
            ctx.set(dut.reads, 1 << buffer)
            await ctx.tick().repeat(buffer + 1)
        ctx.set(dut.reads, 0)
        ctx.set(dut.frame, 1)
        await ctx.tick().repeat(3)
        ctx.set(dut.frame, 0)
        await ctx.tick()
        assert [ctx.get(counter) for counter in dut.cycles] == [p.value + 1 for p in Phase]
        assert [ctx.get(counter) for counter in dut.row_reads] == [1, 2, 3, 4, 5]
        assert ctx.get(dut.frames) == 3
        ctx.set(dut.clear, 1)
        ctx.set(dut.frame, 1)  # clear goes first
        await ctx.tick()
        assert [ctx.get(c) for c in (*dut.cycles, *dut.row_reads, dut.frames)] == [0] * 16

    simulate(dut, bench)


def test_frames_are_counted_past_every_bit_and_wrap_at_32():
    dut, before = Counters(config=small()), [(1 << bit) - 1 for bit in range(33)]

    async def bench(ctx):
        for value in before:
            ctx.set(dut.frames, value & 0xffffffff)
            ctx.set(dut.frame, 1)
            await ctx.tick()
            assert ctx.get(dut.frames) == (value + 1) & 0xffffffff

    simulate(dut, bench)
