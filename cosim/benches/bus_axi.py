"""The accelerator on AXI4-Lite and AXI4-Stream, under random software: no hang, every reply and every logit right."""

import cocotb

from cosim.bench.bus import AxiBus, Streams
from cosim.bench.exercise import exercise
from cosim.bench.setup import bus_patience, configuration
from hw.bus.axi import logit_width


@cocotb.test(timeout_time=bus_patience(), timeout_unit="us")
async def random_software(dut):
    """Loads, frames, reads, modes, streams, misuse and resets in random order, between stalled neighbours."""
    dut.s_axis_tvalid.value = dut.m_axis_tready.value = 0
    streams = Streams(dut, configuration(), logit_width(configuration()))
    await exercise(dut, "random_software", AxiBus, streams)
