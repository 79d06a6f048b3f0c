"""Zero-skipping, type A: visits the nonzero digits of the input features.

x = low + 16 high; the low group's digits go to PE set 0, the high group's to PE set 1, one digit of each a slot, lowest
first, as a shift of the weight row that both share. A feature takes max(1, nonzero digits of its fuller group)
slots and, if it is not zero, one row read. arXiv 2503.21337, section III (zero-skipping unit). Digit codes:
docs/arithmetic.md.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .config import GROUP_BITS
from .types import digit_scan


def recode(m, x, code):
    """Digits of a signed 8-bit value: (nonzero, negative), one bit for each of the eight digits."""
    nonzero, negative = Signal(8, name="nonzero"), Signal(8, name="negative")
    if code == "twos_complement":
        m.d.comb += [nonzero.eq(x), negative.eq(0x80)]
    elif code == "sign_magnitude":
        m.d.comb += [nonzero.eq(Mux(x < 0, -x, x)), negative.eq((x < 0).replicate(8))]
    else:  # non-adjacent form: digit i from bit i + 1 of 3x and of x
        triple = Signal(signed(10))
        m.d.comb += [triple.eq(x + (x << 1)), nonzero.eq((triple ^ x)[1:9]), negative.eq((~triple & x)[1:9])]
    return nonzero, negative


class InputScan(wiring.Component):
    """Scans one frame's features, and again for each further group of layer 0.

    word   In   the feature of `scan.index`
    scan   Out  `types.digit_scan`
    begun  Out  some of the feature's digits are visited; only with `watchdog`
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({"word": In(signed(config.feature_bits)), "scan": Out(digit_scan(config)),
                          **({"begun": Out(1)} if config.watchdog else {})})

    def elaborate(self, platform):
        m = Module()
        c, scan = self.config, self.scan
        nonzero, negative = recode(m, self.word, c.input_code)
        opened = Signal()
        if c.watchdog:
            m.d.comb += self.begun.eq(opened)
        remaining = [Signal(GROUP_BITS, name=f"remaining_{k}") for k in range(2)]
        after = [Signal(GROUP_BITS, name=f"after_{k}") for k in range(2)]
        done = Signal()
        for k in range(2):
            digits = nonzero[k * GROUP_BITS:(k + 1) * GROUP_BITS]
            signs = negative[k * GROUP_BITS:(k + 1) * GROUP_BITS]
            pending = Signal(GROUP_BITS, name=f"pending_{k}")
            visit = scan.visits[k]
            whole = digits if c.mechanisms.zero_skip_input else (1 << GROUP_BITS) - 1
            m.d.comb += [
                pending.eq(Mux(opened, remaining[k], whole)),
                after[k].eq(pending & (pending - 1)[:GROUP_BITS]),
                visit.shift.eq(Cat(~pending[0] & (pending[1] | ~pending[2]), ~pending[0] & ~pending[1])),
                visit.gate.eq((pending & digits & ~after[k]).any()),
                visit.negate.eq((pending & signs & ~after[k]).any()),
            ]
            with m.If(scan.advance):
                m.d.sync += remaining[k].eq(after[k])
        read = nonzero.any() if c.mechanisms.zero_skip_input else 1
        m.d.comb += [
            done.eq(~(after[0] | after[1]).any()),
            scan.first.eq(~opened & (scan.index == 0)),
            scan.read.eq(~opened & read),
            scan.last.eq(done & (scan.index == c.features - 1)),
        ]
        with m.If(scan.advance):
            m.d.sync += opened.eq(~done)
            with m.If(done):
                m.d.sync += scan.index.eq(Mux(scan.last, 0, scan.index + 1))
        return m
