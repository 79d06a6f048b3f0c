"""Whole small machines of any shape, beside the golden model: layers, groups, LIF lanes, tables of neurons, delays."""

import pytest
from small_machine import check, network, run

from hw import config as configs
from hw.interface import MODES

BASE = {"version": 2, "name": "shape", "features": 4, "lanes": 8, "outputs": 24, "load_bits": 32,
        "logits_per_beat": 4}
OWN = {"threshold": "neuron", "leak_shift": "neuron", "bias": True}

SHAPES = {
    "three layers of different widths": ([{"neurons": 8}, {"neurons": 5, "leak_shift": 1}, {"neurons": 7}], {}),
    "feed-forward": ([{"neurons": 8, "recurrent": False}, {"neurons": 6, "recurrent": False}], {}),
    "one layer": ([{"neurons": 8}], {}),
    "one layer, feed-forward": ([{"neurons": 4, "recurrent": False}], {"outputs": 8}),
    "fewer neurons than lanes": ([{"neurons": 5}, {"neurons": 4}], {"lanes": 16}),
    "groups": ([{"neurons": 20}, {"neurons": 11}], {}),
    "groups, feed-forward": ([{"neurons": 20, "recurrent": False}, {"neurons": 17, "recurrent": False}], {}),
    "thresholds, leaks, biases a neuron": ([{"neurons": 8, **OWN}, {"neurons": 9, **OWN}], {}),
    "a table for one layer": ([{"neurons": 8, "bias": True}, {"neurons": 6, "leak_shift": 0}], {}),
    "LIF lanes": ([{"neurons": 20}, {"neurons": 7}], {"lif_lanes": 4}),
    "LIF in memory": ([{"neurons": 36, **OWN}, {"neurons": 27}], {"lif_lanes": 4}),
    "LIF in memory, nothing persists": ([{"neurons": 40, "persist": False, "recurrent": False},
                                         {"neurons": 30, "recurrent": False}], {"lif_lanes": 4}),
    "synapses": ([{"neurons": 8, "synapse_shift": 2}, {"neurons": 12}], {}),
    "synapses in memory": ([{"neurons": 36, "synapse_shift": 1}, {"neurons": 30, "synapse_shift": 3}],
                           {"lif_lanes": 4}),
    "resets and persistence differ": ([{"neurons": 8, "reset": "subtract"}, {"neurons": 8, "persist": False}], {}),
    "delays": ([{"neurons": 8, "delays": {"forward": 3, "recurrent": 1}}, {"neurons": 11, "delays": {"recurrent": 2}}],
               {"readout_delay": 2}),
    "delays and groups": ([{"neurons": 20, "delays": {"forward": 1, "recurrent": 2}}, {"neurons": 6}],
                          {"readout_delay": 15}),
    "odd halves in the shared last group": ([{"neurons": 7}], {"outputs": 4}),
}


def config(shape, **more):
    layers, changes = SHAPES[shape]
    return configs.from_dict({**BASE, "layers": layers, **changes, **more})


def cases():
    """Every shape in every mode; one mode a shape in the fast tests, all five in turn."""
    for i, shape in enumerate(SHAPES):
        for k, mode in enumerate(MODES):
            yield pytest.param(shape, mode, marks=[] if i % len(MODES) == k else pytest.mark.slow)


@pytest.mark.parametrize(("shape", "mode"), list(cases()))
def test_equals_golden(shape, mode):
    late = "delays" in shape
    trace = check(config(shape), MODES[mode], seed=3, frames=6 if late else 3)
    assert trace.spikes.any((0, 1, 3, 4)).all()  # every layer says something


@pytest.mark.parametrize("mechanism", ["parallel_time_steps", "zero_skip_recurrent", "zero_skip_fc"])
def test_every_neuron_is_visited_and_no_other_where_nothing_skips(mechanism):
    check(config("three layers of different widths", mechanisms={mechanism: False}), MODES["t1"], seed=1)
    check(config("three layers of different widths", mechanisms={mechanism: False}), MODES["t2_sequential"], seed=1)


def test_many_layers():
    layers = [{"neurons": 4 + k, "recurrent": k % 2 == 0} for k in range(8)]
    check(configs.from_dict({**BASE, "layers": layers}), MODES["t2_union"], seed=4)


@pytest.mark.parametrize("shape", ["LIF in memory", "synapses in memory", "delays"])
def test_a_clear_forgets_what_was(shape):
    model, x = network(config(shape), 5, frames=2)
    logits, *counters = run(model, MODES["t2_union"], x)
    again, *same = run(model, MODES["t2_union"], x, times=2)
    assert again == 2 * logits and same == counters
