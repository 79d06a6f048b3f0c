"""The accelerator on AXI: AXI4-Lite for control and loading, AXI4-Stream for features and logits.

Refused accesses answer SLVERR, addresses without a register DECERR. Reads and writes take turns; one is under way at
a time. Every output comes from a register, as AXI asks for. A write is answered three cycles after both its address
and its data have come, a read likewise.

Features: 32 bits a beat, four signed 8-bit features, the first in the low byte, TLAST with the frame's last beat.
Logits: `logits_per_beat` values of 16 bits (32 where 16 are too few), sign-extended, TLAST with the frame's last.
Both are used while the register `streams` says so.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..hierarchy import place
from .peripheral import Peripheral
from .register_map import ADDRESS_BITS, WORD_BITS, WORD_BYTES


def logit_width(config):
    """Bits of a logit on the stream."""
    return 16 if config.result_bits <= 16 else 32


class AxiPeripheral(wiring.Component):
    """Ports `s_axil_*` (AXI4-Lite), `s_axis_*` (features in), `m_axis_*` (logits out), `irq`; reset is active high."""

    def __init__(self, *, config):
        self.config = config
        self.module_name = "accelerator_axi"
        super().__init__({
            "s_axil_awaddr": In(ADDRESS_BITS), "s_axil_awprot": In(3), "s_axil_awvalid": In(1),
            "s_axil_awready": Out(1),
            "s_axil_wdata": In(WORD_BITS), "s_axil_wstrb": In(WORD_BYTES), "s_axil_wvalid": In(1),
            "s_axil_wready": Out(1),
            "s_axil_bresp": Out(2), "s_axil_bvalid": Out(1), "s_axil_bready": In(1),
            "s_axil_araddr": In(ADDRESS_BITS), "s_axil_arprot": In(3), "s_axil_arvalid": In(1),
            "s_axil_arready": Out(1),
            "s_axil_rdata": Out(WORD_BITS), "s_axil_rresp": Out(2), "s_axil_rvalid": Out(1), "s_axil_rready": In(1),
            "s_axis_tdata": In(WORD_BITS), "s_axis_tvalid": In(1), "s_axis_tready": Out(1), "s_axis_tlast": In(1),
            "m_axis_tdata": Out(config.results_per_beat * logit_width(config)), "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1), "m_axis_tlast": Out(1),
            "irq": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        m.submodules.peripheral = place(inner := Peripheral(config=c, streams=True), platform)
        request = inner.request
        address, have_address = self._held(m, "aw", self.s_axil_awaddr, request.valid & request.write)
        write, have_write = self._held(m, "w", Cat(self.s_axil_wdata, self.s_axil_wstrb.all()),
                                       request.valid & request.write)
        read, have_read = self._held(m, "ar", self.s_axil_araddr, request.valid & ~request.write)

        # One access at a time; a read goes before a write if the last access was a write.
        writing, under_way = Signal(), Signal()
        can_write = have_address & have_write & ~self.s_axil_bvalid
        can_read = have_read & ~self.s_axil_rvalid
        m.d.comb += [
            request.valid.eq((can_write | can_read) & ~under_way),
            request.write.eq(can_write & ~(can_read & writing)),
            request.address.eq(Mux(request.write, address, read)),
            request.whole.eq(Mux(request.write, write[-1], 1)), request.write_data.eq(write),
        ]
        with m.If(request.valid):
            m.d.sync += [writing.eq(request.write), under_way.eq(1)]
        with m.Elif(request.done):
            m.d.sync += under_way.eq(0)
        answers = (("b", ~0, {"bresp": request.reply}),
                   ("r", 0, {"rresp": request.reply, "rdata": request.read_data}))
        for channel, of_writes, values in answers:
            valid, ready = (getattr(self, f"s_axil_{channel}{end}") for end in ("valid", "ready"))
            with m.If(request.done & (writing if of_writes else ~writing)):
                m.d.sync += valid.eq(1)
                m.d.sync += [getattr(self, f"s_axil_{name}").eq(value) for name, value in values.items()]
            with m.Elif(ready):
                m.d.sync += valid.eq(0)

        m.d.comb += [
            inner.features.p["values"].eq(self.s_axis_tdata), inner.features.p.last.eq(self.s_axis_tlast),
            inner.features.valid.eq(self.s_axis_tvalid), self.s_axis_tready.eq(inner.features.ready),
            self.m_axis_tvalid.eq(inner.logits.valid), inner.logits.ready.eq(self.m_axis_tready),
            self.m_axis_tlast.eq(inner.logits.p.last), self.irq.eq(inner.irq),
        ]
        width = logit_width(c)
        m.d.comb += [self.m_axis_tdata[i * width:(i + 1) * width].eq(inner.logits.p["values"][i])
                     for i in range(c.results_per_beat)]
        return m

    def _held(self, m, channel, payload, used):
        """A channel's payload in a register, and whether it is there; `ready` while it is not."""
        value, full = Signal(len(payload), name=f"{channel}_value"), Signal(name=f"{channel}_full")
        valid, ready = (getattr(self, f"s_axil_{channel}{end}") for end in ("valid", "ready"))
        m.d.comb += ready.eq(~full)
        with m.If(valid & ~full):
            m.d.sync += [value.eq(payload), full.eq(1)]
        with m.Elif(used):
            m.d.sync += full.eq(0)
        return value, full
