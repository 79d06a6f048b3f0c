"""The serial transmitter, bit by bit."""

import gc

import pytest
from hw_bench import simulate

from hw.soc.uart import UartTransmitter


@pytest.mark.parametrize("divisor", [2, 5, 16])
def test_characters_on_the_line(divisor):
    dut = UartTransmitter(divisor=divisor)
    line = []

    async def bench(ctx):
        assert ctx.get(dut.tx) == 1 and not ctx.get(dut.busy)
        for character in (0x55, 0x00, 0xff, 0xa3):
            ctx.set(dut.character, character)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            ctx.set(dut.character, 0)
            bits = []
            while ctx.get(dut.busy):
                await ctx.tick()
                bits.append(ctx.get(dut.tx))
            assert len(bits) == 10 * divisor
            assert all(len(set(bits[i:i + divisor])) == 1 for i in range(0, len(bits), divisor))
            start, *data, stop = bits[::divisor]
            line.append(sum(bit << i for i, bit in enumerate(data)))
            assert start == 0 and stop == 1
            await ctx.tick()
            assert ctx.get(dut.tx) == 1

    simulate(dut, bench)
    assert line == [0x55, 0x00, 0xff, 0xa3]


def test_a_start_while_busy_is_ignored():
    dut = UartTransmitter(divisor=4)

    async def bench(ctx):
        ctx.set(dut.character, 0xf0)
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.character, 0x0f)
        bits = []
        for _ in range(40):
            await ctx.tick()
            bits.append(ctx.get(dut.tx))
            ctx.set(dut.start, 0)
        assert bits[::4][1:9] == [0, 0, 0, 0, 1, 1, 1, 1]

    simulate(dut, bench)


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_divisor_is_checked():
    with pytest.raises(ValueError, match="divisor=1: wanted at least 2"):
        UartTransmitter(divisor=1)
    gc.collect()  # so that the refused block's warning comes here
