"""What the registers promise, one by one, in Amaranth's simulator on a small configuration."""

from dataclasses import replace

import pytest
from hw_bench import simulate, small

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
from hw.bus.frame_buffer import frame_words  # noqa: E402
from hw.bus.peripheral import Peripheral  # noqa: E402
from hw.bus.register_block import RegisterBlock, Reply  # noqa: E402
from hw.bus.register_map import compile_map  # noqa: E402
from hw.interface import MODES  # noqa: E402
from hw.load_port import load_targets  # noqa: E402

C = small()
MAP = compile_map(C, False)
OKAY, REFUSED, NOWHERE = Reply.OKAY, Reply.REFUSED, Reply.NOWHERE


class Cpu:
    """Accesses of a testbench: `write` returns the reply, `read` reply and data."""

    def __init__(self, ctx, dut):
        self.ctx, self.dut, self.map = ctx, dut, dut.registers

    async def access(self, address, *, write, data=0, whole=1):
        ctx, request = self.ctx, self.dut.request
        for port, value in ((request.valid, 1), (request.write, write), (request.address, address),
                            (request.write_data, data), (request.whole, whole)):
            ctx.set(port, value)
        await ctx.tick()
        ctx.set(request.valid, 0)
        assert ctx.get(request.done)
        answer = ctx.get(request.reply), ctx.get(request.read_data)
        await ctx.tick()
        return answer

    async def write(self, name, data, index=0):
        return (await self.access(self.map[name].at(index), write=1, data=data))[0]

    async def read(self, name, index=0):
        return await self.access(self.map[name].at(index), write=0)

    async def value(self, name, index=0):
        reply, data = await self.read(name, index)
        assert reply == OKAY
        return data

    async def errors(self):
        """Names of the sticky errors, which are cleared."""
        bits = await self.value("errors")
        await self.write("errors", bits)
        return {name for name, bit in self.map.errors.items() if bits >> bit & 1}

    async def frame(self):
        for _ in range(frame_words(C)):
            assert await self.write("features", 0x01020304) == OKAY

    async def results(self, count):
        """Logits, as they come."""
        values = []
        while len(values) < count:
            if await self.value("status") >> 16:
                values.append(await self.value("result"))
        return values


def run(body, streams=False):
    dut = Peripheral(config=C, streams=streams)

    async def bench(ctx):
        await body(Cpu(ctx, dut))

    simulate(dut, bench)


def promise(body):
    """A test whose body is a coroutine of a `Cpu`."""
    def test():
        run(body)
    test.__doc__ = body.__doc__
    return test


@promise
async def test_identity(cpu):
    assert await cpu.value("id") == int.from_bytes(b"SOTT", "big")
    assert await cpu.value("version") == 0x10000


@promise
async def test_no_register_there(cpu):
    for write in (0, 1):
        assert (await cpu.access(0x7f0, write=write))[0] == NOWHERE
    assert await cpu.errors() == {"address"} and await cpu.value("error_count") == 2


@promise
async def test_parts_of_words_and_odd_addresses(cpu):
    mode = cpu.map["mode"].address
    assert (await cpu.access(mode, write=1, data=1, whole=0))[0] == REFUSED
    for odd in (1, 2, 3):
        assert (await cpu.access(mode + odd, write=0))[0] == REFUSED
    assert await cpu.errors() == {"alignment"} and await cpu.value("mode") == 0


@promise
async def test_wrong_direction(cpu):
    assert await cpu.write("status", 0) == REFUSED and (await cpu.read("features"))[0] == REFUSED
    assert await cpu.errors() == {"access"}


@promise
async def test_bits_where_no_field_is(cpu):
    await cpu.write("load_buffer", 2)
    assert await cpu.write("load_buffer", 8) == REFUSED
    assert await cpu.errors() == {"value"} and await cpu.value("load_buffer") == 2


@promise
async def test_modes(cpu):
    for mode in MODES.values():
        assert await cpu.write("mode", mode.bits) == OKAY and await cpu.value("mode") == mode.bits
    for bits in (0b0110, 0b1111):  # the recurrent field has no 3
        assert await cpu.write("mode", bits) == REFUSED
    assert await cpu.errors() == {"value"}


@promise
async def test_thresholds(cpu):
    assert await cpu.value("threshold", 1) == 1
    for good in (1, 0x4000, 0x7fff):
        assert await cpu.write("threshold", good, 1) == OKAY and await cpu.value("threshold", 1) == good
    for bad in (0, 0x8000, 0xffff):
        assert await cpu.write("threshold", bad, 1) == REFUSED
    assert await cpu.errors() == {"value"} and await cpu.value("threshold", 1) == 0x7fff


@promise
async def test_loads_count_on_and_end_with_the_buffer(cpu):
    for buffer, (rows, slices) in load_targets(C).items():
        for name, value in (("load_buffer", buffer), ("load_row", rows - 1), ("load_slice", 0)):
            assert await cpu.write(name, value) == OKAY
        for _ in range(slices):
            assert await cpu.write("load_data", 5) == OKAY
        assert await cpu.value("load_row") == rows and await cpu.value("load_slice") == 0
        assert await cpu.write("load_data", 5) == REFUSED and await cpu.errors() == {"target"}


@promise
async def test_buffers_and_slices_that_do_not_exist(cpu):
    for buffer, part in ((5, 0), (6, 0), (7, 0), (0, C.slices)):
        for name, value in (("load_buffer", buffer), ("load_row", 0)):
            await cpu.write(name, value)
        if await cpu.write("load_slice", part) == OKAY:  # with one slice, the field cannot hold a second
            assert await cpu.write("load_data", 5) == REFUSED
    assert "target" in await cpu.errors()


@promise
async def test_busy_from_last_word_to_last_logit(cpu):
    await cpu.frame()
    for name, value in (("mode", 1), ("threshold", 5), ("load_data", 1), ("control", 1), ("control", 2)):
        assert await cpu.write(name, value) == REFUSED, name
    assert await cpu.errors() == {"busy"}
    await cpu.results(C.outputs - 1)
    assert await cpu.value("status") & 1 and await cpu.write("mode", 1) == REFUSED
    await cpu.results(1)
    assert not await cpu.value("status") & 1 and await cpu.write("mode", 1) == OKAY
    assert await cpu.value("frames") == 1


@promise
async def test_result_without_a_result(cpu):
    assert await cpu.read("result") == (REFUSED, 0) and await cpu.errors() == {"underrun"}


@promise
async def test_features_without_room(cpu):
    while await cpu.value("status") & 2:
        await cpu.frame()
        for _ in range(300):
            await cpu.ctx.tick()
    assert await cpu.write("features", 0) == REFUSED and await cpu.errors() == {"overrun"}
    flying = await cpu.value("status") >> 4 & 0xf
    assert flying >= 3 and len(await cpu.results(flying * C.outputs)) == flying * C.outputs
    assert not await cpu.value("status") & 1


@promise
async def test_reset_in_mid_frame_leaves_a_machine_that_works(cpu):
    await cpu.write("mode", 1)
    await cpu.frame()
    assert await cpu.write("control", 8) == OKAY
    assert await cpu.value("status") & 0xf1 == 0 and await cpu.value("mode") == 0
    await cpu.frame()
    await cpu.results(C.outputs)
    assert not await cpu.value("status") & 1 and await cpu.value("frames") == 1


@promise
async def test_interrupts(cpu):
    async def line():
        await cpu.ctx.tick()
        return cpu.ctx.get(cpu.dut.irq)

    bits = {f.name: 1 << f.lsb for f in cpu.map["irq_status"].fields.values()}
    assert not await line()
    await cpu.write("irq_enable", bits["done"] | bits["error"])
    await cpu.read("result")
    assert await line() and await cpu.value("irq_status") == bits["error"]
    await cpu.write("irq_status", bits["error"])
    assert not await line()
    await cpu.frame()
    await cpu.results(C.outputs - 1)
    assert not await line() and await cpu.value("irq_status") & bits["result"]
    await cpu.results(1)
    assert await line()
    await cpu.write("irq_status", bits["done"])
    assert not await line()


@promise
async def test_error_count_is_cleared_by_a_write(cpu):
    for _ in range(3):
        await cpu.write("id", 0)
    assert await cpu.value("error_count") == 3
    assert await cpu.write("error_count", 0x1234) == OKAY and await cpu.value("error_count") == 0


def test_error_count_stays_at_its_largest_value():
    count = dict(MAP.registers)
    field = count["error_count"].fields["count"]
    count["error_count"] = replace(count["error_count"], fields={"count": replace(field, reset=0xfffffffd)})
    dut = RegisterBlock(registers=replace(MAP, registers=count))

    async def bench(ctx):
        ctx.set(dut.error_count.count_add, 2)
        for port, value in ((dut.request.valid, 1), (dut.request.whole, 1), (dut.request.address, 0x18)):
            ctx.set(port, value)
        seen = []
        for _ in range(4):
            await ctx.tick()
            seen.append(ctx.get(dut.request.read_data))
        assert seen == [0xfffffffd, 0xffffffff, 0xffffffff, 0xffffffff]

    simulate(dut, bench)


def test_streams_change_only_between_frames():
    async def body(cpu):
        await cpu.write("features", 1)
        assert await cpu.write("streams", 1) == REFUSED  # a frame is not complete
        await cpu.write("control", 4)
        assert await cpu.write("streams", 1) == OKAY and await cpu.value("streams") == 1
        assert await cpu.write("features", 1) == REFUSED
        assert await cpu.errors() == {"busy", "overrun"}

    run(body, streams=True)
