"""A trained network as one array of 32-bit words that both drivers load: `sv_load_image`, `Driver.load_image`.

    magic "SVIM", hash of the configuration, mode, layers, check word, a threshold for each layer,
    then segments to the end: buffer, first row, words, and that many words of data, the low half of a load word first

The check word is FNV-1a over all others, a word at a time: one damaged word is always noticed, more but for one chance
in 2^32. Both drivers look at it before they touch the hardware.
"""

from ..bus.identity import config_hash
from ..interface import Buffer, Register

MAGIC = int.from_bytes(b"SVIM", "little")
HEADER = 5  # words before the thresholds
CHECK = 4   # where the check word stands
BASIS, PRIME = 2166136261, 16777619  # of FNV-1a, 32 bits


def check_word(image):
    """What the check word of an image must be; the one that is there does not count."""
    value = BASIS
    for at, word in enumerate(image):
        if at != CHECK:
            value = (value ^ word) * PRIME & 0xffffffff
    return value


def image_words(config, words):
    """Words of the load port, (buffer, row, slice, data) as `sw.integers.images.load_words` gives them, -> list of int.

    Raises `ValueError` if they are not a whole network.
    """
    registers = {row: data for buffer, row, _, data in words if buffer == Buffer.REGISTER.value}
    thresholds = [registers.get(Register[f"THRESHOLD{layer}"].value, 0) for layer in range(len(config.layers))]
    if Register.MODE.value not in registers:
        raise ValueError(f"{config.name}: no mode among the words: give all of load_words")
    image = [MAGIC, config_hash(config), registers[Register.MODE.value], len(thresholds), 0, *thresholds]
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
    image[CHECK] = check_word(image)
    return image
