import gc

import pytest
from hw_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.weight_buffer import WeightBuffer

ROWS, WIDTH, LOAD = 5, 16, 8


def run(accesses):
    """`read_data` after each (enable, write, address, data)."""
    dut, seen = WeightBuffer(rows=ROWS, width=WIDTH, load_bits=LOAD), []

    async def bench(ctx):
        for access in accesses:
            for port, value in zip(("enable", "write", "address", "write_data"), access, strict=True):
                ctx.set(getattr(dut, port), value)
            await ctx.tick()
            seen.append(ctx.get(dut.read_data))

    simulate(dut, bench)
    return seen


def test_last_row_and_slices():
    last = ROWS - 1
    seen = run([(1, 0b01, last, 0x11), (1, 0b10, last, 0x22), (1, 0, last, 0), (1, 0b11, last, 0xff), (1, 0, 0, 0),
                (1, 0, last, 0)])
    assert seen[2:] == [0x2211, 0x2211, 0, 0xffff]  # a write leaves what was read


def test_needs_enable():
    assert run([(1, 0b11, 1, 0x55), (0, 0b11, 1, 0x77), (1, 0, 1, 0), (0, 0, 0, 0)])[2:] == [0x5555, 0x5555]


@pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
def test_refuses_ragged_slices():
    with pytest.raises(ValueError, match="width=12 is not a multiple of load_bits=8"):
        WeightBuffer(rows=4, width=12, load_bits=8)
    gc.collect()  # so that the refused block's warning comes here


access = st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, ROWS - 1), st.integers(0, 255))


@settings(max_examples=25, deadline=None)
@given(st.lists(access, min_size=1, max_size=40))
def test_is_a_memory(accesses):
    cells, held, expected = [0] * ROWS, 0, []
    for enable, write, address, data in accesses:
        if enable and not write:
            held = cells[address]
        for index in range(2 if enable else 0):
            if write >> index & 1:
                cells[address] = cells[address] & ~(0xff << 8 * index) | data << 8 * index
        expected.append(held)
    assert run(accesses) == expected
