"""Input current from the two digit-group sums, against `golden.combine`. Combinational: no clock."""

import cocotb
import torch
from cocotb.triggers import Timer

from cosim.bench.packing import pack, unpack
from cosim.bench.setup import configuration, generator, scoreboard
from sw import golden


async def currents(dut, config, low, high):
    dut.low.value = pack(low, config.accumulator_bits)
    dut.high.value = pack(high, config.accumulator_bits)
    await Timer(1, "ns")
    return unpack(int(dut.current.value), config.accumulator_bits, config.lanes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def rounding(dut):
    """Half rounds up on both sides of zero; the largest input sums pass whole."""
    c = configuration()
    half = (1 << c.input_shift) >> 1
    limit = c.features * c.weight_limit
    cases = [  # low, high, current
        (0, 0, 0),
        (half, 0, 1 if half else 0),
        (half - 1, 0, 0) if half else (1, 0, 1),
        (-half, 0, 0),
        (-half - 1, 0, -1),
        (1 << c.input_shift, 0, 1),
        (0, 1, (16 + half) >> c.input_shift),
        (0, -1, (-16 + half) >> c.input_shift),
        (0, -8 * limit, (-128 * limit + half) >> c.input_shift),
        (0, 8 * limit, (128 * limit + half) >> c.input_shift),
        (-limit, 8 * limit, (127 * limit + half) >> c.input_shift),
    ]
    with scoreboard("rounding") as board:
        for index, (low, high, current) in enumerate(cases):
            got = await currents(dut, c, [low] * c.lanes, [high] * c.lanes)
            board.check("input current", [current] * c.lanes, got, case=index)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_sums(dut):
    """Random group sums of random inputs and weights combine as golden's."""
    c = configuration()
    g = generator()
    with scoreboard("random_sums") as board:
        for frame in range(100):
            x = torch.randint(-128, 128, (c.features,), generator=g, dtype=torch.int32)
            weights = torch.randint(-c.weight_limit, c.weight_limit, (c.features, c.lanes), generator=g,
                                    dtype=torch.int32)
            low, high = golden.input_layer(x, weights, c.input_code)
            got = await currents(dut, c, low.numpy(), high.numpy())
            board.check("input current", golden.combine(low, high, c.input_shift), got, frame=frame)
