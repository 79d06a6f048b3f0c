"""Parity of the weight rows: a bit for each slice that is written, checked for the whole row whenever it is read.

    parity[s] = XOR of the bits of slice s        stored beside the row, in a memory of its own, as the slice is loaded
    wrong     = any slice's XOR differs from what is stored, in the cycle after a read

An odd number of flipped bits in a slice is seen, an even one is not. Nothing is corrected: the row is used, and
counted. Rows that no frame reads are not looked at.
"""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .interface import WEIGHT_BUFFERS

COUNT_BITS = 32


def parity_of(row, width, load_bits):
    """Parity bits of a row as it stands in memory, slice 0 in bit 0: what the memory beside it holds."""
    ones = (1 << load_bits) - 1
    return sum(((row >> at & ones).bit_count() & 1) << at // load_bits for at in range(0, width, load_bits))


class Parity(wiring.Component):
    """One weight buffer's check.

    reads      In   the row is read in this cycle
    data       In   a slice that is being written
    bit        Out  its parity
    row        In   what the weight buffer shows
    stored     In   what the memory of its parity shows
    wrong      Out  they differ, in the cycle after `reads`
    """

    def __init__(self, *, width, load_bits):
        self.width, self.load_bits = width, load_bits
        self.module_name = f"parity_{width}x{load_bits}"
        super().__init__({"reads": In(1), "data": In(load_bits), "bit": Out(1), "row": In(width),
                          "stored": In(width // load_bits), "wrong": Out(1)})

    def elaborate(self, platform):
        m = Module()
        slices = [self.row[at:at + self.load_bits] for at in range(0, self.width, self.load_bits)]
        fresh = Signal()
        m.d.sync += fresh.eq(self.reads)
        m.d.comb += [self.bit.eq(self.data.xor()),
                     self.wrong.eq(fresh & (Cat(part.xor() for part in slices) ^ self.stored).any())]
        return m


class ParityErrors(wiring.Component):
    """Counts wrong rows, and keeps which buffers had any.

    wrong   In   a bit for each of `WEIGHT_BUFFERS`
    clear   In   both to zero
    failed  Out  by buffer: a wrong row since
    errors  Out  wrong rows since; wraps at 32 bits
    """

    def __init__(self):
        count = len(WEIGHT_BUFFERS)
        super().__init__({"wrong": In(count), "clear": In(1), "failed": Out(count), "errors": Out(COUNT_BITS)})

    def elaborate(self, platform):
        m = Module()
        with m.If(self.clear):
            m.d.sync += [self.failed.eq(0), self.errors.eq(0)]
        with m.Else():
            m.d.sync += [self.failed.eq(self.failed | self.wrong), self.errors.eq(self.errors + sum(self.wrong))]
        return m
