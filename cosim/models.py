"""Trained networks by name or folder, and recordings as what they hear: a list of utterances of int8 features."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch

from hw.interface import modes_of
from sw import registry
from sw.data import audio
from sw.features import causal
from sw.integers import integer_model
from sw.integers.integer_model import IntegerModel, ModelError
from sw.keywords import spotter, stream

WEIGHTS = registry.WEIGHTS
CLIP = WEIGHTS.parent / "clips" / "sense_and_sensibility.flac"
WORDS_CLIP = WEIGHTS.parent / "clips" / "ten_words.flac"
PAIR = "rsnn"  # the published network, trained for one and for two time steps
PAPER = {1: "rsnn-paper-t1", 2: "rsnn-paper-t2"}
KEYWORDS = "keywords"  # the better of the networks that hear words
SPOTTER = "rsnn-delays"


def names():
    """Names of the committed networks that run on the accelerator."""
    return registry.accelerated()


def load(name):
    """The `IntegerModel` of a committed name (`sw.registry`), or of a folder. Raises `ModelError` listing the names."""
    return integer_model.load(SPOTTER if str(name) == KEYWORDS else name)


def by_time_steps(name):
    """Time steps -> `IntegerModel`: both of `rsnn`, else the one there is."""
    if str(name) == PAIR:
        return {steps: load(folder) for steps, folder in PAPER.items()}
    model = load(name)
    return {model.time_steps: model}


def modes(models):
    """Names of the modes that the models of `by_time_steps` were trained for."""
    config = next(iter(models.values())).config
    return [name for name, mode in modes_of(config).items() if mode.time_steps in models]


def on(model, config):
    """The same network on another machine, which must have its shape. Raises `ModelError` where it has not."""
    return dataclasses.replace(model, config=config)


def is_keyword(model):
    return model.manifest.get("targets", {}).get("kind") == "keywords"


@dataclass(frozen=True)
class Heard:
    """Utterances (T, F) int8 that the machine runs, each from cleared state; a keyword network hears windows."""

    utterances: list
    keywords: bool


def hears(model):
    """Whether recordings are this network's business: it carries the normalisation of its features."""
    return "feature_mean" in model.tables


def hear(model: IntegerModel, wave):
    """What `model` hears of a recording, float32 (samples,) at 16 kHz.

    A phone recogniser hears it whole. A keyword network hears a second at a time, one window every `stream.HOP`,
    silence counting as heard before the recording. Raises `ModelError` for a network that has no features of its own.
    """
    if not hears(model):
        raise ModelError(f"{model.config.name}: the model carries no feature normalisation: it cannot hear a recording")
    if not is_keyword(model):
        return Heard([causal.extract(wave, audio.RATE, model)], False)
    heard = np.concatenate([stream.before(), wave, stream.after(len(wave))])
    windows = np.lib.stride_tricks.sliding_window_view(heard, audio.RATE)[::stream.HOP]
    x = spotter.of_integers("keywords", model).hear(torch.from_numpy(windows.copy()))  # (B, features, frames)
    return Heard(list(x.transpose(1, 2).to(torch.int8).numpy()), True)


def posteriors(model: IntegerModel, logits):
    """Logits (windows x frames, O) of `hear`'s windows -> posteriors (windows, classes)."""
    classes, frames = len(model.manifest["labels"]), 1 + (audio.RATE - causal.WINDOW) // causal.SHIFT
    summed = torch.from_numpy(np.asarray(logits).reshape(-1, frames, model.config.outputs).sum(1))[:, :classes].float()
    return (summed * spotter.of_integers("keywords", model).scale()).softmax(1).numpy()


def words(model: IntegerModel, logits, samples):
    """`stream.Detection`s in a recording of so many samples, from logits (windows x frames, O) of `hear`'s windows."""
    detector = stream.Detector(spotter.of_integers("keywords", model))
    return detector.decide(posteriors(model, logits), samples / audio.RATE)
