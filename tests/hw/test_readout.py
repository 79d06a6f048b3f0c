"""The largest logit, or the largest sum, and which: by hand, at random beside golden, and with a line broken."""

import inspect
import types

import pytest
import torch
from hw_bench import lanes, simulate, small
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import config as configs
from hw import readout as block
from sw import golden

ARGMAX = small(readout="argmax", readout_outputs=22)  # the last beat of six is half padding
SUM = small(readout="sum", readout_outputs=22)
LOW, HIGH = -(1 << ARGMAX.logit_bits - 1), (1 << ARGMAX.logit_bits - 1) - 1


def run(config, frames, clears=(), stalls=(), cls=None):
    """[value, index] of each frame of logits, sent as beats without a pause; before the frames `clears` a clear."""
    dut, results = (cls or block.Readout)(config=config), []
    beats = config.logits_per_beat

    async def feed(ctx):
        for number, frame in enumerate(frames):
            if number in clears:
                ctx.set(dut.clear, 1)
                await ctx.tick()
                ctx.set(dut.clear, 0)
            ctx.set(dut.beats.valid, 1)
            for at in range(0, config.outputs, beats):
                ctx.set(dut.beats.p, {"values": frame[at:at + beats], "last": at + beats == config.outputs})
                await ctx.tick().until(dut.beats.ready)
            ctx.set(dut.beats.valid, 0)

    async def take(ctx):
        pauses = iter(stalls)
        for _ in range(20 + len(stalls) + 8 * len(frames)):  # six beats a frame; a broken block may lose frames
            stalled = next(pauses, False)
            ctx.set(dut.results.ready, not stalled)
            valid, beat = ctx.get(dut.results.valid), ctx.get(dut.results.payload)
            if valid and not stalled:
                assert beat.last
                results.append(lanes(beat["values"]))
            await ctx.tick()

    simulate(dut, feed, take)
    return results


def frame(**values):
    """Logits that are the lowest there is but for some outputs: o3=5."""
    return [values.get(f"o{i}", LOW) for i in range(ARGMAX.outputs)]


HAND = [  # frames, results
    ([frame(o0=5), frame(o21=5), frame(o7=HIGH)], [[5, 0], [5, 21], [HIGH, 7]]),
    ([frame(o3=2, o9=2, o4=2)], [[2, 3]]),                       # of equals the first, over beats and in one
    ([frame(o22=HIGH, o23=HIGH, o1=-3)], [[-3, 1]]),             # padding takes no part
    ([frame()], [[LOW, 0]]),                                     # nothing is better than the lowest: still an answer
    ([frame(o5=HIGH), frame(o6=-1)], [[HIGH, 5], [-1, 6]]),      # the frame before is forgotten
]
SUMS = [  # frames, clears, results
    ([[0] * 24, frame(o2=0), frame(o2=0)], (), [[0, 0], [0, 2], [0, 2]]),
    ([[1] * 24, [0, 3] + [0] * 22, [3] + [0] * 23], (), [[1, 0], [4, 1], [4, 0]]),
    ([[1] * 24, [0, 3] + [0] * 22, [3] + [0] * 23], (2,), [[1, 0], [4, 1], [3, 0]]),
    ([frame(o23=HIGH)] * 2, (), [[LOW, 0], [2 * LOW, 0]]),       # padding is not summed
]
ONE_BEAT = small(readout="sum", outputs=4)
FULL = (1 << SUM.value_bits - 1) - 1  # 257 frames of the highest logit are more, and as many of the lowest less


@pytest.mark.parametrize(("frames", "results"), HAND)
def test_by_hand(frames, results):
    assert run(ARGMAX, frames) == results
    assert golden.readout(ARGMAX, torch.tensor([frames]))[0][0].tolist() == results


@pytest.mark.parametrize(("frames", "clears", "results"), SUMS)
def test_sums_by_hand(frames, clears, results):
    assert run(SUM, frames, clears) == results
    if not clears:
        assert golden.readout(SUM, torch.tensor([frames]))[0][0].tolist() == results


def saturating(sign):
    """Enough frames of an extreme that sums meet their bound, and one that leads away from it."""
    most = [HIGH if sign > 0 else LOW] * ONE_BEAT.outputs
    return [most] * (FULL // HIGH + 2) + [[-sign] * ONE_BEAT.outputs]


@pytest.mark.parametrize(("sign", "bound"), [(1, FULL), (-1, -FULL - 1)])
def test_sums_saturate(sign, bound):
    frames = saturating(sign)
    found = run(ONE_BEAT, frames)
    assert found[-2:] == [[bound, 0], [bound - sign, 0]]
    assert golden.readout(ONE_BEAT, torch.tensor([frames]))[0][0].tolist() == found


def test_sums_go_on_where_a_piece_ended():
    x = torch.randint(LOW, HIGH, (2, 7, SUM.outputs), generator=torch.Generator().manual_seed(0), dtype=torch.int32)
    whole, sums = golden.readout(SUM, x)
    first, kept = golden.readout(SUM, x[:, :3])
    second, end = golden.readout(SUM, x[:, 3:], kept)
    assert torch.equal(torch.cat([first, second], 1), whole) and torch.equal(sums, end)


logit = st.one_of(st.integers(-2, 2), st.sampled_from([LOW, HIGH]), st.integers(LOW, HIGH))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.lists(logit, min_size=24, max_size=24), min_size=1, max_size=5),
       st.lists(st.booleans(), max_size=40), st.sampled_from([ARGMAX, SUM]))
def test_any_frames_under_stalls_are_goldens(frames, stalls, config):
    assert run(config, frames, stalls=stalls) == golden.readout(config, torch.tensor([frames]))[0][0].tolist()


BROKEN = [  # line, broken, what must notice
    ("amount > found[0]", "amount >= found[0]", lambda cls: run(ARGMAX, HAND[1][0], cls=cls) == HAND[1][1]),
    ("int(b * c.logits_per_beat + i < c.decided)", "1", lambda cls: run(ARGMAX, HAND[2][0], cls=cls) == HAND[2][1]),
    ("Mux(number == 0, least, value)", "value", lambda cls: run(ARGMAX, HAND[4][0], cls=cls) == HAND[4][1]),
    ("Mux(number == 0, 0, index)", "index", lambda cls: run(ARGMAX, [frame(o5=3), frame()], cls=cls)[1] == [LOW, 0]),
    ("with m.If(self.clear)", "with m.If(0)", lambda cls: run(SUM, *SUMS[2][:2], cls=cls) == SUMS[2][2]),
    ("Mux(exact > top, top", "Mux(exact > top, 0", lambda cls: run(ONE_BEAT, saturating(1), cls=cls)[-2] == [FULL, 0]),
    ("~full | results.ready", "1", lambda cls: len({*map(tuple, run(
        ARGMAX, [frame(o1=1), frame(o2=2), frame(o3=3)], stalls=[True] * 9, cls=cls))}) == 3),
]


@pytest.mark.parametrize(("line", "broken", "holds"), BROKEN, ids=[line for line, _, _ in BROKEN])
def test_a_broken_line_is_noticed(line, broken, holds):
    source = inspect.getsource(block)
    assert line in source and holds(block.Readout)
    other = types.ModuleType(block.__name__)
    other.__package__ = "hw"
    exec(compile(source.replace(line, broken), block.__file__, "exec"), other.__dict__)
    assert not holds(other.Readout)


@pytest.mark.parametrize(("fields", "said"), [
    ({"readout": "largest"}, "readout='largest': wanted one of logits, argmax, sum"),
    ({"readout": "argmax", "readout_outputs": 25}, "readout_outputs=25: wanted 1 to outputs=24"),
    ({"readout_outputs": 3}, "readout_outputs=3: all logits leave"),
    ({"readout": "sum", "outputs": 96}, "keeps the sums of 96 outputs in flip-flops: wanted at most 64"),
    ({"step_difference": True}, "step_difference=True: both time steps' sums .* wanted serial_combine"),
    ({"readout": "argmax", "watchdog": True}, "readout='argmax': a bite of the watchdog may leave it amid a frame"),
    ({"readout": 3}, "readout=3: wanted text")])
def test_what_cannot_be_built_is_refused_in_a_line(fields, said):
    with pytest.raises(configs.ConfigError, match=said) as error:
        small(**fields)
    assert "\n" not in str(error.value)


def test_a_difference_of_time_steps_and_kept_sums_are_refused_together():
    layers = [{"neurons": 8, "on_change": True}, {"neurons": 8}]
    with pytest.raises(configs.ConfigError, match="layers on_change sum changes from frame to frame"):
        configs.from_dict({"name": "both", "features": 4, "lanes": 8, "outputs": 24, "logits_per_beat": 4,
                           "load_bits": 32, "serial_combine": True, "step_difference": True, "layers": layers})
