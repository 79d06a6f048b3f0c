"""What leaves in place of a frame's logits: the largest of them, or the largest of their sums over frames, and which.

    argmax   value = max_i logit_i                                       index = the lowest i that has it
    sum      sum_i = saturate(sum_i + logit_i), since the last clear;    value = max_i sum_i, index likewise

i runs over the first `readout_outputs` outputs, the rest is padding. A beat of the drain is looked at in the cycle in
which it comes; the result leaves in the cycle after the last one, and holds up the next frame's beats until then. Sums
have `SUM_BITS` bits more than a logit, room for 256 frames of any logits, and saturate beyond.
"""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .lif import pick
from .types import drain_layout, logits_layout


def way_out(m, add, config, drain, clear, logits):
    """Joins the drain's beats to the stream `logits` that leaves, through a `Readout` where the configuration has one.

    `add` places a block by name. Returns whether anything is on its way.
    """
    if config.readout == "logits":
        connect(m, drain.logits, flipped(logits))
        return drain.logits.valid
    readout = add("readout", Readout(config=config))
    connect(m, drain.logits, readout.beats)
    connect(m, readout.results, flipped(logits))
    if config.readout == "sum":
        m.d.comb += readout.clear.eq(clear)
    return drain.logits.valid | readout.results.valid


class Readout(wiring.Component):
    """Between the drain and the way out.

    beats    In   stream of `types.drain_layout`
    results  Out  stream of `types.logits_layout`: one beat a frame, its value, then its index
    clear    In   sums start from zero; only with `sum`
    """

    def __init__(self, *, config):
        c = self.config = config
        super().__init__({
            "beats": In(stream.Signature(drain_layout(c))), "results": Out(stream.Signature(logits_layout(c))),
            **({"clear": In(1)} if c.readout == "sum" else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c, beats, results = self.config, self.beats, self.results
        least = -1 << c.value_bits - 1
        number = Signal(range(max(2, c.beats)))  # of the beat, in its frame
        full, fire = Signal(), Signal()
        value, index = Signal(signed(c.value_bits)), Signal(range(max(2, c.decided)))
        m.d.comb += [
            beats.ready.eq(~full | results.ready), fire.eq(beats.valid & beats.ready), results.valid.eq(full),
            results.p["values"][0].eq(value), results.p["values"][1].eq(index), results.p.last.eq(1),
        ]
        found = (Mux(number == 0, least, value), Mux(number == 0, 0, index))  # the best so far; of equals the first
        for i in range(c.logits_per_beat):
            amount = Signal(signed(c.value_bits), name=f"amount_{i}")
            m.d.comb += amount.eq(self._sum(m, i, number, fire) if c.readout == "sum" else beats.p["values"][i])
            takes_part = pick(number, [int(b * c.logits_per_beat + i < c.decided) for b in range(c.beats)])
            better = Signal(name=f"better_{i}")
            best, which = Signal.like(value, name=f"best_{i}"), Signal.like(index, name=f"which_{i}")
            m.d.comb += [better.eq((amount > found[0]) & takes_part), best.eq(Mux(better, amount, found[0])),
                         which.eq(Mux(better, number * c.logits_per_beat + i, found[1]))]
            found = best, which
        with m.If(fire):
            m.d.sync += [value.eq(found[0]), index.eq(found[1]), number.eq(Mux(beats.p.last, 0, number + 1)),
                         full.eq(beats.p.last)]
        with m.Elif(results.ready):
            m.d.sync += full.eq(0)
        return m

    def _sum(self, m, place, number, fire):
        """The sum of the output at `place` in the beat at hand, this frame's logit in it."""
        c = self.config
        sums = [Signal(signed(c.value_bits), name=f"sum_{output}") if output < c.decided else 0
                for output in range(place, c.outputs, c.logits_per_beat)]
        top, exact = (1 << c.value_bits - 1) - 1, Signal(signed(c.value_bits + 1), name=f"exact_{place}")
        after = Signal(signed(c.value_bits), name=f"after_{place}")
        m.d.comb += [exact.eq(pick(number, sums) + self.beats.p["values"][place]),
                     after.eq(Mux(exact > top, top, Mux(exact < -top - 1, -top - 1, exact)))]
        for beat, kept in enumerate(sums):
            if isinstance(kept, int):
                continue
            with m.If(self.clear):
                m.d.sync += kept.eq(0)
            with m.Elif(fire & (number == beat)):
                m.d.sync += kept.eq(after)
        return after
