"""Predictions are equal where every value is, and name the first that is not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hw import config as hw_config
from hw.interface import MODES
from sw import golden
from sw.golden.prediction import PredictionError, predict
from sw.integers.integer_model import IntegerModel

TINY = hw_config.load("tiny")


@pytest.fixture(scope="module")
def model():
    g = torch.Generator().manual_seed(0)

    def matrix(*shape):
        return torch.randint(-8, 8, shape, generator=g, dtype=torch.int32)

    n = TINY.neurons
    return IntegerModel(TINY, [matrix(TINY.features, n), matrix(n, n), matrix(n, n), matrix(n, n),
                               matrix(n, TINY.outputs)], torch.tensor([260, 150]))


def features(frames, seed=0):
    return np.random.default_rng(seed).integers(-128, 128, (frames, TINY.features)).astype(np.int8)


def changed(prediction, signal, layer, index, by=1):
    """The same prediction with one value changed."""
    def bump(values):
        values = values.copy()
        values[index] = not values[index] if values.dtype == bool else values[index] + by
        return values
    old = getattr(prediction, signal)
    new = bump(old) if layer is None else tuple(bump(v) if i == layer else v for i, v in enumerate(old))
    return replace(prediction, **{signal: new})


@pytest.mark.parametrize("name", MODES)
def test_it_is_the_golden_model_frame_by_frame(model, name):
    inputs = [features(9, 1), features(1, 2), features(5, 3)]
    found, mode, start = predict(model, inputs, name), MODES[name], 0
    for x in inputs:
        batch = torch.from_numpy(x)[None]
        trace = golden.run(model, batch, mode.time_steps)
        cost, here = golden.cycles(TINY, mode, batch, trace), slice(start, start + len(x))
        assert (found.logits[here] == trace.logits[0].numpy()).all()
        for layer in range(2):
            assert (found.spikes[layer][here] == trace.spikes[0, :, layer].numpy()).all()
            assert (found.potentials[layer][here] == trace.potentials[0, :, layer].numpy()).all()
        assert (found.phases[here] == cost.phases[0].numpy()).all()
        assert (found.reads[here] == cost.reads[0].numpy()).all()
        start += len(x)
    assert len(found.logits) == start == 15


def test_equality_is_one_expression_and_one_array_is_one_utterance(model):
    x = features(7)
    assert predict(model, x) == predict(model, [x])
    assert predict(model, x) != predict(model, x, "t2_merged")  # the same bits in other cycles
    assert predict(model, x) != predict(model, features(7, 1)) and predict(model, x) != "something else"
    assert predict(model, x) != predict(model, x[:5])


@pytest.mark.parametrize("signal, layer, index, words", [
    ("logits", None, (3, 4), "logit, frame 3, output 4: expected {wanted}, got {got}"),
    ("spikes", 1, (2, 0, 5), "spike, layer 1, frame 2, time step 0, neuron 5: expected {wanted}, got {got}"),
    ("potentials", 0, (6, 1, 15), "potential, layer 0, frame 6, time step 1, neuron 15: expected {wanted}, got {got}"),
    ("phases", None, (0, 8), "cycles, frame 0, phase FC: expected {wanted}, got {got}"),
    ("reads", None, (1, 3), "row reads, frame 1, buffer fc0: expected {wanted}, got {got}"),
])
def test_the_first_difference_is_named(model, signal, layer, index, words):
    wanted = predict(model, features(7))
    got = changed(wanted, signal, layer, index)
    values = [int((getattr(p, signal) if layer is None else getattr(p, signal)[layer])[index]) for p in (wanted, got)]
    assert got != wanted and got.first_difference(wanted) == words.format(wanted=values[0], got=values[1])
    assert wanted.first_difference(wanted) == ""
    assert got.compare(wanted)[:2] == (7 * (TINY.outputs + 2 * 2 * 2 * TINY.neurons + 10 + 5), 1)


@pytest.mark.parametrize("x, words", [
    (np.zeros((3, 9), np.int8), r"utterance 0 has shape \(3, 9\): wanted \(frames, 10\)"),
    (np.zeros((0, 10), np.int8), r"shape \(0, 10\)"),
    ([np.zeros((1, 10), np.int8), np.zeros(10, np.int8)], r"utterance 1 has shape \(10,\)"),
    (np.full((2, 10), 128), "int64 values from 128 to 128: wanted integers from -128 to 127"),
    (np.full((2, 10), 0.5), "float64 values from 0.5 to 0.5"),
    ([], "no utterance"),
])
def test_features_that_cannot_be_run_are_refused(model, x, words):
    with pytest.raises(PredictionError, match=words):
        predict(model, x)


def test_unknown_modes_are_refused(model):
    with pytest.raises(PredictionError, match="mode 't3': wanted one of t1, t2_sequential"):
        predict(model, features(2), "t3")


def test_another_number_of_time_steps_is_a_difference(model):
    one, two = predict(model, features(2), "t1"), predict(model, features(2))
    assert one.first_difference(two) == "spike, layer 0: expected shape (2, 2, 16), got (2, 1, 16)"
