"""Sums over spikes that are kept from frame to frame, and input currents that wait, between PE sets and LIF.

    delta_k   = what PE set k has summed: of changes, or, where a frame sums anew, of all spikes
    sum_k     = delta_k + (use ? sum_k of the frame before : 0)        kept, a word of neurons at a time
    current_k = sum_k + (layer 0, serial_combine ? input current : 0)

With `step_difference` PE set 1 has summed what time step 1 adds to time step 0: delta_1 is the sum of both sets.

Integers do not drift: sum_k is the sum over the spikes of time step k, to the bit, however it came about. At one time
step delta_0 is the sum of both sets, and sum_1 has no meaning. Kept sums and waiting input currents live in memories
outside, read with the LIF unit's state and written with it, so that no lane of a PE set waits for them. docs/energy.md
says where that pays. The input current (`hw.combine`) is made a word at a time in slots of its own, before layer 0's
sums begin.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, Signature

from .combine import input_current
from .lif import pick
from .types import index_bits


def change_control():
    """What the sequencer says and hears of kept sums.

    use           Out  this frame goes on from the sums that are kept; holds from its first slot to its last
    read          Out  with `word_read`: of the kept sums too
    read_current  Out  with `word_read`: of the input currents too
    forget        In   the sums that are kept are not those of the weights, or of cleared spikes
    """
    return Signature({"use": Out(1), "read": Out(1), "read_current": Out(1), "forget": In(1)})


def stored(row_bits, rows):
    """A word on its way into a memory: enable, row, data."""
    return Signature({"enable": Out(1), "row": Out(index_bits(rows)), "data": Out(row_bits)})


class KeptSums(wiring.Component):
    """Serves the word of `lif_lanes` neurons that the LIF unit has at work, combinationally.

    enable, store, layer, word, chunk, step    In   of the LIF unit's operation (`types.operation_layout`)
    two_steps     In   the current is set `step`'s; low: the sum of both sets
    use           In   kept sums are gone on from; low: they begin anew
    accumulators  In   [2] lanes, the PE sets'
    currents      Out  a current a neuron of the word
    fetched       In   the word's kept sums, time step 0 first; as `kept`, only where a layer keeps sums
    kept          Out  `stored`, two slots after the word's first
    combine       In   the word's input currents are made and stored; as `current`, `waiting`, with `serial_combine`
    waiting       In   the word's input currents
    current       Out  `stored`, in the slot of `combine`
    """

    def __init__(self, *, config):
        c = self.config = config
        lanes = data.ArrayLayout(signed(c.accumulator_bits), c.lanes)
        ports = {
            "enable": In(1), "store": In(1), "layer": In(index_bits(len(c.layers))),
            "word": In(index_bits(c.words)), "chunk": In(index_bits(c.lanes // c.lif_lanes)), "step": In(1),
            "two_steps": In(1), "use": In(1), "accumulators": In(lanes).array(2),
            "currents": Out(data.ArrayLayout(signed(c.accumulator_bits + 1), c.lif_lanes)),
        }
        if c.sums_kept:
            ports |= {"fetched": In(c.kept_row_bits), "kept": Out(stored(c.kept_row_bits, c.words))}
        if c.serial_combine:
            ports |= {"combine": In(1), "waiting": In(c.current_row_bits),
                      "current": Out(stored(c.current_row_bits, c.words))}
        super().__init__(ports)
        self.clocked = c.sums_kept

    def elaborate(self, platform):
        m = Module()
        c = self.config
        sums, made = [[], []], []
        keeps = pick(self.layer, [int(layer.on_change) for layer in c.layers])
        for lane in range(c.lif_lanes):
            set_ = [pick(self.chunk, [self.accumulators[k][chunk * c.lif_lanes + lane]
                                      for chunk in range(c.lanes // c.lif_lanes)]) for k in range(2)]
            total = Signal(signed(c.accumulator_bits + 1), name=f"sum_{lane}")
            if c.step_difference:
                delta = set_[0] + Mux(self.two_steps & ~self.step, 0, set_[1])
            else:
                delta = Mux(self.two_steps, Mux(self.step, set_[1], set_[0]), set_[0] + set_[1])
            if c.sums_kept:
                before = Signal(signed(c.kept_bits), name=f"before_{lane}")
                m.d.comb += before.eq(Mux(self.use & keeps, Mux(self.step, *self._fetched(lane)), 0))
                delta = delta + before
                for k in range(2):
                    kept = Signal(signed(c.kept_bits), name=f"kept_{lane}_{k}")
                    with m.If(self.enable & (self.step == k)):
                        m.d.sync += kept.eq(total)
                    sums[k].append(kept)
            m.d.comb += total.eq(delta)
            if c.serial_combine:
                waits = self.waiting[lane * c.accumulator_bits:(lane + 1) * c.accumulator_bits].as_signed()
                m.d.comb += self.currents[lane].eq(total + Mux(self.layer == 0, waits, 0))
                made.append(input_current(set_[0], set_[1], c.input_shift)[:c.accumulator_bits])
            else:
                m.d.comb += self.currents[lane].eq(total)
        if c.sums_kept:
            m.d.sync += [self.kept.enable.eq(self.store & keeps), self.kept.row.eq(self.word)]
            m.d.comb += self.kept.data.eq(Cat(*sums[0], *sums[1]))
        if c.serial_combine:
            m.d.comb += [self.current.enable.eq(self.combine), self.current.row.eq(self.word),
                         self.current.data.eq(Cat(*made))]
        return m

    def _fetched(self, lane):
        """Kept sums of time step 1 and 0 of a lane."""
        bits, lanes = self.config.kept_bits, self.config.lif_lanes
        return [self.fetched[(k * lanes + lane) * bits:(k * lanes + lane + 1) * bits].as_signed() for k in (1, 0)]
