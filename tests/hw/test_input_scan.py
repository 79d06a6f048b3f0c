import pytest
import torch
from hw_bench import simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.input_scan import InputScan
from sw import golden

CODES = ("signed_digit", "twos_complement", "sign_magnitude")


def run(frames, config):
    """Slots of each frame: (feature, read, ((gate, shift, negate), ...)); checks `first` and `last` on the way."""
    dut, seen = InputScan(config=config), []

    async def bench(ctx):
        ctx.set(dut.scan.advance, 1)
        for x in frames:
            slots, last = [], 0
            while not last and len(slots) <= 4 * config.features:
                feature = ctx.get(dut.scan.index)
                ctx.set(dut.word, x[feature])
                visits = [ctx.get(visit) for visit in dut.scan.visits]
                sets = tuple((v.gate, v.shift, v.negate) if v.gate else (0, 0, 0) for v in visits)
                assert ctx.get(dut.scan.first) == (not slots)
                slots.append((feature, bool(ctx.get(dut.scan.read)), sets))
                last = ctx.get(dut.scan.last)
                await ctx.tick()
            seen.append(slots)

    simulate(dut, bench)
    return seen


def test_hand_worked_signed_digits():
    c = small(features=4)
    idle = (0, 0, 0)
    # 0: nothing; 7 = 8 - 1; -128 = -8 in the high group; 85 = 64 + 16 + 4 + 1
    assert run([[0, 7, -128, 85]], c) == [[
        (0, False, (idle, idle)),
        (1, True, ((1, 0, 1), idle)), (1, False, ((1, 3, 0), idle)),
        (2, True, (idle, (1, 3, 1))),
        (3, True, ((1, 0, 0), (1, 0, 0))), (3, False, ((1, 2, 0), (1, 2, 0))),
    ]]


@pytest.mark.parametrize("code", CODES)
def test_digits_of_every_value_sum_to_it(code):
    c = small(features=8, accumulator_bits=12, input_code=code)
    frames = [list(range(v, v + 8)) for v in range(-128, 128, 8)]
    for x, slots in zip(frames, run(frames, c), strict=True):
        sums = [0] * 8
        for feature, _, sets in slots:
            sums[feature] += sum(g * (-1) ** n * (1 << s) * (16 if k else 1) for k, (g, s, n) in enumerate(sets))
        assert sums == x


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("skip", [True, False])
@settings(max_examples=8, deadline=None)
@given(frames=st.lists(st.lists(st.integers(-128, 127), min_size=6, max_size=6), min_size=1, max_size=3))
def test_slots_are_goldens(code, skip, frames):
    c = small(accumulator_bits=11, input_code=code, mechanisms={"zero_skip_input": skip})
    expected = [[(feature, bool(read), sets) for feature, read, sets in golden.input_scan(torch.tensor(x), c)]
                for x in frames]
    assert run(frames, c) == expected
