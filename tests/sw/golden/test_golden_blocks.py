"""Hand-worked values for every function of the golden model: without them both sides could share one mistake."""

import pytest
import torch

from hw import config as configs
from sw import golden

C = configs.load("tiny")


def ints(*values):
    return torch.tensor(values, dtype=torch.int32)


@pytest.mark.parametrize(("code", "value", "digits"), [
    ("twos_complement", 5, [1, 0, 1, 0, 0, 0, 0, 0]),
    ("twos_complement", -1, [1, 1, 1, 1, 1, 1, 1, -1]),
    ("twos_complement", -128, [0, 0, 0, 0, 0, 0, 0, -1]),
    ("sign_magnitude", -5, [-1, 0, -1, 0, 0, 0, 0, 0]),
    ("sign_magnitude", -128, [0, 0, 0, 0, 0, 0, 0, -1]),
    ("signed_digit", 7, [-1, 0, 0, 1, 0, 0, 0, 0]),
    ("signed_digit", -7, [1, 0, 0, -1, 0, 0, 0, 0]),
    ("signed_digit", 3, [-1, 0, 1, 0, 0, 0, 0, 0]),
    ("signed_digit", 127, [-1, 0, 0, 0, 0, 0, 0, 1]),
    ("signed_digit", -128, [0, 0, 0, 0, 0, 0, 0, -1]),
    ("signed_digit", 0, [0] * 8),
])
def test_digits(code, value, digits):
    assert golden.digits(ints(value), code).tolist() == [digits]


@pytest.mark.parametrize("code", ["twos_complement", "sign_magnitude", "signed_digit"])
def test_digits_of_every_value_sum_to_it(code):
    x = torch.arange(-128, 128, dtype=torch.int32)
    digits = golden.digits(x, code)
    assert torch.equal((digits * (1 << torch.arange(8))).sum(-1).int(), x)
    if code == "signed_digit":
        assert not (digits[:, 1:] * digits[:, :-1]).any()  # no two neighbours


def test_unknown_code_is_refused():
    with pytest.raises(ValueError, match="input_code='gray'"):
        golden.digits(ints(1), "gray")


@pytest.mark.parametrize(("row", "gate", "shift", "negate", "clear", "expected"), [
    (7, 1, 0, 0, 0, 107), (-8, 1, 3, 0, 0, 36), (-8, 1, 3, 1, 0, 164), (7, 0, 0, 1, 0, 100), (7, 0, 0, 0, 1, 0),
    (7, 1, 1, 1, 1, -14)])
def test_pe_array(row, gate, shift, negate, clear, expected):
    flags = [torch.tensor(v) for v in (gate, shift, negate, clear)]
    assert golden.pe_array(ints(100), ints(row), *flags).tolist() == [expected]


def test_input_layer_splits_into_groups():
    # 7 = 8 - 1; 85 = 5 + 16 x 5; -128 = 16 x -8
    low, high = golden.input_layer(ints(7, 85, -128), ints([1, 2], [3, -4], [5, -8]), "signed_digit")
    assert low.tolist() == [7 * 1 + 5 * 3, 7 * 2 + 5 * -4]
    assert high.tolist() == [5 * 3 + -8 * 5, 5 * -4 + -8 * -8]


@pytest.mark.parametrize(("low", "high", "expected"), [(7, 0, 0), (8, 0, 1), (-8, 0, 0), (-9, 0, -1), (3, -2, -2)])
def test_combine_rounds_half_up(low, high, expected):
    assert golden.combine(ints(low), ints(high), 4).tolist() == [expected]


def test_recurrent_layer_adds_the_rows_that_fired():
    assert golden.recurrent_layer(torch.tensor([True, False, True]), ints([1, -8], [7, 7], [2, 3])).tolist() == [3, -5]


@pytest.mark.parametrize(("u", "current", "threshold", "potential", "spike"), [
    (0, 10, 160, 0, 1),          # at the threshold it fires
    (0, 10, 161, 160, 0),
    (160, 0, 1000, 120, 0),      # 160 - 40
    (-16, 0, 1, -12, 0),
    (-1, 0, 1, 0, 0),            # -1 - (-1 >> 2) = 0
    (-32768, -1024, 1, -32768, 0),
    (32767, 1000, 32767, 0, 1),  # saturates at the highest threshold there is
])
def test_lif(u, current, threshold, potential, spike):
    after, fired, low = golden.lif(ints(u), ints(current), threshold, 2, C)
    assert (after.tolist(), fired.tolist(), low.tolist()) == ([potential], [bool(spike)], [current == -1024])


def test_fc_layer_adds_both_time_steps():
    spikes = torch.tensor([[1, 1, 0], [1, 0, 0]], dtype=torch.bool)  # (K, N)
    assert golden.fc_layer(spikes, ints([1, -8], [2, 3], [7, 7])).tolist() == [4, -13]
