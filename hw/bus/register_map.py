"""The register map of a configuration, compiled from `registers.rdl`: what RTL decode and drivers are made from.

    registers = compile_map(config, streams=True)
    registers["status"].address          0x10
    registers["status"].fields["busy"]   Field(name='busy', lsb=0, width=1, kind='status', reset=0)
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..interface import WEIGHT_BUFFERS, Mode, Recurrent, phases
from ..types import load_layout
from .identity import config_hash

SOURCE = Path(__file__).parent / "registers.rdl"
ADDRESS_BITS = 12  # byte addresses inside the accelerator's 4 KB
WORD_BITS = 32
WORD_BYTES = WORD_BITS // 8


class MapError(RuntimeError):
    """The register map cannot be compiled; the message says what is missing or quotes the compiler."""


@dataclass(frozen=True)
class Field:
    """Bits of a register. Kinds: `constant`; `status`, the hardware's; `control`, the software's; `loadable`, both's;
    `sticky`, set by hardware and cleared by writing 1; `counter`, counted by hardware and cleared by any write."""

    name: str
    lsb: int
    width: int
    kind: str
    reset: int

    @property
    def mask(self):
        return ((1 << self.width) - 1) << self.lsb


@dataclass(frozen=True)
class Register:
    """One 32-bit register, or `count` of them in a row if it `repeats`. `external`: answered outside the decode."""

    name: str
    address: int
    count: int
    repeats: bool
    external: bool
    readable: bool
    writable: bool
    fields: dict

    @property
    def mask(self):
        """Bits that a write may set."""
        return sum(f.mask for f in self.fields.values())

    def at(self, index):
        """Byte address of element `index`."""
        return self.address + WORD_BYTES * index


@dataclass(frozen=True, eq=False)
class RegisterMap:
    """Registers by name. `root` is the compiled SystemRDL, for PeakRDL's exporters."""

    registers: dict
    root: object = field(repr=False)

    def __getitem__(self, name):
        return self.registers[name]

    def __contains__(self, name):
        return name in self.registers

    @property
    def errors(self):
        """Name of an error -> its bit of `errors`."""
        return {f.name: f.lsb for f in self["errors"].fields.values()}


def modes(config):
    """Every value that the mode register takes: bits of each `interface.Mode`."""
    # a mode whose mechanism is not built runs as the nearest that is
    ways = [way for way in Recurrent if way is not Recurrent.CHANGE or config.changes()]
    return sorted(Mode(two, recurrent, merge).bits for two in (False, True) for recurrent in ways
                  for merge in (False, True))


def load_words(config):
    """32-bit registers that hold one word of the load port."""
    return -(-config.load_bits // WORD_BITS)


def parameters(config, streams):
    """Parameters of `registers.rdl` for a configuration."""
    layout = load_layout(config)
    return {
        "HASH": config_hash(config), "LAYERS": len(config.layers), "PHASES": len(phases(config)),
        "BUFFERS": len(WEIGHT_BUFFERS),
        "LOAD_WORDS": load_words(config), "BUFFER_BITS": layout["buffer"].width, "SLICE_BITS": layout["slice"].width,
        # one more than the last row: counting past the end must not start again at row 0
        "ROW_BITS": layout["row"].width + 1,
        "THRESHOLD_BITS": config.potential_bits, "MODE_BITS": max(modes(config)).bit_length(),
        "COUNTERS": config.counters, "WATCHDOG": config.watchdog, "PARITY": config.parity, "STREAMS": streams,
    }


@cache
def compile_map(config, streams):
    """`RegisterMap` of a configuration, with or without streams beside the registers. Raises `MapError`."""
    try:
        from systemrdl import RDLCompileError, RDLCompiler
    except ImportError:
        raise MapError("systemrdl-compiler is missing: run `pip install 'sottovoce[system]'`") from None
    compiler = RDLCompiler()
    try:
        compiler.compile_file(str(SOURCE))
        root = compiler.elaborate("sottovoce", parameters=parameters(config, streams))
    except RDLCompileError as error:
        raise MapError(f"{SOURCE.name}: {error}") from None
    found = [_register(node) for node in root.top.children(unroll=False, skip_not_present=True)]
    return RegisterMap({r.name: r for r in found}, root)


def _register(node):
    fields = {f.inst_name: Field(f.inst_name, f.lsb, f.width, _kind(f), f.get_property("reset") or 0)
              for f in node.fields()}
    return Register(node.inst_name, node.raw_address_offset,
                    node.array_dimensions[0] if node.is_array else 1, node.is_array, node.external,
                    node.has_sw_readable, node.has_sw_writable, fields)


def _kind(node):
    if node.get_property("counter"):
        return "counter"
    if node.get_property("hwset"):
        return "sticky"
    if node.is_sw_writable:
        return "loadable" if node.get_property("we") else "control"
    return "status" if node.is_hw_writable else "constant"
