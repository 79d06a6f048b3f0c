"""The accelerator on an ULX3S (a Radiona board with an ECP5 LFE5U-85F), behind its USB serial port.

    USB -- FTDI FT231X -- serial bridge (hw/soc/serial_bridge.py) -- Wishbone -- accelerator

Clock: the board's 25 MHz, undivided. Serial line: 1,000,000 bits a second, 8N1. Button F1 resets. Lights, from D0 on:
a heartbeat of 1.5 Hz; an interrupt waits; something is received; something is sent. The pins are in
constraints/ecp5/ulx3s.lpf.
"""

from amaranth import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..bus.wishbone import WishbonePeripheral
from ..hierarchy import place
from .serial_bridge import SerialBridge

CLOCK_HZ = 25_000_000
BAUD = 1_000_000
START = 15  # cycles of reset after configuration
LIGHTS = 8


class Ulx3s(wiring.Component):
    """Ports by the names of the board's constraint file; those of the serial port are the FTDI's: `ftdi_txd` comes in.

    `divisor` cycles a bit; `patience`: see `SerialBridge`.
    """

    def __init__(self, *, config, divisor=CLOCK_HZ // BAUD, patience=None):
        self.config, self.divisor, self.patience = config, divisor, patience
        self.module_name = "ulx3s"
        super().__init__({
            "clk_25mhz": In(1), "ftdi_txd": In(1, init=1), "ftdi_rxd": Out(1, init=1), "btn_f1": In(1),
            "led": Out(LIGHTS), "wifi_gpio0": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.domains.start = ClockDomain(reset_less=True)
        m.domains.sync = ClockDomain()
        button, left, beat = Signal(), Signal(range(START + 1), init=START), Signal(24)
        m.submodules.button = FFSynchronizer(self.btn_f1, button, o_domain="start")
        m.d.comb += [ClockSignal("start").eq(self.clk_25mhz), ClockSignal().eq(self.clk_25mhz),
                     ResetSignal().eq(left != 0)]
        with m.If(button):
            m.d.start += left.eq(START)
        with m.Elif(left != 0):
            m.d.start += left.eq(left - 1)

        m.submodules.bridge = place(bridge := SerialBridge(divisor=self.divisor, patience=self.patience), platform)
        m.submodules.accelerator = place(accelerator := WishbonePeripheral(config=self.config), platform)
        for name in ("cyc", "stb", "we", "adr", "sel", "dat_w"):
            m.d.comb += getattr(accelerator, f"wb_{name}").eq(getattr(bridge, f"wb_{name}"))
        for name in ("dat_r", "ack", "err"):
            m.d.comb += getattr(bridge, f"wb_{name}").eq(getattr(accelerator, f"wb_{name}"))
        m.d.sync += beat.eq(beat + 1)
        m.d.comb += [
            bridge.rx.eq(self.ftdi_txd), self.ftdi_rxd.eq(bridge.tx),
            self.led[0].eq(beat[-1]), self.led[1].eq(accelerator.irq), self.led[2].eq(~self.ftdi_txd),
            self.led[3].eq(~bridge.tx),
            self.wifi_gpio0.eq(1),  # low would start the board's other processor in place of this design
        ]
        return m
