"""A few wide words in flip-flops, with the ports and the timing of `WeightBuffer`: for tables too short for an SRAM.

The address is registered instead of the row, which saves a register as wide as a word.
"""

from amaranth import Module, Signal
from amaranth.lib import wiring

from .lif import pick
from .types import index_bits, memory_ports


class RegisterFile(wiring.Component):
    """`rows` x `width` bits; ports: `types.memory_ports`."""

    def __init__(self, *, rows, width, load_bits):
        self.rows, self.width, self.load_bits = rows, width, load_bits
        self.module_name = f"register_file_{rows}x{width}"
        super().__init__(memory_ports(rows, width, load_bits))

    def elaborate(self, platform):
        m = Module()
        words = [Signal(self.width, name=f"word_{row}") for row in range(self.rows)]
        address = Signal(index_bits(self.rows))
        for row, word in enumerate(words):
            for part in range(self.width // self.load_bits):
                with m.If(self.enable & self.write[part] & (self.address == row)):
                    m.d.sync += word.word_select(part, self.load_bits).eq(self.write_data)
        with m.If(self.enable & ~self.write.any()):
            m.d.sync += address.eq(self.address)
        m.d.comb += self.read_data.eq(pick(address, words))
        return m
