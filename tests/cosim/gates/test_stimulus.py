"""Frames for gates: what a network without a front-end hears is a file's clips that its import held back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cosim import models
from cosim.bench.networks import random_model
from cosim.errors import HarnessError
from cosim.gates import stimulus
from hw import config
from hw.flow import gate_activity
from hw.interface import MODES
from sottovoce import cli
from sw import golden
from sw.networks.graph import GraphError

TINY = config.load("tiny")
T1 = MODES["t1"]


@pytest.fixture
def model():
    """Random weights for one time step; an int8 feature of 1 is a quarter."""
    drawn = random_model(TINY, torch.Generator().manual_seed(1), 1)
    return replace(drawn, manifest={**drawn.manifest, "feature_step": 0.25})


@pytest.fixture
def clips(tmp_path):
    """Eight clips of five frames, floats; the last two are those that an import holds back."""
    values = np.random.default_rng(2).integers(-100, 100, (8, 5, TINY.features)).astype(np.int8)
    np.save(tmp_path / "x.npy", values * 0.25)
    return values, tmp_path / "x.npy"


def test_the_clips_held_back_are_heard_in_the_steps_that_the_model_notes(model, clips):
    values, path = clips
    for frames, wanted in ((7, 7), (None, 10)):
        _, x, said = stimulus.of(TINY, T1, frames, "speech", model, path)
        assert np.array_equal(x, values[6:].reshape(10, -1)[:wanted]) and x.dtype == np.int8
        assert said == f"weights {model.sha256[:12]}; {wanted} frames of x.npy"


@pytest.mark.parametrize("given, message", [
    ({"features": None}, "has no front-end and hears no recording.*--features FILE.npy"),
    ({"frames": 11}, "--frames 11: the clips of .*x.npy that are held back have 10 frames"),
    ({"mode": MODES["t2_merged"]}, r"trained for 1 time step\(s\)"),
    ({"source": "published"}, "--features: only with --model, and with --source speech"),
    ({"model": None}, "--features: only with --model"),
    ({"features": "nothing.npy"}, "nothing.npy not found"),
])
def test_what_cannot_be_heard_is_refused(model, clips, given, message):
    asked = {"mode": T1, "frames": 2, "source": "speech", "model": model, "features": clips[1], **given}
    with pytest.raises((HarnessError, GraphError), match=message):
        stimulus.of(TINY, **asked)


def test_a_network_with_a_front_end_hears_the_recording(clips):
    trained = models.load("rsnn-paper-t2")
    with pytest.raises(HarnessError, match="--features: paper has a front-end"):
        stimulus.of(trained.config, MODES["t2_merged"], 2, "speech", trained, clips[1])


def test_the_command_leaves_frames_and_golden_logits_in_the_mode_of_the_model(model, clips, tmp_path, capsys):
    values, path = clips
    model.save(tmp_path / "mine")
    out = tmp_path / "stimulus.bin"
    assert cli.main(["gates", "--model", str(tmp_path / "mine"), "--features", str(path), "--frames", "4",
                     "--stimulus-only", str(out)]) == 0
    assert "4 frames, t1; weights" in capsys.readouterr().out
    _, _, x = gate_activity.read_stimulus(out, TINY)
    assert np.array_equal(x.astype(np.uint8), values[6, :4].view(np.uint8))
    assert np.array_equal(np.load(out.with_suffix(".npy")), golden.predict(model, [values[6, :4]], T1).logits)
