"""Parity of weight rows: by hand; a bit that flips in a whole machine, in a row that is read and in one that is not."""

import pytest
import test_networks
import torch
from amaranth.lib import memory
from hw_bench import simulate, small
from hypothesis import given
from hypothesis import strategies as st
from small_machine import check, network

from hw import config as configs
from hw.accelerator import Accelerator
from hw.interface import MODES, WEIGHT_BUFFERS
from hw.parity import Parity, ParityErrors, parity_of
from sw.integers import images

C = small(parity=True)


@pytest.mark.parametrize(("row", "expected"), [
    (0, 0), (1, 1), (3, 0), (1 << 31, 1), (1 << 32, 2), ((1 << 64) - 1, 0), (7 << 31, 1), (1 << 63 | 1, 3)])
def test_by_hand(row, expected):
    assert parity_of(row, 64, 32) == expected


@given(st.integers(0, (1 << 96) - 1), st.integers(0, 95))
def test_every_single_flip_is_seen_in_its_slice(row, bit):
    assert parity_of(row, 96, 32) ^ parity_of(row ^ 1 << bit, 96, 32) == 1 << bit // 32


def test_a_row_is_looked_at_in_the_cycle_after_its_read_only():
    dut, seen = Parity(width=64, load_bits=32), []

    async def drive(ctx):
        for reads, row, stored in ((1, 1, 0), (0, 1, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 3 << 31, 0)):
            ctx.set(dut.reads, reads)
            ctx.set(dut.row, row)
            ctx.set(dut.stored, stored)
            seen.append(ctx.get(dut.wrong))
            await ctx.tick()
        for data, bit in ((0, 0), (0x80000000, 1), (0x80000001, 0), (0xffffffff, 0), (0x7fffffff, 1)):
            ctx.set(dut.data, data)
            assert ctx.get(dut.bit) == bit

    simulate(dut, drive)
    assert seen == [0, 1, 0, 0, 0, 1]


def test_rows_are_counted_and_buffers_kept():
    dut, seen = ParityErrors(), []

    async def drive(ctx):
        for wrong, clear in ((0b00001, 0), (0b00110, 0), (0, 0), (0b11000, 1), (0b11000, 0)):
            ctx.set(dut.wrong, wrong)
            ctx.set(dut.clear, clear)
            await ctx.tick()
            seen.append((ctx.get(dut.failed), ctx.get(dut.errors)))

    simulate(dut, drive)
    assert seen == [(1, 1), (7, 3), (7, 3), (0, 0), (24, 2)]


def test_no_row_of_a_machine_that_is_well_is_wrong():
    assert errors(*network(C, 3, 3)) == (0, 0)
    check(C, MODES["t2_union"], seed=4)


@pytest.mark.parametrize(("row", "bit", "expected"), [(1, 0, 3), (1, 63, 3), (4, 13, 0)])
def test_a_flipped_bit_is_counted_each_time_its_row_is_read_and_not_otherwise(row, bit, expected):
    """Feature 1 of four is zero in two frames of five, so its row is read in three; row 4 is of no feature."""
    model, x = network(test_networks.config("fewer neurons than lanes", parity=True, input_rows=5), 3, 5)
    x[0, :, 1] = torch.tensor([5, 0, -128, 0, 1])
    assert errors(model, x, ("input", row, bit)) == (bool(expected), expected)


@pytest.mark.parametrize("buffer", WEIGHT_BUFFERS)
def test_each_buffer_has_its_own(buffer):
    """Every neuron fires: each row but those past the features is read in every frame but the first, or in all."""
    model, x = network(C, 3, 3)
    model.thresholds.fill_(1)
    model.matrices["input"].fill_(7)
    model.matrices["recurrent0"].fill_(7)
    model.matrices["recurrent1"].fill_(7)
    model.matrices["forward1"].fill_(7)
    x.fill_(100)
    failed, count = errors(model, x, (buffer, 2, 4))
    assert failed == 1 << WEIGHT_BUFFERS.index(buffer) and count in (2, 3)


def errors(model, x, flip=None):
    """(buffers that failed, wrong rows) over frames x; `flip`: buffer, row, bit that is turned over in memory."""
    dut, found, cells = Accelerator(config=model.config), [], []
    words = [dict(zip(("buffer", "row", "slice", "data"), word, strict=True))
             for word in images.load_words(model, MODES["t2_union"])]

    class Memory(memory.Memory):
        def __init__(self, **given):
            super().__init__(**given)
            cells.append(self.data)  # in the order of the weight buffers

    async def feed(ctx):
        async def send(port, payloads):
            ctx.set(port.valid, 1)
            for payload in payloads:
                ctx.set(port.payload, payload)
                await ctx.tick().until(port.ready)
            ctx.set(port.valid, 0)

        await send(dut.load, words)
        if flip:
            name, row, bit = flip
            place = cells[WEIGHT_BUFFERS.index(name)][row]
            ctx.set(place, ctx.get(place) ^ 1 << bit)
        await send(dut.x, x.flatten().tolist())
        await ctx.tick().until(dut.idle)
        found.extend([ctx.get(dut.parity_failed), ctx.get(dut.parity_errors)])

    async def read(ctx):
        ctx.set(dut.logits.ready, 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "Memory", Memory)
        simulate(dut, feed, read)
    return tuple(found)


@pytest.mark.parametrize("value", [0, "no"])
def test_bad_value_is_quoted(value):
    with pytest.raises(configs.ConfigError, match=f"parity={value!r}: wanted true or false"):
        small(parity=value)
