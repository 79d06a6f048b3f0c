"""The register file answers as the SRAM does, so that a table may be either."""

import random

import pytest
from hw_bench import simulate

from hw.register_file import RegisterFile
from hw.weight_buffer import WeightBuffer


def answers(dut, accesses):
    """Row on the output after each access (address, write mask, data)."""
    seen = []

    async def bench(ctx):
        for row in range(dut.rows):  # an SRAM starts from zero in simulation only
            for part in range(2):
                await access(ctx, row, 1 << part, 0)
        for address, write, data in accesses:
            await access(ctx, address, write, data)
            if not write:
                seen.append(ctx.get(dut.read_data))

    async def access(ctx, address, write, data):
        for port, value in (("enable", 1), ("address", address), ("write", write), ("write_data", data)):
            ctx.set(getattr(dut, port), value)
        await ctx.tick()

    simulate(dut, bench)
    return seen


@pytest.mark.parametrize("rows", [2, 5])
def test_equals_the_sram(rows):
    rng = random.Random(rows)
    accesses = [(rng.randrange(rows), rng.choice([0, 0, 1, 2]), rng.getrandbits(32)) for _ in range(60)]
    shape = {"rows": rows, "width": 64, "load_bits": 32}
    assert answers(RegisterFile(**shape), accesses) == answers(WeightBuffer(**shape), accesses)
