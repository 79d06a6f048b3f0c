"""A serial line: 8 data bits, no parity, 1 stop bit, the low bit first; `divisor` clock cycles a bit.

A character takes 10 bits. The transmitter's `busy` is high from the cycle after `start` until the stop bit has ended.
The receiver samples in the middle of each bit, and tells of a character there, half a bit before the line may be
silent: it keeps up with a sender whose clock is 2 % faster.
"""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

BITS = 10


def checked(divisor, least):
    """The divisor, or `ValueError` if a bit is shorter than `least` cycles."""
    if divisor < least:
        raise ValueError(f"divisor={divisor}: wanted at least {least} cycles a bit")
    return divisor


class UartTransmitter(wiring.Component):
    """`start` with `character` while not `busy`; a start while busy is ignored."""

    def __init__(self, *, divisor):
        self.divisor = checked(divisor, 2)
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


class UartReceiver(wiring.Component):
    """`valid` for one cycle with each `character`; `broken` for one cycle where a stop bit is not there.

    After that the line must be high before another character begins. `rx` may come from another clock.
    """

    def __init__(self, *, divisor):
        self.divisor = checked(divisor, 4)
        super().__init__({"rx": In(1, init=1), "character": Out(8), "valid": Out(1), "broken": Out(1)})

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchroniser = FFSynchronizer(self.rx, line, init=1)
        left, wait = Signal(range(BITS + 1)), Signal(range(self.divisor))
        bits = Signal(BITS - 1)  # the start bit leaves at the low end as the stop bit comes
        stuck, sample, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            sample.eq((left != 0) & (wait == 0)), ends.eq(sample & (left == 1)), self.character.eq(bits[1:]),
            self.valid.eq(ends & line), self.broken.eq(ends & ~line),
        ]
        with m.If(line):
            m.d.sync += stuck.eq(0)
        with m.If(left == 0):
            with m.If(~line & ~stuck):
                m.d.sync += [left.eq(BITS), wait.eq(self.divisor // 2 - 1)]
        with m.Elif(sample):
            # a start bit that is gone in its middle was none
            m.d.sync += [left.eq(Mux((left == BITS) & line, 0, left - 1)), wait.eq(self.divisor - 1),
                         bits.eq(Cat(bits[1:], line)), stuck.eq(self.broken)]
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
        return m
