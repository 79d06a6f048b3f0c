"""What goes over the socket: frames as packed bytes, everything else as JSON objects with a `type`.

From the server, binary: two uint32, the number of the first frame and the frames T; then, each of all frames: features
int8 (T, F); for every layer the spikes, bit k x N_l + n of ceil(K x N_l / 8) bytes, lowest bit first; logits int32
(T, O) if they were asked for. Little-endian, nothing between the parts. Sizes are in the message `started`.

To the server, binary: float32 samples of the microphone, or the bytes of a file.
"""

import json
import struct

import numpy as np

HEAD = struct.Struct("<II")
MOST_LEVEL = 8  # full scale is 1; a microphone's gain may go beyond, bytes that are no sound do by far


class Refused(ValueError):
    """A message that cannot be taken; the words go to the client."""


def pack(first, x, spikes, logits=None):
    """Bytes of frames: features (T, F), spikes (T, K, N_l) a layer, perhaps logits (T, O)."""
    parts = [HEAD.pack(first, len(x)), np.ascontiguousarray(x, np.int8).tobytes()]
    parts += [np.packbits(s.reshape(len(s), -1), axis=1, bitorder="little").tobytes() for s in spikes]
    if logits is not None:
        parts.append(logits.astype("<i4").tobytes())
    return b"".join(parts)


def unpack(data, started):
    """(first, x, spikes, logits or None) of what `pack` made; sizes of the message `started`."""
    first, frames = HEAD.unpack_from(data)
    at, steps, spikes = HEAD.size, started["time_steps"], []

    def take(count, kind):
        nonlocal at
        found = np.frombuffer(data, kind, frames * count, at).reshape(frames, count)
        at += found.nbytes
        return found

    x = take(started["features"], np.int8)
    for neurons in started["layers"]:
        bits = np.unpackbits(take(-(-steps * neurons // 8), np.uint8), axis=1, count=steps * neurons, bitorder="little")
        spikes.append(bits.reshape(frames, steps, neurons).astype(bool))
    logits = take(started["outputs"], np.dtype("<i4")) if started["logits"] else None
    return first, x, tuple(spikes), logits


def said(text):
    """The JSON object of a text message. Raises `Refused`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise Refused(f"{text[:60]!r}: wanted a JSON object with a type")
    return found


def field(message, name, kind, default=None):
    """A field of a message. Raises `Refused` quoting what is of another kind."""
    value = message.get(name, default)
    if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
        raise Refused(f"{name}: {json.dumps(value)[:60]}: wanted {getattr(kind, '__name__', 'a number')}")
    return value


def samples(data):
    """Float32 (samples,) of a binary message of the microphone. Raises `Refused`."""
    if len(data) % 4:
        raise Refused(f"{len(data)} bytes of sound: wanted float32 samples, 4 bytes each")
    wave = np.frombuffer(data, "<f4")
    if not np.isfinite(wave).all():
        raise Refused("sound with samples that are not finite")
    if (level := np.abs(wave).max(initial=0)) > MOST_LEVEL:
        raise Refused(f"sound of level {level:g}: wanted float32 samples within ±1 (±{MOST_LEVEL} at most)")
    return wave
