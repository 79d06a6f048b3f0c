"""A server in this process, and a client that listens through it."""

import asyncio
import contextlib
import json
from types import SimpleNamespace

import numpy as np
from aiohttp import WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from cosim.serve import app, wire
from cosim.serve.choices import Choices


@contextlib.asynccontextmanager
async def served(offered=None, clients=4):
    """A client of a server that runs meanwhile."""
    server = TestServer(app.make(offered or Choices("rsnn-phone"), clients=clients))
    async with TestClient(server) as client:
        yield client


def origin(client):
    return {"Origin": f"http://{client.server.host}:{client.server.port}"}


async def everything(socket):
    """What a server says until it closes: its messages by type, frames unpacked and put together."""
    said = SimpleNamespace(types=[], heard=[], costs=[], dropped=[], started=None, finished=None, error=None)
    said.frames = None
    parts = []
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            parts.append(wire.unpack(message.data, said.started))
            said.types.append("frames")
            continue
        found = json.loads(message.data)
        kind = found["type"]
        said.types.append(kind)
        if kind == "heard":
            said.heard += found["items"]
        elif kind in ("cost", "dropped"):
            (said.costs if kind == "cost" else said.dropped).append(found)
        elif kind == "error":
            said.error = found["message"]
        else:
            setattr(said, kind, found)
    if parts:
        assert [first for first, *_ in parts] == list(np.cumsum([0] + [len(x) for _, x, *_ in parts])[:-1])
        logits = None if parts[0][3] is None else np.concatenate([p[3] for p in parts])
        spikes = tuple(np.concatenate(layer) for layer in zip(*(p[2] for p in parts), strict=True))
        said.frames = SimpleNamespace(x=np.concatenate([p[1] for p in parts]), spikes=spikes, logits=logits)
    said.code = socket.close_code
    return said


async def listen(client, send=None, **start):
    """Everything that a server says to one who starts so; `send(socket)` brings the sound."""
    async with client.ws_connect("/listen", headers=origin(client), max_msg_size=0) as socket:
        await socket.send_json({"type": "start", **start})

        async def feed():
            await (send(socket) if send else asyncio.sleep(0))
        _, said = await asyncio.gather(feed(), everything(socket))
        return said


def sending(data, size=8192, pause=0.0, stop=True):
    """A `send` for bytes in messages of a size."""
    async def send(socket):
        for at in range(0, len(data), size):
            await socket.send_bytes(data[at:at + size])
            await asyncio.sleep(pause)
        if stop:
            await socket.send_json({"type": "stop"})
    return send
