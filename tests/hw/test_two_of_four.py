"""FC rows of two weights in four lanes: how they are stored, what comes out, what is refused."""

import dataclasses

import numpy as np
import pytest
import torch
from hw_bench import lanes, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import config as configs
from hw.two_of_four import TwoOfFour
from sw.integers import images, integer_model
from sw.integers.integer_model import ModelError

C = configs.from_dict({"name": "four", "features": 6, "lanes": 8, "layers": [{"neurons": 8}, {"neurons": 8}],
                       "outputs": 24, "logits_per_beat": 4, "load_bits": 32, "fc_two_of_four": True})


def unpacked(rows):
    """Rows of 8 weights, stored as images stores them, out of the block."""
    dut, found = TwoOfFour(config=C), []

    async def bench(ctx):
        for code in images.row_bits("fc0", np.array(rows, np.int8), C):
            ctx.set(dut.packed, sum(int(bit) << i for i, bit in enumerate(code)))
            await ctx.delay(1e-9)
            found.append(lanes(ctx.get(dut.row)))

    simulate(dut, bench, clocked=False)
    return found


def test_by_hand():
    # lanes 1 and 3 of the first four: 5 and -8; lane 0 of the second: -1, and a zero that names the lane after
    code = images.row_bits("fc0", np.array([[0, 5, 0, -8, -1, 0, 0, 0]], np.int8), C)[0]
    assert "".join(map(str, code[:24][::-1])) == "01" "00" "0000" "1111" "11" "01" "1000" "0101"
    assert C.fc_row_bits == 32 and len(code) == 32


@pytest.mark.parametrize("row", [[0] * 8, [7, 0, 0, -8, 0, 0, 0, 1], [-8, -8, 0, 0, 0, 0, 7, 7]])
def test_ends(row):
    assert unpacked([row]) == [row]


four = st.tuples(st.integers(-8, 7), st.integers(-8, 7), st.permutations(range(4))).map(
    lambda drawn: [dict(zip(drawn[2], drawn[:2], strict=False)).get(lane, 0) for lane in range(4)])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(four, four).map(lambda pair: pair[0] + pair[1]), min_size=1, max_size=6))
def test_every_row_comes_out_as_it_was(rows):
    assert unpacked(rows) == rows


def test_a_third_weight_is_refused():
    def some(*shape):
        return torch.ones(shape, dtype=torch.int32)

    matrices = {name: some(*shape) for name, shape in C.matrices().items()}
    with pytest.raises(ModelError, match="fc: 48 groups of four neighbouring outputs have more than two weights"):
        integer_model.IntegerModel(C, matrices, some(2))
    kept = matrices | {"fc": integer_model.two_of_four(matrices["fc"])}
    model = integer_model.IntegerModel(C, kept, some(2))
    assert (integer_model.in_four(model.fc) == 2).all()
    plain = dataclasses.replace(C, fc_two_of_four=False)
    assert integer_model.IntegerModel(plain, matrices, some(2)).fc.all()
