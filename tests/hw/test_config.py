import pytest
from hw_bench import SMALL, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import config as configs
from hw.config import ConfigError


@pytest.mark.parametrize(("name", "neurons", "passes"), [("tiny", 16, 3), ("paper", 128, 8)])
def test_shipped(name, neurons, passes):
    c = configs.load(name)
    assert (c.name, c.neurons, c.passes) == (name, neurons, passes)


def test_paper_has_the_published_sizes():
    c = configs.load("paper")
    assert c.sizes() == {"input": (48, 512), "recurrent0": (192, 512), "recurrent1": (192, 512),
                         "fc0": (960, 512), "fc1": (960, 512)}


@pytest.mark.parametrize(("changes", "message"), [
    ({"nuerons": 8}, "unknown key 'nuerons'; known: "),
    ({"mechanisms": {"union": True}}, "unknown key mechanisms.'union'"),
    ({"mechanisms": {"union_skip": 1}}, r"mechanisms.union_skip=1: wanted true or false"),
    ({"mechanisms": [1]}, r"mechanisms=\[1\]: wanted a mapping"),
    ({"neurons": 6}, "neurons=6: wanted a multiple of 4 from 4 to 1024"),
    ({"neurons": "8"}, "neurons='8': wanted an integer"),
    ({"neurons": True}, "neurons=True: wanted an integer"),
    ({"features": 1}, "features=1: wanted 2 to input_rows=8"),
    ({"features": 9}, "features=9: wanted 2 to input_rows=8"),
    ({"feature_bits": 9}, "feature_bits=9: only 8-bit"),
    ({"weight_bits": 1}, "weight_bits=1: wanted 2 to 8"),
    ({"outputs": 6}, "outputs=6: wanted a multiple of logits_per_beat=4 from 4 to 65536"),
    ({"logits_per_beat": 3}, "logits_per_beat=3: wanted a divisor of lanes=8"),
    ({"load_bits": 24}, "load_bits=24: wanted a divisor, at least 32, of the row width 32"),
    ({"input_code": "gray"}, "input_code='gray': wanted one of twos_complement, sign_magnitude, signed_digit"),
    ({"reset": "none"}, "reset='none': wanted one of zero, subtract"),
    ({"leak_shift": [0, 2]}, r"leak_shift=\[0, 2\]: wanted two integers from 1 to 6"),
    ({"leak_shift": 2}, "leak_shift=2: wanted two integers"),
    ({"accumulator_bits": 9}, "accumulator_bits=9: can overflow; 10 bits hold any weights and inputs"),
    ({"potential_bits": 10}, r"potential_bits=10: wanted accumulator_bits \+ 1 = 11 to 32"),
    ({"input_shift": 9}, "input_shift=9: wanted 0 to 8"),
    ({"potential_fraction": -1}, "potential_fraction=-1: wanted 0 to 8"),
], ids=str)
def test_bad_value_is_quoted(changes, message):
    with pytest.raises(ConfigError, match=message):
        small(**changes)


def test_missing_key_is_named():
    with pytest.raises(ConfigError, match="missing key 'outputs'"):
        configs.from_dict({k: v for k, v in SMALL.items() if k != "outputs"})


def test_users_own_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nfeatures: 6\ninput_rows: 8\nneurons: 8\noutputs: 24\naccumulator_bits: 10\n"
                    "logits_per_beat: 4\nload_bits: 32\nleak_shift: [1, 3]\nmechanisms: {union_skip: false}\n")
    c = configs.load(path)
    assert (c.leak_shift, c.mechanisms.union_skip) == ((1, 3), False)


@pytest.mark.parametrize(("text", "message"), [
    ("- a\n", "wanted a mapping"),
    ("a: [\n", "not readable as YAML"),
    ("!!python/object/apply:os.getcwd []\n", "not readable as YAML"),  # only plain values are read
])
def test_unreadable_file(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        configs.load(path)


def test_unknown_name_lists_those_that_exist():
    with pytest.raises(ConfigError, match="'papper' not found: give one of .*paper.*tiny"):
        configs.load("papper")


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(1, 64), st.integers(2, 8), st.sampled_from(configs.INPUT_CODES))
def test_round_trip_and_width_rule(features, quarters, weight_bits, code):
    values = {"name": "any", "features": features, "input_rows": features, "neurons": 64, "outputs": 64 * quarters,
              "weight_bits": weight_bits, "load_bits": 32, "input_code": code, "accumulator_bits": 24,
              "potential_bits": 32}
    c = configs.from_dict(values)
    assert configs.from_dict(c.to_dict()) == c
    assert configs.from_dict({**values, "accumulator_bits": c.accumulator_bits_needed})
    with pytest.raises(ConfigError, match="can overflow"):
        configs.from_dict({**values, "accumulator_bits": c.accumulator_bits_needed - 1})
