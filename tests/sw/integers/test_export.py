"""One export for every task: a network becomes the integers of a configuration, or the difference is named."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from hw import config as hw_config
from sw import golden
from sw.integers import export, integer_model
from sw.keywords import frontends, recipes, train
from sw.models import rsnn
from sw.models.rsnn import Rsnn

TINY = hw_config.load("tiny")


def network(config=TINY, bits=4, **sizes):
    torch.manual_seed(1)
    made = Rsnn(**{"features": config.features, "neurons": [layer.neurons for layer in config.layers],
                   "outputs": config.outputs, **sizes}).eval()
    with torch.no_grad():
        for name in made.hidden_matrices:
            getattr(made, name).mul_(3)
    if bits:
        made.calibrate(bits)
    return made


def exported(made, config=TINY):
    return export.integer_model(made, config, name="rsnn", recipe={"seed": 1}, tables={"t": torch.zeros(2)})


@pytest.mark.parametrize("change, words", [
    (dict(layers=dict(leak_shift=3)), r"layers\[0\].leak_shift=2 was trained, but tiny has 3"),
    (dict(layers=dict(reset="subtract")), r"layers\[0\].reset='zero' was trained, but tiny has 'subtract'"),
    (dict(layers=dict(persist=False)), r"persist=True was trained, but tiny has False"),
    (dict(layers=dict(synapse_shift=1)), r"synapse_shift=0 was trained, but tiny has 1"),
    (dict(layers=dict(recurrent=False)), r"recurrent=\[True, True\] was trained, but tiny has \[False, False\]"),
    (dict(layers=dict(neurons=12)), r"neurons=\[16, 16\] was trained, but tiny has \[12, 12\]"),
    (dict(input_shift=5), "input_shift=4 was trained, but tiny has 5"),
    (dict(potential_fraction=3), "potential_fraction=4 was trained, but tiny has 3"),
    (dict(potential_bits=20), "potential_bits=16 was trained, but tiny has 20"),
    (dict(weight_bits=8), "the network has 4 bit weights, tiny wants 8"),
])
def test_a_configuration_that_is_not_what_was_trained_is_refused(change, words):
    change = dict(change)
    config = TINY.with_layers(**change.pop("layers", {}))
    config = replace(config, **change, accumulator_bits=None)
    with pytest.raises(export.ExportError, match=words) as error:
        exported(network(), config)
    assert "\n" not in str(error.value)


def test_a_leak_changed_in_the_keyword_configuration_is_refused(monkeypatch):
    """A run that was trained before the change would otherwise become a machine that differs, silently."""
    made = recipes.find("rsnn-keywords").build(12).eval()
    made.core.calibrate(4)
    work = SimpleNamespace(labels=[f"word{i}" for i in range(12)],
                           normaliser=frontends.Normaliser("causal", torch.zeros(40), torch.ones(40)))
    changed = hw_config.load("keywords").with_layers(leak_shift=3)
    monkeypatch.setattr(hw_config, "load", lambda name: changed)
    with pytest.raises(export.ExportError, match=r"layers\[0\].leak_shift=2 was trained, but keywords has 3"):
        train.integers_of("rsnn-keywords", made, work, {}, "keywords")


def test_floats_are_refused():
    with pytest.raises(export.ExportError, match="the network has float bit weights, tiny wants 4"):
        exported(network(bits=0))


def test_an_overflow_is_refused_by_its_neuron():
    made = network()
    with torch.no_grad():
        made.fc.fill_(-8 * float(made.steps_of[-1]))
    narrow = replace(TINY, accumulator_bits=None)
    object.__setattr__(narrow, "accumulator_bits", 9)  # no configuration is built so narrow: the check is the last one
    with pytest.raises(export.ExportError, match="fc: neuron 0 can reach 256, 10 bits; accumulators have 9"):
        exported(made, narrow)


def test_steps_delays_biases_of_single_neurons_travel(tmp_path):
    """Everything a neuron can have of its own: the integers are the network to the bit, before and after the disk."""
    first, last = TINY.with_layers(threshold="neuron", leak_shift="neuron", bias=True).layers
    first = replace(first, delays=hw_config.Delays(forward=3, recurrent=2))
    config = replace(TINY, layers=(first, last), readout_delay=4)
    made = network(config, time_steps=1, steps="neuron", bias=True, leak_shift=([0, 5], [1, 3]),
                   delays={"forward1": 3, "recurrent0": 2, "readout": 4})
    with torch.no_grad():
        made.bias0.uniform_(-0.2, 0.3)
    exported(made, config).save(tmp_path)
    model = integer_model.load(tmp_path)
    x = torch.randint(-128, 128, (2, 20, config.features))
    trace = golden.run(model, x)
    merged, spikes = made.encode(x.transpose(0, 1).float())
    for layer, mine in enumerate(spikes):
        its = trace.spikes[:, :, layer]
        assert torch.equal(mine.permute(2, 0, 1, 3).bool(), its) and its.any()
    logits = made.readout(merged).transpose(0, 1) / made.steps_of[-1]
    assert torch.equal(logits.round().int(), trace.logits.int()) and trace.logits.any()
    again = rsnn.of_integers(replace(model, manifest={"logit_step": float(made.steps_of[-1])}))
    for name in made.matrices:
        step = 1.0 if name == "fc" else 2.0
        assert (getattr(again, name) - getattr(made, name)).abs().max() < step  # the same weights, rounded
    assert torch.equal(again.shift0, made.shift0) and torch.equal(again.delay_forward1, made.delay_forward1)


def test_a_step_a_neuron_and_long_delays_want_a_configuration_for_them():
    with pytest.raises(export.ExportError, match="has one threshold a layer: set `threshold: neuron`"):
        exported(network(steps="neuron"))
    with pytest.raises(export.ExportError, match="delays up to 3 into forward1 were trained, but tiny has 0"):
        exported(network(delays={"forward1": 3}))
