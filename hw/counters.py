"""What a frame cost, counted where it happens: cycles by phase, row reads by weight buffer, frames.

Counts run from the last clear and wrap at 32 bits. The golden cycle model (`sw/golden/cycles.py`) must equal them.
"""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .interface import WEIGHT_BUFFERS, Phase


class Counters(wiring.Component):
    """`count` is high in every cycle of a frame; `reads` has one bit for each of `WEIGHT_BUFFERS`."""

    def __init__(self):
        super().__init__({
            "phase": In(Phase),
            "count": In(1),
            "reads": In(len(WEIGHT_BUFFERS)),
            "frame": In(1),
            "clear": In(1),
            "cycles": Out(32).array(len(Phase)),
            "row_reads": Out(32).array(len(WEIGHT_BUFFERS)),
            "frames": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        events = [(self.cycles[p.value], self.count & (self.phase == p)) for p in Phase]
        events += [(self.row_reads[b], self.reads[b]) for b in range(len(WEIGHT_BUFFERS))]
        events += [(self.frames, self.frame)]
        for counter, event in events:
            happened = Signal()
            m.d.comb += happened.eq(event)
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            with m.Elif(happened):
                m.d.sync += counter.eq(counter + 1)
        return m
