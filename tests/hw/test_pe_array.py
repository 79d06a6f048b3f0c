import pytest
import torch
from hw_bench import lanes, simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.pe_array import PeArray
from sw import golden

C = small()
N = C.neurons


def run(cycles):
    """Accumulators after each cycle of (row, controls)."""
    dut, seen = PeArray(config=C), []

    async def bench(ctx):
        for row, controls in cycles:
            ctx.set(dut.row, row)
            for port in ("gate", "shift", "negate", "clear", "load"):
                ctx.set(getattr(dut, port), controls.get(port, 0))
            ctx.set(dut.value, controls.get("value", [0] * N))
            await ctx.tick()
            seen.append(lanes(ctx.get(dut.accumulators)))

    simulate(dut, bench)
    return seen


@pytest.mark.parametrize(("weight", "controls", "expected"), [
    (7, {"gate": 1}, 107),
    (-8, {"gate": 1}, 92),
    (-8, {"gate": 1, "negate": 1}, 108),             # the most negative weight changes sign
    (-8, {"gate": 1, "shift": 3}, 36),
    (-8, {"gate": 1, "shift": 3, "negate": 1}, 164),
    (7, {}, 100),                                    # gate low holds
    (7, {"negate": 1}, 100),                         # and adds no carry
    (7, {"clear": 1}, 0),
    (7, {"clear": 1, "negate": 1}, 0),
    (7, {"clear": 1, "gate": 1}, 7),
    (0, {"gate": 1, "negate": 1}, 100),
    (7, {"gate": 1, "clear": 1, "load": 1, "value": [-512] * N}, -512),
])
def test_one_cycle_from_100(weight, controls, expected):
    assert run([([0] * N, {"load": 1, "value": [100] * N}), ([weight] * N, controls)])[1] == [expected] * N


def test_every_lane_takes_its_own_weight():
    row = [-8, -7, -1, 0, 1, 2, 6, 7]
    assert run([(row, {"gate": 1, "clear": 1})]) == [row]


operation = st.tuples(st.lists(st.integers(-8, 7), min_size=N, max_size=N), st.fixed_dictionaries(
    {"gate": st.integers(0, 1), "shift": st.integers(0, 3), "negate": st.integers(0, 1), "clear": st.integers(0, 1)}))


@settings(max_examples=25, deadline=None)
@given(st.lists(operation, min_size=1, max_size=7))  # seven rows of at most 64 stay within 10 bits
def test_sums_are_goldens(cycles):
    accumulators, expected = torch.zeros(N, dtype=torch.int32), []
    for row, k in cycles:
        accumulators = golden.pe_array(accumulators, torch.tensor(row, dtype=torch.int32),
                                       *(torch.tensor(k[name]) for name in ("gate", "shift", "negate", "clear")))
        expected.append(accumulators.tolist())
    assert run(cycles) == expected
