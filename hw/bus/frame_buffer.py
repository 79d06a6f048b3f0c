"""Features on their way in: words of four become whole frames, and only whole frames reach the accelerator.

A frame is ceil(features / 4) words of four signed 8-bit features, the first in the low byte; what is left of the last
word is ignored. Words come from a register or from a stream, one a cycle; a complete frame leaves a feature a cycle,
during which no word is taken. A stream marks a frame's last word: one that is marked early or late is dropped whole.
Latency: the first feature is offered in the cycle after the last word.
"""

from amaranth import Array, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .register_map import WORD_BITS

PER_WORD = 4  # 8-bit features
WORD = data.StructLayout({"values": WORD_BITS, "last": 1})


def frame_words(config):
    """Words that hold a frame's features."""
    return -(-config.features // PER_WORD)


class FrameBuffer(wiring.Component):
    """`words` in (payload `values`, `last`), `x` out. `word.ready` does not depend on `word.valid`.

    `marked`: frames are as long as `last` says, and one of another length is dropped with a pulse on `wrong_length`.
    Otherwise `last` is ignored and every frame is as long as it must be. `flush` drops an incomplete frame, `drop`
    (only with `watchdog`) a complete one that is leaving, or would.
    `partial`: some words of a frame are here. `complete` pulses with a frame's last word.
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({
            "words": In(stream.Signature(WORD)), "marked": In(1), "flush": In(1),
            "x": Out(stream.Signature(signed(config.feature_bits))),
            "partial": Out(1), "complete": Out(1), "wrong_length": Out(1),
            **({"drop": In(1)} if config.watchdog else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        count = frame_words(c)
        words = Array(Signal(WORD_BITS, name=f"word_{i}") for i in range(count))
        filled = Signal(range(count + 1))
        leaving, skipping = Signal(), Signal()
        index = Signal(range(c.features))
        take, full, closes = Signal(), Signal(), Signal()
        m.d.comb += [
            self.words.ready.eq(~leaving),
            take.eq(self.words.valid & self.words.ready),
            full.eq(filled == count - 1),
            closes.eq(Mux(self.marked, self.words.p.last, full)),
            self.complete.eq(take & full & closes & ~skipping & ~self.flush),
            self.wrong_length.eq(take & ~skipping & (full != closes)),
            self.partial.eq(filled.any() | skipping),
            self.x.valid.eq(leaving),
            self.x.payload.eq(words[index[2:]].word_select(index[:2], c.feature_bits)),
        ]
        with m.If(take):
            m.d.sync += words[filled].eq(self.words.p["values"])
            with m.If(skipping):
                m.d.sync += skipping.eq(~closes)
            with m.Elif(full | closes):
                m.d.sync += [filled.eq(0), skipping.eq(~closes), leaving.eq(self.complete)]
            with m.Else():
                m.d.sync += filled.eq(filled + 1)
        with m.If(self.flush):
            m.d.sync += [filled.eq(0), skipping.eq(0)]
        with m.If(self.x.valid & self.x.ready):
            m.d.sync += index.eq(index + 1)
            with m.If(index == c.features - 1):
                m.d.sync += [index.eq(0), leaving.eq(0)]
        if c.watchdog:
            with m.If(self.drop):
                m.d.sync += [index.eq(0), leaving.eq(0)]
        return m
