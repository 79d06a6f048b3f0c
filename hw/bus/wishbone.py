"""The accelerator as a Wishbone B4 classic peripheral: 32-bit data, word addresses, `err` for what is refused.

`ack` or `err` comes in the cycle after `stb`. `adr` counts words (byte address / 4), and `sel` must name all four
bytes, for reads too: a bus that splits a byte access gets `err`.
"""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..hierarchy import place
from .peripheral import Peripheral
from .register_block import Reply
from .register_map import ADDRESS_BITS, WORD_BITS, WORD_BYTES


class WishbonePeripheral(wiring.Component):
    """Slave port `wb_*`; `irq` is high while an enabled interrupt waits."""

    def __init__(self, *, config):
        self.config = config
        self.module_name = "accelerator_wishbone"
        super().__init__({
            "wb_cyc": In(1), "wb_stb": In(1), "wb_we": In(1), "wb_adr": In(ADDRESS_BITS - 2),
            "wb_sel": In(WORD_BYTES), "wb_dat_w": In(WORD_BITS), "wb_dat_r": Out(WORD_BITS), "wb_ack": Out(1),
            "wb_err": Out(1), "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.peripheral = place(inner := Peripheral(config=self.config, streams=False), platform)
        request, selected = inner.request, self.wb_cyc & self.wb_stb
        okay = request.reply == Reply.OKAY
        m.d.comb += [
            request.valid.eq(selected & ~request.done), request.write.eq(self.wb_we),
            request.address.eq(self.wb_adr << 2), request.whole.eq(self.wb_sel.all()),
            request.write_data.eq(self.wb_dat_w), self.wb_dat_r.eq(request.read_data),
            self.wb_ack.eq(selected & request.done & okay), self.wb_err.eq(selected & request.done & ~okay),
            self.irq.eq(inner.irq),
        ]
        return m
