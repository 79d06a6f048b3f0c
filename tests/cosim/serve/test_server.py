"""The server by its own library's test client: what it streams is what the network says offline, to the bit."""

import asyncio
import json
import time

import numpy as np
import pytest
import torch
from serve_helpers import everything, listen, origin, sending, served

from cosim import models
from cosim.serve import app, choices, session
from sw.data import audio
from sw.golden import predict
from sw.phones import decode

torch.set_num_threads(1)
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def wave():
    return audio.read(models.CLIP)[:24000]


@pytest.fixture(scope="module")
def offered():
    return choices.Choices("rsnn-phone")


@pytest.fixture(scope="module")
def whole(offered, wave):
    """What the network says of the wave offline: features, prediction, phones."""
    model = offered.model("rsnn-phone")
    x, = models.hear(model, wave).utterances
    prediction = predict(model, x)
    return x, prediction, decode.decode(prediction.logits, model)


def equal(said, whole):
    """Whether everything that was streamed is what the whole holds."""
    x, prediction, phones = whole
    heard = [(item["text"], round(100 * item["start_s"]), round(100 * item["end_s"])) for item in said.heard]
    return (np.array_equal(said.frames.x, x) and np.array_equal(said.frames.logits, prediction.logits)
            and all(map(np.array_equal, said.frames.spikes, prediction.spikes)) and heard == phones)


def wav(tmp_path, wave, rate=16000):
    import soundfile
    soundfile.write(tmp_path / "a.wav", wave, rate, subtype="FLOAT")
    return (tmp_path / "a.wav").read_bytes()


def test_a_file_is_answered_as_offline(offered, wave, whole, tmp_path):
    data = wav(tmp_path, wave)

    async def case():
        async with served(offered) as client:
            return await listen(client, sending(data, stop=False), source="file", name="a.wav", bytes=len(data),
                                paced=False, logits=True)
    said = asyncio.run(case())
    assert equal(said, whole) and said.error is None and said.code == 1000
    assert said.types[:2] == ["starting", "started"] and said.types[-1] == "finished"
    assert said.finished["seconds"] == 1.5 and said.finished["frames"] == len(whole[0])
    total = said.finished["total"]
    assert total["cycles"] == round(float(whole[1].phases.sum(1).mean()), 1)
    assert total["most"] == whole[1].phases.sum(1).max() and total["reads"] == round(whole[1].reads.sum(1).mean(), 1)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_microphone_is_answered_as_offline(offered, rate):
    """Sound at the rate of a sound card, in blocks of an AudioWorklet's kind, is the same as the resampled whole."""
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, rate).astype(np.float32)
    model = offered.model("rsnn-phone")
    x, = models.hear(model, audio.to_rate(sound, rate)).utterances
    prediction = predict(model, x)

    async def case():
        async with served(offered) as client:
            return await listen(client, sending(sound.tobytes(), 4 * 1920, 0.01), source="microphone", rate=rate,
                                logits=True)
    said = asyncio.run(case())
    assert equal(said, (x, prediction, decode.decode(prediction.logits, model))) and not said.dropped


def test_a_paced_recording_takes_its_time_and_can_be_stopped(offered):
    async def case():
        async with served(offered) as client:
            async def stop(socket):
                await asyncio.sleep(0.6)
                await socket.send_json({"type": "stop"})
            return await listen(client, stop, source="clip", clip=models.CLIP.name)
    said = asyncio.run(case())
    assert 0.2 < said.finished["seconds"] < 1.2 and said.code == 1000 and said.error is None


def test_every_model_can_be_chosen(offered):
    listing = offered.listed()
    assert {"rsnn", "rsnn-phone", "rsnn-keywords", "rsnn-delays"} <= {m["name"] for m in listing["models"]}
    assert listing["models"][0]["name"] == "rsnn-phone" and [m["name"] for m in listing["machines"]] == ["golden"]
    for row in listing["models"]:
        modes = row["modes"]
        assert modes and predict(offered.model(row["name"]), np.zeros((1, 40), np.int8), modes[0])

    async def case():
        async with served(offered) as client:
            found = await (await client.get("/choices.json")).json()
            said = await listen(client, sending(np.zeros(4800, np.float32).tobytes()), source="microphone", rate=16000,
                                model="rsnn-delays")
            return found, said
    found, said = asyncio.run(case())
    assert found == json.loads(json.dumps(listing))
    assert said.started["kind"] == "keywords" and said.started["layers"] == [128] * 4 and said.finished["frames"] > 30


# --- what is refused -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("start, said", [
    ({"source": "tape"}, "source 'tape': wanted microphone, file or clip"),
    ({"source": "clip", "clip": "../../manifest.json"}, "clip '../../manifest.json': wanted one of"),
    ({"source": "clip", "model": "rsnn-papr"}, "model 'rsnn-papr': wanted one of rsnn-phone, "),
    ({"source": "clip", "model": "../../etc"}, "model '../../etc': wanted one of rsnn-phone, "),
    ({"source": "clip", "machine": "rtl"}, "machine 'rtl': wanted one of golden; start with --rtl for the circuit"),
    ({"source": "clip", "mode": "t9"}, "mode 't9': wanted one of t2_union, "),
    ({"source": "clip", "paced": 3}, "paced: 3: wanted bool"),
    ({"source": "microphone", "rate": 3}, "rate 3: wanted a whole number from 8000 to 192000"),
    ({"source": "microphone", "rate": 16000.5}, "rate 16000.5: wanted a whole number"),
    ({"source": "microphone"}, "rate: null: wanted a number"),
    ({"source": "file", "name": "b.wav", "bytes": 2**40}, "b.wav: 1048576.0 MB is too large: at most 64 MB"),
    ({"source": "file", "name": "b.wav", "bytes": -1}, "too large"),
    ({"source": "file", "name": "b.wav", "bytes": 0}, "b.wav: not readable as audio"),
])
def test_a_start_that_cannot_be_is_told_in_one_line(offered, start, said):
    async def case():
        async with served(offered) as client:
            return await listen(client, **start)
    found = asyncio.run(case())
    assert said in found.error and "\n" not in found.error and found.started is None


@pytest.mark.parametrize("data, said", [
    (b"these are words, but not spoken ones" * 50, "b.flac: not readable as audio"),
    (b"RIFF\xff\xff\xff\xffWAVE", "b.flac: not readable as audio")])
def test_a_bad_file_is_told_by_its_own_name(offered, data, said):
    async def case():
        async with served(offered) as client:
            return await listen(client, sending(data), source="file", name="b.flac", bytes=len(data))
    assert said in asyncio.run(case()).error


@pytest.mark.parametrize("message, said", [
    (b"\0" * 7, "7 bytes of sound: wanted float32 samples"), (np.float32([0, np.nan]).tobytes(), "not finite"),
    (np.float32([0, -9]).tobytes(), "sound of level 9: wanted float32 samples within ±1"),
    ("{", "'{': wanted a JSON object with a type"), ("[1]", "wanted a JSON object"), ('{"type": 3}', "wanted a JSON"),
    ('{"type": "start"}', "wanted sound or `stop`"), ("[" * 100_000, "wanted a JSON object")])
def test_garbage_in_the_middle_ends_one_client_alone(offered, whole, wave, message, said):
    async def case():
        async with served(offered) as client:
            async def send(socket):
                await socket.send_bytes(bytes(400))
                await (socket.send_bytes if isinstance(message, bytes) else socket.send_str)(message)
            first = await listen(client, send, source="microphone", rate=16000)
            second = await listen(client, sending(wave.tobytes(), 16000, 0.02), source="microphone", rate=16000,
                                  logits=True)
            return first, second
    first, second = asyncio.run(case())
    assert said in first.error and equal(second, whole)


def test_a_message_that_is_too_long_closes_the_socket(offered):
    async def case():
        async with served(offered) as client:
            long = bytes(session.MOST_MESSAGE + 4)
            return await listen(client, sending(long, len(long)), source="microphone", rate=16000)
    assert asyncio.run(case()).code == 1009


@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://elsewhere.example"}, 403), ({}, 403), ({"Origin": "null"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403)])
def test_a_socket_is_only_for_the_servers_own_page(offered, headers, status):
    async def case():
        async with served(offered) as client:
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                       "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
            return (await client.get("/listen", headers=upgrade | headers)).status
    assert asyncio.run(case()) == status


@pytest.mark.parametrize("host, status", [
    ("evil.example", 403), ("127.0.0.1.evil.example:80", 403), ("", 403), ("127.0.0.1:9", 200), ("localhost", 200),
    ("[::1]:8765", 200)])
def test_only_who_asks_for_this_machine_is_served(offered, host, status):
    async def case():
        async with served(offered) as client:
            return (await client.get("/", headers={"Host": host})).status
    assert asyncio.run(case()) == status


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e%2fapp.py", "/page/none.js", "/clips/none.flac",
                                  "/clips/..%2f..%2fweights", "/app.py", "/page/", "/page/index.html/"])
def test_no_other_file_can_be_had(offered, path):
    async def case():
        async with served(offered) as client:
            from yarl import URL
            return (await client.get(URL(path, encoded=True))).status
    assert asyncio.run(case()) == 404


def test_the_pages_files_come_with_the_headers_that_keep_it_in(offered):
    async def case():
        async with served(offered) as client:
            paths = ("/", "/page/app.js", "/page/style.css", f"/clips/{models.CLIP.name}")
            answers = [await client.get(path) for path in paths]
            return [(a.status, a.content_type, a.headers["Content-Security-Policy"]) for a in answers]
    found = asyncio.run(case())
    assert [f[:2] for f in found] == [(200, "text/html"), (200, "text/javascript"), (200, "text/css"),
                                      (200, "audio/flac")]
    assert all("default-src 'none'" in f[2] and "unsafe" not in f[2] for f in found)


def test_one_client_too_many_is_told_so_and_the_place_is_free_again(offered):
    async def case():
        async with served(offered, clients=1) as client:
            async with client.ws_connect("/listen", headers=origin(client)):
                refused = await listen(client, source="clip", clip=models.CLIP.name)
            for _ in range(50):
                again = await listen(client, sending(b""), source="microphone", rate=16000)
                if not again.error:
                    break
                await asyncio.sleep(0.02)
            return refused, again
    refused, again = asyncio.run(case())
    assert refused.error.startswith("1 clients listen already") and refused.code == 1013
    assert again.finished and again.error is None


def test_sound_that_comes_too_fast_is_dropped_and_that_is_said(offered):
    """Ten seconds at once: two wait, the rest is dropped, and the frames are of what was kept."""
    sound = np.zeros(16000 * 10, np.float32)

    async def case():
        async with served(offered) as client:
            return await listen(client, sending(sound.tobytes(), 64000), source="microphone", rate=16000)
    said = asyncio.run(case())
    dropped = said.dropped[-1]["seconds"]
    assert dropped == said.finished["dropped_s"] > 3
    assert said.finished["seconds"] == pytest.approx(10 - dropped, abs=0.01)


def test_a_client_that_says_nothing_is_let_go(offered, monkeypatch):
    monkeypatch.setattr(session, "PATIENCE_S", 0.2)

    async def case():
        async with served(offered) as client:
            async with client.ws_connect("/listen", headers=origin(client)) as socket:
                silent = await everything(socket)
            started = await listen(client, source="microphone", rate=16000)
            return silent, started
    silent, started = asyncio.run(case())
    assert silent.error == started.error == "nothing came for 0.2 s"


def test_a_client_is_kept_while_its_circuit_is_compiled(offered, monkeypatch):
    """Longer than the heartbeat, in which nothing is read from the socket."""
    monkeypatch.setattr(app, "HEARTBEAT_S", 0.3)
    made = offered.network
    monkeypatch.setattr(offered, "network", lambda *chosen: time.sleep(1.5) or made(*chosen))

    async def case():
        async with served(offered) as client:
            return await listen(client, sending(bytes(64000)), source="microphone", rate=16000)
    said = asyncio.run(case())
    assert said.error is None and said.finished["frames"] > 90


def test_a_client_that_does_not_read_is_let_go(monkeypatch):
    """Megabytes of logits that nobody takes: the server waits, then gives the place to others."""
    monkeypatch.setattr(session, "PATIENCE_S", 1)
    told, tell = [], session.Session._tell

    def telling(self, kind, /, **more):
        told.append(kind)
        return tell(self, kind, **more)
    monkeypatch.setattr(session.Session, "_tell", telling)

    async def case():
        async with served(choices.Choices("rsnn")) as client:
            async with client.ws_connect("/listen", headers=origin(client)) as socket:
                await socket.send_json({"type": "start", "source": "clip", "clip": "ten_people.flac", "paced": False,
                                        "logits": True})
                sessions = client.server.app[app.SESSIONS]
                while not sessions:
                    await asyncio.sleep(0.05)
                for _ in range(600):
                    if not sessions:
                        return True
                    await asyncio.sleep(0.1)
    assert asyncio.run(case()) and "started" in told and "finished" not in told
