"""The compiled harness on `tiny`: every mode equals the golden model, and a broken gate does not."""

import dataclasses
import re

import numpy as np
import pytest
import torch

from cosim.errors import HarnessError
from cosim.rtl import builder, harness, side_by_side
from hw import config as configs
from hw.interface import MODES
from sw.golden import PredictionError
from sw.integers.integer_model import IntegerModel


def random_model(seed=0, thresholds=(260, 150)):
    config = configs.load("tiny")
    generator = torch.Generator().manual_seed(seed)

    def weights(*shape):
        return torch.randint(-8, 8, shape, generator=generator, dtype=torch.int32)

    n = config.neurons
    return IntegerModel(config, [weights(config.features, n), weights(n, n), weights(n, n), weights(n, n),
                                 weights(n, config.outputs)], torch.tensor(thresholds))


def random_features(model, frames, seed=0):
    return np.random.default_rng(seed).integers(-128, 128, (frames, model.config.features)).astype(np.int8)


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("isolated", [False, True])
def test_rtl_equals_golden(name, isolated):
    model = random_model()
    inputs = [random_features(model, 17, 1), random_features(model, 1, 2), random_features(model, 30, 3)]
    outcome = side_by_side.check(model, name, inputs, isolated=isolated, quiet=True)
    assert (outcome.differences, outcome.first) == (0, "")
    assert outcome.compared == 48 * (80 + 2 * 2 * MODES[name].time_steps * 16 + 15)
    # something fires, something does not
    assert all(0.05 < layer.mean() < 0.9 for layer in outcome.run.prediction.spikes)


def test_latency_of_an_isolated_frame_is_slots_and_ends():
    model = random_model()
    x = random_features(model, 12)
    result = harness.run(model, MODES["t2_merged"], [x], isolated=True)
    # last group: 16 outputs, 2 beats of 8
    assert (result.latency == result.prediction.phases.sum(1) + 2 + 2).all()


def test_progress_ends_at_the_number_of_frames():
    model, seen = random_model(), []
    harness.run(model, MODES["t1"], [random_features(model, 40)], progress=seen.append)
    assert seen == [16, 32, 40]


def test_a_broken_threshold_is_named():
    """Firing above the threshold instead of at it: the first difference names frame, layer, step and neuron."""
    model = random_model(thresholds=(7 << 4, 7 << 4))
    broken, lanes = re.subn(r"(assign spike_\d+ = .*) >= ", r"\1 > ", builder.verilog("accelerator", model.config))
    assert lanes == model.config.neurons
    x = np.zeros((4, 10), np.int8)
    weights = model.input.clone().zero_()
    weights[0, 5] = 7
    x[:, 0] = 16  # current 7, threshold 7: neuron 5 of layer 0 fires at once
    zero = model.recurrent0 * 0
    model = IntegerModel(model.config, [weights, zero, zero, zero, model.fc], model.thresholds)
    folder = harness.build(model.config, broken)
    outcome = side_by_side.check(model, "t2_merged", [x], quiet=True, folder=folder)
    assert outcome.first == "spike, layer 0, frame 0, time step 0, neuron 5: expected 1, got 0"


def test_an_empty_utterance_is_refused():
    model = random_model()
    with pytest.raises(PredictionError, match=r"shape \(0, 10\)"):
        harness.run(model, MODES["t1"], [np.zeros((0, 10), np.int8)])


def test_a_design_without_counters_is_refused():
    config = dataclasses.replace(configs.load("tiny"), counters=False)
    with pytest.raises(HarnessError, match="counters=False"):
        harness.build(config)
