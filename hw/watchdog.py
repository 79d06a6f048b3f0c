"""Brings a machine that an upset has led astray back to idle, and says so.

A frame takes at most `most_cycles(config)` cycles, those apart in which a neighbour keeps it waiting: the source with
the feature that comes next, or the reader with a beat. The timer counts the others from a frame's begin to its end.
Where it runs out, or the sequencer is in a state that its program lacks, `bite` resets for one cycle all that runs a
frame: the blocks of `hw.accelerator.LOST`. In the next cycle nothing is under way and the machine is idle.
Potentials, spikes and registers stay as they are; kept sums are forgotten.

Bound: from any state, within `patience(config)` + 1 cycles in which no neighbour is waited for, a frame has ended or
the machine has bitten. A beat on offer is not withdrawn: the bite waits until it is taken.
"""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, Signature

from .program import Kind, program

EVENT_BITS = 8  # of the counter of bites, which stays at its end


def watched():
    """What the sequencer tells the watchdog.

    astray  Out  the position is none of the program's, or its first, but something of a later step is going on
    ends    Out  a frame's last slot is taken
    first   Out  it is at the first step of the program, where alone a feature may be missing
    """
    return Signature({"astray": Out(1), "ends": Out(1), "first": Out(1)})


def watch(m, told, position, steps, done, amidst):
    """Wires `told`, a `watched`, to the sequencer: `amidst` is high where registers of later steps are at work."""
    first = position == 0
    m.d.comb += [told.astray.eq((position >= steps) | first & amidst), told.first.eq(first),
                 told.ends.eq(done & (position == steps - 1))]


def most_cycles(config):
    """Upper bound of a frame's cycles from its first slot to its last, neighbours apart, for any data in any mode."""
    c, total = config, 0
    for step in program(c):
        total += {
            Kind.INPUT: 4 * c.features,  # four digits of a group at most
            Kind.COMBINE: max(1, step.words), Kind.LIF: 2 * step.words, Kind.WAIT: 1,
            Kind.SCAN: 2 * c.widest,     # every neuron, time step after time step
            # likewise in every pass; before it and behind it, the beats of two groups leave
            Kind.FC: c.passes * (2 * c.last.neurons + 2 + 2 * (c.lanes // c.logits_per_beat)),
            Kind.FINAL: 2 + 2 * (c.lanes // c.logits_per_beat),
        }[step.kind]
    return total


def patience(config):
    """Cycles that the timer counts to: the power of two that is no less than `most_cycles`, less one."""
    return (1 << most_cycles(config).bit_length()) - 1


class Watchdog(wiring.Component):
    """One a machine.

    sequencer  In   `watched`
    idle       In   no frame has begun
    begun      In   the feature at hand is in part used up
    missing    In   the feature asked for is not there
    next       In   it is the one that the source brings next
    stalled    In   a beat waits for the reader
    clear      In   `bites` and `hung` to zero
    bite       Out  for one cycle: reset what runs a frame
    hung       Out  it has bitten since cleared
    bites      Out  how often, at most 255
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({
            "sequencer": In(watched()), "idle": In(1), "begun": In(1), "missing": In(1), "next": In(1),
            "stalled": In(1), "clear": In(1), "bite": Out(1), "hung": Out(1), "bites": Out(EVENT_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        timer = Signal(patience(self.config).bit_length())
        starved = Signal()
        m.d.comb += [
            starved.eq(self.sequencer.first & self.missing & self.next & ~self.begun),
            self.bite.eq((self.sequencer.astray | timer.all()) & ~self.stalled),
            self.hung.eq(self.bites.any()),
        ]
        with m.If(self.idle | self.sequencer.ends | self.bite):
            m.d.sync += timer.eq(0)
        with m.Elif(~starved & ~self.stalled & ~timer.all()):
            m.d.sync += timer.eq(timer + 1)
        with m.If(self.clear):
            m.d.sync += self.bites.eq(0)
        with m.Elif(self.bite & ~self.bites.all()):
            m.d.sync += self.bites.eq(self.bites + 1)
        return m
