"""Accesses that must be refused, whatever state the hardware is in, with the errors that each must leave."""

from cosim.bench.accesses import Accesses
from cosim.bench.bus import NOWHERE, REFUSED, WHOLE
from hw.bus.register_map import load_words, modes
from hw.load_port import load_targets


class Misuse(Accesses):
    """`expected` is empty while no frame is in flight; `chance` draws what is tried."""

    def __init__(self, bus, config, board, streams, chance):
        super().__init__(bus, config, board, streams, chance)
        self.expected = []

    async def misuse(self, loading=False):
        """One access that must be refused, whatever state the hardware is in; `loading`: none that moves the target."""
        pick, busy = self.chance.choice, {"busy"} if self.expected else set()
        data = self.chance.getrandbits(32)
        known = [r.at(i) for r in self.map.registers.values() for i in range(r.count)]
        kinds = ("address", "alignment", "access", "value", "mode", "threshold")
        kind = pick(kinds if loading else (*kinds, "load", "load", "clear"))
        if kind == "address":
            address = pick([a for a in range(0, 4096, 4) if a not in known])
            if pick((True, False)):
                await self.write(address, data, errors={"address"})
            else:
                await self.read(address, errors={"address"})
        elif kind == "alignment":
            await self._misaligned(pick(known), data)
        elif kind == "access":
            register = pick([r for r in self.map.registers.values() if r.readable != r.writable])
            where = register.at(self.chance.randrange(register.count))
            if register.readable:
                await self.write(where, data, errors={"access"})
            else:
                await self.read(where, errors={"access"})
        elif kind == "value":
            register = pick([r for r in self.map.registers.values() if r.writable and r.mask != 0xffffffff])
            await self.write(register.name, ~register.mask & 0xffffffff, errors={"value"})
        elif kind == "mode":
            wrong = sorted(set(range(16)) - set(modes(self.config)))  # none, where every mode is built
            value = pick(wrong if not busy and wrong else (*wrong[:1], 0, 1, 9))
            if busy or wrong:
                await self.write("mode", value, errors=busy | ({"value"} if value in wrong else set()))
        elif kind == "threshold":
            value = pick((0, 1 << self.config.potential_bits - 1, (1 << self.config.potential_bits) - 1))
            layer = self.chance.randrange(self.map["threshold"].count)
            own = self.config.layers[layer].threshold == "neuron"  # there is no register for it
            await self.write("threshold", value, layer, busy | {"value"} | ({"target"} if own else set()))
        elif kind == "load":
            await self._bad_load(busy, data)
        elif busy:
            await self.write("control", pick((1, 2, 3)), errors=busy)

    async def _misaligned(self, address, data):
        strobe = self.chance.randrange(1, WHOLE)
        if self.bus.nowhere == NOWHERE and self.chance.random() < 0.5:  # AXI has byte addresses
            address, strobe = address + self.chance.randrange(1, 4), WHOLE
            if self.chance.random() < 0.5:
                await self.read(address, errors={"alignment"})
                return
        elif self.bus.nowhere == REFUSED and self.chance.random() < 0.5:
            await self.read(address, errors={"alignment"}, strobe=strobe)
            return
        await self.write(address, data, errors={"alignment"}, strobe=strobe)

    async def _bad_load(self, busy, data):
        """A row past the end, a buffer or slice that does not exist; a good one where the machine is busy."""
        rows = {buffer: count for buffer, (count, _) in load_targets(self.config).items()}
        buffer = self.chance.choice(list(rows))
        case = self.chance.choice(("row", "buffer", "slice", "good"))
        where = {"load_buffer": buffer, "load_row": self.chance.randrange(rows[buffer]), "load_slice": 0}
        if case == "row":
            where["load_row"] = rows[buffer] + self.chance.randrange(3)
        elif case == "buffer":
            where["load_buffer"] = self.chance.choice([b for b in range(8) if b not in rows])
        elif case == "slice":
            width = self.map["load_slice"].fields["index"].width
            illegal = range(load_targets(self.config)[buffer][1], 1 << width)
            where["load_slice"] = self.chance.choice(illegal) if illegal else 0
        bad = case in ("row", "buffer") or where["load_slice"] >= load_targets(self.config)[buffer][1]
        if not bad and not busy:
            return  # a good load would change the network
        for register, value in where.items():
            await self.write(register, value)
        *early, last = range(load_words(self.config))
        for i in early:
            await self.write("load_data", data, i)
        spare = {"value"} if self.config.load_bits % 32 and data >> self.config.load_bits % 32 else set()
        await self.write("load_data", data, last, busy | spare | ({"target"} if bad else set()))

    async def underrun(self):
        if not self.expected:
            await self.read("result", errors={"underrun"})
