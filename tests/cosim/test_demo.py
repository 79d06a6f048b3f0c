"""A file that cannot be recognised gets one clear line and a non-zero exit, before anything is built or written."""

import numpy as np
import pytest
import soundfile

from sottovoce import cli


@pytest.fixture
def refused(tmp_path, capsys):
    """A function that runs the demo on a recording and returns the one line of its refusal."""
    def run(path):
        assert cli.main(["demo", "--wav", str(path), "--out", str(tmp_path / "out")]) == 1
        assert not (tmp_path / "out").exists()
        message = capsys.readouterr().err
        assert message.startswith("error: ") and message.count("\n") == 1 and str(path) in message
        return message
    return run


def test_missing(tmp_path, refused):
    assert "no such" in refused(tmp_path / "none.wav")


def test_empty(tmp_path, refused):
    path = tmp_path / "empty.wav"
    path.write_bytes(b"")
    refused(path)


def test_no_samples(tmp_path, refused):
    path = tmp_path / "silent.wav"
    soundfile.write(path, np.zeros(0, np.float32), 16000)
    assert "too few" in refused(path)


def test_not_audio(tmp_path, refused):
    path = tmp_path / "text.flac"
    path.write_text("these are words, but not spoken ones\n" * 50)
    assert "not readable" in refused(path)


def test_far_too_long(tmp_path, refused):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(8000 * 200, np.int16), 8000)
    assert "200.0 s is too long" in refused(path)
