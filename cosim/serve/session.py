"""One client that listens, from its `start` to `finished`: a microphone, a file it sends, or a recording at hand.

    client  start {model, machine, mode, source: microphone|file|clip, rate|bytes, name|clip, paced, logits}
    server  starting {words}, then started {sizes, names, energy}
    client  sound or bytes of the file (binary), stop once there is no more
    server  frames (binary); heard {items}; cost {cycles, microwatts, …}; dropped {seconds}
    server  finished {seconds, frames, cost}, or error {message}; then the socket is closed
"""

import asyncio
import contextlib
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType

from cosim.serve import choices, costs, ears, energy, wire
from cosim.serve.inbox import Inbox
from cosim.serve.wire import Refused, field
from hw.interface import phases
from sw.data import audio
from sw.data.resample import Resampler

MOST_MESSAGE = 256 * 1024  # bytes of one message
MOST_FILE = 64 * 1024 * 1024
RATES = (8000, 192000)
PATIENCE_S = 30  # for the next sound, the next bytes of a file, or a client that does not read
PIECE = audio.RATE // 20  # samples of a recording at a time
COST_EVERY_S = 0.5
CANNOT = (ValueError, RuntimeError, OSError)  # what the rooms below raise for what they cannot do


class Gone(Exception):
    """The client is no longer there."""


class Session:
    """`await run()` serves one socket to its end, whatever comes over it; it raises nothing."""

    def __init__(self, socket, offered):
        self._socket, self._choices, self._network = socket, offered, None
        self._thread = ThreadPoolExecutor(1, "sottovoce-ear")
        self._frames = self._dropped_told = 0

    async def run(self):
        try:
            await self._listen()
        except (Gone, ConnectionError):
            pass
        except CANNOT as error:
            await self._say_error(" ".join(str(error).split()))
        except Exception:
            traceback.print_exc()
            await self._say_error("the server failed; its terminal says how")
        finally:
            if self._network:
                await asyncio.shield(self._do(self._network.close))
            self._thread.shutdown(wait=False)
            with contextlib.suppress(ConnectionError, RuntimeError):
                await self._socket.close()

    async def end(self):
        """The server stops: say so."""
        await self._say_error("the server was stopped")
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    # --- the socket ----------------------------------------------------------------------------------------
    async def _tell(self, kind, /, **values):
        await self._send(self._socket.send_json({"type": kind, **values}))

    async def _send(self, sending):
        try:
            await asyncio.wait_for(sending, PATIENCE_S)
        except (TimeoutError, RuntimeError):  # a client that does not read; a socket that is closing
            raise Gone from None

    async def _say_error(self, message):
        with contextlib.suppress(Gone, ConnectionError):
            await self._tell("error", message=message)

    async def _next(self, patient=False):
        """The next message: a dict or bytes. Raises `Gone`, or `Refused` where nothing comes to one not `patient`."""
        try:
            message = await self._socket.receive(None if patient else PATIENCE_S)
        except TimeoutError:
            raise Refused(f"nothing came for {PATIENCE_S} s") from None
        if message.type == WSMsgType.TEXT:
            return wire.said(message.data)
        if message.type == WSMsgType.BINARY:
            return message.data
        raise Gone

    async def _do(self, work, *args):
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    # --- what it does --------------------------------------------------------------------------------------
    async def _listen(self):
        start = await self._next()
        if not isinstance(start, dict) or start["type"] != "start":
            raise Refused("the first message: wanted `start`")
        name, machine = field(start, "model", str, self._choices.first), field(start, "machine", str, "golden")
        model, mode = self._choices.need(name, machine, field(start, "mode", str) if start.get("mode") else None)
        self._logits = field(start, "logits", bool, False)
        sound = await self._source(start)
        await self._tell("starting", words="compiling the circuit, a minute the first time" if machine == "rtl" else "")
        self._network = await self._do(self._choices.network, name, machine, mode)
        self._ear = ears.ear_of(model, self._network)
        await self._tell("started", **self._sizes(model, name, machine, mode))
        await self._hear(sound)

    async def _source(self, start):
        """What yields float32 sound at 16 kHz; a file is read here, so that a bad one is refused at once."""
        source = field(start, "source", str, "")
        if source == "microphone":
            rate = field(start, "rate", (int, float))
            if not RATES[0] <= rate <= RATES[1] or rate != int(rate):
                raise Refused(f"rate {rate}: wanted a whole number from {RATES[0]} to {RATES[1]} samples a second")
            return self._microphone(int(rate))
        paced = field(start, "paced", bool, True)
        if source == "clip":
            clip = field(start, "clip", str, "")
            if clip not in choices.clips():
                raise Refused(f"clip {clip!r}: wanted one of {', '.join(choices.clips())}")
            return self._recording(await self._do(audio.read, choices.CLIPS / clip), paced)
        if source == "file":
            return self._recording(await self._file(start), paced)
        raise Refused(f"source {source!r}: wanted microphone, file or clip")

    async def _file(self, start):
        """The wave of a file that the client sends. Raises `Refused` or `AudioError`, which name the file."""
        name, size = field(start, "name", str, "the file")[:200], field(start, "bytes", int)
        if not 0 <= size <= MOST_FILE:
            raise Refused(f"{name}: {size / 2**20:.1f} MB is too large: at most {MOST_FILE // 2**20} MB")
        with tempfile.TemporaryDirectory(prefix="sottovoce-") as scratch:
            path = Path(scratch) / "recording"
            with path.open("wb") as file:
                while file.tell() < size:
                    data = await self._next()
                    if not isinstance(data, bytes) or file.tell() + len(data) > size:
                        raise Refused(f"{name}: wanted {size} bytes of the file, then `stop`")
                    file.write(data)
            try:
                return await self._do(audio.read, path)
            except audio.AudioError as error:
                raise Refused(str(error).replace(str(path), name)) from None

    def _sizes(self, model, name, machine, mode):
        config, ear = model.config, self._ear
        found = energy.of(config)
        names = [phase.name for phase in phases(config)]
        self._cost = costs.Costs(model, names, found, ear.frames_a_second)
        self._total = costs.Costs(model, names, found, ear.frames_a_second)
        return {"model": name, "machine": machine, "mode": mode, "config": config.name, "features": config.features,
                "layers": [layer.neurons for layer in config.layers], "time_steps": self._network.mode.time_steps,
                "outputs": config.outputs, "logits": self._logits, "phases": names,
                "kind": "phones" if isinstance(ear, ears.PhoneEar) else "keywords",
                "frames_a_second": ear.frames_a_second, "energy": found and found.source}

    async def _hear(self, sound):
        seconds = 0.0
        async with contextlib.aclosing(sound):
            async for wave in sound:
                seconds += len(wave) / audio.RATE
                await self._answer(self._ear.push, wave)
        await self._answer(self._ear.finish)
        await self._send(self._socket.send_json(self._cost.message()))
        await self._tell("finished", seconds=round(seconds, 3), frames=self._frames, dropped_s=self._dropped_told,
                         total=self._total.message())

    async def _answer(self, work, *wave):
        """Run the ear and tell what came of it."""
        began = time.perf_counter()
        answer = await self._do(work, *wave)
        busy_s = time.perf_counter() - began
        for piece in answer.pieces:
            p, new = piece.prediction, slice(-piece.new, None)
            await self._send(self._socket.send_bytes(wire.pack(
                self._frames, piece.x[new], [s[new] for s in p.spikes], p.logits[new] if self._logits else None)))
            self._frames += piece.new
        if answer.heard:
            await self._tell("heard", items=[heard._asdict() for heard in answer.heard])
        for cost in (self._cost, self._total):
            cost.add(answer, sum(map(len, wave)) / audio.RATE, busy_s)
        if self._cost.sound_s >= COST_EVERY_S and self._cost.frames:
            await self._send(self._socket.send_json(self._cost.message()))
            self._cost.restart()

    # --- where sound comes from ----------------------------------------------------------------------------
    async def _microphone(self, rate):
        inbox, ear = Inbox(rate), Resampler(rate)
        async with self._receiving(inbox):
            while (block := await inbox.take()) is not None:
                yield ear.push(block)
                if (dropped := round(inbox.dropped_s, 2)) > self._dropped_told:
                    self._dropped_told = dropped
                    await self._tell("dropped", seconds=dropped)
        yield ear.finish()

    async def _recording(self, wave, paced):
        begun = time.monotonic()
        async with self._receiving(None) as receiver:
            for start in range(0, len(wave), PIECE):
                ahead = start / audio.RATE - (time.monotonic() - begun) if paced else 0
                done, _ = await asyncio.wait([receiver], timeout=max(0, ahead))
                if done:
                    return
                yield wave[start:start + PIECE]

    @contextlib.asynccontextmanager
    async def _receiving(self, inbox):
        """Sound goes to the inbox, where there is one; the task ends with `stop`, and brings what went wrong."""
        async def receive():
            try:
                while True:
                    message = await self._next(patient=not inbox)
                    if isinstance(message, bytes) and inbox:
                        inbox.put(wire.samples(message))
                    elif isinstance(message, dict) and message["type"] == "stop":
                        return
                    else:
                        raise Refused(f"{str(message)[:40]!r}: wanted {'sound or ' if inbox else ''}`stop`")
            finally:
                if inbox:
                    inbox.end()

        task = asyncio.create_task(receive())
        try:
            yield task
            if task.done():
                task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # looked at: it was told, or what ended this was
