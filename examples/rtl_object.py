"""The Verilated circuit as an object: run it in every mode, compare it, read its counters, and feed it live.

    python examples/rtl_object.py                            the smallest configuration, random weights
    python examples/rtl_object.py --model rsnn-paper-t2      a trained network (compiles for a minute, once)
"""

import argparse

import numpy as np
import torch

import sottovoce
from cosim.rtl.live import LiveRtl
from hw import config
from hw.interface import WEIGHT_BUFFERS
from sw.integers.integer_model import IntegerModel


def random_model(generator):
    """`tiny` with weights that nobody trained: (inputs, neurons) matrices of 4 bits, and a threshold a layer."""
    tiny = config.load("tiny")
    matrices = [torch.randint(-8, 8, shape, generator=generator, dtype=torch.int32)
                for shape in tiny.matrices().values()]
    return IntegerModel(tiny, matrices, torch.tensor([260, 150]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a committed network, or the folder of yours (default: tiny, random weights)")
    parser.add_argument("--frames", type=int, default=100)
    args = parser.parse_args(arguments)

    model = sottovoce.load(args.model) if args.model else random_model(torch.Generator().manual_seed(1))
    x = np.random.default_rng(1).integers(-128, 128, (args.frames, model.config.features)).astype(np.int8)
    rtl = sottovoce.Rtl(model)  # compiles the first time, then starts at once
    for name, mode in sottovoce.MODES.items():
        if mode.time_steps == model.time_steps:
            ran = rtl.predict(x, name)
            assert ran == model.predict(x, name), ran.first_difference(model.predict(x, name))
            reads = ", ".join(f"{buffer} {count:.1f}" for buffer, count in
                              zip(WEIGHT_BUFFERS, ran.reads.mean(0), strict=True))
            print(f"{name:14}{ran.phases.sum(1).mean():8.1f} cycles a frame; row reads: {reads}")

    # Frames in pieces, state kept from one to the next: what a microphone wants. The pieces are those of the whole.
    whole, at = model.predict(x), 0
    with LiveRtl(model) as machine:
        for piece in np.array_split(x, 5):
            part = machine.push(piece)
            assert (part.logits == whole.logits[at:at + len(piece)]).all()
            at += len(piece)
    print(f"live, in 5 pieces: the same {whole.logits.size:,} logits")


if __name__ == "__main__":
    main()
