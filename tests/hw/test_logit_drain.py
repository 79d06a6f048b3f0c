import pytest
from hw_bench import lanes, simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.logit_drain import LogitDrain

C = small()  # 3 groups of 8: one full pass of 16 logits, then the shared group; 4 logits a beat
N, BEATS = C.neurons, 2 * C.neurons // C.logits_per_beat


def run(captures, stalls=(), config=C):
    """Beats (values, last) of captures (low, high, last_pass), each given as soon as the drain is ready."""
    dut, beats, done = LogitDrain(config=config), [], []

    async def feed(ctx):
        for low, high, last_pass in captures:
            await ctx.tick().until(dut.ready)
            ctx.set(dut.accumulators[0], low)
            ctx.set(dut.accumulators[1], high)
            ctx.set(dut.last_pass, last_pass)
            ctx.set(dut.capture, 1)
            await ctx.tick()
            ctx.set(dut.capture, 0)
        await ctx.tick().until(dut.ready)
        done.append(True)

    async def drain(ctx):
        pauses = iter(stalls)
        while not done:
            stalled = next(pauses, False)
            ctx.set(dut.logits.ready, not stalled)
            valid, beat = ctx.get(dut.logits.valid), ctx.get(dut.logits.payload)
            if valid and not stalled:
                beats.append((lanes(beat["values"]), beat.last))
            await ctx.tick()
            if valid and stalled:
                assert (ctx.get(dut.logits.valid), ctx.get(dut.logits.payload)) == (1, beat)

    simulate(dut, feed, drain)
    return beats


def test_set_0_leaves_first_lowest_lane_first():
    low, high = list(range(N)), list(range(-N, 0))
    assert run([(low, high, 0)]) == [([0, 1, 2, 3], 0), ([4, 5, 6, 7], 0), ([-8, -7, -6, -5], 0), ([-4, -3, -2, -1], 0)]


def test_shared_last_group_adds_both_sets():
    low, high = [-64] * N, [-64] * N  # the lowest logit: 8 inputs x 2 time steps x -8
    assert run([(low, high, 1)]) == [([-128] * 4, 0), ([-128] * 4, 1)]


def test_even_group_count_has_no_shared_group():
    c = small(outputs=16)
    assert [last for _, last in run([([1] * N, [2] * N, 1)], config=c)] == [0, 0, 0, 1]


def test_partly_filled_last_group():
    c = small(outputs=20)
    assert [last for _, last in run([([1] * N, [2] * N, 0), ([1] * N, [2] * N, 1)], config=c)] == [0, 0, 0, 0, 1]


def test_ready_with_the_last_beat():
    dut = LogitDrain(config=C)

    async def bench(ctx):
        ctx.set(dut.logits.ready, 1)
        ctx.set(dut.capture, 1)
        assert ctx.get(dut.ready) == 0  # it takes this capture
        await ctx.tick()
        ctx.set(dut.capture, 0)
        readies = []
        for _ in range(BEATS + 1):
            readies.append(ctx.get(dut.ready))
            await ctx.tick()
        assert readies == [0] * (BEATS - 1) + [1, 1]

    simulate(dut, bench)


values = st.lists(st.integers(-64, 63), min_size=N, max_size=N)


@pytest.mark.parametrize("frames", [1, 3])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_no_logit_is_lost_or_changed_by_stalls(frames, data):
    captures = [(data.draw(values), data.draw(values), last) for _ in range(frames) for last in (0, 1)]
    stalls = data.draw(st.lists(st.booleans(), max_size=60))
    expected = []
    for low, high, last in captures:
        logits = [a + b for a, b in zip(low, high, strict=True)] if last else low + high
        beats = [logits[i:i + 4] for i in range(0, len(logits), 4)]
        expected += [(beat, int(last and i == len(beats) - 1)) for i, beat in enumerate(beats)]
    assert run(captures, stalls) == expected
