"""Resampling in pieces is resampling of the whole, and keeps what is above the new half rate out."""

import numpy as np
import pytest

from sw.data import audio
from sw.data.resample import Resampler


def pieces(wave, rate, rng):
    """The wave through a `Resampler`, cut at random places; short and empty pieces too."""
    ear, cuts = Resampler(rate), np.sort(rng.integers(0, len(wave) + 1, 40))
    return np.concatenate([*(ear.push(part) for part in np.split(wave, cuts)), ear.finish()])


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("samples", [1, 700, 20011])
def test_pieces_are_the_whole_to_the_bit(rate, samples):
    rng = np.random.default_rng(samples)
    wave = rng.uniform(-1, 1, samples).astype(np.float32)
    assert np.array_equal(pieces(wave, rate, rng), audio.to_rate(wave, rate))


def test_a_finished_resampler_starts_anew():
    ear, wave = Resampler(48000), np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    for _ in range(2):
        assert np.array_equal(np.concatenate([ear.push(wave), ear.finish()]), audio.to_rate(wave, 48000))


def test_little_is_held_back_and_little_is_kept():
    ear = Resampler(44100)
    for _ in range(100):
        ear.push(np.zeros(4410, np.float32))
    assert 160000 - ear._given < 20 and len(ear._kept) < 1000


@pytest.mark.parametrize("hertz, least, most", [(1000, 0.99, 1.01), (7000, 0.95, 1.01), (9500, 0, 0.004),
                                                (15000, 0, 0.001)])
def test_only_what_the_lower_rate_can_carry_passes(hertz, least, most):
    sound = np.sin(2 * np.pi * hertz * np.arange(48000) / 48000).astype(np.float32)
    heard = Resampler(48000).push(sound)[1000:-1000]
    assert least <= np.sqrt(2 * np.mean(heard ** 2)) <= most


@pytest.mark.parametrize("rate", [0, -48000, 44100.5])
def test_other_rates_are_refused(rate):
    with pytest.raises(audio.AudioError, match=f"rate={rate}"):
        Resampler(rate)
