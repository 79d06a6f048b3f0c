import pytest
import torch
from amaranth import Module, Signal
from hw_bench import simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.types import Gate, Mask
from hw.zero_skip import ZeroSkip, lowest_one
from sw import golden

C = small()
N, HALF = C.neurons, C.half
EVERY = (1 << N) - 1


def run(scans):
    """Slots of each scan (spikes of step 0, of step 1, mask, gate, split): [(rows, ((gate, double), ...))]."""
    dut, seen = ZeroSkip(config=C), []

    async def bench(ctx):
        for s0, s1, mask, gate, split in scans:
            slots, last = [], 0
            for port, value in (("mask", Mask[mask]), ("gate", Gate[gate]), ("split", split), ("advance", 1)):
                ctx.set(getattr(dut.scan, port), value)
            ctx.set(dut.present, EVERY)
            ctx.set(dut.spikes[0], s0)
            ctx.set(dut.spikes[1], s1)
            while not last and len(slots) <= N:
                ctx.set(dut.scan.start, not slots)
                visits = [ctx.get(visit) for visit in dut.scan.visits]
                rows = tuple(v.row if v.valid else None for v in visits)
                sets = tuple((ctx.get(dut.scan.gates[k]), ctx.get(dut.scan.doubles[k])) for k in range(2))
                banks = tuple(ctx.get(dut.scan.banks[k]) for k in range(2))
                assert banks == ((0, 1) if split else (int(rows[0] is None),) * 2)
                slots.append((rows, sets))
                last = ctx.get(dut.scan.last)
                await ctx.tick()
            seen.append(slots)

    simulate(dut, bench)
    return seen


def bits(value):
    return [value >> i & 1 for i in range(N)]


NOTHING = ((None, None), ((0, 0), (0, 0)))


@pytest.mark.parametrize(("scan", "slots"), [
    ((0, 0, "UNION", "OWN", 0), [NOTHING]),
    ((0, 0, "STEP0", "STEP0", 1), [NOTHING]),
    ((1, 0, "STEP1", "STEP1", 0), [NOTHING]),
    ((1, 1 << N - 1, "UNION", "OWN", 0), [((0, None), ((1, 0), (0, 0))), ((None, HALF - 1), ((0, 0), (1, 0)))]),
    ((1, 1 << N - 1, "UNION", "MERGED", 1), [((0, HALF - 1), ((1, 0), (1, 0)))]),
    ((1, 1, "UNION", "MERGED", 0), [((0, None), ((1, 1), (1, 1)))]),
    ((0b0110, 0, "STEP0", "STEP0", 1), [((1, None), ((1, 0), (0, 0))), ((2, None), ((1, 0), (0, 0)))]),
    ((EVERY, 0, "STEP0", "STEP0", 1), [((i, i), ((1, 0), (1, 0))) for i in range(HALF)]),
    ((0, EVERY, "ALL", "OWN", 0),
     [((i, None), ((0, 0), (1, 0))) for i in range(HALF)] + [((None, i), ((0, 0), (1, 0))) for i in range(HALF)]),
])
def test_slots(scan, slots):
    assert run([scan]) == [slots]


def test_holds_while_not_advanced():
    dut = ZeroSkip(config=C)

    async def bench(ctx):
        ctx.set(dut.spikes[0], 0b11)
        ctx.set(dut.scan.mask, Mask.STEP0)
        ctx.set(dut.scan.start, 1)
        ctx.set(dut.scan.advance, 1)
        await ctx.tick()
        ctx.set(dut.scan.start, 0)
        ctx.set(dut.scan.advance, 0)
        for _ in range(3):
            assert ctx.get(dut.scan.visits[0]).row == 1 and ctx.get(dut.scan.last) == 1
            await ctx.tick()

    simulate(dut, bench)


scan = st.tuples(st.integers(0, EVERY), st.integers(0, EVERY), st.sampled_from(["ALL", "UNION", "STEP0", "STEP1"]),
                 st.sampled_from(["OWN", "STEP0", "STEP1", "MERGED"]), st.integers(0, 1))


@settings(max_examples=25, deadline=None)
@given(st.lists(scan, min_size=1, max_size=6))
def test_slots_are_goldens(scans):
    expected = [[(rows, tuple((int(g), int(d)) for g, d in sets)) for rows, sets in golden.zero_skip(
        torch.tensor([bits(s0), bits(s1)]), mask, gate, split)] for s0, s1, mask, gate, split in scans]
    assert run(scans) == expected


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_lowest_one_of_every_word(n):
    m, word, found = Module(), Signal(n), Signal(n)
    m.d.comb += found.eq(lowest_one(m, word, "word"))
    m.d.sync += Signal().eq(found[0])

    async def bench(ctx):
        for value in range(1 << n):
            ctx.set(word, value)
            assert ctx.get(found) == value & -value

    simulate(m, bench)
