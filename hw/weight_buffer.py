"""One SRAM, of weights or of neurons: single port, synchronous, one row a read.

Behavioural here; synthesis treats the module as a black box with the same ports. A read's row appears one cycle
after `enable`, and stays until the next read, so that several digits of one feature share one read.
"""

from amaranth import Module
from amaranth.lib import memory, wiring

from .types import memory_ports


class WeightBuffer(wiring.Component):
    """`rows` x `width` bits; ports: `types.memory_ports`. `module` begins the Verilog module's name.

    Raises `ValueError` if `width` is not a multiple of `load_bits`.
    """

    def __init__(self, *, rows, width, load_bits, module="weight_buffer"):
        if width % load_bits:
            raise ValueError(f"width={width} is not a multiple of load_bits={load_bits}")
        self.rows, self.width, self.load_bits = rows, width, load_bits
        self.module_name = f"{module}_{rows}x{width}"
        super().__init__(memory_ports(rows, width, load_bits))

    def elaborate(self, platform):
        m = Module()
        m.submodules.cells = cells = memory.Memory(shape=self.width, depth=self.rows, init=[])
        read = cells.read_port()
        write = cells.write_port(granularity=self.load_bits)
        m.d.comb += [
            read.addr.eq(self.address),
            read.en.eq(self.enable & ~self.write.any()),
            self.read_data.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.write_data.replicate(self.width // self.load_bits)),
            write.en.eq(self.write & self.enable.replicate(len(self.write))),
        ]
        return m
