"""The spikes that a scan takes: one layer's, as they are or as many frames late as each neuron's delay says.

    late[i] = spikes of neuron i, d_i frames ago          d_i: its delay on the way into one matrix, 0 to the most

Shift registers of bits keep the layer's last frames, one more each time the LIF unit commits a frame; a table has the
delays, loaded over the load port, 16 a word of 64 bits. A layer that nobody delays costs a wire. Combinational.
"""

from amaranth import Array, Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lif import pick
from .program import sources
from .sizes import DELAY_BITS
from .types import index_bits


class SpikeSelect(wiring.Component):
    """Selects, delays and aligns spikes for `ZeroSkip`.

    spikes   In   [2 x layer + step], the newest frame's, from the LIF unit
    commit   In   [layers] the newest frame of a layer is about to be replaced
    clear    In   forget earlier frames
    source   In   which spikes: index in `program.sources(config)`
    write    In   take a row of delays, as `row`, `data` (`Buffer.DELAYS`); only where there are delays
    chosen   Out  [2] time steps: the layer's low half of neurons, then, from bit `config.half` on, its high half
    present  Out  the neurons that it has, likewise
    before   Out  [2] what was `chosen` of them in the frame before, only where sums are kept
    """

    def __init__(self, *, config):
        c = self.config = config
        self.clocked = any(c.frames_kept(k) for k in range(len(c.layers)))
        half = 2 * c.half
        ports = {
            "spikes": In(c.widest).array(2 * len(c.layers)),
            "commit": In(len(c.layers)),
            "clear": In(1),
            "source": In(index_bits(len(sources(c)))),
            "chosen": Out(half).array(2),
            "present": Out(half),
        }
        if c.changes():
            ports["before"] = Out(half).array(2)
        if c.delays():
            rows = max(rows.stop for rows in c.delay_rows().values())
            ports |= {"write": In(1), "row": In(index_bits(rows)), "data": In(c.load_bits)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        c = self.config
        frames = [self._history(m, k) for k in range(len(c.layers))]
        delays = {matrix: self._table(m, matrix) for matrix in c.delays()}
        chosen, before, present = [[], []], [[], []], []
        for layer, matrix in sources(c):
            n = c.layers[layer].neurons
            for step in range(2):
                history = [frame[step] for frame in frames[layer]]
                chosen[step].append(self._halves(self._late(history, layer, matrix, delays), layer))
                if c.changes():  # of a source whose sums nobody keeps there may be no earlier frame: nobody asks
                    earlier = history[1:] or history
                    before[step].append(self._halves(self._late(earlier, layer, matrix, delays), layer))
            present.append(self._halves(Const((1 << n) - 1, n), layer))
        for step in range(2):
            m.d.comb += self.chosen[step].eq(pick(self.source, chosen[step]))
            if c.changes():
                m.d.comb += self.before[step].eq(pick(self.source, before[step]))
        m.d.comb += self.present.eq(pick(self.source, present))
        return m

    def _late(self, history, layer, matrix, delays):
        """Spikes on their way into a matrix, out of a layer's frames, newest first."""
        n = self.config.layers[layer].neurons
        if not matrix:
            return history[0][:n]
        frames = history[:self.config.delays()[matrix][1] + 1]
        return Cat(Array(frame[i] for frame in frames)[delays[matrix][i]] for i in range(n))

    def _halves(self, bits, layer):
        low = self.config.half_of(layer)
        return Cat(bits[:low], Const(0, self.config.half - low), bits[low:])

    def _history(self, m, layer):
        """Frames of a layer's spikes, newest first, each [2] time steps."""
        n = self.config.layers[layer].neurons
        frames = [[self.spikes[2 * layer + step] for step in range(2)]]
        for back in range(1, self.config.frames_kept(layer) + 1):
            kept = [Signal(n, name=f"earlier_{layer}_{back}_{step}") for step in range(2)]
            for newer, older in zip(frames[-1], kept, strict=True):
                with m.If(self.clear):
                    m.d.sync += older.eq(0)
                with m.Elif(self.commit[layer]):
                    m.d.sync += older.eq(newer)
            frames.append(kept)
        return frames

    def _table(self, m, matrix):
        """Delay of each of the matrix's inputs."""
        c = self.config
        layer, most = c.delays()[matrix]
        delays = [Signal(range(most + 1), name=f"delay_{matrix}_{i}") for i in range(c.layers[layer].neurons)]
        for row, at in zip(c.delay_rows()[matrix], range(0, len(delays), c.delays_a_word), strict=True):
            with m.If(self.write & (self.row == row)):
                m.d.sync += [delay.eq(self.data.word_select(i, DELAY_BITS))
                             for i, delay in enumerate(delays[at:at + c.delays_a_word])]
        return delays
