import pytest
import torch
from hw_bench import lanes, simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.combine import Combine
from sw import golden

C = small()
N = C.neurons


def run(low, high, config=C):
    dut, seen = Combine(config=config), []

    async def bench(ctx):
        ctx.set(dut.low, low)
        ctx.set(dut.high, high)
        await ctx.delay(1e-6)
        seen.append(lanes(ctx.get(dut.current)))

    simulate(dut, bench, clocked=False)
    return seen[0]


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0, 0, 0), (7, 0, 0), (8, 0, 1), (-8, 0, 0), (-9, 0, -1), (23, 0, 1), (24, 0, 2),  # half rounds up
    (0, 1, 1), (0, -1, -1), (480, 384, 414), (-480, -384, -414),
])
def test_rounds_half_up(low, high, expected):
    assert run([low] * N, [high] * N) == [expected] * N


def test_shift_zero_does_not_round():
    c = small(input_shift=0, accumulator_bits=14)
    assert run([1] * N, [-1] * N, c) == [-15] * N


sums = st.lists(st.integers(-480, 480), min_size=N, max_size=N)


@settings(max_examples=25, deadline=None)
@given(sums, st.lists(st.integers(-448, 448), min_size=N, max_size=N))
def test_current_is_goldens(low, high):
    assert run(low, high) == golden.combine(torch.tensor(low), torch.tensor(high), C.input_shift).tolist()
