"""The accelerator on Wishbone, under random software: no hang, every reply and every logit right."""

import cocotb

from cosim.bench.bus import WishboneBus
from cosim.bench.exercise import exercise
from cosim.bench.setup import bus_patience


@cocotb.test(timeout_time=bus_patience(), timeout_unit="us")
async def random_software(dut):
    """Loads, frames, reads, modes, misuse and resets in random order, between stalled neighbours."""
    await exercise(dut, "random_software", WishboneBus)
