"""40 log-mel energies a 10 ms frame (25 ms window, 16 kHz, Kaldi's), with a running mean taken off, as int8.

    m[t] = m[t-1] + (f[t] - m[t-1]) / min(PRIOR + t + 1, MEMORY)        m[-1] = the training set's mean
    x[t] = clip(round(SCALE (f[t] - m[t]) / deviation), -127, 127)

Everything is causal: a device needs 40 running means and no second pass. `m` starts from the training set's mean as if
PRIOR frames had been heard, then forgets with a time constant of MEMORY frames. `deviation` is fixed after training.
The energies are floored, so that digital silence does not pull the mean to minus infinity.
"""

from dataclasses import dataclass

import kaldi_native_fbank as knf
import numpy as np

from sw.data.audio import RATE, to_rate

BINS = 40
SHIFT = 160    # samples a frame: 10 ms
WINDOW = 400   # samples a window: 25 ms
PRIOR = 100    # frames that the initial mean is worth
MEMORY = 300   # frames over which the running mean forgets
SCALE = 32     # int8 steps a standard deviation
FLOOR = 4.0    # log energy of a 16-bit recording's faintest bins


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Mean and standard deviation of each log-mel bin over the training set, float32 (40,)."""

    mean: np.ndarray
    deviation: np.ndarray

    def __post_init__(self):
        if not (self.deviation > 0).all():
            bin_ = int(np.flatnonzero(~(self.deviation > 0))[0])
            raise ValueError(f"feature_deviation of bin {bin_} is {self.deviation[bin_]:g}: wanted more than 0; "
                             "is there sound in the recordings?")

    @classmethod
    def of(cls, logmels):
        """Measure it on a list of float (frames, 40)."""
        whole = np.concatenate(logmels)
        # deviation after the running mean has gone, which is what it scales
        centred = np.concatenate([f - _running_mean(f, whole.mean(0)) for f in logmels])
        return cls(whole.mean(0).astype(np.float32), centred.std(0).astype(np.float32))

    def __call__(self, logmel):
        """Float (frames, 40) -> int8 (frames, 40)."""
        return _quantise(logmel - _running_mean(logmel, self.mean), self.deviation)


def frames_in(samples):
    """Whole windows in so many samples."""
    return max(0, 1 + (samples - WINDOW) // SHIFT)


def _quantise(centred, deviation):
    return np.clip(np.round(SCALE * centred / deviation), -127, 127).astype(np.int8)


def _running_mean(logmel, mean, heard=0):
    means = np.empty_like(logmel)
    for t, frame in enumerate(logmel):
        mean = mean + (frame - mean) / min(PRIOR + heard + t + 1, MEMORY)
        means[t] = mean
    return means


def _options():
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0.0  # deterministic
    options.frame_opts.snip_edges = True  # frame t covers samples 160 t to 160 t + 400: causal
    options.mel_opts.num_bins = BINS
    return options


def log_mel(wave):
    """Float32 (samples,) in -1..1 at 16 kHz -> float32 (frames, 40), floored; see `frames_in`."""
    bank = knf.OnlineFbank(_options())
    bank.accept_waveform(RATE, (np.asarray(wave, np.float32) * 32768).tolist())
    bank.input_finished()
    frames = [bank.get_frame(t) for t in range(bank.num_frames_ready)]
    return np.maximum(np.array(frames, np.float32).reshape(-1, BINS), FLOOR)


class FeatureStream:
    """The same features from audio that arrives in pieces: `push` returns the frames that became ready."""

    def __init__(self, normalisation):
        self.normalisation = normalisation
        self._bank = knf.OnlineFbank(_options())
        self._mean = normalisation.mean
        self._frames = 0

    def push(self, wave):
        """Float32 (samples,) at 16 kHz -> int8 (frames, 40), perhaps no frame."""
        self._bank.accept_waveform(RATE, (np.asarray(wave, np.float32) * 32768).tolist())
        ready = range(self._frames, self._bank.num_frames_ready)
        logmel = np.maximum(np.array([self._bank.get_frame(t) for t in ready], np.float32).reshape(-1, BINS), FLOOR)
        if not len(logmel):
            return np.empty((0, BINS), np.int8)
        means = _running_mean(logmel, self._mean, self._frames)
        self._mean, self._frames = means[-1], self._frames + len(logmel)
        return _quantise(logmel - means, self.normalisation.deviation)


def extract(wave, rate, model):
    """Recording -> int8 (frames, 40), the input of the accelerator.

    `model` is an `IntegerModel` whose `tables` carry `feature_mean` and `feature_deviation`. The model answers some
    frames late, so as many frames of silence (zeros: the running mean) follow the recording.
    """
    x = normalisation_of(model)(log_mel(to_rate(wave, rate)))
    return np.pad(x, ((0, model.entry("targets", "delay")), (0, 0)))


def normalisation_of(model):
    """The normalisation that travels with a trained model."""
    return Normalisation(*(model.table(name, (BINS,)).numpy() for name in ("feature_mean", "feature_deviation")))
