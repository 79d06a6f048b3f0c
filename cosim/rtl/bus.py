"""The Verilated accelerator on its bus, in a process of its own, with the C driver compiled on top.

    with VerilatedBus(config, "axi") as bus:
        Driver(bus, config, streams=True)        the Python driver: `read` and `write` are accesses of the bus
        bus.call("open", 0)                      the C driver's calls: result, then values
"""

import os
import subprocess
from pathlib import Path

from cosim.errors import HarnessError
from cosim.rtl import builder
from hw.bus import export
from hw.driver.driver import BusError
from hw.header import header

HERE = Path(__file__).parent
DRIVER = Path(export.__file__).parents[1] / "driver"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
STREAMS = {"axi": True, "wishbone": False}


def headers(config, bus):
    """What C software of a configuration includes: file name -> text."""
    return {"accelerator.h": header(config), "registers.h": export.c_header(config, STREAMS[bus]),
            **{name: (DRIVER / name).read_text() for name in ("sottovoce.h", "sottovoce.c")}}


class VerilatedBus:
    """A context manager. Raises `cosim.errors.CosimError` where it does not build, hangs or dies.

    `sanitized`: the C driver dies of what it reads or writes out of bounds and of undefined behaviour.
    """

    def __init__(self, config, bus, quiet=True, sanitized=False):
        top = f"accelerator_{bus}"
        folder = builder.build(builder.Design(
            label=f"{config.name}-bus-{bus}{'-sanitized' if sanitized else ''}", top=top, prefix="Vbus",
            mains={"bus": HERE / "bus.cpp"},
            sources={f"{top}.v": builder.verilog(top, config, quiet), **headers(config, bus)},
            defines=(*(("-DBUS_AXI",) if bus == "axi" else ()), *(SANITIZERS if sanitized else ())),
            link=SANITIZERS if sanitized else ()), quiet)
        # the model frees nothing when it ends
        self._process = subprocess.Popen([folder / "bus"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         stderr=subprocess.PIPE, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"})

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._process.stderr.close()

    def call(self, name, *values):
        """One command of `bus.cpp` -> list of int: the result, then values."""
        try:
            self._process.stdin.write(" ".join(map(str, (name, *values))) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise HarnessError(f"{name}: {self._process.stderr.read().strip() or 'the simulation ended'}")
        return [int(word) for word in line.split()]

    def read(self, address):
        """A word; raises `BusError` for an error reply."""
        reply, value = self.call("r", address)
        if reply:
            raise BusError(f"a read of {address:#x} was refused: reply {reply}")
        return value

    def write(self, address, value):
        """Write a word; raises `BusError` for an error reply."""
        reply, = self.call("w", address, value)
        if reply:
            raise BusError(f"a write of {value:#x} to {address:#x} was refused: reply {reply}")
