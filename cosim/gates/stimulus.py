"""Real frames for gates: a network with its features, from speech or at the published activity."""

from pathlib import Path

import numpy as np
import torch

from cosim import activity, models
from cosim.bench.networks import random_model
from cosim.errors import HarnessError
from sw.data import audio
from sw.features import causal
from sw.integers import integer_model
from sw.networks import calibration

SILENT = 60  # frames of silence that the embedded recording begins with


def trained_model(name, time_steps):
    """Committed weights of a configuration for so many time steps, or None."""
    for folder in (models.WEIGHTS / f"rsnn-{name}-t{time_steps}", models.WEIGHTS / f"rsnn-{name}"):
        if (folder / "manifest.json").is_file() and (model := integer_model.load(folder)).time_steps == time_steps:
            return model
    return None


def heard_from(path, model, frames):
    """Features (T, F) int8 of a `.npy`, and a line that says which: for a network without a front-end of its own.

    The clips that an import held back from its choices, one after another; `frames` of them, or all for None. Floats
    are scaled by the step that the model notes. Raises `GraphError` for what is no such file.
    """
    heard = calibration.load(path, model.config.features, model.manifest.get("feature_step"))
    x = heard.integers[heard.held_back[1]].reshape(-1, model.config.features)
    if frames is not None and frames > len(x):
        raise HarnessError(f"--frames {frames}: the clips of {path} that are held back have {len(x)} frames together")
    x = x[:frames]
    return x, f"weights {model.sha256[:12]}; {len(x)} frames of {Path(path).name}"


def of(config, mode, frames, source, model=None, features=None):
    """A model and features (T, F), and a line that says which: real speech, or the published activity.

    Speech is the embedded recording: `frames` of it from past the silence on, or all of it for None; heard by `model`,
    else by the committed weights of the configuration, else by random ones. `features`: a file that `model` hears in
    its place (`heard_from`).
    """
    if features and (source == "published" or not model):
        raise HarnessError("--features: only with --model, and with --source speech")
    if source == "published":
        drawn, x = activity.stimulus(config, mode.time_steps, 0, frames)
        return drawn, x, "built network at the published activity"
    if model and model.time_steps != mode.time_steps:
        raise HarnessError(f"the model was trained for {model.time_steps} time step(s): choose a mode of as many")
    if features and models.hears(model):
        raise HarnessError(f"--features: {model.config.name} has a front-end and hears the recording")
    if features:
        return model, *heard_from(features, model, frames)
    if model and not models.hears(model):
        raise HarnessError(f"{model.config.name}: the model has no front-end and hears no recording: give what it "
                           "hears, --features FILE.npy, as to `sottovoce import --calibration`")
    wave = audio.read(models.CLIP)
    model = model or trained_model(config.name, mode.time_steps)
    if model:
        x, said = causal.extract(wave, audio.RATE, model), f"trained weights {model.sha256[:12]}"
    else:
        model = random_model(config, torch.Generator().manual_seed(0), mode.time_steps)
        logmel = causal.log_mel(wave)
        x, said = causal.Normalisation.of([logmel])(logmel), "random weights, seed 0"
        x = x[:, np.linspace(0, x.shape[1] - 1, config.features).round().astype(int)]
    if frames is None:
        return model, x, f"{said}; {models.CLIP.name}, {len(x)} frames"
    start = min(SILENT, len(x) - frames)
    return model, x[start:start + frames], f"{said}; frames {start} to {start + frames} of {models.CLIP.name}"
