"""Input buffer: the features of one frame, filled while earlier layers still compute.

`features` x 8 bit registers (`paper`: 40 of the published 48). Words arrive in order; word i can be read in the
cycle after it arrived. `discard` frees all words once the input layer has used them. One word a cycle. A frame that
has begun to arrive arrives whole: `hold` keeps out the next one only.
"""

from amaranth import Array, Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class InputBuffer(wiring.Component):
    """Stream in, random access out.

    x          In   stream of features, in order
    index      In   the feature asked for
    word       Out  x[index], meaningful while `available`
    available  Out  it has arrived
    discard    In   forget the frame
    hold       In   take no first feature of a frame
    next       Out  the feature asked for is the next to arrive; only with `watchdog`
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({
            "x": In(stream.Signature(signed(config.feature_bits))),
            "index": In(range(config.features)),
            "word": Out(signed(config.feature_bits)),
            "available": Out(1),
            "discard": In(1),
            "hold": In(1),
            **({"next": Out(1)} if config.watchdog else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        words = Array(Signal(signed(c.feature_bits), name=f"word_{i}") for i in range(c.features))
        count = Signal(range(c.features + 1))
        m.d.comb += [
            self.x.ready.eq((count != c.features) & ~(self.hold & (count == 0))),
            self.word.eq(words[self.index]),
            self.available.eq(self.index < count),
        ]
        if c.watchdog:
            m.d.comb += self.next.eq(self.index == count)
        with m.If(self.discard):
            m.d.sync += count.eq(0)
        with m.Elif(self.x.valid & self.x.ready):
            m.d.sync += [words[count].eq(self.x.payload), count.eq(count + 1)]
        return m
