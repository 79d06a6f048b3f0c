"""Listen for keywords: `python -m sw.keywords.listen recording.flac` (or `make listen WAV=...`), or from a microphone.

Prints a line for each word heard. With `--truth FILE` (CSV of start, end, label in seconds) hits and false alarms an
hour are counted. Without a recording the microphone is used, for which sounddevice and PortAudio are needed.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

import torch

from sw.data import audio
from sw.keywords import spotter, stream


def parser():
    """Options of the command."""
    p = argparse.ArgumentParser(prog="python -m sw.keywords.listen", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("recording", nargs="?", help="file to listen to (default: the microphone)")
    p.add_argument("--model", default="sparknet-32", help="keyword model by name, or its folder")
    p.add_argument("--threshold", type=float, default=0.7, help="smoothed posterior that detects a word")
    p.add_argument("--smooth", type=int, default=4, help="windows (100 ms apart) that are averaged")
    p.add_argument("--truth", help="CSV of start, end, label in seconds: counts hits and false alarms")
    p.add_argument("--seconds", type=float, default=0, help="stop the microphone after so long; 0: never")
    return p


def microphone(detector, seconds):
    """Print detections from the microphone until `seconds` are over or the user interrupts."""
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise ValueError(f"no microphone: {error}: `pip install sounddevice` (and Debian's libportaudio2), "
                         "or name a recording") from None
    try:
        with sounddevice.InputStream(samplerate=audio.RATE, channels=1, dtype="float32",
                                     blocksize=stream.HOP) as source:
            print("listening; Ctrl-C ends", flush=True)
            end = time.monotonic() + seconds if seconds else float("inf")
            while time.monotonic() < end:
                show(detector.push(source.read(stream.HOP)[0][:, 0]))
    except sounddevice.PortAudioError as error:
        raise ValueError(f"no microphone: {error}; name a recording") from None
    except KeyboardInterrupt:
        pass


def show(detections):
    """A line for each."""
    for d in detections:
        print(f"{d.time_s:8.2f} s  {d.label:8} {d.score:.2f}", flush=True)


def read_truth(path):
    """(start, end, label) rows of a CSV with those columns."""
    with Path(path).open(newline="") as source:
        try:
            return [(float(r["start"]), float(r["end"]), r["label"]) for r in csv.DictReader(source)]
        except (KeyError, ValueError, TypeError) as error:
            raise ValueError(f"{path}: wanted columns start, end (seconds) and label: {error!r}") from None


def main(argv=None):
    """Listen as told; returns the exit status."""
    args = parser().parse_args(argv)
    torch.set_num_threads(1)
    try:
        detector = stream.Detector(spotter.load(args.model), threshold=args.threshold, smooth=args.smooth)
        if not args.recording:
            microphone(detector, args.seconds)
            return 0
        wave = audio.read(args.recording, 24 * 3600)
        found = []
        for start in range(0, len(wave), 10 * audio.RATE):
            new = detector.push(wave[start:start + 10 * audio.RATE])
            show(new)
            found += new
        if args.truth:
            print(stream.rate(found, read_truth(args.truth), len(wave) / audio.RATE))
        else:
            print(f"{len(found)} words in {len(wave) / audio.RATE:.1f} s")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
