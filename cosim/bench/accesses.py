"""Accesses by register name, each judged: the reply that it must have, and the errors that it must leave."""

from cocotb.triggers import ClockCycles

from cosim.bench.bus import NOWHERE, OKAY, REFUSED, WHOLE, Hang
from hw.bus.register_map import compile_map

POLLS = 3000  # of a register, before it is a hang


class Accesses:
    """`bus`: see `cosim.bench.bus`. `errors` and `error_count` are what the hardware must show."""

    def __init__(self, bus, config, board, streams, chance):
        self.chance = chance
        self.bus, self.config, self.board = bus, config, board
        self.map = compile_map(config, streams)
        self.transactions = self.refused = 0
        self.errors, self.error_count = set(), 0

    def _judge(self, name, reply, errors):
        self.transactions += 1
        wanted = OKAY if not errors else self.bus.nowhere if errors == {"address"} else REFUSED
        self.board.check(f"reply, {name}", _code(wanted), _code(reply), access=self.transactions)
        if errors:
            self.refused += 1
            self.errors |= errors
            self.error_count += 1

    async def write(self, register, data, index=0, errors=(), strobe=WHOLE):
        """Write a register by name, or an address."""
        address = self.map[register].at(index) if isinstance(register, str) else register
        reply = await self.bus.write(address, data, strobe)
        self._judge("writes" if not errors else f"{'+'.join(sorted(errors))}", reply, set(errors))

    async def read(self, register, index=0, errors=(), strobe=WHOLE):
        address = self.map[register].at(index) if isinstance(register, str) else register
        reply, data = await self.bus.read(address, strobe)
        self._judge("reads" if not errors else f"{'+'.join(sorted(errors))}", reply, set(errors))
        if errors:
            self.board.check("data of refused reads", 0, data)
        return data

    async def field(self, register, name):
        f = self.map[register].fields[name]
        return (await self.read(register) & f.mask) >> f.lsb

    async def until(self, register, name):
        """Poll a field until it is not zero."""
        for _ in range(POLLS):
            if value := await self.field(register, name):
                return value
            await ClockCycles(self.bus.clk, self.chance.randrange(40))
        raise Hang(f"{register}.{name} stays 0")


def _code(reply):
    return (OKAY, REFUSED, NOWHERE).index(reply)
