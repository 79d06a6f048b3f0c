"""Input current from the two digit-group sums of type A.

    current[i] = (low[i] + (high[i] << 4) + 2^(s-1)) >> s,  s = input_shift   (round half up)

Combinational. The result has the unit of a recurrent weight's last bit (docs/arithmetic.md) and starts the
recurrent sums: set 0 always, set 1 at two time steps.
"""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import GROUP_BITS


def input_current(low, high, shift):
    """The equation above."""
    return (low + (high << GROUP_BITS) + ((1 << shift) >> 1)) >> shift


class Combine(wiring.Component):
    """One value a lane, all int13 (`paper`).

    low, high  In   sums of the two digit groups, the accumulators of PE sets 0 and 1
    current    Out  input current
    """

    clocked = False

    def __init__(self, *, config):
        self.config = config
        lanes = data.ArrayLayout(signed(config.accumulator_bits), config.lanes)
        super().__init__({"low": In(lanes), "high": In(lanes), "current": Out(lanes)})

    def elaborate(self, platform):
        m = Module()
        shift = self.config.input_shift
        half = (1 << shift) >> 1
        for lane in range(self.config.lanes):
            total = Signal(signed(self.config.accumulator_bits + GROUP_BITS + 1), name=f"total_{lane}")
            m.d.comb += [
                total.eq(self.low[lane] + (self.high[lane] << GROUP_BITS) + half),
                self.current[lane].eq(total >> shift),
            ]
        return m
