"""Any number of layers, worked by hand: leaks and thresholds a neuron, bias, delays, groups, synapses, other widths."""

import pytest
import torch

from hw import config as configs
from hw.interface import MODES, phases
from sw import golden
from sw.integers.integer_model import IntegerModel

BASE = {"version": 2, "name": "hand", "features": 2, "lanes": 8, "outputs": 8, "load_bits": 32, "logits_per_beat": 4}
CALM = {"neurons": 4, "recurrent": False}


def config(*layers, **changes):
    return configs.from_dict({**BASE, "layers": list(layers), **changes})


def model(c, thresholds, neurons=None, **weights):
    """Zero matrices but for those given, as {(input, output): weight}."""
    matrices = {name: torch.zeros(shape, dtype=torch.int32) for name, shape in c.matrices().items()}
    for name, values in weights.items():
        for place, value in values.items():
            matrices[name][place] = value
    return IntegerModel(c, matrices, torch.tensor(thresholds), neurons=neurons or {})


def frames(*values):
    """Feature 0, frame by frame; 8 x 2 / 16 = current 1."""
    return torch.tensor([[[v, 0] for v in values]])


def test_a_leak_of_zero_integrates():
    c = config({**CALM, "leak_shift": "neuron"})
    m = model(c, [200], {"leaks0": torch.tensor([0, 1, 7, 2])}, input={(0, i): 2 for i in range(4)})
    trace = golden.run(m, frames(40, 0, 0), 1)  # current 5 = 80, then nothing
    assert trace.potentials[0, :, 0, 0].tolist() == [[80, 80, 80, 80], [80, 40, 80, 60], [80, 20, 80, 45]]


def test_each_neuron_has_its_threshold():
    c = config({**CALM, "threshold": "neuron"})
    m = model(c, [0], {"thresholds0": torch.tensor([79, 80, 81, 32767])}, input={(0, i): 2 for i in range(4)})
    trace = golden.run(m, frames(40), 1)
    assert trace.spikes[0, 0, 0, 0].tolist() == [True, True, False, False]
    assert trace.potentials[0, 0, 0, 0].tolist() == [0, 0, 80, 80]


def test_bias_is_added_at_each_time_step():
    c = config({**CALM, "bias": True, "leak_shift": 0})
    m = model(c, [100], {"biases0": torch.tensor([30, -30, 50, 0])}, input={(0, 3): 2})
    trace = golden.run(m, frames(0), 2)
    assert trace.potentials[0, 0, 0].tolist() == [[30, -30, 50, 0], [60, -60, 0, 0]]  # 100 meets the threshold


def test_potentials_that_do_not_persist_start_each_frame_from_zero():
    c = config({**CALM, "persist": False, "leak_shift": 0})
    trace = golden.run(model(c, [1000], input={(0, 0): 2}), frames(40, 40), 2)
    assert trace.potentials[0, :, 0, :, 0].tolist() == [[80, 160], [80, 160]]


def test_synapses_decay_and_outlive_their_spike():
    c = config({**CALM, "synapse_shift": 1, "leak_shift": 0})
    trace = golden.run(model(c, [200], input={(0, 0): 2}), frames(40, 0, 0), 1)
    # i = 80, 40, 20; u = 80, 120, 140
    assert trace.potentials[0, :, 0, 0, 0].tolist() == [80, 120, 140]
    assert trace.state.synapses[0][0, 0] == 20


@pytest.mark.parametrize("late", [1, 15])
def test_a_delayed_spike_comes_that_many_frames_late(late):
    c = config({**CALM, "delays": {"forward": 15}}, CALM, readout_delay=1)
    m = model(c, [80, 112], {"delays_forward1": torch.tensor([late, 0, 0, 0]), "delays_fc": torch.tensor([0, 1, 0, 0])},
              input={(0, 0): 2, (0, 1): 2}, forward1={(0, 0): 7, (1, 1): 7}, fc={(0, 0): 3, (1, 1): 3})
    trace = golden.run(m, frames(40, *[0] * 16), 1)
    assert trace.spikes[0, :, 1, 0, 0].nonzero().flatten().tolist() == [late]
    assert trace.spikes[0, :, 1, 0, 1].nonzero().flatten().tolist() == [0]
    assert trace.logits[0, :, 0].nonzero().flatten().tolist() == [late]  # no further delay
    assert trace.logits[0, :, 1].nonzero().flatten().tolist() == [1]


def test_a_recurrent_delay_comes_on_top_of_the_one_frame():
    c = config({"neurons": 4, "leak_shift": 0, "delays": {"recurrent": 2}})
    m = model(c, [80], {"delays_recurrent0": torch.tensor([2, 0, 0, 0])},
              input={(0, 0): 2, (0, 1): 2}, recurrent0={(0, 2): 1, (1, 3): 1})
    trace = golden.run(m, frames(40, 0, 0, 0), 1)
    assert trace.currents[0, :, 0, 0, 2:].tolist() == [[0, 0], [0, 1], [0, 0], [1, 0]]


def test_state_with_delays_continues():
    c = config({"neurons": 6, "delays": {"recurrent": 3, "forward": 2}}, {"neurons": 11, "synapse_shift": 2},
               readout_delay=2)
    m, x = random_case(c, 1, frames=9)
    whole, head = golden.run(m, x), golden.run(m, x[:, :4])
    tail = golden.run(m, x[:, 4:], state=head.state)
    assert torch.equal(torch.cat([head.logits, tail.logits], 1), whole.logits) and whole.logits.any()


def random_case(c, seed, batch=1, frames=5):
    g = torch.Generator().manual_seed(seed)

    def some(low, high, *shape):
        return torch.randint(low, high, shape, generator=g, dtype=torch.int32)

    matrices = {name: some(-c.weight_limit, c.weight_limit, *shape) for name, shape in c.matrices().items()}
    tables = {name: some(least, min(most, 300) + 1, count) for name, (count, least, most) in c.neuron_tables().items()}
    thresholds = torch.tensor([0 if layer.threshold == "neuron" else 120 for layer in c.layers])
    return IntegerModel(c, matrices, thresholds, neurons=tables), some(-128, 128, batch, frames, c.features)


def test_groups_take_turns_by_hand():
    # 12 neurons on 8 lanes: two groups. Input, combine and the recurrent scan run twice; the LIF unit serves 4 a cycle.
    c = config({"neurons": 12}, lif_lanes=4, outputs=4)
    m = model(c, [80], input={(0, 0): 2, (0, 11): 2})
    x = frames(40, 0)  # 40 = 32 + 8: a digit in each group
    cost = golden.cycles(c, MODES["t1"], x, golden.run(m, x, 1))
    p = phases(c)
    assert [name.name for name in p] == ["INPUT", "COMBINE", "L0_RECURRENT", "L0_LIF", "WAIT", "FC", "FINAL"]
    assert cost.phases[0, 0].tolist() == [2 * 2, 2, 2 * 1, 3, 1, 1, 1]  # neurons 0 and 11 lie in different halves
    assert cost.phases[0, 1].tolist() == [2 * 2, 2, 2 * 1, 3, 1, 1, 1]
    assert cost.reads[0].tolist() == [[2, 0, 0, 1, 1], [0, 2, 2, 0, 0]]  # frame 1: the spikes of frame 0, twice


def test_a_layer_without_recurrence_waits_for_the_spikes_of_the_one_before():
    c = config(CALM, {"neurons": 20, "recurrent": False})
    m, x = random_case(c, 2)
    cost = golden.cycles(c, MODES["t2_union"], x, golden.run(m, x))
    assert cost.phases[..., phases(c).WAIT.value].unique().tolist() == [1 + 3]
    assert cost.phases[..., phases(c).L1_LIF.value].unique().tolist() == [3 * 2]


def test_wide_potentials_do_not_wrap():
    c = config(CALM, potential_bits=32, potential_fraction=8)
    u = torch.tensor([2**31 - 1, -2**31], dtype=torch.int32)
    current = torch.tensor([4000, -4000], dtype=torch.int32)
    after, spikes, low = golden.lif(u, current, 2**31 - 1, 7, c)
    assert after.tolist() == [2**31 - 1 - (2**31 - 1 >> 7) + (4000 << 8), -2**31 + 2**24 - (4000 << 8)]
    assert not spikes.any() and not low.any()
    after, spikes, low = golden.lif(u, current * 2**10, 2**31 - 1, 0, c)
    assert (after.tolist(), spikes.tolist(), low.tolist()) == ([0, -2**31], [True, False], [False, True])


@pytest.mark.parametrize(("changes", "message"), [
    ({"matrices": []}, "0 matrices: hand wants 3: input, recurrent0, fc"),
    ({"neurons": {}}, "neurons: 'biases0' is missing: hand has biases0"),
    ({"neurons": {"biases0": torch.tensor([0, 0, 0, 40000])}}, "biases0: values 0..40000: wanted -32768 to 32767"),
    ({"neurons": {"biases0": torch.zeros(3, dtype=torch.int32)}}, r"biases0: shape \(3,\), but hand wants \(4,\)"),
    ({"thresholds": torch.tensor([0])}, r"thresholds=\[0\]: wanted 1 to 32767"),
], ids=str)
def test_models_that_do_not_fit_are_refused(changes, message):
    c = config({"neurons": 4, "bias": True})
    m, _ = random_case(c, 0)
    parts = {"matrices": m.matrices, "thresholds": m.thresholds, "neurons": m.neurons, **changes}
    with pytest.raises(ValueError, match=message):
        IntegerModel(c, **parts)


def test_tables_of_neurons_are_saved_with_the_weights(tmp_path):
    from sw.integers import integer_model
    c = config({"neurons": 4, "bias": True, "threshold": "neuron"}, {"neurons": 9, "delays": {"recurrent": 3}})
    m, x = random_case(c, 3)
    m.save(tmp_path)
    again = integer_model.load(tmp_path)
    assert again.sha256 == m.sha256 and again.config == c
    assert torch.equal(golden.run(again, x).logits, golden.run(m, x).logits)
