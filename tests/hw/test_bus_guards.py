"""Watchdog and parity behind registers: what a hang and a flipped bit look like to software, and how it goes on."""

import pytest
from amaranth.lib import memory
from hw_bench import simulate, small

pytest.importorskip("systemrdl", reason="pip install 'sottovoce[system]'")
from test_bus_peripheral import OKAY, Cpu  # noqa: E402

from hw import accelerator  # noqa: E402
from hw.bus.identity import config_hash  # noqa: E402
from hw.bus.peripheral import Peripheral  # noqa: E402
from hw.bus.register_map import compile_map  # noqa: E402

GUARDED = small(watchdog=True, parity=True)
ILLEGAL = 15  # of 10 positions


def run(body, monkeypatch):
    """A body of a `Cpu`, the sequencer's position, and the memories' rows."""
    places, cells = [], []

    class Sequencer(accelerator.Sequencer):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            places.append(self.position)
            return m

    class Memory(memory.Memory):
        def __init__(self, **given):
            super().__init__(**given)
            cells.append(self.data)

    monkeypatch.setattr(accelerator, "Sequencer", Sequencer)
    monkeypatch.setattr(memory, "Memory", Memory)
    dut = Peripheral(config=GUARDED, streams=False)

    async def bench(ctx):
        await body(Cpu(ctx, dut), places[0], cells)

    simulate(dut, bench)


def test_a_hang_drops_what_is_in_flight_says_so_and_the_machine_goes_on(monkeypatch):
    async def body(cpu, position, _):
        for cycles in (1, 3, 12):  # on its way out of the frame buffer, then in the input layer
            await cpu.frame()
            await cpu.ctx.tick().repeat(cycles)
            cpu.ctx.set(position, ILLEGAL)
            await cpu.ctx.tick()
            assert await cpu.value("status") & 0xf1 == 0, "still busy"
        assert await cpu.value("hangs") == 3 and await cpu.value("error_count") == 3
        assert await cpu.value("irq_status") & 8
        assert await cpu.errors() == {"hung"}
        assert await cpu.write("control", 3) == OKAY and await cpu.value("hangs") == 0
        for _ in range(2):
            await cpu.frame()
            assert await cpu.results(GUARDED.outputs) == [0] * GUARDED.outputs
        assert await cpu.errors() == set() and await cpu.value("hangs") == 0 and await cpu.value("frames") == 2
    run(body, monkeypatch)


@pytest.mark.slow
def test_half_a_frame_that_software_writes_stays(monkeypatch):
    async def body(cpu, position, _):
        assert await cpu.write("features", 0x01020304) == OKAY
        cpu.ctx.set(position, ILLEGAL)
        await cpu.ctx.tick()
        assert await cpu.value("hangs") == 1 and await cpu.value("status") & 8
        assert await cpu.write("features", 0x01020304) == OKAY  # six features are two words
        assert len(await cpu.results(GUARDED.outputs)) == GUARDED.outputs
    run(body, monkeypatch)


def test_a_flipped_bit_is_an_error_with_a_count_and_a_buffer(monkeypatch):
    async def body(cpu, _, cells):
        await cpu.frame()
        await cpu.results(GUARDED.outputs)
        assert await cpu.errors() == set() and await cpu.value("parity_errors") == 0
        cpu.ctx.set(cells[0][2], 1)  # the input row of feature 2, which is 2 in each frame
        for _ in range(3):
            await cpu.frame()
            await cpu.results(GUARDED.outputs)
        assert await cpu.value("parity_errors") == 3 and await cpu.value("parity_failed") == 1
        assert await cpu.errors() == {"parity"} and await cpu.value("error_count") == 0
        assert await cpu.write("control", 2) == OKAY
        assert await cpu.value("parity_errors") == 0 and await cpu.value("parity_failed") == 0
    run(body, monkeypatch)


@pytest.mark.parametrize(("given", "names"), [
    ({}, []), ({"watchdog": True}, ["hangs"]), ({"parity": True}, ["parity_errors", "parity_failed"]),
    ({"watchdog": True, "parity": True}, ["hangs", "parity_errors", "parity_failed"])])
def test_the_map_has_what_is_built(given, names):
    found = compile_map(small(**given), False)
    assert [name for name in ("hangs", "parity_errors", "parity_failed") if name in found] == names
    assert list(found.errors.values()) == list(range(len(found.errors)))
    assert ("hung" in found.errors) == bool(given) and ("parity" in found.errors) == ("parity" in given)


def test_a_machine_without_them_is_called_what_it_was():
    """The hash of `config_hash` before these options were there."""
    assert config_hash(small()) == 0xffc3607d != config_hash(small(watchdog=True)) != config_hash(small(parity=True))
