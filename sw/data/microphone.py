"""Sound from a microphone, a block at a time; needs the package sounddevice and PortAudio."""

import sys
import time

from sw.data.audio import RATE
from sw.data.resample import Resampler


def package():
    """The sounddevice package; raises `ValueError` where it or PortAudio is missing."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise ValueError(f"no microphone: {error}: `pip install sounddevice` (and Debian's libportaudio2), "
                         "or name a recording") from None
    return sounddevice


def devices():
    """The sound devices as text, a line each with its number."""
    sound = package()
    try:
        return str(sound.query_devices()) or "no sound device"
    except sound.PortAudioError as error:
        raise ValueError(f"no list of devices: {error}") from None


def rate_of(sound, device):
    """16 kHz where a device gives it, else the rate that it prefers: many a sound card has 44.1 and 48 kHz only."""
    try:
        sound.check_input_settings(device=device, channels=1, dtype="float32", samplerate=RATE)
    except sound.PortAudioError:
        return int(sound.query_devices(device, "input")["default_samplerate"])
    return RATE


def blocks(size, device=None, seconds=0):
    """Float32 of about (size,) at 16 kHz, one block after the other, until `seconds` (0: never) are over or Ctrl-C.

    `device`: a number, a name, or None for the default; one that has not 16 kHz is resampled. Sound that comes faster
    than it is taken is lost, which is said once. Raises `ValueError` where there is no such device.
    """
    sound, lost = package(), False
    try:
        rate = rate_of(sound, device)
        ear, size = Resampler(rate), size * rate // RATE
        with sound.InputStream(samplerate=rate, channels=1, dtype="float32", blocksize=size, device=device) as source:
            print("listening; Ctrl-C ends", flush=True)
            end = time.monotonic() + seconds if seconds else float("inf")
            while time.monotonic() < end:
                heard, overflowed = source.read(size)  # float32 (size, 1)
                if overflowed and not lost:
                    print("warning: sound was lost: it comes faster than this model hears it", file=sys.stderr)
                    lost = True
                yield ear.push(heard[:, 0])
    except (sound.PortAudioError, ValueError) as error:  # ValueError: no such device, or several of that name
        raise ValueError(f"no microphone: {' '.join(str(error).split())}; name another with --device (--device list "
                         "prints them), or a recording") from None
    except KeyboardInterrupt:
        return
