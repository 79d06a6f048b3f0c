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
