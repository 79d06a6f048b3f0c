"""How fast cocotb runs the design, for `cosim.rates`: writes the seconds that a number of clock cycles took."""

import time
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

PERIOD_NS = 10


@cocotb.test()
async def rate(dut):
    """`+style=free` lets the clock run and sleeps until all cycles are over; `edges` wakes at every rising edge."""
    cycles, style = int(cocotb.plusargs["cycles"]), cocotb.plusargs["style"]
    dut.rst.value = 1
    dut.load__valid.value = 0
    dut.logits__ready.value = 1
    dut.x__payload.value = 0x55
    dut.x__valid.value = 0
    Clock(dut.clk, PERIOD_NS, unit="ns", impl="gpi").start()
    await Timer(10 * PERIOD_NS, "ns")
    dut.rst.value = 0
    dut.x__valid.value = 1
    start = time.process_time()
    if style == "free":
        await Timer(cycles * PERIOD_NS, "ns")
    else:
        for _ in range(cycles):
            await RisingEdge(dut.clk)
    seconds = time.process_time() - start
    assert int(dut.frames.value) > 0, "the design did not run"
    Path(cocotb.plusargs["record"]).write_text(f"{seconds}\n")
