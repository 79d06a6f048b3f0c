"""`listen` on files, with and without the truth, and on a microphone that a stand-in for sounddevice plays."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from keyword_helpers import RATE, Ear, tones

from sottovoce import cli
from sw.data import audio
from sw.data import microphone as sounds
from sw.data.speech_commands import WORDS
from sw.keywords import spotter

torch.set_num_threads(1)  # small sums: threads only wait for each other
HOP = 1600
PACK = Path("../shared/data/keywords")


@pytest.fixture
def ear(tmp_path, monkeypatch):
    """A recording of yes, no and, at its very end, yes; heard by an `Ear`."""
    soundfile.write(tmp_path / "a.wav", tones(25, (3, "yes"), (12, "no"), (24.6, "yes")), RATE)
    monkeypatch.setattr(spotter, "load", lambda name: Ear())
    return tmp_path


def test_listen_to_a_file(ear, capsys):
    assert cli.main(["listen", str(ear / "a.wav")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[:-1]] == ["yes", "no", "yes"] and lines[-1] == "3 words in 25.0 s"
    assert lines[2].startswith("   25.00 s")
    (ear / "truth.csv").write_text("start,end,label\n3,3.4,yes\n12,12.4,go\n24.6,25,yes\n")
    assert cli.main(["listen", str(ear / "a.wav"), "--truth", str(ear / "truth.csv")]) == 0
    assert "2 of 3 words found (66.67 %), 1 false alarms in 25 s" in (said := capsys.readouterr().out)
    assert "1 of another word than was said, 0 of a word reported twice, 0 where no word was" in said


def test_listen_hears_spoken_words(tmp_path, capsys):
    if not (PACK / "manifest.csv").is_file():
        pytest.skip(f"{PACK} is not here: clips of spoken words")
    wave, truth = np.zeros((2 * len(WORDS) + 1) * 2 * RATE, np.float32), ["start,end,label"]
    for n, word in enumerate(2 * WORDS):
        clip = soundfile.read(sorted((PACK / word).iterdir())[n // len(WORDS)], dtype="float32")[0]
        at = (2 * n + 1) * RATE
        wave[at:at + len(clip)] = clip
        truth.append(f"{at / RATE},{at / RATE + 1},{word}")
    soundfile.write(tmp_path / "a.flac", wave, RATE)
    (tmp_path / "truth.csv").write_text("\n".join(truth) + "\n")
    assert cli.main(["listen", str(tmp_path / "a.flac"), "--truth", str(tmp_path / "truth.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    hits, words, alarms = map(int, re.match(r"(\d+) of (\d+) words found .* (\d+) false alarms", lines[-1]).groups())
    assert words == 20 and hits >= 10, lines
    assert len(lines) - 1 == hits + alarms


@pytest.mark.parametrize("content, said", [
    (b"start,stop\n1,2\n", "no column 'end'; has start, stop"), (b"start,end,label\n1,x,yes\n", "could not convert"),
    (b"start,end,label\n1\n", "wanted start and end in seconds"), (bytes(range(256)) * 400, "not a CSV file in UTF-8"),
    (b"words " * 5000, "no column 'start'"), (b"start,end,label\n" + b"9x" * 5000 + b",1,yes\n", "wanted start")])
def test_truth_that_is_none_is_refused_in_one_short_line(ear, capsys, content, said):
    (ear / "truth.csv").write_bytes(content)
    assert cli.main(["listen", str(ear / "a.wav"), "--truth", str(ear / "truth.csv")]) == 1
    out, err = capsys.readouterr()
    assert err.startswith(f"error: {ear / 'truth.csv'}: ") and said in err
    assert err.count("\n") == 1 and len(err) < 250 + len(str(ear)) and not out


@pytest.mark.parametrize("options, said", [
    (["none.wav"], "none.wav: no such audio file"), (["a.wav", "--threshold", "2"], "threshold=2"),
    (["a.wav", "--device", "1"], "the microphone's"), (["a.wav", "--seconds", "3"], "the microphone's"),
    (["--truth", "truth.csv"], "--truth truth.csv: counts in a recording"), (["--seconds", "-1"], "--seconds -1"),
    (["a.wav", "--truth", "none.csv"], "none.csv")])
def test_listen_refuses_in_one_line(ear, capsys, monkeypatch, options, said):
    monkeypatch.chdir(ear)
    assert cli.main(["listen", *options]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: ") and said in err and err.count("\n") == 1


# --- a microphone ----------------------------------------------------------------------------------
class PortAudioError(Exception):
    pass


class Microphone:
    """A stand-in for the sounddevice package: plays a wave, then does what it was told to."""

    PortAudioError = PortAudioError

    def __init__(self, wave, then=KeyboardInterrupt, overflows=(), rate=RATE):
        self.wave, self.at, self.then, self.overflows, self.closed = wave, 0, then, overflows, False
        self.rate = rate  # the only one that the sound card has

    def check_input_settings(self, *, device, channels, dtype, samplerate):
        if samplerate != self.rate:
            raise PortAudioError("Error opening InputStream: Invalid sample rate [PaErrorCode -9997]")

    def InputStream(self, **options):  # noqa: N802
        self.options = options
        if options["device"] == "nobody":
            raise ValueError("No input device matching 'nobody'\nat all")
        if options["device"] == 99:
            raise PortAudioError("Error querying device 99")
        return self

    def query_devices(self, device=None, kind=None):
        if kind:
            return {"name": "webcam", "default_samplerate": float(self.rate)}
        return "> 0 pulse, ALSA (32 in, 32 out)\n  1 webcam, ALSA (1 in, 0 out)"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.closed = True

    def read(self, count):
        if self.at + count > len(self.wave):
            raise self.then
        self.at += count
        return self.wave[self.at - count:self.at, None], self.at // count in self.overflows


@pytest.fixture
def plug(ear, monkeypatch):
    """A function that puts a `Microphone` in place of sounddevice."""
    def make(*args, **options):
        microphone = Microphone(*args, **options)
        monkeypatch.setitem(sys.modules, "sounddevice", microphone)
        return microphone
    return make


def test_the_microphone_is_heard_until_interrupted(plug, capsys):
    microphone = plug(tones(3, (0.5, "yes"), (2.6, "no")), overflows=(3, 5))
    assert cli.main(["listen"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[2:3] for line in out.splitlines()] == [["ends"], ["yes"], ["no"]]
    assert err.count("sound was lost") == 1 and microphone.closed
    assert microphone.options == {"samplerate": RATE, "channels": 1, "dtype": "float32", "blocksize": HOP,
                                  "device": None}


@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_sound_card_without_16_khz_is_resampled(plug, capsys, rate):
    """Words are heard at the same times; the blocks are a tenth of a second of the card's own samples."""
    microphone = plug(audio.to_rate(tones(3, (0.5, "yes"), (2.6, "no")), RATE, rate), rate=rate)
    assert cli.main(["listen"]) == 0
    assert [line.split()[2:3] for line in capsys.readouterr().out.splitlines()] == [["ends"], ["yes"], ["no"]]
    assert (microphone.options["samplerate"], microphone.options["blocksize"]) == (rate, rate // 10)


def test_the_microphone_ends_in_time(plug, monkeypatch, capsys):
    microphone = plug(tones(60))
    clock = iter(range(1000))
    monkeypatch.setattr(sounds.time, "monotonic", lambda: next(clock))
    assert cli.main(["listen", "--seconds", "5"]) == 0
    assert microphone.at == 4 * HOP and microphone.closed and "words" not in capsys.readouterr().err


@pytest.mark.parametrize("given, device", [("1", 1), ("webcam", "webcam")])
def test_a_device_is_chosen_by_number_or_name(plug, given, device):
    microphone = plug(tones(1))
    assert cli.main(["listen", "--device", given]) == 0 and microphone.options["device"] == device


def test_devices_are_listed(plug, capsys):
    plug(tones(1))
    assert cli.main(["listen", "--device", "list"]) == 0
    assert "1 webcam" in capsys.readouterr().out


@pytest.mark.parametrize("options, then, said", [
    (["--device", "nobody"], KeyboardInterrupt, "No input device matching 'nobody' at all"),
    (["--device", "99"], KeyboardInterrupt, "querying device 99"), ([], PortAudioError("unplugged"), "unplugged")])
def test_no_microphone_is_one_line(plug, capsys, options, then, said):
    plug(tones(1), then)
    assert cli.main(["listen", *options]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: no microphone: ") and said in err and err.count("\n") == 1


def test_without_the_package_it_is_named(ear, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert cli.main(["listen"]) == 1 and cli.main(["listen", "--device", "list"]) == 1
    err = capsys.readouterr().err
    assert err.count("pip install sounddevice") == 2 == err.count("\n")
