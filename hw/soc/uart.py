"""A serial transmitter: 8 data bits, no parity, 1 stop bit, the low bit first; `divisor` clock cycles a bit.

A character takes 10 bits; `busy` is high from the cycle after `start` until the stop bit has ended.
"""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

BITS = 10


class UartTransmitter(wiring.Component):
    """`start` with `character` while not `busy`; a start while busy is ignored."""

    def __init__(self, *, divisor):
        if divisor < 2:
            raise ValueError(f"divisor={divisor}: wanted at least 2 cycles a bit")
        self.divisor = divisor
        super().__init__({"character": In(8), "start": In(1), "busy": Out(1), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        left, wait = Signal(range(BITS + 1)), Signal(range(self.divisor))
        bits = Signal(BITS, init=1)
        m.d.comb += self.busy.eq(left != 0)
        m.d.sync += self.tx.eq(bits[0] | ~self.busy)
        with m.If(~self.busy):
            with m.If(self.start):
                m.d.sync += [bits.eq(Cat(Const(0, 1), self.character, Const(1, 1))), left.eq(BITS), wait.eq(0)]
        with m.Elif(wait == self.divisor - 1):
            m.d.sync += [wait.eq(0), bits.eq(bits >> 1), left.eq(left - 1)]
        with m.Else():
            m.d.sync += wait.eq(wait + 1)
        return m
