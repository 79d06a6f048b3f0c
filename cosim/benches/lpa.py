"""Pulse accumulation on the PE set: one pulse of each kind, its hard gates as a program, every cycle against golden."""

import cocotb
import torch

from cosim.bench.setup import powered, scoreboard
from cosim.benches.pe_array import PeSet
from sw.lpa import array
from sw.models.lpa import PULSES, PulseAccumulator

FRAMES = 48


def one_pulse(kind, config, g):
    """(weights (T, T), rows (T, lanes)) of a random pulse of `kind`; its windows fit the accumulators."""
    frames = min(FRAMES, ((1 << (config.accumulator_bits - 1)) - 1) // (2 * config.weight_limit))
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(1 << 30, (), generator=g)))
        module = PulseAccumulator(config.lanes - 1, {kind: 1}).eval()
        module.shape.weight.data.normal_(0, 0.2)
        x = torch.randn(frames, config.lanes - 1)
    with torch.no_grad():
        return array.hard_weights(module, x)[0], array.rows_of(module.v_proj(x), config)[0]


async def play(board, pe, frames, rows, **where):
    """Run a program on the PE set; every cycle's accumulators are golden's."""
    each, sums = array.execute(frames, rows)
    cycle = 0
    for t, visits in enumerate(frames):
        for v in visits:
            row = rows[0 if v.row is None else v.row].tolist()
            got = await pe.cycle(row, int(v.row is not None), v.shift, int(v.negate), int(v.clear))
            board.check("accumulator", each[cycle], got, frame=t, cycle=cycle, **where)
            cycle += 1
        if visits:
            board.check("sum", sums[t], got, frame=t, **where)
    return sums


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def boundaries(dut):
    """By hand: an empty window, one row, all rows, a jump, a gate of two, most negative values subtracted again."""
    c, _, pe = await powered(dut, PeSet)
    rows = torch.tensor([-c.weight_limit, c.weight_limit - 1, 1, -1]).int()[:, None].repeat(1, c.lanes)
    weights = torch.tensor([[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1], [2, 0, 0, 0], [0, 1, 0, 0]])
    low, high = -c.weight_limit, c.weight_limit - 1
    expected = [0, low, low + high, -1, 2 * low, high]
    with scoreboard("boundaries") as board:
        for sliding in (True, False):
            sums = await play(board, pe, array.program(weights, c, sliding), rows, sliding=int(sliding))
            board.check("sum by hand", expected, sums[:, 0])


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def pulses(dut):
    """A random pulse of each kind: window by window and sliding, both golden's and both the plain integer sums."""
    c, g, pe = await powered(dut, PeSet)
    with scoreboard("pulses") as board:
        for kind in PULSES:
            weights, rows = one_pulse(kind, c, g)
            plain = (weights.double() @ rows.double()).int()
            for name, sliding in (("anew", False), ("sliding", True)):
                frames = array.program(weights, c, sliding)
                sums = await play(board, pe, frames, rows, sliding=int(sliding))
                board.check("integer sum", plain, sums, axes=("frame", "lane"))
                board.report(**{f"lpa_{kind}_cycles_{name}": array.cycles(frames)})
            board.report(**{f"lpa_{kind}_frames": len(weights)})
