"""Logits leave straight from the PE sets, before the next pass begins: no copy of their accumulators.

PE set 0's group first, as beats of `logits_per_beat` neighbouring outputs; the last pass of an odd group count sends
the sum of the two sets instead: one group. With `readout_on_change` a beat is what the PE sets have summed, of changes,
on top of the logits of the frame before, which two memories keep, even beats in the one and odd ones in the other:
while one beat is written, the next is read. One beat a cycle; the first leaves in the cycle after `start`.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, Signature

from .lif import pick
from .types import drain_layout, index_bits


def drain_control():
    """What the sequencer says.

    start      Out  the pass is summed: from the next cycle on its logits may leave
    last_pass  Out  it is a frame's last
    keep       Out  the sums are of changes: the logits of the frame before come on top
    """
    return Signature({"start": Out(1), "last_pass": Out(1), "keep": Out(1)})


def kept_memory(config):
    """One of the two memories: a cycle either reads or writes; the row comes in the cycle after."""
    rows = max(2, -(-config.beats // 2))
    return Signature({"enable": Out(1), "write": Out(1), "row": Out(index_bits(rows)),
                      "data": Out(config.logit_row_bits), "fetched": In(config.logit_row_bits)})


class DirectDrain(wiring.Component):
    """Sends accumulators as they stand; they must stand until `ready`.

    control       `drain_control`
    accumulators  In   [2] lanes, the PE sets'
    ready         Out  the last beat leaves in this cycle, or has left: sums may begin anew with the next operation
    logits        Out  stream of `types.drain_layout`
    memories      [2] `kept_memory`, with `readout_on_change`
    """

    def __init__(self, *, config):
        c = self.config = config
        lanes = data.ArrayLayout(signed(c.accumulator_bits), c.lanes)
        super().__init__({
            "control": In(drain_control()), "accumulators": In(lanes).array(2), "ready": Out(1),
            "logits": Out(stream.Signature(drain_layout(c))),
            **({"memories": Out(kept_memory(c)).array(2)} if c.readout_on_change else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        per_group = c.lanes // c.logits_per_beat
        # Beats of the last pass; its last group may be partly filled.
        tail = (c.outputs - (c.passes - 1) * 2 * c.lanes) // c.logits_per_beat
        left, beat, half = Signal(range(2 * per_group + 1)), Signal(range(max(2, per_group))), Signal()
        final, fire, ends = Signal(), Signal(), Signal()
        m.d.comb += [
            self.logits.valid.eq(left != 0), fire.eq(self.logits.valid & self.logits.ready), ends.eq(left == 1),
            self.ready.eq((left == 0) | (fire & ends)), self.logits.p.last.eq(final & ends),
        ]
        with m.If(self.control.start):
            m.d.sync += [left.eq(Mux(self.control.last_pass, tail, 2 * per_group)),
                         final.eq(self.control.last_pass), beat.eq(0), half.eq(0)]
        with m.Elif(fire):
            group_ends = beat == per_group - 1
            m.d.sync += [left.eq(left - 1), beat.eq(Mux(group_ends, 0, beat + 1)), half.eq(half ^ group_ends)]
        kept = self._kept(m, final, fire, ends) if c.readout_on_change else [0] * c.logits_per_beat
        for i in range(c.logits_per_beat):
            low, high = (pick(beat, [self.accumulators[k][b * c.logits_per_beat + i] for b in range(per_group)])
                         for k in range(2))
            logit = Mux(half, high, low)
            if c.split_pass:
                logit = Mux(final, low, logit) + Mux(final, high, 0)
            m.d.comb += self.logits.p["values"][i].eq(logit + kept[i])
        return m

    def _kept(self, m, final, fire, ends):
        """The logits of the frame before, of this beat; those that leave take their place."""
        c = self.config
        number, keep, begins = Signal(range(max(2, c.beats))), Signal(), self.control.start
        following = Signal(range(max(2, c.beats) + 1))
        read = Signal()  # of beat `following`
        m.d.comb += [
            following.eq(Mux(begins, number, number + 1)),
            read.eq(Mux(begins, self.control.keep, keep & fire & ~ends)),
        ]
        with m.If(begins):
            m.d.sync += keep.eq(self.control.keep)
        with m.Elif(fire):
            m.d.sync += number.eq(Mux(final & ends, 0, number + 1))
        for k, memory in enumerate(self.memories):
            m.d.comb += [
                memory.write.eq(fire & (number[0] == k)), memory.enable.eq(memory.write | read & (following[0] == k)),
                memory.row.eq(Mux(memory.write, number >> 1, following >> 1)),
                memory.data.eq(Cat(self.logits.p["values"].as_value())),
            ]
        fetched, bits = Mux(number[0], self.memories[1].fetched, self.memories[0].fetched), c.logit_bits
        return [Mux(keep, fetched[i * bits:(i + 1) * bits].as_signed(), 0) for i in range(c.logits_per_beat)]
