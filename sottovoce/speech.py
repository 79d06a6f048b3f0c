"""Recordings in, phones out: what stands before and behind a network in the library."""

from pathlib import Path

from sw.data import audio
from sw.features import causal
from sw.phones import decode


def features(model, recording):
    """What `model` hears of a recording: int8 (frames, 40), as `predict` takes it.

    `recording` is a WAV or FLAC file of any rate, or float samples in -1..1 at 16 kHz. Raises `audio.AudioError` in one
    line for a file that cannot serve.
    """
    wave = audio.read(recording) if isinstance(recording, (str, Path)) else recording
    return causal.extract(wave, audio.RATE, model)


def phones(model, prediction):
    """The phones of a prediction of a phone recogniser: (name, first frame, last frame + 1) in order."""
    return decode.decode(prediction.logits, model)
