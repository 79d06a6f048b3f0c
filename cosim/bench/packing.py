"""Wide ports as arrays of lanes, lane 0 in the low bits."""

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
