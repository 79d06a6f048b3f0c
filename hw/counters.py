"""What a frame cost, counted where it happens: cycles by phase, row reads by weight buffer, frames.

Counts run from the last clear and wrap at 32 bits. The golden cycle model (`sw/golden/cycles.py`) must equal them.
"""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .interface import WEIGHT_BUFFERS, phases


class Counters(wiring.Component):
    """One counter an event.

    phase      In   what the cycle is for
    count      In   the cycle belongs to a frame
    reads      In   a bit for each of `WEIGHT_BUFFERS`: a row is read
    frame      In   a frame ends
    clear      In   all to zero
    cycles     Out  by phase
    row_reads  Out  by buffer
    frames     Out
    """

    def __init__(self, *, config):
        self.phases = phases(config)
        super().__init__({
            "phase": In(self.phases),
            "count": In(1),
            "reads": In(len(WEIGHT_BUFFERS)),
            "frame": In(1),
            "clear": In(1),
            "cycles": Out(32).array(len(self.phases)),
            "row_reads": Out(32).array(len(WEIGHT_BUFFERS)),
            "frames": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        events = [(self.cycles[p.value], self.count & (self.phase == p)) for p in self.phases]
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
