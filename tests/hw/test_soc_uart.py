"""The serial transmitter and receiver, bit by bit."""

import gc

import pytest
from hw_bench import simulate

from hw.soc.uart import UartReceiver, UartTransmitter


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


def received(bits, divisor, offset=0.0):
    """What the receiver makes of a line that holds each bit for `divisor` + `offset` cycles: characters, breaks."""
    dut = UartReceiver(divisor=divisor)
    heard = []

    async def bench(ctx):
        line = [bits[int(i / (divisor + offset))] for i in range(int(len(bits) * (divisor + offset)))]
        for level in line + [1] * 3 * divisor:
            ctx.set(dut.rx, level)
            await ctx.tick()
            if ctx.get(dut.valid):
                heard.append(ctx.get(dut.character))
            if ctx.get(dut.broken):
                heard.append(None)

    simulate(dut, bench)
    return heard


def framed(*characters, stop=1):
    return [bit for c in characters for bit in (0, *(c >> i & 1 for i in range(8)), stop)]


@pytest.mark.parametrize(("divisor", "offset"), [(4, 0), (25, 0), (25, 0.5), (25, -0.5), (16, 0.3)])
def test_receiver_takes_characters_back_to_back_from_a_sender_two_percent_off(divisor, offset):
    said = [0x55, 0x00, 0xff, 0xa3, 0x80, 0x01]
    assert received([1, 1, *framed(*said)], divisor, offset) == said


def test_receiver_tells_of_a_missing_stop_bit_and_waits_for_the_line():
    assert received([*framed(0x42, stop=0), 0, 0, 1, *framed(0x17)], 8) == [None, 0x17]
    assert received([0] * 40 + [1, *framed(0x17)], 8) == [None, 0x17]  # a break is told once


def test_receiver_takes_no_glitch_for_a_start_bit():
    dut = UartReceiver(divisor=16)

    async def bench(ctx):
        for level in [0] * 5 + [1] * 400:
            ctx.set(dut.rx, level)
            await ctx.tick()
            assert not ctx.get(dut.valid) and not ctx.get(dut.broken)

    simulate(dut, bench)


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_receiver_wants_four_cycles_a_bit():
    with pytest.raises(ValueError, match="divisor=3: wanted at least 4"):
        UartReceiver(divisor=3)
    gc.collect()
