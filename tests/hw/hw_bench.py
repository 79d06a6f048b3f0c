"""Amaranth's simulator for one block, and a configuration small enough to elaborate in milliseconds."""

from amaranth.sim import Simulator

from hw import config as configs

SMALL = {"name": "small", "features": 6, "input_rows": 8, "neurons": 8, "outputs": 24, "accumulator_bits": 10,
         "logits_per_beat": 4, "load_bits": 32}


def small(**changes):
    """3 output groups of 8, so that the split pass is there; `mechanisms` takes a dict."""
    return configs.from_dict({**SMALL, **changes})


def simulate(dut, *testbenches, clocked=True):
    """Run until every testbench has returned."""
    simulator = Simulator(dut)
    if clocked:
        simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    simulator.run()


def lanes(value):
    """A struct of lanes, or a plain vector, as a list of integers."""
    return [int(lane) for lane in value]
