"""Listen to a recording or to the microphone: keywords, or phones as soon as they are settled.

    sottovoce listen recording.flac
    sottovoce listen recording.flac --model rsnn

Prints a line for each word or phone heard. With `--truth FILE` (CSV of start, end, label in seconds) a keyword model's
hits and false alarms an hour are counted. Without a recording the microphone is used, for which sounddevice and
PortAudio are needed.
"""

import torch

from sw import options, registry
from sw.data import audio, manifest, microphone
from sw.integers import integer_model
from sw.keywords import spotter, stream
from sw.phones import live

BLOCK = audio.RATE // 10  # samples of the microphone at a time
PIECE = 10 * audio.RATE   # samples of a recording


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("recording", nargs="?", help="file to listen to (default: the microphone)")
    parser.add_argument("--model", default="sparknet-32",
                        help=f"{', '.join(registry.names('listen'))}, or a folder with a model")
    parser.add_argument("--threshold", type=float, help="smoothed posterior that detects a word "
                        f"(default: {stream.THRESHOLD}; keywords)")
    parser.add_argument("--smooth", type=options.whole,
                        help=f"windows, 100 ms apart, that are averaged (default: {stream.SMOOTH}; keywords)")
    parser.add_argument("--truth", help="CSV of start, end, label in seconds: counts hits and false alarms (keywords)")
    parser.add_argument("--device", help="microphone by number or name; 'list' prints them")
    parser.add_argument("--seconds", type=float, default=0, help="stop the microphone after so long; 0: never")


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


def ear_of(args):
    """What listens: it has `push(wave)` and `finish()`, which return what was heard."""
    given = {k: getattr(args, k) for k in ("threshold", "smooth") if getattr(args, k) is not None}
    if registry.task_of(args.model) == "keywords":
        return stream.Detector(spotter.load(args.model), **given)
    if given or args.truth:
        raise ValueError(f"--{next(iter(given), 'truth')}: is for keywords; {args.model} recognises phones")
    return live.Recogniser(integer_model.load(args.model))


def run(args):
    """Listen to a recording or the microphone and print what is heard."""
    torch.set_num_threads(1)
    if args.device == "list":
        print(microphone.devices())
        return 0
    refuse(args)
    truth = read_truth(args.truth) if args.truth else None
    ear = ear_of(args)
    if not args.recording:
        device = int(args.device) if args.device and args.device.isdecimal() else args.device
        for block in microphone.blocks(BLOCK, device, args.seconds):
            show(ear.push(block))
        show(ear.finish())
        return 0
    wave = audio.read(args.recording, 24 * 3600)
    found = []
    for start in range(0, len(wave), PIECE):
        found += show(ear.push(wave[start:start + PIECE]))
    found += show(ear.finish())
    if truth is not None:
        show_rate(stream.rate(found, truth, len(wave) / audio.RATE))
    else:
        kind = "phone" if isinstance(ear, live.Recogniser) else "word"
        print(f"{len(found)} {kind}{'s' * (len(found) != 1)} in {len(wave) / audio.RATE:.1f} s")
    return 0


def show(heard):
    """A line for each word or phone; returns them."""
    for h in heard:
        if isinstance(h, live.Phone):
            print(f"{h.start_s:8.2f} to {h.end_s:.2f} s  {h.phone}", flush=True)
        else:
            print(f"{h.time_s:8.2f} s  {h.label:8} {h.score:.2f}", flush=True)
    return heard


def show_rate(r):
    """Print hits and false alarms in words."""
    print(f"{r['hits']} of {r['words']} words found ({r['hit_rate']:g} %), {r['false_alarms']} false alarms in "
          f"{r['seconds']:g} s, {r['false_alarms_per_hour']:g} an hour: {r['wrong_word']} of another word than was "
          f"said, {r['doubles']} of a word reported twice, {r['between']} where no word was")
