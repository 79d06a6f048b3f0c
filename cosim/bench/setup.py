"""What every bench needs inside the simulator: its configuration, its seed, a scoreboard, clock and reset."""

import json
from pathlib import Path

import cocotb
import torch
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

from cosim.bench.scoreboard import Scoreboard
from hw import config as configs

PERIOD_NS = 10


def configuration():
    """The configuration the top level was built from."""
    path = Path(cocotb.plusargs["config"])
    return configs.from_dict(json.loads(path.read_text()), str(path))


def patience():
    """Time limit of a test on the whole machine, in us: three loads and a hundred of the longest frames."""
    c = configuration()
    words = c.slices * sum(rows for rows, _ in c.sizes().values()) + c.words * c.neuron_bits // c.load_bits
    rows = c.recurrent_rows + c.fc_rows  # of each of two halves, twice where the time steps run one after another
    frame = 4 * c.features * c.groups_of(0) + 4 * rows + 4 * c.words + c.outputs
    return (3 * words + 100 * frame) * PERIOD_NS // 1000


def transactions():
    """Bus accesses that a bench of a bus makes at least; the fast tests make few."""
    return int(cocotb.plusargs.get("transactions", 3000))


def bus_patience():
    """Time limit of a bench on a bus, in us: stalls and frames included, an access takes far less than this."""
    return (2 * transactions() + 5000) * 100 * PERIOD_NS // 1000


def seed():
    return int(cocotb.plusargs["seed"])


def generator(salt=0):
    """Random numbers that depend on the seed of the run and on nothing else."""
    return torch.Generator().manual_seed(1000 * seed() + salt)


def scoreboard(test):
    return Scoreboard(test, cocotb.plusargs["record"])


async def start(dut):
    """Free-running clock, two cycles of reset; returns on a falling edge."""
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


async def powered(dut, driver, salt=0):
    """(configuration, random numbers, `driver(dut, configuration)`) of a block that has come out of reset."""
    config = configuration()
    await start(dut)
    return config, generator(salt), driver(dut, config)
