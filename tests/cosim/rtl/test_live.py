"""The Verilated machine in pieces: what it says of the frames does not depend on where they are cut."""

import os
import signal

import numpy as np
import pytest
import torch

from cosim.bench.networks import random_frames, random_model
from cosim.errors import HarnessError
from cosim.rtl import harness
from cosim.rtl.live import LiveRtl
from hw import config as configs
from sw.golden import PredictionError

TINY = configs.load("tiny")


@pytest.fixture(scope="module")
def model():
    return random_model(TINY, torch.Generator().manual_seed(5))


@pytest.fixture(scope="module")
def x():
    return random_frames(TINY, 31, torch.Generator().manual_seed(6)).numpy()


@pytest.fixture
def machine(model):
    with LiveRtl(model, "t2_merged", harness.build(TINY)) as found:
        yield found


@pytest.mark.parametrize("cuts", [[1], [7, 8, 20], list(range(1, 31))], ids=["two", "four", "frame by frame"])
def test_pieces_are_the_whole(model, x, machine, cuts):
    whole = model.predict(x, "t2_merged")
    for start, end in zip([0, *cuts], [*cuts, len(x)], strict=True):
        got = machine.push(x[start:end])
        for (name, *_, piece), (*_, wanted) in zip(got.signals(), whole.signals(), strict=True):
            assert np.array_equal(piece, wanted[start:end]), f"{name}, frames {start} to {end}"


def test_clear_begins_an_utterance(model, x, machine):
    machine.push(x)
    machine.clear()
    assert machine.push(x[5:]) == model.predict(x[5:], "t2_merged")


def test_features_are_checked(machine, x):
    with pytest.raises(PredictionError, match=r"shape \(2, 9\)"):
        machine.push(x[:2, :9])


def test_a_simulator_that_died_is_an_error_and_can_be_closed(machine, x):
    machine.push(x)
    os.kill(machine._process.pid, signal.SIGKILL)
    with pytest.raises(HarnessError, match="tiny: the simulator ended with code -9"):
        machine.push(x)
    machine.close()
    with pytest.raises(HarnessError, match="tiny"):
        machine.push(x)
