"""Bus masters of third parties (cocotbext-axi, cocotbext-wishbone) behind one face: a word in or out, and how it went.

    reply, data = await bus.read(0x10)          reply: OKAY, REFUSED or NOWHERE; Wishbone's err is REFUSED for both
    reply = await bus.write(0x28, 3, strobe=0b0011)

Every access must be answered within `PATIENCE` cycles, or `Hang` is raised.
"""

import cocotb
from cocotb.triggers import ClockCycles, First, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource
from cocotbext.axi.axil_channels import (
    AxiLiteARBus,
    AxiLiteARSource,
    AxiLiteARTransaction,
    AxiLiteAWBus,
    AxiLiteAWSource,
    AxiLiteAWTransaction,
    AxiLiteBBus,
    AxiLiteBSink,
    AxiLiteRBus,
    AxiLiteRSink,
    AxiLiteWBus,
    AxiLiteWSource,
    AxiLiteWTransaction,
)
from cocotbext.wishbone.driver import WBOp, WishboneMaster

PATIENCE = 200  # cycles, the masters' own pauses included
OKAY, REFUSED, NOWHERE = "OKAY", "REFUSED", "NOWHERE"
WHOLE = 0xf


class Hang(AssertionError):
    """The design did not answer."""


class AxiBus:
    """AXI4-Lite, driven channel by channel, so that addresses need not be aligned and data may come before them."""

    REPLIES = {0: OKAY, 2: REFUSED, 3: NOWHERE}
    nowhere = NOWHERE

    def __init__(self, dut, chance):
        def of(bus, end):
            return end(bus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)

        self.clk, self.chance = dut.clk, chance
        self.aw, self.w, self.b = of(AxiLiteAWBus, AxiLiteAWSource), of(AxiLiteWBus, AxiLiteWSource), \
            of(AxiLiteBBus, AxiLiteBSink)
        self.ar, self.r = of(AxiLiteARBus, AxiLiteARSource), of(AxiLiteRBus, AxiLiteRSink)

    def channels(self):
        return self.aw, self.w, self.b, self.ar, self.r

    def stall(self, pattern):
        """Pauses on every channel: `pattern()` gives a generator of booleans, or None for no pause."""
        for channel in self.channels():
            _pause(channel, pattern())

    async def write(self, address, data, strobe=WHOLE):
        halves = [lambda: self.aw.send_nowait(AxiLiteAWTransaction(awaddr=address, awprot=0)),
                  lambda: self.w.send_nowait(AxiLiteWTransaction(wdata=data, wstrb=strobe))]
        if self.chance.random() < 0.3:  # data may come before their address
            halves.reverse()
        halves[0]()
        if self.chance.random() < 0.3:
            await ClockCycles(self.clk, self.chance.randrange(4))
        halves[1]()
        return self.REPLIES[int((await answered(self.b.recv(), self.clk)).bresp)]

    async def read(self, address, strobe=WHOLE):
        assert strobe == WHOLE, "AXI4-Lite reads have no strobes"
        self.ar.send_nowait(AxiLiteARTransaction(araddr=address, arprot=0))
        answer = await answered(self.r.recv(), self.clk)
        return self.REPLIES[int(answer.rresp)], int(answer.rdata)

    async def together(self, address, data, reads):
        """A write and reads of addresses, all offered at once: the write's reply, and (reply, data) of each read."""
        writing = cocotb.start_soon(self.write(address, data))
        for where in reads:
            self.ar.send_nowait(AxiLiteARTransaction(araddr=where, arprot=0))
        answers = [await answered(self.r.recv(), self.clk) for _ in reads]
        return await writing, [(self.REPLIES[int(a.rresp)], int(a.rdata)) for a in answers]

    def abandon(self):
        """Under reset: what waits in the channels is dropped."""
        for channel in self.channels():
            channel.clear()


class WishboneBus:
    """Wishbone classic; `adr` counts words, so a misaligned access is one that does not select all four bytes."""

    nowhere = REFUSED

    def __init__(self, dut, chance):
        self.dut, self.clk, self.chance, self.longest = dut, dut.clk, chance, 0
        self._connect()

    def _connect(self):
        names = {"cyc": "cyc", "stb": "stb", "we": "we", "adr": "adr", "datwr": "dat_w", "datrd": "dat_r",
                 "ack": "ack", "sel": "sel", "err": "err"}
        self.master = WishboneMaster(self.dut, "wb", self.clk, timeout=PATIENCE, signals_dict=names)

    def stall(self, pattern):
        """Pauses before each access; the pattern's kind does not matter here."""
        self.longest = 6 if pattern() else 0

    async def _access(self, address, data, strobe):
        idle = self.chance.randrange(self.longest + 1)
        operation = WBOp(adr=address >> 2, dat=data, sel=strobe, idle=idle, acktimeout=PATIENCE)
        try:
            result, = await self.master.send_cycle([operation])
        except AssertionError as error:
            raise Hang(str(error)) from None
        return {1: OKAY, 2: REFUSED}[result.ack], int(result.datrd)

    async def write(self, address, data, strobe=WHOLE):
        return (await self._access(address, data, strobe))[0]

    async def read(self, address, strobe=WHOLE):
        return await self._access(address, None, strobe)

    def abandon(self):
        """Under reset: a master that was cut off in a cycle cannot go on, another takes its place."""
        self.master.busy = False
        self._connect()


class Streams:
    """The AXI4-Streams of features and logits, with pauses of their own."""

    def __init__(self, dut, config, bits):
        self.config, self.bits = config, bits
        self.features = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
        self.logits = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)

    def stall(self, pattern):
        _pause(self.features, pattern())
        _pause(self.logits, pattern())

    def send(self, data):
        """Offer a frame of bytes; TLAST goes with its last beat."""
        self.features.send_nowait(AxiStreamFrame(bytes(data)))

    def abandon(self):
        """Under reset: what waits is dropped."""
        self.features.clear()
        self.logits.clear()

    async def receive(self, cycles):
        """Logits of the next frame, within so many cycles."""
        frame = await answered(self.logits.recv(), self.logits.clock, cycles)
        return [int.from_bytes(frame.tdata[i:i + self.bits // 8], "little", signed=True)
                for i in range(0, len(frame.tdata), self.bits // 8)]


def _pause(end, pattern):
    end.set_pause_generator(pattern)
    if pattern is None:
        end.pause = False  # the pause of the pattern before would last for ever


async def answered(waiting, clk, cycles=PATIENCE):
    """What a coroutine returns; `Hang` if it takes longer than so many cycles."""
    task = cocotb.start_soon(waiting)
    limit = cocotb.start_soon(_elapse(clk, cycles))
    try:
        if await First(task, limit) is _LATE:
            raise Hang(f"no answer for {cycles} cycles")
        return task.result()
    finally:  # cut off by a reset, too: what is left waiting would take the next answer
        task.cancel()
        limit.cancel()


_LATE = object()


async def _elapse(clk, cycles):
    await ClockCycles(clk, cycles)
    await RisingEdge(clk)
    return _LATE
