"""Phones in a recording, on the bit-exact integer model of the published network.

    python examples/recognise.py                   the embedded sentence
    python examples/recognise.py speech.flac       a WAV or FLAC file of yours, up to two minutes
"""

import argparse

import sottovoce


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", nargs="?", default=sottovoce.CLIP)
    parser.add_argument("--model", default="rsnn-paper-t2", help="a committed network, or the folder of yours")
    args = parser.parse_args(arguments)

    model = sottovoce.load(args.model)
    x = sottovoce.features(model, args.recording)  # int8 (frames, 40), a frame of 10 ms a row
    heard = model.predict(x)                       # what the circuit would answer, every bit of it
    for phone, start, end in sottovoce.phones(model, heard):
        print(f"{start / 100:6.2f} s  {phone:4} {'·' * ((end - start) // 2)}")

    # The same prediction says what it cost: cycles by phase and row reads by memory, frame by frame.
    busy = [f"{layer.mean():.0%}" for layer in heard.spikes]
    print(f"{len(x)} frames, {heard.phases.sum(1).mean():.0f} cycles each; neurons that fire: {', '.join(busy)}")


if __name__ == "__main__":
    main()
