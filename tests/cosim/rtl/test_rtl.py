"""`Rtl`: the Verilated machine as an object whose predictions are the golden model's."""

import dataclasses

import numpy as np
import pytest
import torch

from cosim.bench.networks import random_frames, random_model
from cosim.errors import HarnessError
from cosim.rtl import Rtl
from hw import config as configs
from hw.interface import MODES
from sw.golden import PredictionError
from sw.integers.integer_model import ModelError

TINY = configs.load("tiny")


@pytest.fixture(scope="module")
def model():
    return random_model(TINY, torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def x():
    return random_frames(TINY, 12, torch.Generator().manual_seed(6)).numpy()


@pytest.mark.parametrize("mode", MODES)
def test_prediction_is_the_golden_model_s(model, x, mode):
    got, wanted = Rtl(model).predict(x, mode), model.predict(x, mode)
    assert got == wanted and got.first_difference(wanted) == ""


def test_one_bit_is_a_difference(model, x):
    got = Rtl(model).predict(x)
    spikes = [layer.copy() for layer in got.spikes]
    spikes[1][3, 1, 7] ^= True
    other = dataclasses.replace(got, spikes=tuple(spikes))
    assert got != other
    assert got.first_difference(other).startswith("spike, layer 1, frame 3, time step 1, neuron 7: expected ")


def test_a_configuration_takes_weights_later(model, x):
    rtl = Rtl(TINY)
    with pytest.raises(HarnessError, match="no weights"):
        rtl.predict(x)
    assert rtl.load(model).predict(x) == Rtl(model).predict(x)


@pytest.mark.parametrize(("x", "wanted"), [
    (np.zeros((0, 10), np.int8), r"shape \(0, 10\)"), (np.zeros((3, 9), np.int8), r"shape \(3, 9\)"),
    (np.full((3, 10), 200), "from 200 to 200"), (np.zeros((3, 10)), "float64")])
def test_features_are_checked(model, x, wanted):
    with pytest.raises(PredictionError, match=wanted):
        Rtl(model).predict(x)


def test_unknown_names_list_those_that_exist(model, x):
    with pytest.raises(ModelError, match="'rsnn-papr' not found: give one of rsnn, .*rsnn-keywords"):
        Rtl("rsnn-papr")
    with pytest.raises(PredictionError, match="mode 't3': wanted one of t1, "):
        Rtl(model).predict(x, "t3")
