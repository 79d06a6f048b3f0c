"""A pulse's accumulation as a program of the PE array: cycles and sums by hand, and as the plain integer product."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import config as configs
from sw.lpa import array
from sw.lpa.array import Visit
from sw.models.lpa import PulseAccumulator

TINY = configs.load("tiny")


def test_program_by_hand():
    weights = torch.tensor([[0, 0, 0], [1, 1, 0], [1, 1, 1], [0, 1, 1], [0, 3, 0], [0, 3, 0]])
    frames = array.program(weights, TINY)
    assert frames == [
        [Visit(None, clear=True)],
        [Visit(0, clear=True), Visit(1)],              # as cheap anew
        [Visit(2)],                                    # a row enters
        [Visit(0, negate=True)],                       # a row leaves
        [Visit(1, 0, clear=True), Visit(1, 1)],        # three times the row: once, and shifted; cheaper anew
        [],                                            # nothing moves, nothing is paid
    ]
    assert array.cycles(frames) == 7
    assert array.cycles(array.program(weights, TINY, sliding=False)) == 1 + 2 + 3 + 2 + 2 + 2
    rows = torch.tensor([[-8] * 16, [7] * 16, [1] * 16]).int()
    assert array.execute(frames, rows)[1][:, 0].tolist() == [0, -1, 0, 8, 21, 21]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=1, max_size=6), st.booleans(),
       st.integers(0, 1000))
def test_program_is_the_integer_product(weights, sliding, seed):
    weights = torch.tensor(weights)
    rows = torch.randint(-8, 8, (5, 16), generator=torch.Generator().manual_seed(seed), dtype=torch.int32)
    frames = array.program(weights, TINY, sliding)
    assert torch.equal(array.execute(frames, rows)[1], (weights.double() @ rows.double()).int())
    assert array.cycles(array.program(weights, TINY)) <= array.cycles(array.program(weights, TINY, sliding=False))


def test_hard_accumulator_is_its_program():
    """Counted and summed by the array, divided here: the accumulator's own means, of values rounded alike."""
    torch.manual_seed(0)
    module, x = PulseAccumulator(8, {"content": 1}).eval(), torch.randn(20, 8)
    with torch.no_grad():
        weights = array.hard_weights(module, x)[0]
        rows, step = array.rows_of(module.v_proj(x), TINY)
        sums = array.execute(array.program(weights, TINY), rows)[1].float()
        module.v_proj.weight.copy_(torch.eye(8)), module.v_proj.bias.zero_()
        module.out_proj.weight.copy_(torch.eye(8)), module.out_proj.bias.zero_()
        offset, half, salience = module.look(x[None])
        module.look = lambda *_: (offset, half, salience)
        means = module(rows[None, :, :8].float() * step)[0]
    torch.testing.assert_close(sums[:, :8] / sums[:, -1:].clamp_min(1) * step, means)
    assert torch.equal(sums[:, -1], weights.sum(1).float())


def test_values_round_to_rows():
    rows, step = array.rows_of(torch.tensor([[3.4, -7.6], [0.1, 0.0]]), TINY)
    assert step == 2.0
    assert rows[:, :3].tolist() == [[2, -4, 0], [0, 0, 0]] and rows[:, -1].tolist() == [1, 1]


def test_what_does_not_fit_is_refused():
    with pytest.raises(array.ProgramError, match="channels=16: wanted fewer than the 16 lanes"):
        array.rows_of(torch.zeros(2, 16), TINY)
    with pytest.raises(array.ProgramError, match="window of 1000 rows"):
        array.program(torch.ones(1, 1000, dtype=torch.long), TINY)
    with pytest.raises(array.ProgramError, match="gate=16"):
        array.program(torch.full((1, 1), 16), TINY)
