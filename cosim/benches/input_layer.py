"""The input layer in the machine: group sums, input current, cycles and row reads of type A."""

from dataclasses import replace

import cocotb
import torch

from cosim.bench.frames import check_counters, check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, Phase

SIGNALS = ("low group sum", "high group sum", "input current")
ONLY = (Phase.INPUT, Phase.COMBINE)


async def run(board, dut, config, model, x, mode=MODES["t2_union"]):
    machine = await Machine.power_up(dut, config)
    await machine.load(model, mode)
    observed = await machine.run(x)
    trace = reference(model, mode, x)
    check_run(board, trace, observed, SIGNALS)
    check_counters(board, config, mode, x, trace, machine.counters(), only=ONLY)
    return observed


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(weight=["lowest", "highest"])
async def extremes(dut, weight):
    """Whole frames of -128, 127, 0, -1 and 1, and a lone feature, give the sum of x times weight, rounded half up."""
    c, g = configuration(), generator()
    value = -c.weight_limit if weight == "lowest" else c.weight_limit - 1
    model = random_model(c, g)
    extreme = torch.full((c.features, c.layers[0].neurons), value, dtype=torch.int32)
    model = replace(model, matrices={**model.matrices, "input": extreme})
    x = torch.tensor([[v] * c.features for v in (-128, 127, 0, -1, 1, 85, -86)], dtype=torch.int32)
    lone = torch.zeros(2, c.features, dtype=torch.int32)
    lone[0, -1], lone[1, 0] = -128, 127
    x = torch.cat([x, lone])
    half = (1 << c.input_shift) >> 1
    with scoreboard(f"extremes/weight={weight}") as board:
        observed = await run(board, dut, c, model, x)
        expected = [[int(total) * value + half >> c.input_shift] * c.layers[0].neurons for total in x.sum(1)]
        board.check("input current by hand", expected, observed.current, axes=("frame", "neuron"))


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def each_row_alone(dut):
    """A lone nonzero feature adds its own weight row, the last row included, and every sign and size of it."""
    c, g = configuration(), generator(1)
    x = torch.zeros(c.features, c.features, dtype=torch.int32)
    x.fill_diagonal_(16)
    x[1::2] *= -1
    with scoreboard("each_row_alone") as board:
        model = random_model(c, g)
        observed = await run(board, dut, c, model, x)
        half = (1 << c.input_shift) >> 1
        board.check("input current by hand", x.diagonal()[:, None] * model.input + half >> c.input_shift,
                    observed.current, axes=("frame", "neuron"))


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(mode=["t1", "t2_union"])
async def random_utterance(dut, mode):
    """Random features and weights give golden's sums and current in golden's cycles and row reads."""
    c, g = configuration(), generator(2)
    with scoreboard(f"random_utterance/mode={mode}") as board:
        await run(board, dut, c, random_model(c, g), random_frames(c, 8, g), MODES[mode])
