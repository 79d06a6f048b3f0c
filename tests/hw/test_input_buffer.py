from hw_bench import simulate, small

from hw.input_buffer import InputBuffer

C = small()


def test_words_are_available_the_cycle_after_they_arrive():
    dut, words = InputBuffer(config=C), [-128, 127, 0, -1, 1, 85]

    async def bench(ctx):
        for arrived, word in enumerate(words):
            assert ctx.get(dut.x.ready) == 1
            for index in range(C.features):
                ctx.set(dut.index, index)
                assert ctx.get(dut.available) == (index < arrived)
                if index < arrived:
                    assert ctx.get(dut.word) == words[index]
            ctx.set(dut.x.payload, word)
            ctx.set(dut.x.valid, 1)
            await ctx.tick()
        assert ctx.get(dut.x.ready) == 0  # full: the next frame waits for the discard
        ctx.set(dut.x.payload, 99)
        await ctx.tick()
        for index, word in enumerate(words):
            ctx.set(dut.index, index)
            assert (ctx.get(dut.available), ctx.get(dut.word)) == (1, word)
        ctx.set(dut.discard, 1)
        await ctx.tick()
        ctx.set(dut.discard, 0)
        ctx.set(dut.index, 0)
        assert (ctx.get(dut.available), ctx.get(dut.x.ready)) == (0, 1)
        await ctx.tick()
        assert (ctx.get(dut.available), ctx.get(dut.word)) == (1, 99)

    simulate(dut, bench)
