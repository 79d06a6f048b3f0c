"""Sound that waits for the network: bounded, in order, and what is dropped is counted."""

import asyncio

import numpy as np

from cosim.serve import inbox


def test_the_inbox_keeps_two_seconds_and_order():
    async def case():
        box = inbox.Inbox(1000)
        for i in range(5):
            box.put(np.full(600, i, np.float32))
        box.end()
        return [np.unique(block).tolist() async for block in _all(box)], box.dropped_s
    assert asyncio.run(case()) == ([[0.0], [1.0], [2.0]], 1.2)


async def _all(box):
    while (block := await box.take()) is not None:
        yield block
