"""A bit of a weight memory turns over: counted each time its row is read, in its buffer, and not otherwise."""

import cocotb
import torch
from cocotb.triggers import FallingEdge

from cosim.bench.frames import reference
from cosim.bench.machine import Machine
from cosim.bench.networks import random_frames
from cosim.bench.setup import patience, scoreboard
from hw.interface import MODES, WEIGHT_BUFFERS, Register
from sw import golden

FRAMES = 6


def visits(config, x, spikes):
    """Reads of each row in mode t2_union: buffer -> list of counts. x (T, F), spikes (T, L, 2, N)."""
    c, found = config, {name: [0] * rows for name, (rows, _) in config.sizes().items()}
    fired = spikes.any(2)  # (T, L, N)
    for group in range(c.groups_of(0)):
        for i, count in enumerate((x != 0).sum(0).tolist()):
            found["input"][group * c.input_rows + i] += count
    for block in c.blocks():
        now = fired[:, block.source]
        if block.matrix.startswith("recurrent"):  # what fired the frame before
            now = torch.cat([torch.zeros_like(now[:1]), now[:-1]])
        for i, count in enumerate(now.sum(0)[:c.layers[block.source].neurons].tolist()):
            bank, row = divmod(i, c.half_of(block.source))
            found[f"recurrent{bank}"][block.base + row] += count
    last, half = fired[:, -1].sum(0)[:c.last.neurons].tolist(), c.half_of(len(c.layers) - 1)
    for i, count in enumerate(last):
        for group in range(c.full_passes):
            for bank in range(2):
                found[f"fc{bank}"][group * c.last.neurons + i] += count
        if c.split_pass:
            bank, row = divmod(i, half)
            found[f"fc{bank}"][c.full_passes * c.last.neurons + row] += count
    return found


async def flip(dut, memory, row, bit):
    """A bit of a row turns over."""
    cell = getattr(dut, memory).cells[row]
    cell.value = int(cell.value) ^ 1 << bit
    await FallingEdge(dut.clk)


@cocotb.test(timeout_time=60 * patience(), timeout_unit="us")
async def flipped_bits(dut):
    """In each buffer: the row that is read most, the one that is read least, and one that no frame of these reads."""
    c, g, machine, model = await Machine.with_random_model(dut)
    mode, seen = MODES["t2_union"], 0
    x = random_frames(c, FRAMES, g)
    x[:, 1] = 0  # the row of feature 1 is read by nobody
    trace = reference(model, mode, x)
    reads = visits(c, x, trace.spikes[0].bool())
    cost = golden.cycles(c, mode, x[None], trace).reads.sum((0, 1)).tolist()
    with scoreboard("flipped_bits") as board:
        for i, name in enumerate(WEIGHT_BUFFERS):
            counts = reads[name]
            board.check("row reads", cost[i], sum(counts), buffer=name)
            chosen = {counts.index(max(counts)), counts.index(min(counts))} | {len(counts) - 1, 0}
            for row in sorted(chosen):
                bits = c.sizes()[name][1]
                for memory, bit in ((f"{name}_weights", 0), (f"{name}_weights", bits - 1), (f"{name}_parity", 0)):
                    await machine.select(mode)
                    await flip(dut, memory, row, bit)
                    await machine.run(x)
                    where = {"buffer": name, "row": row, "memory": memory}
                    board.check("wrong rows", counts[row], int(dut.parity_errors.value), **where)
                    board.check("buffers", (counts[row] > 0) << i, int(dut.parity_failed.value), **where)
                    await flip(dut, memory, row, bit)
                    seen += counts[row] > 0
        board.check("some are read and some are not", True, 0 < seen)
        await machine.select(mode)
        board.check("cleared", 0, int(dut.parity_errors.value) | int(dut.parity_failed.value))
        await machine.run(x)
        board.check("mended", 0, int(dut.parity_errors.value))


@cocotb.test(timeout_time=20 * patience(), timeout_unit="us")
async def loads_mend(dut):
    """A row that is loaded again is right again; two flips in a slice are not seen, in two slices they are one row."""
    c, g, machine, model = await Machine.with_random_model(dut)
    x = random_frames(c, 2, g)
    x[:, 0] = 3
    with scoreboard("loads_mend") as board:
        for bits, expected in (((0,), 2), ((0, 5), 0), ((0, c.row_bits - 1), 2 if c.slices > 1 else 0)):
            await machine.load(model, MODES["t1"])
            for bit in bits:
                await flip(dut, "input_weights", 0, bit)
            await machine.run(x)
            board.check("wrong rows", expected, int(dut.parity_errors.value), bits=bits)
        await machine.load(model, MODES["t1"])
        await machine.set(Register.CLEAR, 2)
        await machine.run(x)
        board.check("mended", 0, int(dut.parity_errors.value))
