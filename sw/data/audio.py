"""Recordings as mono float32 at 16 kHz, whatever the file held.

Wrong rates are resampled (polyphase), channels mixed down; NIST SPHERE (TIMIT's `.wav`) is read like WAV or FLAC.
A file that cannot serve raises `AudioError` with one line that names it.
"""

import logging
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from sw.data.repair import byte_slips

LOG = logging.getLogger(__name__)

RATE = 16000
LONGEST_S = 120.0  # what one utterance may last; a frame is 10 ms, so 12,000 frames
RATES = (1000, 768000)  # Hz that are resampled
CANCELS = 1e-4  # of the channels' energy that mixing must leave: less is two channels of opposite sign
SHORTEST_S = 0.025  # one analysis window
MOST_CHUNKS = 1000  # of a RIFF file that are looked at


class AudioError(ValueError):
    """A recording that cannot be used; the message names the file and the reason."""


def read(path, longest_s=LONGEST_S):
    """Read a recording; returns float32 (samples,) in -1..1 at 16 kHz, mono.

    Raises `AudioError` if the file is missing, unreadable, truncated, empty, not finite or longer than `longest_s`.
    """
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"{path}: no such audio file")
    try:
        with soundfile.SoundFile(path) as source:
            rate, frames = source.samplerate, source.frames
            if not RATES[0] <= rate <= RATES[1]:
                raise AudioError(f"{path}: {rate} samples a second: wanted {RATES[0]} to {RATES[1]}")
            if frames > longest_s * rate:
                raise AudioError(f"{path}: {frames / rate:.1f} s is too long; at most {longest_s:g} s")
            if source.subtype in ("PCM_16", "ULAW", "ALAW"):
                wave, slipped = byte_slips_of(source.read(dtype="int16", always_2d=True))
            else:
                wave, slipped = source.read(dtype="float32", always_2d=True), 0  # (samples, channels)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"{path}: not readable as audio: {' '.join(str(error).split())}") from None
    if len(wave) < frames - 8 or _payload_missing(path, frames * wave.shape[1]):
        raise AudioError(f"{path}: truncated: the header promises {frames} samples, the file holds fewer")
    if slipped:
        LOG.warning("%s: a byte was lost in this file: %.2f s of it read one byte aside", path, slipped / rate)
    if not np.isfinite(wave).all():
        raise AudioError(f"{path}: holds samples that are not finite")
    mixed = wave.mean(1)
    if wave.shape[1] > 1 and np.square(mixed).sum() < CANCELS * np.square(wave).mean(1).sum():
        raise AudioError(f"{path}: its {wave.shape[1]} channels cancel each other (opposite signs): give one of them")
    wave = to_rate(mixed, rate)
    if len(wave) < SHORTEST_S * RATE:
        raise AudioError(f"{path}: {len(wave)} samples at {RATE} Hz are too few; "
                         f"one window is {SHORTEST_S * 1000:g} ms")
    return wave


def byte_slips_of(wave):
    """Int16 (samples, channels) -> float32 of the same shape and the misread samples; only mono is repaired."""
    slipped = 0
    if wave.shape[1] == 1:
        repaired, slipped = byte_slips(wave[:, 0])
        wave = repaired[:, None]
    return wave.astype(np.float32) / 32768, slipped


def to_rate(wave, rate, wanted=RATE):
    """Resample float (samples,) from `rate` to `wanted` Hz by polyphase filtering; returns float32."""
    if rate <= 0:
        raise AudioError(f"rate={rate!r}: wanted a positive number of samples a second")
    if rate == wanted:
        return np.ascontiguousarray(wave, dtype=np.float32)
    common = gcd(int(rate), wanted)
    return resample_poly(wave, wanted // common, int(rate) // common).astype(np.float32)


def _data_chunk(source, size):
    """Where a RIFF file's samples begin and the bytes of them that its header promises; (0, 0) if it has none."""
    at = 12
    for _ in range(MOST_CHUNKS):
        if at + 8 > size:
            break
        source.seek(at)
        head = source.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            return at + 8, length
        at += 8 + length + length % 2  # chunks begin at even bytes
    return 0, 0


def _payload_missing(path, samples):
    """True where a RIFF or SPHERE header promises more data than the file has (libsndfile clips it silently)."""
    size = path.stat().st_size
    with path.open("rb") as source:
        head = source.read(1024)
        at, promised = _data_chunk(source, size) if head[:4] == b"RIFF" else (0, 0)
    if head[:4] == b"RIFF":
        # 0 and 2^32 - 1 mark streams whose writer did not know the length
        return 0 < promised < 0xFFFFFFFF - 8192 and at + promised > size + 1
    if head[:7] == b"NIST_1A":
        fields = dict(line.split()[::2] for line in head.decode("ascii", "replace").splitlines()
                      if len(line.split()) == 3)
        count = int(fields.get("sample_count", 0)) * int(fields.get("channel_count", 1))
        width = int(fields.get("sample_n_bytes", 2))
        plain = "embedded" not in head.decode("ascii", "replace")  # shortened files are smaller by design
        return plain and 1024 + count * width > size
    return False
