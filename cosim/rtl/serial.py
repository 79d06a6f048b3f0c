"""The whole design of the FPGA board, Verilated, at the end of its serial line.

    with SerialBoard(config) as port:              `read`, `write`, `reset_input_buffer`, as pyserial's
        driver = Driver(SerialBus(port), config)
"""

import os
import select
import subprocess
from pathlib import Path

from cosim.rtl import builder
from hw import emit
from hw.soc.ulx3s import BAUD, CLOCK_HZ

HERE = Path(__file__).parent


class SerialBoard:
    """A context manager; raises `cosim.errors.CosimError` where it does not build. `patience`: s that a read waits."""

    def __init__(self, config, patience=60, quiet=True):
        self.patience = patience
        folder = builder.build(builder.Design(
            label=f"{config.name}-{emit.BOARD}", top=emit.BOARD, prefix="Vboard", mains={"serial": HERE / "serial.cpp"},
            sources={f"{emit.BOARD}.v": builder.verilog(emit.BOARD, config, quiet),
                     "geometry.hpp": f"#pragma once\nconstexpr int DIVISOR = {CLOCK_HZ // BAUD};\n"}), quiet)
        self._process = subprocess.Popen([folder / "serial"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def write(self, data):
        """Send bytes."""
        self._process.stdin.write(data)

    def reset_input_buffer(self):
        """Drop what has come, and what still comes within a moment."""
        while select.select([self._process.stdout], [], [], 0.5)[0] and os.read(self._process.stdout.fileno(), 4096):
            pass

    def read(self, count):
        """So many bytes, or fewer if none comes for `patience` seconds."""
        data = b""
        while len(data) < count and select.select([self._process.stdout], [], [], self.patience)[0]:
            more = os.read(self._process.stdout.fileno(), count - len(data))
            if not more:
                break
            data += more
        return data
