"""The load port: takes words between frames, refuses and counts those that lead nowhere, holds registers.

    taken[buffer] = valid and ready and the row and slice exist       refused otherwise, and `errors` + 1

What is refused changes nothing else. A buffer that the configuration lacks has no rows; a register that it lacks is no
row of `Buffer.REGISTER`. One word a cycle; registers show a word from the next cycle on. docs/load-port.md.
"""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .interface import Buffer, Register
from .types import Mode, load_layout

ERROR_BITS = 8  # of the counter, which stays at its end


def load_targets(config):
    """What the load port reaches beside registers: value of `Buffer` -> (rows, slices of a row)."""
    targets = {Buffer[name.upper()].value: (rows, bits // config.load_bits)
               for name, (rows, bits) in config.sizes().items()}
    if config.neuron_bits:
        targets[Buffer.NEURONS.value] = (config.words, config.neuron_bits // config.load_bits)
    if delays := config.delay_rows():
        targets[Buffer.DELAYS.value] = (max(rows.stop for rows in delays.values()), 1)
    return targets


class LoadPort(wiring.Component):
    """Decodes words; `p` of the stream passes by, with `taken` to say whose it is.

    load            In   stream of `types.load_layout`
    open            In   words may be taken
    taken           Out  by value of `Buffer`: a word of that buffer is taken in this cycle
    thresholds      Out  [layers], 1 after reset, 0 where neurons have their own
    mode            Out  what a frame runs as
    clear_state     Out  in the cycle of that word: potentials and spikes to zero
    clear_counters  Out  likewise: counters to zero, `errors` too
    errors          Out  words refused since, at most 255
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({
            "load": In(stream.Signature(load_layout(config))),
            "open": In(1),
            "taken": Out(len(Buffer)),
            "thresholds": Out(config.potential_bits).array(len(config.layers)),
            "mode": Out(Mode),
            "clear_state": Out(1),
            "clear_counters": Out(1),
            "errors": Out(ERROR_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        word = self.load.p
        exists, offered = Signal(), Signal()
        registers = self._registers()
        m.d.comb += [self.load.ready.eq(self.open), offered.eq(self.load.valid & self.open)]
        m.d.comb += [shown.eq(value) for value, shown in registers.values()]
        with m.Switch(word.buffer):
            for number, (rows, slices) in load_targets(self.config).items():
                with m.Case(number):
                    m.d.comb += exists.eq((word.row < rows) & (word.slice < slices))
            with m.Case(Buffer.REGISTER):
                self._write(m, registers, exists, offered)
        m.d.comb += self.taken.eq((offered & exists) << word.buffer)
        with m.If(self.clear_counters):
            m.d.sync += self.errors.eq(0)
        with m.Elif(offered & ~exists & ~self.errors.all()):
            m.d.sync += self.errors.eq(self.errors + 1)
        return m

    def _registers(self):
        """Row of `Buffer.REGISTER` -> (what is kept, the port that shows it)."""
        kept = {Register[f"THRESHOLD{k}"]: (Signal(self.config.potential_bits, name=f"threshold_{k}", init=1),
                                            self.thresholds[k])
                for k, layer in enumerate(self.config.layers) if layer.threshold == "layer"}
        return kept | {Register.MODE: (Signal(Mode, name="mode_register").as_value(), self.mode.as_value())}

    def _write(self, m, registers, exists, offered):
        """A word for a register, or a clear; both in slice 0."""
        word = self.load.p
        with m.If(word.slice == 0):
            with m.Switch(word.row):
                for register, (value, _) in registers.items():
                    with m.Case(register.value):
                        m.d.comb += exists.eq(1)
                        with m.If(offered):
                            m.d.sync += value.eq(word.data)
                with m.Case(Register.CLEAR.value):
                    m.d.comb += [exists.eq(1), self.clear_state.eq(offered & word.data[0]),
                                 self.clear_counters.eq(offered & word.data[1])]
