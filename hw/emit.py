"""One Verilog file of a block or of a whole configuration, with stable module names, through RTLIL and Yosys."""

import subprocess
import sys
import tempfile
from pathlib import Path

from amaranth.back import rtlil

from .accelerator import Accelerator
from .bus.axi import AxiPeripheral
from .bus.wishbone import WishbonePeripheral
from .combine import Combine
from .direct_drain import DirectDrain
from .hierarchy import Hierarchy
from .input_buffer import InputBuffer
from .input_scan import InputScan
from .kept_sums import KeptSums
from .lif import Lif
from .load_port import LoadPort
from .logit_drain import LogitDrain
from .pe_array import PeArray
from .program import listing
from .sequencer import Sequencer
from .sleep import Sleeper
from .soc.system import System
from .soc.ulx3s import Ulx3s
from .spike_select import SpikeSelect
from .two_of_four import TwoOfFour
from .weight_buffer import WeightBuffer
from .zero_skip import ZeroSkip

BLOCKS = {
    "accelerator": Accelerator, "pe_array": PeArray, "combine": Combine, "lif": Lif, "zero_skip": ZeroSkip,
    "input_scan": InputScan, "input_buffer": InputBuffer, "logit_drain": LogitDrain,
    "kept_sums": KeptSums, "two_of_four": TwoOfFour, "direct_drain": DirectDrain,
    "spike_select": SpikeSelect, "sequencer": Sequencer, "load_port": LoadPort,
}

SOC = "soc"  # with a processor: System needs the core's own Verilog beside it
BOARD = "ulx3s"  # an FPGA board's whole design
SLEEP = "accelerator_sleep"  # the accelerator behind a power switch
BUSES = {"accelerator_axi": AxiPeripheral, "accelerator_wishbone": WishbonePeripheral}  # the accelerator on a bus

# `proc -nomux -norom` keeps case statements; with plain `proc` Verilator reports overlapping cases.
PASSES = ["read_rtlil {source}", "proc -nomux -norom", "memory_collect", "write_verilog -norename {target}"]


class EmitError(RuntimeError):
    """Yosys refused the design; the message is its own."""


def block(name, config):
    """The Amaranth component of a block; `weight_buffer` is the largest of the configuration."""
    if name == SOC:
        return System(config=config)
    if name == BOARD:
        return Ulx3s(config=config)
    if name == SLEEP:
        if not config.sleep:
            raise EmitError(f"{config.name}: sleep=False: {SLEEP} wants a configuration with sleep: true")
        return Sleeper(config=config)
    if name in BUSES:
        return BUSES[name](config=config)
    if name == "weight_buffer":
        return WeightBuffer(rows=config.fc_rows, width=config.fc_row_bits, load_bits=config.load_bits)
    return BLOCKS[name](config=config)


def rtlil_text(name, config):
    """RTLIL of a block and of every block below it, each a module of its own."""
    hierarchy = Hierarchy()
    # attributes only repeat where a net came from in this package
    texts = {name: rtlil.convert(block(name, config), name=name, platform=hierarchy, emit_src=False)}
    while missing := [part for part in hierarchy.blocks if part not in texts]:  # a part may have parts of its own
        for part in missing:
            text = rtlil.convert(hierarchy.blocks[part], name=part, platform=hierarchy, emit_src=False)
            texts[part] = text.replace('attribute \\top 1', '')
    return "\n".join(texts.values())


def emit(name, config, target):
    """Write `target` (a .v path) for one block; raises `EmitError`. Replaces the file only when complete."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        source, part = Path(folder) / "design.il", Path(folder) / "design.v"
        try:
            source.write_text(rtlil_text(name, config))
        except OSError as error:  # of a full disk, Python names no file
            raise OSError(error.errno, error.strerror, str(target)) from None
        # A Yosys error ends its process, hence a process of its own.
        # names without their folder, whose own may hold spaces: Yosys would take each word for a file.
        passes = [p.format(source=source.name, target=part.name) for p in PASSES]
        code = f"from pyosys import libyosys as y; d = y.Design(); [y.run_pass(p, d) for p in {passes!r}]"
        run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
        if run.returncode or not part.is_file():
            raise EmitError(f"Yosys could not write {target.name}: {(run.stdout + run.stderr).strip()[-400:]}")
        steps = "".join(f"// {line}\n" for line in listing(config))
        head = f"// Sottovoce, configuration {config.name}. The sequencer's program, by position:\n{steps}"
        part.write_text(head + part.read_text())
        part.replace(target)
    return target

