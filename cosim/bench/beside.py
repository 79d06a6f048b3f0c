"""Accesses beside other things: a write and reads at once, counters while frames are in flight."""

from cosim.bench.misuse import Misuse


class Beside(Misuse):
    """See `Misuse`; `together` wants a bus with that call (AXI's two ways)."""

    async def together(self):
        """A write and reads under way at once: a read of what is written sees either value, and each has its reply."""
        old, new = await self.read("irq_enable"), self.chance.randrange(16)
        target, errors = self.chance.choice([("irq_enable", set()), ("irq_enable", {"value"}), ("id", {"access"}),
                                             (0xffc, {"address"})])
        where = self.map[target].address if isinstance(target, str) else target
        names = [self.chance.choice(("irq_enable", "id", "config_hash")) for _ in range(self.chance.randint(1, 5))]
        reply, answers = await self.bus.together(where, new | 0x100 if "value" in errors else new,
                                                 [self.map[name].address for name in names])
        self._judge("writes beside reads", reply, errors)
        for name, (reply, value) in zip(names, answers, strict=True):
            self._judge("reads beside a write", reply, set())
            if name == "irq_enable":
                after = old if errors else new
                self.board.check("read beside a write", value if value in (old, after) else after, value)
            else:
                field, = self.map[name].fields.values()
                self.board.check(name, field.reset, value)

    async def counters_in_flight(self):
        """Counters may be read at any time: they answer, and never count back."""
        if self.config.counters:
            index = self.chance.randrange(self.map["row_reads"].count)
            first, second = await self.read("row_reads", index), await self.read("row_reads", index)
            self.board.check("row reads count on", max(first, second), second)
