"""Wide ports as arrays of lanes, lane 0 in the low bits; ports of one signature under its name."""

import numpy as np


def pack(values, width):
    """Integers, signed or not, to one unsigned integer of `len(values) * width` bits."""
    codes = np.asarray(values, dtype=np.int64)
    bits = (codes[:, None] >> np.arange(width)) & 1  # (lanes, width)
    return int.from_bytes(np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes(), "little")


def unpack(value, width, lanes, signed=True):
    """One unsigned integer to `lanes` integers of `width` bits, (lanes,) int64."""
    data = np.frombuffer(int(value).to_bytes((lanes * width + 7) // 8, "little"), np.uint8)
    bits = np.unpackbits(data, bitorder="little")[:lanes * width].reshape(lanes, width).astype(np.int64)
    place = 1 << np.arange(width, dtype=np.int64)
    if signed:
        place[-1] = -place[-1]
    return bits @ place


class Ports:
    """Ports of a signature: `Ports(dut, "scan").last` is `dut.scan__last`, `["visits__0"]` is `dut.scan__visits__0`."""

    def __init__(self, dut, name):
        self._dut, self._name = dut, name

    def __getattr__(self, member):
        return getattr(self._dut, f"{self._name}__{member}")

    __getitem__ = __getattr__
