"""Version 2 of the configuration: layers, defaults, and what is refused, each with the field and the value."""

import json

import pytest
from hw_bench import SMALL, small

from hw import config as configs
from hw.config import ConfigError, Layer

TWO = {"version": 2, "name": "two", "features": 6, "lanes": 8, "outputs": 8, "load_bits": 32, "logits_per_beat": 4,
       "layers": [{"neurons": 12}, {"neurons": 4, "recurrent": False}]}


def two(**changes):
    return configs.from_dict({**TWO, **changes})


def layer(**changes):
    return two(layers=[{"neurons": 12, **changes}])


def test_version_1_is_two_recurrent_layers_as_wide_as_the_lanes():
    new = {key: value for key, value in SMALL.items() if key != "neurons"}
    layers = [{"neurons": 8, "leak_shift": shift, "reset": "subtract"} for shift in (1, 3)]
    assert small(leak_shift=[1, 3], reset="subtract") == configs.from_dict(
        {**new, "version": 2, "lanes": 8, "layers": layers})
    assert small(version=1) == small()


def test_defaults_are_the_least_that_serves():
    c = two()
    assert (c.input_rows, c.lif_lanes, c.accumulator_bits) == (6, 8, c.accumulator_bits_needed)
    assert c.layers == (Layer(neurons=12), Layer(neurons=4, recurrent=False))
    assert configs.from_dict(json.loads(json.dumps(c.to_dict()))) == c


def test_derived_sizes_by_hand():
    c = two(lif_lanes=4, readout_delay=3)
    assert [c.groups_of(k) for k in range(2)] == [2, 1] and [c.half_of(k) for k in range(2)] == [6, 2]
    assert c.recurrent_rows == 6 + 6 + 6 and c.fc_rows == 2  # two groups of recurrence, one forward; a split pass
    assert c.sizes()["input"] == (12, 32)
    assert [list(c.group_words(*g)) for g in ((0, 0), (0, 1), (1, 0))] == [[0, 1], [2], [3]]
    assert c.delays() == {"fc": (1, 3)} and c.delay_rows() == {"fc": range(0, 1)}
    assert c.matrices() == {"input": (6, 12), "recurrent0": (12, 12), "forward1": (12, 4), "fc": (4, 8)}


def test_a_neurons_fields_lie_one_after_another():
    c = layer(threshold="neuron", bias=True, leak_shift="neuron")
    assert c.neuron_fields() == {"threshold": 16, "leak": 3, "bias": 16}
    assert c.neuron_bits == 288 and c.neuron_tables() == {  # 8 lanes x 35 bits, in words of 32
        "thresholds0": (12, 1, 32767), "leaks0": (12, 0, 7), "biases0": (12, -32768, 32767)}


@pytest.mark.parametrize(("changes", "message"), [
    ({"version": 3}, "version=3: wanted 1 or 2"),
    ({"name": "../x"}, r"name='../x': wanted a plain name"),
    ({"name": "a b"}, "name='a b': wanted a plain name"),
    ({"name": 3}, "name=3: wanted a plain name"),
    ({"name": "x" * 65}, "wanted a plain name"),
    ({"counters": "yes"}, "counters='yes': wanted true or false"),
    ({"mechanisms": False}, "mechanisms=False: wanted a mapping"),
    ({"mechanisms": None}, "mechanisms=None: wanted a mapping"),
    ({"outputs": 800_000_000}, "outputs=800000000: wanted a multiple of logits_per_beat=4 from 4 to 65536"),
    ({"lanes": 6}, "lanes=6: wanted a multiple of 4"),
    ({"lif_lanes": 3}, "lif_lanes=3: wanted a divisor, at least 4, of lanes=8"),
    ({"readout_delay": 16}, "readout_delay=16: wanted 0 to 15"),
    ({"layers": []}, "layers='0 layers': wanted 1 to 8"),
    ({"layers": [{"neurons": 4}] * 9}, "layers='9 layers': wanted 1 to 8"),
    ({"layers": 4}, "layers=4: wanted a list of layers"),
    ({"layers": [4]}, r"layers\[0\]=4: wanted a mapping"),
    ({"layers": [{"recurrent": True}]}, r"missing key layers\[0\].'neurons'"),
    ({"layers": [{"neurons": 4, "leak": 1}]}, r"unknown key layers\[0\].'leak'; known: neurons"),
    ({"neurons": 8}, "unknown key 'neurons'; known: name"),
    ({"extra": "y" * 1000}, "unknown key 'extra'"),
    ({"weight_bits": [[0] * 1000]}, r"weight_bits=.{80}: wanted an integer"),
], ids=lambda v: str(v)[:60])
def test_bad_value_is_quoted(changes, message):
    with pytest.raises(ConfigError, match=message) as error:
        two(**changes)
    assert "\n" not in str(error.value) and len(str(error.value)) < 800


@pytest.mark.parametrize(("changes", "message"), [
    ({"neurons": 3}, "neurons=3: wanted 4 to 1024"),
    ({"neurons": 1025}, "neurons=1025: wanted 4 to 1024"),
    ({"neurons": 513}, "neurons=513: wanted at most 64 groups of lanes=8"),
    ({"neurons": 8.0}, "neurons=8.0: wanted an integer"),
    ({"recurrent": 1}, "recurrent=1: wanted true or false"),
    ({"reset": "none"}, "reset='none': wanted one of zero, subtract"),
    ({"leak_shift": 8}, r"leak_shift=8: wanted 0 \(no leak\) to 7, or neuron"),
    ({"leak_shift": True}, "leak_shift=True: wanted 0"),
    ({"threshold": "all"}, "threshold='all': wanted layer or neuron"),
    ({"synapse_shift": 8}, "synapse_shift=8: wanted 0"),
    ({"delays": {"recurrent": 16}}, "delays.recurrent=16: wanted 0 to 15"),
    ({"delays": {"forward": 1}}, "delays.forward=1: wanted 0: the last layer's way out is delayed by readout_delay"),
    ({"delays": {"readout": 1}}, r"unknown key layers\[0\].delays.'readout'"),
    ({"delays": 3}, r"layers\[0\].delays=3: wanted a mapping"),
    ({"recurrent": False, "delays": {"recurrent": 1}}, "delays.recurrent=1: wanted 0: the layer is not recurrent"),
], ids=str)
def test_bad_layer_is_quoted(changes, message):
    with pytest.raises(ConfigError, match=message):
        layer(**changes)


@pytest.mark.parametrize("leaks", [[True, True], [2], "22", [2, 7]], ids=str)
def test_bad_leaks_of_version_1(leaks):
    with pytest.raises(ConfigError, match="wanted two integers from 1 to 6"):
        small(leak_shift=leaks)


def test_layers_in_version_1_are_refused():
    with pytest.raises(ConfigError, match="unknown key 'layers' in version 1: say version: 2"):
        small(version=1, layers=[{"neurons": 8}])


@pytest.mark.parametrize(("text", "message"), [
    ("name: a\nfeatures: 3\nname: b\n", r"not readable as YAML: key 'name' twice \(line 3\)"),
    ("a: &x [1]\nb: *x\n", r"an alias \(\*name\)"),
    ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
    ("a: " + "x" * (1 << 20), "bytes, the most is 1048576"),
    ("\x00", "not readable as YAML"),
], ids=["twice", "alias", "deep", "large", "control"])
def test_unreadable_file(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        configs.load(path)
    assert "\n" not in str(error.value)
