"""A claim: a block, ghost registers that remember what happened to it, and assertions, as one Amaranth module."""

from amaranth import Module, Mux, Signal, Value
from amaranth.hdl import Assert, Assume
from amaranth.lib.wiring import In


class Claim:
    """A module under construction: `block` as submodule of its own name, free inputs, assertions."""

    def __init__(self, name, block):
        self.m, self.block, self.inputs, self.peeks = Module(), block, [], {}
        self.name = name
        self.m.submodules[name] = block

    def free(self, shape, name):
        """An input that the solver chooses, anew in every cycle."""
        signal = Signal(shape, name=name)
        self.inputs.append(signal)
        return signal

    def free_inputs(self, *, but=()):
        """All of the block's inputs, free, except those that the claim drives."""
        for path, member, value in self.block.signature.flatten(self.block):
            name = "__".join(map(str, path))
            if member.flow == In and not any(name == b or name.startswith(f"{b}__") for b in but):
                self.m.d.comb += Value.cast(value).eq(self.free(len(Value.cast(value)), f"free_{name}"))

    def peek(self, shape, name):
        """The block's inner register of that name."""
        signal = self.free(shape, f"peek_{name}")
        self.peeks[f"peek_{name}"] = f"{self.name}.{name}"
        return signal

    def steady(self, shape, name, fresh):
        """A free input that keeps its value while `fresh` is low."""
        choice = self.free(shape, name)
        kept, now = (Signal(shape, name=f"{name}_{what}") for what in ("kept", "now"))
        self.m.d.comb += now.eq(Mux(fresh, choice, kept))
        self.m.d.sync += kept.eq(now)
        return now

    def claim(self, *conditions):
        self.m.d.comb += [Assert(condition) for condition in conditions]

    def assume(self, *conditions):
        self.m.d.comb += [Assume(condition) for condition in conditions]

    def past(self, value, name):
        """The value a cycle ago, 0 at first."""
        kept = Signal(len(Value.cast(value)), name=f"past_{name}")
        self.m.d.sync += kept.eq(value)
        return kept
