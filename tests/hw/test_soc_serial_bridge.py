"""The serial bridge against a Wishbone slave of the bench: every request, and everything that is none."""

import pytest
from hw_bench import simulate

from hw.soc.serial_bridge import SerialBridge

DIVISOR, PATIENCE = 4, 400
CHARACTER = 10 * DIVISOR


class Line:
    """The other end of the bridge: sends characters, collects answers and accesses. `refused`: word addresses."""

    def __init__(self, refused=(), slow=0):
        self.dut = SerialBridge(divisor=DIVISOR, patience=PATIENCE)
        self.refused, self.slow = refused, slow
        self.heard, self.accesses = b"", []
        self.over = False

    async def slave(self, ctx):
        dut, waited = self.dut, 0
        while not self.over:
            await ctx.tick()
            asked = ctx.get(dut.wb_cyc) and ctx.get(dut.wb_stb) and not ctx.get(dut.wb_ack) and not ctx.get(dut.wb_err)
            waited = waited + 1 if asked else 0
            answer = asked and waited > self.slow
            good = answer and ctx.get(dut.wb_adr) not in self.refused and ctx.get(dut.wb_sel) == 0xf
            ctx.set(dut.wb_ack, good)
            ctx.set(dut.wb_err, answer and not good)
            if answer:
                address = ctx.get(dut.wb_adr)
                ctx.set(dut.wb_dat_r, 0x11223300 + address)
                self.accesses.append((address, ctx.get(dut.wb_dat_w) if ctx.get(dut.wb_we) else None, bool(good)))

    async def listener(self, ctx):
        while not self.over:
            await ctx.tick()
            if ctx.get(self.dut.tx) == 0:
                value = 0
                await ctx.tick().repeat(DIVISOR // 2)
                for bit in range(8):
                    await ctx.tick().repeat(DIVISOR)
                    value |= ctx.get(self.dut.tx) << bit
                await ctx.tick().repeat(DIVISOR)
                assert ctx.get(self.dut.tx) == 1
                self.heard += bytes([value])

    async def send(self, ctx, data, stop=1):
        for character in data:
            for bit in (0, *(character >> i & 1 for i in range(8)), stop):
                ctx.set(self.dut.rx, bit)
                await ctx.tick().repeat(DIVISOR)
            ctx.set(self.dut.rx, 1)

    def run(self, talk):
        """`talk(send, wait)` is the test's side of the line."""
        async def bench(ctx):
            async def send(data, **how):
                await self.send(ctx, data, **how)

            async def wait(cycles):
                await ctx.tick().repeat(cycles)

            await talk(send, wait)
            await wait(8 * CHARACTER)
            self.over = True

        simulate(self.dut, bench, self.slave, self.listener)
        return self


def read(address):
    return b"R" + address.to_bytes(2, "little")


def write(address, value):
    return b"W" + address.to_bytes(2, "little") + value.to_bytes(4, "little")


def word(address):
    return b"K" + (0x11223300 + address // 4).to_bytes(4, "little")


@pytest.mark.parametrize("slow", [0, 7])
def test_reads_and_writes(slow):
    async def talk(send, wait):
        await send(read(0x10))
        await wait(6 * CHARACTER)
        for address in range(0, 40, 4):  # without waiting for the answers
            await send(write(address, 0xa0000000 + address))
        await send(read(0xffc))

    line = Line(slow=slow).run(talk)
    assert line.heard == word(0x10) + b"K" * 10 + word(0xffc)
    assert line.accesses == [(4, None, True), *((a // 4, 0xa0000000 + a, True) for a in range(0, 40, 4)),
                             (0x3ff, None, True)]


def test_what_is_refused():
    async def talk(send, wait):
        for request in (write(0x20, 1), read(0x20), read(0x11), write(0x12, 1), read(0x1000), write(0x8000, 5)):
            await send(request)
            await wait(2 * CHARACTER)
        await send(read(0))

    line = Line(refused=(8,)).run(talk)
    assert line.heard == b"E" * 6 + word(0)
    assert line.accesses == [(8, 1, False), (8, None, False), (4, None, False), (4, 1, False), (0, None, True)]


@pytest.mark.parametrize("rubbish", [b"x", b"\1", b"R\0", b"W\0\0\1\2\3", b"r\0\0"], ids=str)
def test_rubbish_changes_nothing_and_is_forgotten_after_a_silence(rubbish):
    async def talk(send, wait):
        await send(rubbish)
        await wait(2 * PATIENCE)
        await send(read(4))

    line = Line().run(talk)
    assert line.heard == b"?" + word(4) and line.accesses == [(1, None, True)]


def test_without_a_silence_what_follows_rubbish_is_rubbish_too():
    async def talk(send, wait):
        await send(b"x" + write(0, 1))
        await wait(PATIENCE // 2)
        await send(write(0, 1))
        await wait(PATIENCE + CHARACTER)
        await send(read(0))

    line = Line().run(talk)
    assert line.heard == b"?" + word(0) and line.accesses == [(0, None, True)]


def test_a_character_without_a_stop_bit_spoils_its_request():
    async def talk(send, wait):
        await send(b"W\0\0")
        await send(b"\1", stop=0)
        await send(b"\1\1\1")
        await wait(2 * PATIENCE)
        await send(read(8))

    line = Line().run(talk)
    assert line.heard == b"?" + word(8) and line.accesses == [(2, None, True)]


def test_too_many_reads_at_once_are_told():
    async def talk(send, wait):
        await send(read(0) * 6)
        await wait(2 * PATIENCE)
        await send(read(4))

    line = Line().run(talk)
    assert line.heard.endswith(b"?" + word(4)) and line.heard.startswith(word(0))
    assert len(line.heard) % 5 == 1  # answers are whole


def test_reads_with_pauses_between_them_need_no_waiting():
    async def talk(send, wait):
        await send(b"\0" + b"".join(read(4 * i) + bytes(3) for i in range(30)))

    assert Line(slow=5).run(talk).heard == b"".join(word(4 * i) for i in range(30))


def test_a_slow_sender_is_waited_for():
    async def talk(send, wait):
        for character in write(0x30, 0x12345678):
            await send(bytes([character]))
            await wait(PATIENCE - CHARACTER)

    line = Line().run(talk)
    assert line.heard == b"K" and line.accesses == [(12, 0x12345678, True)]
