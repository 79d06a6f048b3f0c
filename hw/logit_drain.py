"""Logits leave while the next FC pass computes.

A capture copies both PE sets' accumulators; the copy then leaves as beats of `logits_per_beat` neighbouring outputs,
PE set 0's group first. The last pass of an odd group count captures the sum of the two sets instead: one group.
One beat a cycle; the next capture may come in the cycle after the last beat's.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .types import drain_layout


class LogitDrain(wiring.Component):
    """Copies accumulators and sends them.

    accumulators  In   [2] lanes, the PE sets'
    capture       In   take them; allowed in the cycle after one with `ready` high
    last_pass     In   the capture is a frame's last
    ready         Out  the next cycle may capture
    logits        Out  stream of `types.drain_layout`
    """

    def __init__(self, *, config):
        self.config = config
        lanes = data.ArrayLayout(signed(config.accumulator_bits), config.lanes)
        super().__init__({
            "accumulators": In(lanes).array(2),
            "capture": In(1),
            "last_pass": In(1),
            "ready": Out(1),
            "logits": Out(stream.Signature(drain_layout(config))),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        per_group = c.lanes // c.logits_per_beat
        # Beats of the last pass; its last group may be partly filled.
        tail = (c.outputs - (c.passes - 1) * 2 * c.lanes) // c.logits_per_beat
        beat_bits = c.logits_per_beat * c.logit_bits
        held = [Signal(beat_bits, name=f"held_{beat}") for beat in range(2 * per_group)]
        left = Signal(range(2 * per_group + 1))
        final = Signal()
        fire = Signal()
        m.d.comb += [
            self.logits.valid.eq(left != 0),
            Cat(self.logits.p["values"].as_value()).eq(held[0]),
            self.logits.p.last.eq(final & (left == 1)),
            fire.eq(self.logits.valid & self.logits.ready),
            self.ready.eq(~self.capture & ((left == 0) | (fire & (left == 1)))),
        ]
        logit = [[], []]
        for lane in range(c.lanes):
            low, high = (self.accumulators[k][lane] for k in range(2))
            shared = Signal(signed(c.logit_bits), name=f"shared_{lane}")
            m.d.comb += shared.eq(Mux(self.last_pass, low + high, low) if c.split_pass else low)
            logit[0].append(shared)
            logit[1].append(high[:c.logit_bits])
        flat = Cat(*logit[0], *logit[1])
        with m.If(self.capture):
            m.d.sync += [left.eq(Mux(self.last_pass, tail, 2 * per_group)), final.eq(self.last_pass)]
            m.d.sync += [held[b].eq(flat[b * beat_bits:(b + 1) * beat_bits]) for b in range(len(held))]
        with m.Elif(fire):
            m.d.sync += left.eq(left - 1)
            m.d.sync += [held[b].eq(held[b + 1]) for b in range(len(held) - 1)]
        return m
