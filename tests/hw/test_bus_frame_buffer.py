"""Only whole frames leave, feature by feature; a stream's wrong lengths are dropped whole."""

import pytest
from hw_bench import simulate, small

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
from hw.bus.frame_buffer import FrameBuffer, frame_words  # noqa: E402


def run(frames, *, marked, features=6, stall=0):
    """Offer frames (lists of words); returns features that left, and counts of complete and dropped frames."""
    dut = FrameBuffer(config=small(features=features, accumulator_bits=12))
    left, complete, wrong = [], [], []

    async def feed(ctx):
        ctx.set(dut.marked, marked)
        for words in frames:
            for i, word in enumerate(words):
                ctx.set(dut.words.valid, 1)
                ctx.set(dut.words.p["values"], word)
                ctx.set(dut.words.p.last, i == len(words) - 1)
                while not ctx.get(dut.words.ready):
                    await ctx.tick()
                complete.append(ctx.get(dut.complete))
                wrong.append(ctx.get(dut.wrong_length))
                await ctx.tick()
                ctx.set(dut.words.valid, 0)
        for _ in range(features * (stall + 1) + 2):
            await ctx.tick()

    async def take(ctx):
        beat = 0
        while True:
            ctx.set(dut.x.ready, beat % (stall + 1) == stall)
            if ctx.get(dut.x.valid) and ctx.get(dut.x.ready):
                left.append(ctx.get(dut.x.payload))
            beat += 1
            await ctx.tick()

    from amaranth.sim import Simulator
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(take, background=True)
    simulator.add_testbench(feed)
    simulator.run()
    return left, sum(complete), sum(wrong)


def test_bytes_leave_in_order_and_the_rest_of_the_last_word_is_ignored():
    assert run([[0x807f0201, 0xdead05ff]], marked=False) == ([1, 2, 127, -128, -1, 5], 1, 0)


def test_frames_back_to_back_and_a_slow_reader():
    left, complete, _ = run([[0x04030201, 0x0605]] * 3, marked=False, stall=2)
    assert left == [1, 2, 3, 4, 5, 6] * 3 and complete == 3


@pytest.mark.parametrize("features", [2, 4, 5, 8])
def test_any_number_of_features(features):
    words = [0x04030201, 0x08070605][:frame_words(small(features=features, accumulator_bits=12))]
    assert run([words], marked=False, features=features)[0] == list(range(1, features + 1))


@pytest.mark.parametrize("wrong", [1, 3, 4, 7])
def test_a_marked_frame_of_wrong_length_is_dropped_and_told_once(wrong):
    good = [0x04030201, 0x0605]
    assert run([good, [0x11111111] * wrong, good], marked=True) == ([1, 2, 3, 4, 5, 6] * 2, 2, 1)


def test_flush_drops_what_is_there():
    dut = FrameBuffer(config=small())

    async def bench(ctx):
        ctx.set(dut.words.valid, 1)
        await ctx.tick()
        ctx.set(dut.words.valid, 0)
        assert ctx.get(dut.partial)
        ctx.set(dut.flush, 1)
        await ctx.tick()
        ctx.set(dut.flush, 0)
        assert not ctx.get(dut.partial)
        ctx.set(dut.words.valid, 1)
        await ctx.tick()
        assert ctx.get(dut.complete)  # the second word after the flush is the frame's last
        await ctx.tick()
        ctx.set(dut.words.valid, 0)
        assert ctx.get(dut.x.valid)

    simulate(dut, bench)
