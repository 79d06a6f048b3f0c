"""VexRiscv (rv32im, caches; others' Verilog) with memory, the accelerator, a serial port and a cycle counter.

    0x00000000   memory, outside: a synchronous SRAM on the ports `ram_*`; the program starts at 0
    0x80000000   the accelerator (hw/bus), 4 KB
    0x90000000   + 0: serial port, write a character; read 1 while it is busy
                 + 4: clock cycles since reset
                 + 8: write: the program has ended, with this code
                 + 12: byte address of the first access that was refused, with bit 0 set; a write clears it

The core does not cache addresses from 0x80000000 on. Instruction and data ports take turns, data first. The core has
no use for a bus error: it would wait for an acknowledge for ever. So an access that nobody answers, or that the
accelerator refuses, is acknowledged (a read gives 0), its address is kept, and the software interrupt is raised until
the program clears it.
"""

from pathlib import Path

from amaranth import Cat, ClockSignal, Const, Instance, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bus.wishbone import WishbonePeripheral
from ..hierarchy import place
from .uart import UartTransmitter

CORE = "VexRiscv"
RAM_WORDS = 1 << 18  # 1 MB: half a minute of sound, and the program
DIVISOR = 16         # clock cycles a bit of the serial port
SEEN = data.StructLayout({"fetch_ack": 1, "access_ack": 1, "fault": 1, "interrupt": 1, "fetch": 1, "access": 1,
                          "write": 1, "sel": 4})
RAM_PAGE, ACCELERATOR_PAGE, BOARD_PAGE = 0x0, 0x8, 0x9  # the highest 4 bits of an address


def core_text():
    """The core's Verilog, from its wheel; raises `CoreError` where it is not installed."""
    try:
        from pythondata_cpu_vexriscv import data_location
    except ImportError:
        raise CoreError("pythondata-cpu-vexriscv is missing: run `pip install 'sottovoce[system]'`") from None
    return (Path(data_location) / f"{CORE}.v").read_text()


class CoreError(RuntimeError):
    """The processor's Verilog is not there."""


class System(wiring.Component):
    """`tx`: the serial line. `done` and `exit_code`: what the program wrote to end.

    `ram_read_data` is the word at `ram_address` of the cycle before, if `ram_select` was high; `ram_write` has a bit
    for each byte. `seen_*` is what goes to and from the core's two buses, for who replays it (hw/flow/core_energy.py).
    """

    def __init__(self, *, config, ram_words=RAM_WORDS):
        self.config, self.ram_words = config, ram_words
        self.module_name = "soc"
        super().__init__({
            "ram_select": Out(1), "ram_write": Out(4), "ram_address": Out(range(ram_words)), "ram_write_data": Out(32),
            "ram_read_data": In(32), "tx": Out(1, init=1), "done": Out(1), "exit_code": Out(32),
            "seen_flags": Out(SEEN), "seen_read": Out(32), "seen_fetch": Out(30), "seen_access": Out(30),
            "seen_write": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.accelerator = place(accelerator := WishbonePeripheral(config=self.config), platform)
        m.submodules.uart = place(uart := UartTransmitter(divisor=DIVISOR), platform)
        ports = {name: {part: Signal(width, name=f"{name}_{part}") for part, width in (
            ("cyc", 1), ("stb", 1), ("we", 1), ("adr", 30), ("dat_w", 32), ("sel", 4), ("ack", 1))}
            for name in ("ibus", "dbus")}
        read_data, fault = Signal(32), Signal(32)
        m.submodules.core = Instance(CORE, **self._core_ports(ports, read_data, accelerator.irq, fault[0]))

        # Who has the bus: kept until the access is answered
        data_first, held, holder = Signal(), Signal(), Signal()
        ibus, dbus = ports["ibus"], ports["dbus"]
        m.d.comb += data_first.eq(Mux(held, holder, dbus["cyc"] & dbus["stb"]))
        ack, err = Signal(), Signal()
        bus = {part: Mux(data_first, dbus[part], ibus[part]) for part in ("cyc", "stb", "we", "adr", "dat_w", "sel")}
        active = Signal()
        m.d.comb += active.eq(bus["cyc"] & bus["stb"])
        m.d.sync += [held.eq(active & ~ack & ~err), holder.eq(data_first)]
        m.d.comb += [dbus["ack"].eq((ack | err) & data_first), ibus["ack"].eq((ack | err) & ~data_first)]

        page = bus["adr"][26:]
        inside = {RAM_PAGE: bus["adr"][:26] < self.ram_words, ACCELERATOR_PAGE: bus["adr"][:26] < 1024,
                  BOARD_PAGE: bus["adr"][:26] < 4}
        selected = {number: Signal(name=f"selected_{number}") for number in inside}
        for number, within in inside.items():
            m.d.comb += selected[number].eq(active & (page == number) & within)
        nobody = active & ~(selected[RAM_PAGE] | selected[ACCELERATOR_PAGE] | selected[BOARD_PAGE])
        answered = Signal()  # by memory, the board's registers, or nobody: one cycle after
        m.d.sync += answered.eq((selected[RAM_PAGE] | selected[BOARD_PAGE] | nobody) & ~answered)
        board_data = self._board(m, bus, selected[BOARD_PAGE] & ~answered, uart, fault)
        with m.If(err & ~fault[0]):
            m.d.sync += fault.eq(Cat(1, Const(0, 1), bus["adr"]))
        m.d.comb += [
            self.ram_select.eq(selected[RAM_PAGE] & ~answered), self.ram_address.eq(bus["adr"]),
            self.ram_write.eq(Mux(bus["we"] & self.ram_select, bus["sel"], 0)), self.ram_write_data.eq(bus["dat_w"]),
            accelerator.wb_cyc.eq(selected[ACCELERATOR_PAGE]), accelerator.wb_stb.eq(selected[ACCELERATOR_PAGE]),
            accelerator.wb_we.eq(bus["we"]), accelerator.wb_adr.eq(bus["adr"]), accelerator.wb_sel.eq(bus["sel"]),
            accelerator.wb_dat_w.eq(bus["dat_w"]),
            ack.eq(accelerator.wb_ack | answered & ~nobody), err.eq(accelerator.wb_err | answered & nobody),
            read_data.eq(Mux(selected[RAM_PAGE], self.ram_read_data,
                             Mux(selected[BOARD_PAGE], board_data, accelerator.wb_dat_r))),
            self.tx.eq(uart.tx),
            self.seen_flags.eq(Cat(ibus["ack"], dbus["ack"], fault[0], accelerator.irq, ibus["cyc"] & ibus["stb"],
                                   dbus["cyc"] & dbus["stb"], dbus["we"], dbus["sel"])),
            self.seen_read.eq(read_data), self.seen_fetch.eq(ibus["adr"]), self.seen_access.eq(dbus["adr"]),
            self.seen_write.eq(dbus["dat_w"]),
        ]
        return m

    def _board(self, m, bus, selected, uart, fault):
        """Serial port, cycle counter, end, the first fault; returns what is read."""
        cycles, value = Signal(32), Signal(32)
        m.d.sync += cycles.eq(cycles + 1)
        register = bus["adr"][:2]
        m.d.comb += [uart.character.eq(bus["dat_w"]), uart.start.eq(selected & bus["we"] & (register == 0))]
        m.d.sync += value.eq(Mux(register == 0, uart.busy, Mux(register == 3, fault, cycles)))
        with m.If(selected & bus["we"] & (register == 3)):
            m.d.sync += fault.eq(0)
        with m.If(selected & bus["we"] & (register == 2)):
            m.d.sync += [self.done.eq(1), self.exit_code.eq(bus["dat_w"])]
        return value

    def _core_ports(self, ports, read_data, irq, fault):
        named = {"i_clk": ClockSignal(), "i_reset": ResetSignal(), "i_externalResetVector": Const(0, 32),
                 "i_timerInterrupt": Const(0, 1), "i_softwareInterrupt": fault,
                 "i_externalInterruptArray": Cat(irq, Const(0, 31))}
        for name, prefix in (("ibus", "iBusWishbone"), ("dbus", "dBusWishbone")):
            port = ports[name]
            named |= {f"o_{prefix}_CYC": port["cyc"], f"o_{prefix}_STB": port["stb"], f"o_{prefix}_WE": port["we"],
                      f"o_{prefix}_ADR": port["adr"], f"o_{prefix}_DAT_MOSI": port["dat_w"],
                      f"o_{prefix}_SEL": port["sel"], f"i_{prefix}_ACK": port["ack"], f"i_{prefix}_ERR": Const(0, 1),
                      f"i_{prefix}_DAT_MISO": read_data}
        return named
