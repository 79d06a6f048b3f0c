"""FC weights of which at most two of four neighbouring lanes are not zero, packed: a row in three quarters of the bits.

    four lanes  =  weight a, weight b, lane of a (2 bits), lane of b (2 bits), from bit 0 on; the other two are zero

Combinational, behind the read data of an FC bank. A weight of 0 may name any lane.
"""

from amaranth import Module, Mux, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

GROUP, PLACE_BITS = 4, 2


class TwoOfFour(wiring.Component):
    """One row.

    packed  In   as it is stored
    row     Out  the weights, a lane each
    """

    clocked = False

    def __init__(self, *, config):
        self.config = config
        super().__init__({"packed": In(config.fc_row_bits),
                          "row": Out(data.ArrayLayout(signed(config.weight_bits), config.lanes))})

    def elaborate(self, platform):
        m = Module()
        bits = self.config.weight_bits
        width = 2 * (bits + PLACE_BITS)
        for lane in range(self.config.lanes):
            group = self.packed[lane // GROUP * width:(lane // GROUP + 1) * width]
            found = 0
            for k in range(2):
                weight = group[k * bits:(k + 1) * bits]
                place = group[2 * bits + k * PLACE_BITS:2 * bits + (k + 1) * PLACE_BITS]
                found |= Mux(place == lane % GROUP, weight, 0)
            m.d.comb += self.row.as_value()[lane * bits:(lane + 1) * bits].eq(found)
        return m
