"""The firmware's features in fixed point, compiled for this machine, against the float front-end on speech."""

from pathlib import Path

import kaldi_native_fbank as knf
import numpy as np
import pytest
import soundfile

from cosim.errors import ToolError
from cosim.rtl.front_end import FrontEnd, error
from sw.features import causal, fixed_point
from sw.keywords import spotter

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def normalisation():
    return causal.normalisation_of(spotter.load("rsnn-keywords").network.integers)


@pytest.fixture(scope="module")
def front_end(normalisation):
    """int16 samples -> int8 (frames, 40), by the C code."""
    try:
        return FrontEnd(normalisation)
    except ToolError as missing:
        pytest.skip(str(missing))


def compare(front_end, normalisation, samples):
    """Share of features that differ, and the largest difference."""
    wanted = normalisation(causal.log_mel(samples.astype(np.float32) / 32768))
    differ = np.abs(front_end(samples).astype(int) - wanted)
    return (differ > 0).mean(), differ.max()


def test_speech_differs_in_one_feature_of_a_thousand_by_one(front_end, normalisation):
    samples, rate = soundfile.read(ROOT / "sw/clips/sense_and_sensibility.flac", dtype="int16")
    assert rate == 16000
    share, most = compare(front_end, normalisation, samples[:20 * rate])
    assert share < 0.001 and most <= 1


def test_the_error_is_counted(front_end, normalisation):
    """By a front-end that is off by two in one feature of one frame."""
    samples, _ = soundfile.read(ROOT / "sw/clips/sense_and_sensibility.flac", dtype="int16")

    class Off(FrontEnd):
        def __init__(self):
            self.normalisation = normalisation

        def __call__(self, samples):
            features = normalisation(causal.log_mel(samples.astype(np.float32) / 32768)).astype(np.int8)
            features[3, 7] += 2
            return features

    assert error(Off(), [samples[:8000], samples[8000:16000]]) == {
        "recordings": 2, "frames": 96, "features": 3840, "differ": 2, "frames_that_differ": 2, "largest_lsb": 2}


@pytest.mark.parametrize("kind", ["silence", "one step", "loudest square", "quiet noise", "full noise", "offset"])
def test_extremes(front_end, normalisation, kind):
    """Nothing overflows (the sanitizer would end the process), and the error stays that of rounding."""
    rng = np.random.default_rng(1)
    time = np.arange(8000)
    samples = {"silence": np.zeros(8000), "one step": np.where(time == 4000, 32767, 0),
               "loudest square": np.where(time // 20 % 2, 32767, -32768), "quiet noise": rng.integers(-2, 3, 8000),
               "full noise": rng.integers(-32768, 32768, 8000),
               "offset": 30000 + rng.integers(-50, 51, 8000)}[kind].astype(np.int16)
    share, most = compare(front_end, normalisation, samples)
    assert share < 0.01 and most <= 1


def test_filters_are_kaldis():
    """A tone on a line of the transform: the library's bank and ours see the same shares of its power."""
    options = knf.FbankOptions()
    options.frame_opts.dither, options.frame_opts.preemph_coeff = 0.0, 0.0
    options.frame_opts.window_type, options.frame_opts.round_to_power_of_two = "rectangular", True
    options.frame_opts.frame_length_ms = 32  # 512 samples: a tone on a line stays on it
    options.mel_opts.num_bins = causal.BINS
    ours = fixed_point.filters()
    for line in (3, 17, 40, 99, 180):
        bank = knf.OnlineFbank(options)
        tone = 1000 * np.cos(2 * np.pi * line / 512 * np.arange(512))
        bank.accept_waveform(16000, tone.tolist())
        found = np.exp(bank.get_frame(0))
        assert np.allclose(found / found.sum(), ours[:, line] / ours[:, line].sum(), atol=2e-3), line


def test_the_bound_is_tight(front_end, normalisation, monkeypatch):
    """A pre-emphasis of 0.95 for 0.97, say, or a filter that begins a little higher, breaks it by far."""
    samples, _ = soundfile.read(ROOT / "sw/clips/sense_and_sensibility.flac", dtype="int16")
    shifted = causal.Normalisation(normalisation.mean + np.float32(0.05), normalisation.deviation)
    share, _ = compare(front_end, shifted, samples[:16000])
    assert share > 0.01
