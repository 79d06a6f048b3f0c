"""Listen for keywords in a recording, or from the microphone.

    sottovoce listen recording.flac

Prints a line for each word heard. With `--truth FILE` (CSV of start, end, label in seconds) hits and false alarms an
hour are counted. Without a recording the microphone is used, for which sounddevice and PortAudio are needed.
"""

import sys
import time

import torch

from sw import options, registry
from sw.data import audio, manifest
from sw.keywords import spotter, stream


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("recording", nargs="?", help="file to listen to (default: the microphone)")
    parser.add_argument("--model", default="sparknet-32",
                        help=f"{', '.join(registry.names('listen', 'keywords'))}, or a folder with a model")
    parser.add_argument("--threshold", type=float, default=stream.THRESHOLD,
                        help="smoothed posterior that detects a word")
    parser.add_argument("--smooth", type=options.whole, default=stream.SMOOTH,
                        help="windows (100 ms apart) that are averaged")
    parser.add_argument("--truth", help="CSV of start, end, label in seconds: counts hits and false alarms")
    parser.add_argument("--device", help="microphone by number or name; 'list' prints them")
    parser.add_argument("--seconds", type=float, default=0, help="stop the microphone after so long; 0: never")


def sound():
    """The sounddevice package; raises `ValueError` where it or PortAudio is missing."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise ValueError(f"no microphone: {error}: `pip install sounddevice` (and Debian's libportaudio2), "
                         "or name a recording") from None
    return sounddevice


def devices():
    """Print the sound devices, a line each with its number."""
    package = sound()
    try:
        print(str(package.query_devices()) or "no sound device")
    except package.PortAudioError as error:
        raise ValueError(f"no list of devices: {error}") from None


def microphone(detector, device=None, seconds=0):
    """Print detections from a microphone (number, name or the default) until `seconds` are over or Ctrl-C."""
    package = sound()
    lost = False
    try:
        with package.InputStream(samplerate=audio.RATE, channels=1, dtype="float32", blocksize=stream.HOP,
                                 device=device) as source:
            print("listening; Ctrl-C ends", flush=True)
            end = time.monotonic() + seconds if seconds else float("inf")
            while time.monotonic() < end:
                heard, overflowed = source.read(stream.HOP)  # float32 (HOP, 1)
                if overflowed and not lost:
                    print("warning: sound was lost: it comes faster than this model hears it", file=sys.stderr)
                    lost = True
                show(detector.push(heard[:, 0]))
    except (package.PortAudioError, ValueError) as error:  # ValueError: no such device, or several of that name
        raise ValueError(f"no microphone: {' '.join(str(error).split())}; name another with --device (--device list "
                         "prints them), or a recording") from None
    except KeyboardInterrupt:
        pass
    show(detector.finish())


def show(detections):
    """A line for each; returns them."""
    for d in detections:
        print(f"{d.time_s:8.2f} s  {d.label:8} {d.score:.2f}", flush=True)
    return detections


def read_truth(path):
    """(start, end, label) rows of a CSV with those columns; raises `ValueError` in one short line otherwise."""
    rows = manifest.rows(path, ("start", "end", "label"))
    try:
        return [(float(r["start"]), float(r["end"]), r["label"]) for r in rows]
    except ValueError as error:
        raise ValueError(f"{path}: wanted start and end in seconds: {str(error)[:80]}") from None


def refuse(args):
    """Raise `ValueError` for options that would have no effect, or no sense."""
    if not args.seconds >= 0:
        raise ValueError(f"--seconds {args.seconds:g}: wanted a positive time, or 0 for no end")
    if not args.recording and args.truth:
        raise ValueError(f"--truth {args.truth}: counts in a recording, not from the microphone: name the recording")
    if args.recording and (args.device or args.seconds):
        raise ValueError("--device and --seconds are the microphone's: leave them out, or the recording")


def run(args):
    """Listen to a recording or the microphone and print what is heard."""
    torch.set_num_threads(1)
    if args.device == "list":
        devices()
        return 0
    refuse(args)
    truth = read_truth(args.truth) if args.truth else None
    detector = stream.Detector(spotter.load(args.model), threshold=args.threshold, smooth=args.smooth)
    if not args.recording:
        device = int(args.device) if args.device and args.device.isdecimal() else args.device
        microphone(detector, device, args.seconds)
        return 0
    wave = audio.read(args.recording, 24 * 3600)
    found = []
    for start in range(0, len(wave), 10 * audio.RATE):
        found += show(detector.push(wave[start:start + 10 * audio.RATE]))
    found += show(detector.finish())
    if truth is not None:
        show_rate(stream.rate(found, truth, len(wave) / audio.RATE))
    else:
        print(f"{len(found)} word{'s' * (len(found) != 1)} in {len(wave) / audio.RATE:.1f} s")
    return 0


def show_rate(r):
    """Print hits and false alarms in words."""
    print(f"{r['hits']} of {r['words']} words found ({r['hit_rate']:g} %), {r['false_alarms']} false alarms in "
          f"{r['seconds']:g} s, {r['false_alarms_per_hour']:g} an hour: {r['wrong_word']} of another word than was "
          f"said, {r['doubles']} of a word reported twice, {r['between']} where no word was")
