"""Cycles at the published activity stay within the bounds the project set itself, by the cycle model."""

import dataclasses

import pytest
import torch

from cosim import activity
from cosim.errors import HarnessError
from hw import config as configs
from hw.interface import MODES
from sw import golden

SEEDS, FRAMES = 6, 6


def cycles(name, config):
    mode, total = MODES[name], 0.0
    for seed in range(SEEDS):
        model, x = activity.stimulus(config, mode.time_steps, seed, FRAMES)
        trace = golden.run(model, x[None])
        activity.check_activity(config, trace, mode.time_steps)
        cost = golden.cycles(config, mode, x[None], trace)
        total += float(cost.latency[:, activity.SEED_FRAMES:].double().mean()) / SEEDS
    return total


@pytest.fixture(scope="module")
def paper():
    return configs.load("paper")


def test_published_mode_is_within_5_percent_of_895(paper):
    assert cycles("t2_merged", paper) <= 1.05 * 895


def test_merging_saves_26_percent(paper):
    assert cycles("t2_merged", paper) <= 0.74 * cycles("t2_unmerged", paper)


def test_one_time_step_is_within_5_percent_of_574(paper):
    assert cycles("t1", paper) <= 1.05 * 574


def test_union_skip_is_at_most_740(paper):
    assert cycles("t2_union", paper) <= 740


@pytest.mark.parametrize("code", configs.INPUT_CODES)
def test_features_have_57_percent_zero_bits(code, paper):
    config = dataclasses.replace(paper, input_code=code, accumulator_bits=14)
    _, x = activity.stimulus(config, 2, seed=3, frames=5)
    plain = "twos_complement" if code == "twos_complement" else "sign_magnitude"
    digits = golden.digits(torch.from_numpy(x[activity.SEED_FRAMES:].astype("int32")), plain)
    assert (digits != 0).sum((1, 2)).tolist() == [138] * 5  # 0.43 x 40 x 8 = 137.6


def test_a_wrong_count_of_spikes_is_refused(paper):
    model, x = activity.stimulus(paper, 2, seed=0, frames=2)
    x[1] = 0  # without the seed frame hardly anything fires
    with pytest.raises(HarnessError, match="layer 0 fires"):
        activity.check_activity(paper, golden.run(model, x[None]), 2)


@pytest.mark.parametrize(("lanes", "widths"), [(128, (256, 256)), (64, (96, 128))])
def test_two_layers_of_any_width_fire_as_published(lanes, widths):
    config = configs.from_dict({"version": 2, "name": "wide", "features": 40, "lanes": lanes, "outputs": 128,
                                "layers": [{"neurons": n} for n in widths]})
    model, x = activity.stimulus(config, 2, seed=1, frames=3)
    activity.check_activity(config, golden.run(model, x[None]), 2)


@pytest.mark.parametrize(("field", "value"), [("recurrent", False), ("reset", "subtract"), ("leak_shift", "neuron")])
def test_other_layers_are_refused_by_field(field, value):
    config = configs.from_dict({"version": 2, "name": "other", "features": 40, "lanes": 16, "outputs": 16,
                                "layers": [{"neurons": 16}, {"neurons": 16, field: value}]})
    with pytest.raises(configs.ConfigError, match=rf"layers\[1\].{field}={value!r}: the published activity wants"):
        activity.stimulus(config, 2, seed=0, frames=2)
