"""One PE set: `lanes` lanes of spike AND weight, shift, accumulate.

    accumulator[i] = (clear ? 0 : accumulator[i]) + (gate ? ±(weight[i] << shift) : 0)

arXiv 2503.21337, section III (PE array). Weights int4, shift 0..3, accumulators int13 (`paper`), which cannot overflow
for any weights (docs/arithmetic.md). Latency 1 cycle, one row a cycle.
"""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class PeArray(wiring.Component):
    """`lanes` accumulators fed by one weight row a cycle.

    row           In   the weights, a lane each
    gate          In   the row is added; low leaves the accumulators as they are
    shift         In   the row's weights are doubled so often
    negate        In   ... and subtracted
    clear         In   the sum starts from zero
    load          In   `value` is taken in place of a sum
    value         In   a value a lane; neither where `serial_combine` loads nothing
    accumulators  Out  a sum a lane
    """

    def __init__(self, *, config):
        self.config = config
        lanes = data.ArrayLayout(signed(config.accumulator_bits), config.lanes)
        super().__init__({
            "row": In(data.ArrayLayout(signed(config.weight_bits), config.lanes)),
            "gate": In(1),
            "shift": In(2),
            "negate": In(1),
            "clear": In(1),
            **({} if config.serial_combine else {"load": In(1), "value": In(lanes)}),
            "accumulators": Out(lanes),
        })

    def elaborate(self, platform):
        m = Module()
        width = self.config.weight_bits + 3
        for lane in range(self.config.lanes):
            # One small register a lane, not a slice of a wide one: Verilator runs it several times faster.
            accumulator = Signal(signed(self.config.accumulator_bits), name=f"accumulator_{lane}")
            shifted = Signal(signed(width), name=f"shifted_{lane}")
            addend = Signal(signed(width + 1), name=f"addend_{lane}")
            start = Signal(signed(self.config.accumulator_bits), name=f"start_{lane}")
            # -shifted as one's complement here and carry-in below: one adder a lane
            if self.config.step_difference:  # gated before the shift: a set that is seldom gated has little to toggle
                m.d.comb += [shifted.eq(Mux(self.gate, self.row[lane], 0) << self.shift),
                             addend.eq(Mux(self.negate & self.gate, ~shifted, shifted))]
            else:
                m.d.comb += [shifted.eq(self.row[lane] << self.shift),
                             addend.eq(Mux(self.gate, Mux(self.negate, ~shifted, shifted), 0))]
            m.d.comb += [
                start.eq(Mux(self.clear, 0, accumulator)),
                self.accumulators[lane].eq(accumulator),
            ]
            total = start + addend + (self.negate & self.gate)
            if self.config.serial_combine:
                with m.If(self.gate | self.clear):
                    m.d.sync += accumulator.eq(total)
                continue
            with m.If(self.load):
                m.d.sync += accumulator.eq(self.value[lane])
            with m.Elif(self.gate | self.clear):
                m.d.sync += accumulator.eq(total)
        return m
