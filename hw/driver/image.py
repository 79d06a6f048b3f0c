"""A trained network as one array of 32-bit words that both drivers load: `sv_load_image`, `Driver.load_image`.

    magic "SVIM", hash of the configuration, mode, layers, a threshold for each layer,
    then segments to the end: buffer, first row, words, and that many words of data, the low half of a load word first
"""

from ..bus.identity import config_hash
from ..interface import Buffer, Register

MAGIC = int.from_bytes(b"SVIM", "little")
HEADER = 4  # words before the thresholds


def image_words(config, words):
    """Words of the load port, (buffer, row, slice, data) as `sw.integers.images.load_words` gives them, -> list of int.

    Raises `ValueError` if they are not a whole network.
    """
    registers = {row: data for buffer, row, _, data in words if buffer == Buffer.REGISTER.value}
    thresholds = [registers.get(Register[f"THRESHOLD{layer}"].value, 0) for layer in range(len(config.layers))]
    if Register.MODE.value not in registers:
        raise ValueError(f"{config.name}: no mode among the words: give all of load_words")
    image = [MAGIC, config_hash(config), registers[Register.MODE.value], len(thresholds), *thresholds]
    before, start = None, 0
    for buffer, row, _, data in words:
        if buffer == Buffer.REGISTER.value:
            continue
        if before is None or (buffer, row) not in ((before[0], before[1]), (before[0], before[1] + 1)):
            image += [buffer, row, 0]
            start = len(image)
        image += [data >> shift & 0xffffffff for shift in range(0, config.load_bits, 32)]
        image[start - 1] = len(image) - start
        before = buffer, row
    return image
