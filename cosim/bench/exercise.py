"""A whole test of a bus: start, random software, figures."""

import random

from cocotb.triggers import ClockCycles

from cosim.bench.bus import Hang
from cosim.bench.setup import configuration, generator, scoreboard, seed, start, transactions
from cosim.bench.software import Software


async def exercise(dut, test, bus, streams=None):
    """A whole test on a `bus` of `cosim.bench.bus`: random software, and the figures of docs/results/system.json."""
    with scoreboard(test) as board:
        await start(dut)
        await ClockCycles(dut.clk, 2)
        chance = random.Random(seed())
        software = Software(dut, configuration(), board, generator(), chance, bus(dut, chance), streams)
        try:
            await software.run(transactions())
        except Hang:
            software.hangs += 1
            raise
        finally:
            wrong = board.signals.get("logit", [0, 0])[1]
            board.report(bus_transactions=software.transactions, refused=software.refused, resets=software.resets,
                         frames=software.frames, hangs=software.hangs, wrong_logits=wrong)
