import pytest
import torch
from hw_bench import lanes, simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.lif import Lif
from sw import golden

C = small()
N = C.neurons
UNIT = 1 << C.potential_fraction  # 16


def run(steps, config=C):
    """(potentials, spikes of step 0 and 1) of the layer after each step; a step is a dict of the unit's inputs."""
    dut, seen = Lif(config=config), []

    async def bench(ctx):
        for step in steps:
            layer = step.get("layer", 0)
            for port in ("layer", "step", "clear"):
                ctx.set(getattr(dut, port), step.get(port, 0))
            ctx.set(dut.word, layer)
            ctx.set(dut.enable, step.get("enable", 1))
            ctx.set(dut.two_steps, step.get("two_steps", 1))
            for k in range(2):
                ctx.set(dut.accumulators[k], step.get(f"current{k}", [0] * N))
                ctx.set(dut.thresholds[k], step.get("threshold", 1))
            await ctx.tick()
            spikes = [[ctx.get(dut.spikes[2 * layer + k]) >> i & 1 for i in range(N)] for k in range(2)]
            seen.append((lanes(ctx.get(dut.potentials[layer])), *spikes))

    simulate(dut, bench)
    return seen


@pytest.mark.parametrize(("threshold", "potential", "spike"), [
    (160, 0, 1),    # v = threshold fires
    (161, 160, 0),  # one below does not
    (159, 0, 1),
])
@pytest.mark.parametrize("layer", [0, 1])
def test_threshold(threshold, potential, spike, layer):
    (u, s0, _), = run([{"layer": layer, "current0": [10] * N, "threshold": threshold}])
    assert (u, s0) == ([potential] * N, [spike] * N)


def test_reset_by_subtraction_keeps_the_excess():
    (u, s0, _), = run([{"current0": [10] * N, "threshold": 159}], small(reset="subtract"))
    assert (u, s0) == ([1] * N, [1] * N)


@pytest.mark.parametrize(("shift", "expected"), [(1, [80, 40]), (2, [120, 90]), (3, [140, 123])])
def test_leak_of_a_positive_potential(shift, expected):
    steps = [{"current0": [10] * N, "threshold": 1000}] + [{"threshold": 1000}] * 2  # 160, then leaks
    assert [u[0] for u, _, _ in run(steps, small(leak_shift=[shift, shift]))] == [160, *expected]


def test_leak_of_a_negative_potential_rounds_toward_zero():
    # -16 - (-16 >> 2) = -12, -9, -9 + 3 = -6, -6 + 2 = -4, -3, -2, -1, 0: the arithmetic shift of -1 is -1
    potentials = [u[0] for u, _, _ in run([{"current0": [-1] * N}] + [{}] * 9)]
    assert potentials == [-16, -12, -9, -6, -4, -3, -2, -1, 0, 0]


def test_each_layer_has_its_own_leak():
    steps = [{"layer": k, "current0": [10] * N, "threshold": 1000} for k in range(2)]
    steps += [{"layer": k, "threshold": 1000} for k in range(2)]
    assert [u[0] for u, _, _ in run(steps, small(leak_shift=[1, 3]))] == [160, 160, 80, 140]


def test_saturates_below():
    c = small(potential_bits=11)  # -1024..1023
    assert [u[0] for u, _, _ in run([{"current0": [-60] * N, "threshold": 1023}] * 3, c)] == [-960, -1024, -1024]


def test_saturates_above():
    c = small(potential_bits=11, reset="subtract")
    (u, s, _), = run([{"current0": [511] * N, "threshold": 1023}], c)
    assert (u, s) == ([0] * N, [1] * N)  # 8176 saturates at 1023 = threshold


def test_one_time_step_adds_both_sets_and_silences_step_1():
    fired = {"step": 1, "current1": [9] * N, "threshold": 9 * UNIT}
    both = {"two_steps": 0, "current0": [4] * N, "current1": [5] * N, "threshold": 9 * UNIT}
    seen = run([fired, both])
    assert seen[0][2] == [1] * N and seen[1] == ([0] * N, [1] * N, [0] * N)


def test_two_time_steps_take_their_own_set():
    seen = run([{"step": k, "current0": [3] * N, "current1": [-2] * N, "threshold": 1000} for k in range(2)])
    assert [u[0] for u, _, _ in seen] == [48, 48 - 12 - 32]


def test_clear_and_disabled():
    held = {"current0": [3] * N, "threshold": 1000}
    assert [u[0] for u, _, _ in run([held, {**held, "enable": 0}, {**held, "clear": 1}])] == [48, 48, 0]


current = st.lists(st.integers(-512, 511), min_size=N, max_size=N)
frame = st.fixed_dictionaries({"layer": st.integers(0, 1), "current0": current, "current1": current,
                               "threshold": st.integers(1, 2000)})


@settings(max_examples=20, deadline=None)
@given(st.lists(frame, min_size=1, max_size=8), st.integers(0, 1))
def test_steps_are_goldens(frames, two_steps):
    c = small(potential_bits=12, leak_shift=[2, 3])
    u, steps, expected = torch.zeros(2, N, dtype=torch.int32), [], []
    for f in frames:
        f = {**f, "threshold": min(f["threshold"], 2047), "two_steps": two_steps}
        layer = f["layer"]
        sets = [torch.tensor(f[f"current{k}"], dtype=torch.int32) for k in range(2)]
        for step in range(1 + two_steps):
            total = sets[step] if two_steps else sets[0] + sets[1]
            u[layer], spikes, _ = golden.lif(u[layer], total, f["threshold"], c.leak_shift[layer], c)
            steps.append({**f, "step": step})
            expected.append((u[layer].tolist(), spikes.int().tolist()))
    seen = run(steps, c)
    assert [(u, (s0, s1)[step["step"]]) for (u, s0, s1), step in zip(seen, steps, strict=True)] == expected
