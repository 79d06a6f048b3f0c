"""The sequencer is what joins the blocks: checked on whole small machines, with each mechanism built and left out."""

import pytest
from hw_bench import small
from small_machine import check

from hw.interface import MODES


@pytest.mark.parametrize("mode", MODES)
def test_mode(mode):
    check(small(), MODES[mode])


@pytest.mark.parametrize("mechanism", ["parallel_time_steps", "union_skip", "merged_spikes", "zero_skip_input",
                                       "zero_skip_recurrent", "zero_skip_fc"])
@pytest.mark.parametrize("mode", ["t1", "t2_union"])
def test_mechanism_left_out(mechanism, mode):
    check(small(mechanisms={mechanism: False}), MODES[mode], seed=1)


@pytest.mark.parametrize("changes", [
    {"input_code": "twos_complement", "accumulator_bits": 11},
    {"input_code": "sign_magnitude", "accumulator_bits": 11},
    {"reset": "subtract"},
    {"leak_shift": [1, 4]},
    {"outputs": 16},                    # even group count: no shared last group
    {"outputs": 20},                    # last group half filled
    {"outputs": 8},                     # one group only
    {"logits_per_beat": 1},             # so slow a drain that the FC waits for it
    {"logits_per_beat": 8},
    {"weight_bits": 8, "accumulator_bits": 15, "potential_bits": 24},
    {"counters": False},
], ids=str)
@pytest.mark.parametrize("mode", ["t1", "t2_union"])
def test_configuration(changes, mode):
    check(small(**changes), MODES[mode], seed=2)
