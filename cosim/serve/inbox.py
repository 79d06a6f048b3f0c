"""Sound that waits for the network: bounded. What comes faster than it is taken is dropped, and counted."""

import asyncio
from collections import deque

import numpy as np

from cosim.serve.wire import Refused

MOST_WAITING_S = 2.0
MOST_AT_ONCE_S = 0.2


class Inbox:
    """`put` blocks of sound of one rate; `take` waits for some, and returns None once it has `ended` and is empty."""

    def __init__(self, rate):
        self._rate, self._blocks, self._waiting, self._there = rate, deque(), 0, asyncio.Event()
        self._ended, self.dropped = False, 0

    @property
    def dropped_s(self):
        return self.dropped / self._rate

    def put(self, wave):
        """Float32 (samples,): kept, or dropped whole where more would wait than may. Raises `Refused` after `end`."""
        if self._ended:
            raise Refused("sound after its end")
        if self._waiting + len(wave) > MOST_WAITING_S * self._rate:
            self.dropped += len(wave)
            return
        self._blocks.append(wave)
        self._waiting += len(wave)
        self._there.set()

    def end(self):
        """No more will come."""
        self._ended = True
        self._there.set()

    async def take(self):
        """The blocks that wait, as one of a bounded length."""
        while not self._blocks:
            if self._ended:
                return None
            self._there.clear()
            await self._there.wait()
        found = [self._blocks.popleft()]
        while self._blocks and sum(map(len, found)) < MOST_AT_ONCE_S * self._rate:
            found.append(self._blocks.popleft())
        self._waiting -= sum(map(len, found))
        return np.concatenate(found)
