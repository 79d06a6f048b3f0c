"""espeak-ng as a library: text -> wave and the phones it was made of, with their exact times.

The wheel `espeakng-loader` brings the library and its voices (`pip install 'sottovoce[synthetic]'`). It is GPL-3 and is
loaded at run time only. Phone events of its C interface carry the sample at which each phone begins.
"""

import ctypes
import functools

import numpy as np
from scipy.signal import resample_poly

from sw.data.audio import RATE
from sw.data.labels import Segment
from sw.data.phones import to_40
from sw.data.utterance import DataError

SYNCHRONOUS, PHONEME_EVENTS, UTF8 = 2, 1, 1
PHONEME = 7  # kind of event
SPEED, PITCH, RANGE = 1, 3, 4  # parameters: words a minute; 0 to 100; 0 to 100

# mnemonics of the American voice -> symbols of TIMIT; several share their time equally
SYMBOLS = {
    "A:": "aa", "A@": "aa r", "0": "aa", "aa": "ae", "a": "ae", "a#": "ax", "@": "ax", "@2": "ax", "@-": "ax",
    "@L": "ax l", "3": "axr", "3:": "er", "V": "ah", "E": "eh", "e@": "eh r", "eI": "ey", "I": "ih", "I2": "ix",
    "I#": "ix", "i": "iy", "i:": "iy", "i@": "iy ax", "i@3": "ih r", "O:": "ao", "O2": "ao", "O@": "ao r", "o@": "ao r",
    "OI": "oy", "oU": "ow", "U": "uh", "U@": "uh r", "u:": "uw", "aI": "ay", "aI@": "ay ax", "aI3": "ay er", "aU": "aw",
    "b": "b", "d": "d", "dZ": "jh", "D": "dh", "f": "f", "g": "g", "h": "hh", "j": "y", "k": "k", "l": "l", "m": "m",
    "n": "n", "n-": "en", "N": "ng", "p": "p", "r": "r", "r-": "r", "s": "s", "S": "sh", "t": "t", "t2": "t",
    "t#": "dx", "tS": "ch", "T": "th", "v": "v", "w": "w", "z": "z", "Z": "zh", "?": "q", "_": "h#", "_:": "h#",
    "_!": "h#", "": "h#"}
STRESS = "',%=|"
GLIDE = ";"  # palatalisation that hangs on to the phone before: its time is that phone's


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("unique", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
                ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", _Id)]


_Heard = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Library:
    """The loaded library; what it says arrives in `pieces` and `events`."""

    def __init__(self):
        try:
            import espeakng_loader
            self.c = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
        except (ImportError, OSError, RuntimeError) as error:
            raise DataError("espeak-ng cannot be loaded: pip install espeakng-loader "
                            f"({str(error).splitlines()[0]})") from None
        self.rate = self.c.espeak_Initialize(SYNCHRONOUS, 0, data, PHONEME_EVENTS)
        if self.rate <= 0:
            raise DataError(f"espeak-ng does not start with its data in {data.decode()}")
        self.pieces, self.events = [], []
        self._keep = _Heard(self._heard)  # the library keeps a pointer to it
        self.c.espeak_SetSynthCallback(self._keep)

    def _heard(self, wave, count, events):
        if count and wave:
            self.pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        i = 0
        while events[i].kind:
            if events[i].kind == PHONEME:
                self.events.append((events[i].sample, events[i].id.string.decode("ascii", "replace")))
            i += 1
        return 0


@functools.cache
def library():
    """The library, loaded once."""
    return _Library()


def speak(text, voice="en-us", speed=160, pitch=50, spread=50):
    """English text -> (float32 (samples,) at 16 kHz in -1..1, list of `Segment`, times in its samples).

    `voice`: an American voice of espeak-ng, perhaps with a variant (`en-us+f2`); `speed` in words a minute, `pitch` and
    `spread` 0 to 100. Raises `DataError` for an unknown voice or a phone that has no symbol here.
    """
    it = library()
    if it.c.espeak_SetVoiceByName(voice.encode()):
        raise DataError(f"voice {voice!r}: espeak-ng has no such voice")
    for name, value in ((SPEED, speed), (PITCH, pitch), (RANGE, spread)):
        it.c.espeak_SetParameter(name, int(value), 0)
    it.pieces.clear()
    it.events.clear()
    spoken = text.encode()
    it.c.espeak_Synth(spoken, len(spoken) + 1, 0, 1, 0, UTF8, None, None)
    it.c.espeak_Synchronize()
    if not it.pieces:
        raise DataError(f"text {text!r}: nothing was said")
    wave = np.concatenate(it.pieces).astype(np.float32) / 32768
    wave = resample_poly(wave, RATE, it.rate).astype(np.float32)
    return wave, segments(it.events, len(wave), RATE / it.rate)


def segments(events, samples, scale):
    """Phone events [(start, mnemonic)] -> `Segment`s that fill `samples` without a gap; starts are times `scale`."""
    starts = [(round(start * scale), mnemonic.strip(STRESS)) for start, mnemonic in events]
    starts = [(s, m) for s, m in starts if m != GLIDE]
    result = [] if starts and starts[0][0] == 0 else [Segment(0, starts[0][0] if starts else samples, "sil")]
    for i, (start, mnemonic) in enumerate(starts):
        end = starts[i + 1][0] if i + 1 < len(starts) else samples
        if mnemonic not in SYMBOLS:
            raise DataError(f"espeak-ng says {mnemonic!r}, which has no phone in sw/data/espeak.py")
        symbols = SYMBOLS[mnemonic].split()
        following = SYMBOLS.get(starts[i + 1][1], "") if i + 1 < len(starts) else ""
        if len(symbols) > 1 and symbols[-1] == following:
            symbols.pop()  # the r of `car` is said once in `car on`
        edges = [start + (end - start) * j // len(symbols) for j in range(len(symbols) + 1)]
        for symbol, first, last in zip(symbols, edges, edges[1:], strict=False):
            phone = to_40(symbol)
            if last <= first:
                continue
            if phone is None or (result and phone == "sil" == result[-1].phone):  # glottal stops and joined pauses
                result[-1] = Segment(result[-1].start, last, result[-1].phone)
            else:
                result.append(Segment(first, last, phone))
    return result
