"""Sound of another rate that arrives in pieces, resampled: to the bit what `audio.to_rate` makes of the whole."""

from math import gcd

import numpy as np
from scipy.signal import firwin, upfirdn

from sw.data.audio import RATE, AudioError

HALF = 10  # half the filter's length, in samples of the lower rate; with the window, `scipy.signal.resample_poly`'s
WINDOW = ("kaiser", 5.0)


class Resampler:
    """`push` takes float32 (samples,) at `rate` Hz and returns what is ready at `wanted` Hz, `finish` the rest.

    The low-pass is the polyphase filter of `scipy.signal.resample_poly`: 10 samples of the lower rate to either side,
    a Kaiser window of 5, half of its amplitude left at the lower rate's half. It holds back half its length, 0.6 ms at
    16 kHz. Raises `AudioError` for a rate that is not a positive whole number.
    """

    def __init__(self, rate, wanted=RATE):
        if rate != int(rate) or rate <= 0:
            raise AudioError(f"rate={rate!r}: wanted a positive whole number of samples a second")
        common = gcd(int(rate), wanted)
        self.up, self.down = wanted // common, int(rate) // common
        self._restart()
        if self.up == self.down:
            return
        slower = max(self.up, self.down)
        before = self.down - HALF * slower % self.down
        taps = firwin(2 * HALF * slower + 1, 1 / slower, window=WINDOW).astype(np.float32)
        taps *= self.up
        self._taps = np.concatenate([np.zeros(before, np.float32), taps])
        self._skip = (HALF * slower + before) // self.down  # outputs before the first that is wanted

    def _restart(self):
        self._kept, self._first = np.zeros(0, np.float32), 0  # input still needed, and its place: a multiple of `down`
        self._given = 0

    def push(self, wave):
        """Float32 (samples,), of any length -> float32, perhaps none."""
        wave = np.asarray(wave, np.float32)
        if self.up == self.down:
            return wave
        self._kept = np.concatenate([self._kept, wave])
        # output m looks at input up to (m + skip) down / up
        return self._take(-(-self._heard() * self.up // self.down) - self._skip)

    def finish(self):
        """The sound is over: the samples still held back. Starts anew."""
        if self.up == self.down:
            return np.zeros(0, np.float32)
        wanted = -(-self._heard() * self.up // self.down)
        self._kept = np.concatenate([self._kept, np.zeros(len(self._taps) // self.up + self.down, np.float32)])
        last = self._take(wanted)
        self._restart()
        return last

    def _heard(self):
        return self._first + len(self._kept)

    def _take(self, until):
        if until <= self._given:
            return np.zeros(0, np.float32)
        at = self._skip - self._first // self.down * self.up  # of output 0 in what is computed
        ready = upfirdn(self._taps, self._kept, self.up, self.down)[self._given + at:until + at]
        self._given = until
        oldest = -(-((until + self._skip) * self.down - len(self._taps) + 1) // self.up)  # that the next one looks at
        start = max(self._first, oldest // self.down * self.down)
        self._kept, self._first = self._kept[start - self._first:], start
        return ready
