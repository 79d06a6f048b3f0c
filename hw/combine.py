"""Input current from the two digit-group sums of type A.

    current[i] = (low[i] + (high[i] << 4) + 2^(s-1)) >> s,  s = input_shift   (round half up)

Combinational. The result has the unit of a recurrent weight's last bit (docs/arithmetic.md) and starts the
recurrent sums: set 0 always, set 1 at two time steps.
"""

from amaranth import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .config import GROUP_BITS


class Combine(wiring.Component):
    """Per lane: group sums in, input current out, all int13 (`paper`)."""

    clocked = False

    def __init__(self, *, config):
        self.config = config
        lanes = data.ArrayLayout(signed(config.accumulator_bits), config.neurons)
        super().__init__({"low": In(lanes), "high": In(lanes), "current": Out(lanes)})

    def elaborate(self, platform):
        m = Module()
        shift = self.config.input_shift
        half = (1 << shift) >> 1
        for lane in range(self.config.neurons):
            total = Signal(signed(self.config.accumulator_bits + GROUP_BITS + 1), name=f"total_{lane}")
            m.d.comb += [
                total.eq(self.low[lane] + (self.high[lane] << GROUP_BITS) + half),
                self.current[lane].eq(total >> shift),
            ]
        return m
