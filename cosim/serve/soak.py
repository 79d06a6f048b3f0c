"""Many clients at once, most of them ill-behaved, on this machine's loopback alone; does the server stay well?

What they do is drawn with a fixed seed: listen to the end, leave in the middle, send garbage, too much, half a message
or half a handshake, or close one side of the connection. A client that listens to the end gets the right answer.
"""

import asyncio
import json
import random
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from cosim.serve import session

SOUND = (0.1 * np.random.default_rng(0).standard_normal(4096)).astype(np.float32).tobytes()
DEEDS = ("listen", "leave", "garbage", "words", "too long", "too many", "half a handshake", "half closed",
         "wrong origin", "file cut short")


async def soak(address, model, clip, seconds, clients=20, seed=1):
    """Deeds done, by name, and the kinds of end they had: `{"listen: finished": 12, …}`."""
    end, done = asyncio.get_running_loop().time() + seconds, {}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as web:
        async def client(number):
            rng = random.Random(f"{seed}.{number}")
            while asyncio.get_running_loop().time() < end:
                deed = rng.choice(DEEDS)
                try:
                    outcome = await asyncio.wait_for(_do(web, address, deed, model, clip, rng), 60)
                except TimeoutError:
                    outcome = "hung"
                except (aiohttp.ClientError, OSError) as error:
                    outcome = type(error).__name__
                done[f"{deed}: {outcome}"] = done.get(f"{deed}: {outcome}", 0) + 1
                await asyncio.sleep(rng.uniform(0, 0.2))
        await asyncio.gather(*(client(n) for n in range(clients)))
    return done


async def _do(web, address, deed, model, clip, rng):
    if deed in ("half a handshake", "half closed"):
        return await _half(address, deed)
    origin = "http://elsewhere.example" if deed == "wrong origin" else address.rstrip("/")
    try:
        socket = await web.ws_connect(f"{address}listen", headers={"Origin": origin}, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as error:
        return f"status {error.status}"
    async with socket:
        start = {"type": "start", "model": model, "source": "microphone", "rate": 16000}
        if deed == "listen":
            start |= {"source": "clip", "clip": clip, "paced": False}
        elif deed == "file cut short":
            start |= {"source": "file", "name": "cut.wav", "bytes": 10 ** 6}
        await socket.send_json(start)
        await _misbehave(socket, deed, rng)
        return "left" if deed == "leave" else await _outcome(socket)


async def _misbehave(socket, deed, rng):
    if deed == "leave":
        for _ in range(rng.randrange(8)):
            await socket.send_bytes(SOUND)
            await asyncio.sleep(0.02)
    elif deed == "garbage":
        await socket.send_bytes(rng.randbytes(rng.randrange(1, 3000)))
    elif deed == "words":
        await socket.send_str(rng.choice(["", "{", "[]", '{"type": "stop", "x": ' + "[" * 500, "\0" * 100, "ÿ" * 999]))
    elif deed == "too long":
        await socket.send_bytes(bytes(session.MOST_MESSAGE + 4 * rng.randrange(1, 100_000)))
    elif deed == "too many":
        for _ in range(100):
            await socket.send_bytes(SOUND)
        await socket.send_json({"type": "stop"})
    elif deed == "file cut short":
        await socket.send_bytes(bytes(1000))
        await socket.send_json({"type": "stop"})


async def _outcome(socket):
    """How the server ends it."""
    async for message in socket:
        found = json.loads(message.data) if message.type == aiohttp.WSMsgType.TEXT else {"type": "frames"}
        if found["type"] == "finished":
            return "finished"
        if found["type"] == "error":
            return "turned away" if "clients listen already" in found["message"] else "error"
    return f"closed with {socket.close_code}"


async def _half(address, deed):
    """A connection that stops in the middle of its handshake, or whose own side is closed after it."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = f"GET /listen HTTP/1.1\r\nHost: {place.netloc}\r\nOrigin: {address.rstrip('/')}\r\n"
    if deed == "half closed":
        head += ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    writer.write(head.encode())
    await writer.drain()
    if deed == "half closed":
        await reader.readline()
        writer.write(b"\x82\xfe")  # the head of a long frame that never comes
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return "closed by the server"
