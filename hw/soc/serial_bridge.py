"""A serial line as the master of a Wishbone bus: a computer reads and writes registers over two wires.

    write      57 ("W")  address low, high   data, four bytes, the low one first      ->  4B ("K")
    read       52 ("R")  address low, high                                            ->  4B, data, four bytes
    refused, nobody there                                                             ->  45 ("E")
    not understood                                                                    ->  3F ("?")

Addresses are in bytes; one that is no multiple of four, or lies beyond the accelerator's 4 KB, is refused. A character
that begins no request, one without a stop bit, one that comes while an answer is still waited for (a read was not
answered before the next request but one), and a request whose next character does not come within `patience` cycles:
each is answered by `?`, nothing is read or written, and the bridge listens again once the line was silent for
`patience` cycles. So whatever came before, who waits that long begins anew.

An answer begins a few cycles after a request's last character. Writes may follow each other without waiting: their
answers are shorter than they are. Reads may, too, with three zero characters after each, which are ignored between
requests. `hw.driver.serial_bus` is the other end.
"""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..bus.register_map import ADDRESS_BITS, WORD_BITS, WORD_BYTES
from ..hierarchy import place
from .uart import UartReceiver, UartTransmitter

WRITE, READ, DONE, REFUSED, LOST = (ord(letter) for letter in "WRKE?")
HEAD = 3                  # operation and address
WHOLE = HEAD + WORD_BYTES
CHARACTER = 10            # bits
PATIENCE = 4096           # characters: 41 ms at a million bits a second, more than a USB adapter keeps a byte back


class SerialBridge(wiring.Component):
    """`rx` in, `tx` out; master of `wb_*` (Wishbone B4 classic, word addresses). `divisor` cycles a bit."""

    def __init__(self, *, divisor, patience=None):
        self.divisor, self.patience = divisor, patience or PATIENCE * CHARACTER * divisor
        super().__init__({
            "rx": In(1, init=1), "tx": Out(1, init=1),
            "wb_cyc": Out(1), "wb_stb": Out(1), "wb_we": Out(1), "wb_adr": Out(ADDRESS_BITS - 2),
            "wb_sel": Out(WORD_BYTES), "wb_dat_w": Out(WORD_BITS), "wb_dat_r": In(WORD_BITS), "wb_ack": In(1),
            "wb_err": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = place(receiver := UartReceiver(divisor=self.divisor), platform)
        m.submodules.transmitter = place(transmitter := UartTransmitter(divisor=self.divisor), platform)

        # Answers: characters that wait for the line
        answer, waiting = Signal(8 * (1 + WORD_BYTES)), Signal(range(2 + WORD_BYTES))
        free = Signal()
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx), free.eq(waiting == 0),
                     transmitter.character.eq(answer[:8]), transmitter.start.eq(~free)]
        with m.If(~free & ~transmitter.busy):
            m.d.sync += [answer.eq(answer >> 8), waiting.eq(waiting - 1)]

        def say(letter, data=None):
            m.d.sync += [answer.eq(Cat(Const(letter, 8), 0 if data is None else data)),
                         waiting.eq(1 if data is None else 1 + WORD_BYTES)]

        request, count = Signal(8 * WHOLE), Signal(range(WHOLE))
        operation, address = request[:8], request[8:8 * HEAD]
        silence, silent = Signal(range(self.patience + 1)), Signal()
        m.d.comb += [
            self.wb_adr.eq(address[2:ADDRESS_BITS]), self.wb_dat_w.eq(request[8 * HEAD:]),
            self.wb_we.eq(operation == WRITE), self.wb_sel.eq(Mux(address[:2] == 0, (1 << WORD_BYTES) - 1, 1)),
            silent.eq(silence == self.patience),
        ]
        m.d.sync += silence.eq(Mux(receiver.valid | receiver.broken, 0, silence + ~silent))
        outside = address[ADDRESS_BITS:].any()

        with m.FSM():
            with m.State("LISTEN"):
                known, idle = (receiver.character == WRITE) | (receiver.character == READ), receiver.character == 0
                with m.If(receiver.broken | (receiver.valid & (count == 0) & ~known & ~idle) | ((count != 0) & silent)):
                    m.next = "LOST"
                with m.Elif(receiver.valid & ~((count == 0) & idle)):
                    m.d.sync += [request.word_select(count, 8).eq(receiver.character), count.eq(count + 1)]
                    with m.If(count == Mux(operation == WRITE, WHOLE, HEAD) - 1):
                        m.d.sync += count.eq(0)
                        m.next = "ACCESS"
            with m.State("ACCESS"):
                with m.If(receiver.valid | receiver.broken):
                    m.next = "LOST"
                with m.Elif(free):
                    ends = self.wb_ack | self.wb_err | outside
                    m.d.comb += [self.wb_cyc.eq(~outside), self.wb_stb.eq(~outside)]
                    with m.If(ends):
                        m.next = "LISTEN"
                    with m.If(self.wb_err | outside):
                        say(REFUSED)
                    with m.Elif(self.wb_ack & self.wb_we):
                        say(DONE)
                    with m.Elif(self.wb_ack):
                        say(DONE, self.wb_dat_r)
            with m.State("LOST"):
                with m.If(free):
                    say(LOST)
                    m.d.sync += count.eq(0)
                    m.next = "WAIT"
            with m.State("WAIT"):
                with m.If(silent):
                    m.next = "LISTEN"
        return m
