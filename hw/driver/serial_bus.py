"""Registers over a serial line, for `hw.driver.driver.Driver`: the computer's end of `hw.soc.serial_bridge`.

    import serial                                                        pyserial
    port = serial.Serial("/dev/ttyUSB0", 1_000_000, timeout=1)
    driver = Driver(SerialBus(port), config)                             then as on any bus

Writes are sent at once and their answers looked at later, at the next read or `flush`: a frame goes out in one piece,
not in one round trip a word; reads of the same register share one, too. So a write that was refused is told by the call
after it, with the write's address.
"""

import time

from .driver import BusError, DriverError

SILENCE_S = 0.1   # after which the board listens anew
PAUSE = bytes(3)  # between reads: an answer is longer than its request
POSTED = 64       # writes that wait for their answers at most: less than any system's buffer


class SerialBus:
    """`port`: `write(bytes)`, `read(count) -> bytes`, fewer than wanted after the port's own time-out, and
    `reset_input_buffer()`: what another left on the line, answers or half a request, is waited for and dropped."""

    def __init__(self, port):
        time.sleep(SILENCE_S)
        port.reset_input_buffer()
        self.port = port
        self._posted = []

    def write(self, address, value):
        """Send a write of a 32-bit word."""
        self.port.write(b"W" + address.to_bytes(2, "little") + value.to_bytes(4, "little"))
        self._posted.append(address)
        if len(self._posted) >= POSTED:
            self.flush()

    def read(self, address):
        """A word. Raises `BusError` for what was refused, this or a write before it, `DriverError` for silence."""
        return self.read_many(address, 1)[0]

    def read_many(self, address, count):
        """The same register so many times, one after another, in one round trip; raises as `read`."""
        self.port.write((b"R" + address.to_bytes(2, "little") + PAUSE) * count)
        refused, values = self._settle(), []
        for _ in range(count):
            if self._answer(f"a read of {address:#x}") == b"E":
                refused.append(f"a read of {address:#x}")
            else:
                values.append(int.from_bytes(self._take(4, f"a read of {address:#x}"), "little"))
        self._tell(refused)
        return values

    def flush(self):
        """Wait for the answers of all writes; raises `BusError` naming the first that was refused."""
        self._tell(self._settle())

    def _settle(self):
        posted, self._posted = self._posted, []
        return [f"a write to {address:#x}" for address in posted if self._answer(f"a write to {address:#x}") == b"E"]

    def _tell(self, refused):
        if refused:
            more = f", and {len(refused) - 1} accesses after it" if len(refused) > 1 else ""
            raise BusError(f"{refused[0]} was refused{more}")

    def _answer(self, what):
        letter = self._take(1, what)
        if letter not in (b"K", b"E"):
            said = "it was not understood" if letter == b"?" else f"{letter!r} came back"
            raise DriverError(f"{what}: {said}: open the bus and the driver again")
        return letter

    def _take(self, count, what):
        data = self.port.read(count)
        if len(data) < count:
            raise DriverError(f"{what}: no answer on the serial line: is the board on, its design loaded?")
        return data
