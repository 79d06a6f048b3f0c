"""Recordings of every kind, and those that are refused in one line."""

import numpy as np
import pytest
import soundfile

from sw.data import audio
from sw.data.repair import byte_slips


def tone(seconds, rate=16000, level=0.3):
    t = np.arange(int(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * 440 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)


@pytest.mark.parametrize("rate, channels, subtype, ending", [
    (16000, 1, "PCM_16", "wav"), (44100, 2, "FLOAT", "wav"), (8000, 1, "PCM_16", "flac"), (48000, 2, "PCM_24", "flac"),
    (16000, 1, "PCM_16", "sph")])
def test_any_recording_is_16_khz_mono(tmp_path, rate, channels, subtype, ending):
    path = tmp_path / f"a.{ending}"
    wave = np.repeat(tone(1, rate)[:, None], channels, 1)
    soundfile.write(path, wave, rate, subtype=subtype, format="NIST" if ending == "sph" else None)
    got = audio.read(path)
    assert got.dtype == np.float32 and got.shape == (16000,)
    assert np.abs(got - tone(1))[200:-200].max() < 0.02


def test_refusals_name_the_file(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0, np.float32), 16000)
    soundfile.write(tmp_path / "long.wav", np.zeros(16000 * 3, np.float32), 16000)
    (tmp_path / "text.wav").write_text("not audio")
    whole = tmp_path / "whole.wav"
    soundfile.write(whole, tone(1), 16000)
    (tmp_path / "cut.wav").write_bytes(whole.read_bytes()[:9000])
    for name, wanted in (("empty.wav", "too few"), ("long.wav", "too long"), ("text.wav", "not readable"),
                         ("cut.wav", "truncated"), ("none.wav", "no such")):
        with pytest.raises(audio.AudioError) as error:
            audio.read(tmp_path / name, longest_s=2)
        assert name in str(error.value) and wanted in str(error.value) and "\n" not in str(error.value)


def chunk(name, body):
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


@pytest.mark.parametrize("before", [
    chunk(b"LIST", b"INFO" + chunk(b"ICMT", b"metadata by hand")), chunk(b"odd ", b"data by"),
    chunk(b"JUNK", bytes(5001)), b""], ids=["comment", "odd length", "long", "none"])
def test_the_data_chunk_is_found_behind_others(tmp_path, before):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(1), 16000)
    whole = path.read_bytes()
    assert whole[36:40] == b"data"
    body = whole[12:36] + before + whole[36:]
    path.write_bytes(b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WAVE" + body)
    assert len(audio.read(path)) == 16000
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(audio.AudioError, match="truncated"):
        audio.read(path)


def test_a_lost_byte_is_undone():
    sound = np.round(tone(2) * 32767).astype("<i2")
    data = sound.tobytes()
    broken = np.frombuffer(data[:24001] + data[24002:] + b"\0", "<i2")
    repaired, slipped = byte_slips(broken)
    assert slipped == pytest.approx(len(sound) - 12000, abs=1600)
    kept = 10000
    assert (repaired[:kept] == sound[:kept]).all() and (repaired[-kept:] == sound[-kept:]).all()


def test_sound_recordings_are_left_alone():
    rng = np.random.default_rng(0)
    for wave in (tone(2), rng.normal(0, 0.2, 32000), np.zeros(32000)):
        pcm = np.round(np.clip(wave, -1, 1) * 32767).astype("<i2")
        repaired, slipped = byte_slips(pcm)
        assert slipped == 0 and (repaired == pcm).all()


@pytest.mark.parametrize("make", [
    lambda wave: np.round(wave * 127) * 256,                       # 8 bits shifted up
    lambda wave: np.round(wave * 127) * 256 + 128,                 # with half a step of offset
    lambda wave: np.round(np.round(wave * 127) / 128 * 32767),     # through floats, with the other scale
], ids=["shifted", "offset", "through floats"])
def test_sound_of_8_bits_is_left_alone(tmp_path, make):
    rng = np.random.default_rng(0)
    for wave in (tone(2, level=0.9), tone(2, level=0.05), np.clip(rng.normal(0, 0.2, 32000), -1, 1),
                 np.concatenate([tone(1, level=0.9), np.zeros(16000)])):
        pcm = make(wave).astype("<i2")
        assert byte_slips(pcm)[1] == 0
        soundfile.write(tmp_path / "a.wav", pcm, 16000)
        assert np.abs(audio.read(tmp_path / "a.wav") * 32768 - pcm).max() == 0
