"""A file that cannot be recognised gets one clear line and a non-zero exit, before anything is built or written."""

import numpy as np
import pytest
import soundfile

from cosim import demo


def refused(path, tmp_path):
    with pytest.raises(SystemExit) as stop:
        demo.main(["--wav", str(path), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
    message = str(stop.value.code)
    assert message.startswith("error: ") and "\n" not in message and str(path) in message
    return message


def test_missing(tmp_path):
    assert "no such" in refused(tmp_path / "none.wav", tmp_path)


def test_empty(tmp_path):
    path = tmp_path / "empty.wav"
    path.write_bytes(b"")
    refused(path, tmp_path)


def test_no_samples(tmp_path):
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(0, np.float32), 16000)
    assert "too few" in refused(path, tmp_path)


def test_not_audio(tmp_path):
    path = tmp_path / "text.flac"
    path.write_text("these are words, but not spoken ones\n" * 50)
    assert "not readable" in refused(path, tmp_path)


def test_far_too_long(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(8000 * 200, np.int16), 8000)
    assert "200.0 s is too long" in refused(path, tmp_path)
