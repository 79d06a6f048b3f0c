"""What the co-simulation refuses: one line each, that quotes the bad value and says what to do."""


class CosimError(RuntimeError):
    """Base of this room's errors."""


class ToolError(CosimError):
    """A tool that the simulation needs is missing; the message says what to install."""


class BuildError(CosimError):
    """Verilator or the compiler failed; the message holds the tool's own last words."""


class HarnessError(CosimError):
    """A run of the Verilated design failed, or was asked for something it cannot do."""
