"""Words in a recording, and what hearing them costs the chip.

    python examples/keywords.py speech.flac
    python examples/keywords.py speech.flac --model rsnn-delays
"""

import argparse

import torch

import sottovoce
from sw.data import audio
from sw.integers import integer_model
from sw.keywords import spotter, stream


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", nargs="?", default=sottovoce.CLIP)
    parser.add_argument("--model", default="rsnn-keywords", help="a committed keyword network that runs on the chip")
    parser.add_argument("--threshold", type=float, default=stream.THRESHOLD, help="posterior that a word must reach")
    args = parser.parse_args(arguments)

    # A spotter has the network with its features and labels; a detector hears a second every 100 ms, as it goes.
    ear = spotter.load(args.model)
    wave = audio.read(args.recording)  # float32 at 16 kHz
    for word in stream.detect(ear, wave, threshold=args.threshold):
        print(f"{word.time_s:6.2f} s  {word.label:8} {word.score:.2f}")
    print(f"listened to {len(wave) / audio.RATE:.1f} s for: {', '.join(ear.labels)}")

    # The integers behind it run on the circuit. What does one second cost there?
    model = integer_model.load(args.model)
    second = ear.hear(torch.from_numpy(wave[:audio.RATE])[None])[0].T.numpy().astype("int8")
    cost = model.predict(second)
    print(f"a second: {len(second)} frames, {cost.phases.sum(1).mean():.0f} cycles and "
          f"{cost.reads.sum(1).mean():.0f} row reads a frame")


if __name__ == "__main__":
    main()
