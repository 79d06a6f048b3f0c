"""Scans of changes: which neurons are visited, and what each visit adds."""

import pytest
import torch
from hw_bench import simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import config as configs
from hw.types import Gate, Mask
from hw.zero_skip import ZeroSkip
from sw import golden

C = configs.from_dict({"name": "small", "features": 6, "lanes": 8, "outputs": 24, "logits_per_beat": 4,
                       "layers": [{"neurons": 8}, {"neurons": 8, "on_change": True}], "load_bits": 32})
N, HALF = C.neurons, C.half
EVERY = (1 << N) - 1
MASKS = {"OWN": "UNION", "MERGED": "UNION", "STEP0": "STEP0"}


STEPS = configs.from_dict({"name": "steps", "features": 6, "lanes": 8, "outputs": 24, "logits_per_beat": 4,
                           "layers": [{"neurons": 8}, {"neurons": 8}], "load_bits": 32, "serial_combine": True,
                           "step_difference": True})


def run(scans, config=C, masks=MASKS):
    """Slots of each scan (spikes, spikes before, gate, split): [(rows, ((gate, double, negate), ...))]."""
    dut, seen = ZeroSkip(config=config), []

    async def bench(ctx):
        for spikes, before, gate, split in scans:
            slots, last = [], 0
            for port, value in (("mask", Mask[masks[gate]]), ("gate", Gate[gate]), ("split", split), ("advance", 1),
                                *([("change", 1)] if before else [])):
                ctx.set(getattr(dut.scan, port), value)
            ctx.set(dut.present, EVERY)
            for k in range(2):
                ctx.set(dut.spikes[k], spikes[k])
                if before:
                    ctx.set(dut.before[k], before[k])
            while not last and len(slots) <= N:
                ctx.set(dut.scan.start, not slots)
                rows = tuple(v.row if v.valid else None for v in (ctx.get(visit) for visit in dut.scan.visits))
                sets = []
                for k in range(2):
                    gates, doubles, negates = (ctx.get(getattr(dut.scan, name)[k])
                                               for name in ("gates", "doubles", "negates"))
                    sets.append((gates, doubles & gates, negates & gates))
                slots.append((rows, tuple(sets)))
                last = ctx.get(dut.scan.last)
                await ctx.tick()
            seen.append(slots)

    simulate(dut, bench)
    return seen


NOTHING = ((None, None), ((0, 0, 0), (0, 0, 0)))
TOP = 1 << N - 1
HAND = [  # spikes, spikes before, gate, split, slots
    # nothing changed, though all fire
    (((EVERY, EVERY), (EVERY, EVERY), "OWN", 0), [NOTHING]),
    (((EVERY, EVERY), (EVERY, EVERY), "MERGED", 1), [NOTHING]),
    # a spike that came, one that went; in set 0, in set 1
    (((1, 0), (0, 0), "OWN", 0), [((0, None), ((1, 0, 0), (0, 0, 0)))]),
    (((0, 0), (0, TOP), "OWN", 0), [((None, HALF - 1), ((0, 0, 0), (1, 0, 1)))]),
    # from step 0 to step 1: each set sees its change, the merged value has none
    (((0, 1), (1, 0), "OWN", 0), [((0, None), ((1, 0, 1), (1, 0, 0)))]),
    (((0, 1), (1, 0), "MERGED", 0), [NOTHING]),
    # merged values: 0 to 2, 2 to 0, 1 to 2, 2 to 1, 0 to 1, 1 to 0
    (((1, 1), (0, 0), "MERGED", 0), [((0, None), ((1, 1, 0), (1, 1, 0)))]),
    (((0, 0), (1, 1), "MERGED", 0), [((0, None), ((1, 1, 1), (1, 1, 1)))]),
    (((1, 1), (0, 1), "MERGED", 0), [((0, None), ((1, 0, 0), (1, 0, 0)))]),
    (((1, 0), (1, 1), "MERGED", 0), [((0, None), ((1, 0, 1), (1, 0, 1)))]),
    (((0, 1), (0, 0), "MERGED", 0), [((0, None), ((1, 0, 0), (1, 0, 0)))]),
    (((0, 0), (0, 1), "MERGED", 0), [((0, None), ((1, 0, 1), (1, 0, 1)))]),
    # one time step: step 1 is not looked at, each set has its half
    (((1, EVERY), (TOP, 0), "STEP0", 1), [((0, HALF - 1), ((1, 0, 0), (1, 0, 1)))]),
    (((0, EVERY), (0, 0), "STEP0", 1), [NOTHING]),
]


@pytest.mark.parametrize(("scan", "slots"), HAND)
def test_by_hand(scan, slots):
    assert run([scan]) == [slots]


def bits(values):
    return torch.tensor([[value >> i & 1 for i in range(N)] for value in values])


@pytest.mark.parametrize(("scan", "slots"), HAND)
def test_golden_by_hand(scan, slots):
    spikes, before, gate, split = scan
    assert golden.changes(bits(spikes), bits(before), gate, split) == slots


pair = st.tuples(st.integers(0, EVERY), st.integers(0, EVERY))
scan = st.tuples(pair, pair, st.sampled_from(list(MASKS)), st.integers(0, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(scan, min_size=1, max_size=6))
def test_slots_are_goldens(scans):
    assert run(scans) == [golden.changes(bits(s), bits(b), gate, split) for s, b, gate, split in scans]


# --- the second time step as a difference from the first -----------------------------------------------------------

APART = [  # spikes, mask, slots of set 0 and set 1
    ((0, 0), "UNION", [NOTHING]),
    ((1, 0), "UNION", [((0, None), ((1, 0, 0), (1, 0, 1)))]),            # went: set 1 takes it away again
    ((0, TOP), "UNION", [((None, HALF - 1), ((0, 0, 0), (1, 0, 0)))]),   # came
    ((1, 1), "UNION", [((0, None), ((1, 0, 0), (0, 0, 0)))]),            # stayed: set 1 stands still
    ((0, 0), "ALL", [((i, None) if i < HALF else (None, i - HALF), ((0, 0, 0), (0, 0, 0))) for i in range(N)]),
]


@pytest.mark.parametrize(("spikes", "mask", "slots"), APART)
def test_differences_by_hand(spikes, mask, slots):
    assert run([(spikes, None, "OWN", 0)], STEPS, {"OWN": mask}) == [slots]
    assert golden.differences(bits(spikes), mask, 0) == slots


@settings(max_examples=12, deadline=None)
@given(st.lists(pair, min_size=1, max_size=6), st.sampled_from(["ALL", "UNION"]))
def test_differences_are_goldens(scans, mask):
    assert run([(s, None, "OWN", 0) for s in scans], STEPS, {"OWN": mask}) == [
        golden.differences(bits(s), mask, 0) for s in scans]
