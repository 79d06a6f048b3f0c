"""Weight buffer: what was written is read a cycle later, row by row and slice by slice, up to the last row."""

import random

import cocotb
from cocotb.triggers import FallingEdge

from cosim.bench.packing import unpack
from cosim.bench.setup import powered, scoreboard, seed


class Sram:
    """One access a cycle, and a shadow of what the cells must hold."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config
        self.cells = [0] * config.fc_rows
        dut.enable.value = dut.write.value = 0

    async def cycle(self, row=0, enable=1, slices=0, data=0):
        dut = self.dut
        dut.enable.value, dut.address.value, dut.write.value, dut.write_data.value = enable, row, slices, data
        await FallingEdge(dut.clk)
        bits = self.config.load_bits
        for index in range(self.config.fc_row_bits // self.config.load_bits if enable else 0):
            if slices >> index & 1:
                mask = (1 << bits) - 1 << index * bits
                self.cells[row] = self.cells[row] & ~mask | data << index * bits
        return int(dut.read_data.value)

    def compare(self, board, expected, got, row):
        """Two rows, weight by weight."""
        c = self.config
        rows = (unpack(value, c.weight_bits, c.lanes) for value in (expected, got))
        board.check("read_data", *rows, axes=("lane",), row=row)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def every_row(dut):
    """Every slice of every row keeps its own value, the last row included; a read leaves the cells alone."""
    c, _, sram = await powered(dut, Sram)
    chance = random.Random(seed())
    with scoreboard("every_row") as board:
        for row in range(c.fc_rows):
            for index in range(c.fc_row_bits // c.load_bits):
                await sram.cycle(row, slices=1 << index, data=chance.getrandbits(c.load_bits))
        for _ in range(2):
            for row in (c.fc_rows - 1, 0, *range(c.fc_rows)):
                sram.compare(board, sram.cells[row], await sram.cycle(row), row)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def random_accesses(dut):
    """`read_data` follows reads only: it holds through idle cycles and writes; a write needs enable."""
    c, _, sram = await powered(dut, Sram)
    chance = random.Random(seed())
    rows = [0, 1, c.fc_rows // 2, c.fc_rows - 1]
    for row in rows:
        await sram.cycle(row, slices=(1 << (c.fc_row_bits // c.load_bits)) - 1, data=chance.getrandbits(c.load_bits))
    held = await sram.cycle(rows[0])
    with scoreboard("random_accesses") as board:
        for _ in range(600):
            row, enable = chance.choice(rows), chance.random() < 0.7
            slices = chance.getrandbits(c.fc_row_bits // c.load_bits) if chance.random() < 0.5 else 0
            if enable and not slices:
                held = sram.cells[row]
            got = await sram.cycle(row, int(enable), slices, chance.getrandbits(c.load_bits))
            sram.compare(board, held, got, row)

