"""Ends of a stream with idle patterns: a source that offers words, a sink that takes beats and checks the protocol.

Both drive and sample on the falling edge. The design's `ready` and `valid` come from registers only, so what the
falling edge shows is what the next rising edge acts on.
"""

import random
from itertools import repeat

from cocotb.queue import Queue
from cocotb.triggers import FallingEdge, RisingEdge


def never():
    """No pause at all."""
    return repeat(False)


def alternate():
    """Every other cycle."""
    while True:
        yield True
        yield False


def sometimes(seed, share=0.5):
    """Each cycle with probability `share`."""
    chance = random.Random(seed)
    while True:
        yield chance.random() < share


def bursts(seed, longest=40):
    """Stretches of up to `longest` cycles, paused and running by turns."""
    chance = random.Random(seed)
    while True:
        yield from repeat(True, chance.randint(1, longest))
        yield from repeat(False, chance.randint(1, longest))


PAUSES = ("never", "sometimes")  # for tests that are repeated with each


def pauses(kind, seed):
    """The pattern of one of `PAUSES`."""
    return never() if kind == "never" else sometimes(seed)


class StreamSource:
    """Offers words; `idle` is a pattern of the cycles in which it offers none."""

    def __init__(self, clk, *, payload, valid, ready, idle=None):
        self.clk, self.payload, self.valid, self.ready = clk, payload, valid, ready
        self.idle = idle or never()
        self.valid.value = 0

    async def send(self, words):
        """Return once the last word was taken. A word on offer stays until it is taken."""
        await FallingEdge(self.clk)
        for word in words:
            while next(self.idle):
                await FallingEdge(self.clk)
            self.payload.value = word
            self.valid.value = 1
            while not int(self.ready.value):
                await RisingEdge(self.ready)
                await FallingEdge(self.clk)
            await FallingEdge(self.clk)
            self.valid.value = 0


class StreamSink:
    """Takes beats into `beats`; `stall` is a pattern of the cycles in which it is not ready.

    `AssertionError` if a beat that waits changes or goes away before it was taken.
    """

    def __init__(self, clk, *, payload, valid, ready, stall=None):
        self.clk, self.payload, self.valid, self.ready = clk, payload, valid, ready
        self.stall = stall or never()
        self.free = stall is None  # then nothing happens, and nothing is looked at, while `valid` is low
        self.beats = Queue()
        self.ready.value = 0

    async def run(self):
        waiting = None
        while True:
            await FallingEdge(self.clk)
            if self.free and not int(self.valid.value):
                self.ready.value = 1
                await RisingEdge(self.valid)
                await FallingEdge(self.clk)
            stalled = next(self.stall)
            self.ready.value = 0 if stalled else 1
            beat = int(self.payload.value) if int(self.valid.value) else None
            assert waiting is None or beat == waiting, f"beat {waiting:#x} became {beat} before it was taken"
            waiting = beat if stalled else None
            if beat is not None and not stalled:
                self.beats.put_nowait(beat)
