"""Blocks as Verilog modules of their own, with exactly the ports that their components declare.

Amaranth flattens the boundaries of submodules: unused ports go, neighbouring ones merge under made-up names. Here each
block is converted alone and instantiated, so that names are stable, both PE sets share one module, and a weight SRAM
can be replaced by a black box.
"""

import re

from amaranth import ClockSignal, Instance, ResetInserter, ResetSignal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out


def module_name(block):
    """Verilog module of a block: its own `module_name`, or its class's name in snake case."""
    default = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(block).__name__).lower()
    return getattr(block, "module_name", default)


class Hierarchy:
    """A platform that `place` recognises: collects the blocks that the top instantiates."""

    def __init__(self):
        self.blocks = {}

    def instance(self, block, reset=None):
        name = module_name(block)
        self.blocks.setdefault(name, block)
        block._MustUse__silence = True  # a second instance of a module is rightly never elaborated
        ports = {}
        for path, member, value in block.signature.flatten(block):
            direction = "o" if member.flow == Out else "i"
            ports[f"{direction}_{'__'.join(map(str, path))}"] = Value.cast(value)
        if getattr(block, "clocked", True):
            ports |= {"i_clk": ClockSignal(), "i_rst": ResetSignal() if reset is None else ResetSignal() | reset}
        return Instance(name, **ports)


def place(block: wiring.Component, platform, *, reset=None):
    """The block itself, or for Verilog its instance. A block without registers says `clocked = False`.

    `reset` is a signal that resets the block beside the domain's reset.
    """
    if isinstance(platform, Hierarchy):
        return platform.instance(block, reset)
    return block if reset is None else ResetInserter(reset)(block)
