"""Hundreds of mutants in one netlist: each a changed bit of one cell, switched on by the number on an extra input.

    mutated(config, count, seed)  ->  Verilog of the flattened accelerator with an input `mutant`, and what each is

Yosys's `mutate` draws them, block by block; number 0 is none of them. So one compiled model serves for all, and a
mutant costs milliseconds instead of a build.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hw import emit
from hw.flow.lib import yosys

SELECT, BITS = "mutant", 16
SEEN = ("seen", "seen_word", "seen_step", "seen_spikes", "seen_potentials")  # what benches see of the LIF unit
FLATTENED = ("proc -norom", "flatten", "cd accelerator", *(f"rename lif.{name} {name}" for name in SEEN), "cd",
             "expose " + " ".join(f"w:{name}" for name in SEEN), "opt_expr", "opt_clean", "memory_collect", "pmuxtree",
             "opt_clean -purge")
CELL = re.compile(r"^  cell \S+ (\S+)$", re.M)
COUNTER = re.compile(r"^(  cell \$dff (\S+)\n.*?connect \\D )(.*?)\n(.*?^  end\n)", re.M | re.S)
TOP = "accelerator"


@dataclass(frozen=True)
class Mutant:
    """`block` it lies in, its `number` on the input, Yosys's own command, and where it is in words."""

    number: int
    block: str
    command: str

    @property
    def what(self):
        """Mode, cell or wire, bit."""
        of = dict(re.findall(r"-(\w+) (\S+)", self.command))
        place = f"{of['wire']}[{of['wirebit']}]" if "wire" in of else f"{of['cell']}.{of['port']}[{of['portbit']}]"
        by = f" by bit {of['ctrlbit']}" if "ctrlbit" in of else ""
        return f"{of['mode']}{by} {of['port']} of {place}"


def block_of(cell):
    """The block a flattened cell came from: `lif` of `$flatten\\lif.$521`; the top's own cells are `accelerator`."""
    found = re.match(r"(?:\$flatten)?\\?(\w+)\.", cell)
    return found[1] if found else TOP


def shares(cells, count):
    """Mutants for each block, together `count`: as the root of its cells, so that small blocks have enough."""
    blocks = {}
    for cell in cells:
        blocks[block_of(cell)] = blocks.get(block_of(cell), 0) + 1
    whole = sum(n ** 0.5 for n in blocks.values())
    return {name: max(1, round(count * n ** 0.5 / whole)) for name, n in sorted(blocks.items())}


def flattened(config, folder):
    """Path of the accelerator in RTLIL, one module, memories as cells."""
    source, flat = Path(folder) / "design.il", Path(folder) / "flat.il"
    source.write_text(emit.rtlil_text(TOP, config))
    yosys.run([f"read_rtlil {source.name}", f"hierarchy -top {TOP}", *FLATTENED, f"write_rtlil {flat.name}"], folder,
              "flatten")
    return flat


def drawn(flat, count, seed):
    """The list of `Mutant`s of a flattened design."""
    folder, wanted = flat.parent, shares(CELL.findall(flat.read_text()), count)
    passes = [f"read_rtlil {flat.name}"]
    for block, share in wanted.items():
        chosen = f"c:*{block}.*" if block != TOP else "c:* c:*.* %d"
        passes.append(f"mutate -list {share} -seed {seed} -o {block}.mutants {chosen}")
    yosys.run(passes, folder, "draw")
    mutants = []
    for block in wanted:
        for line in (folder / f"{block}.mutants").read_text().splitlines():
            mutants.append(Mutant(len(mutants) + 1, block, line.strip()))
    return mutants


def warped(text):
    """RTLIL text in which counters can be set, so that benches see their high bits count: inputs `warp`, `warp_to`."""
    wires = ["  wire input 20000 \\warp\n", "  wire width 32 input 20001 \\warp_to\n"]

    def settable(found):
        before, name, given, after = found.groups()
        if block_of(name) != "counters":
            return found[0]
        wire = f"\\warp:{len(wires)}"
        wires.append(f"  wire width 32 {wire}\n")
        return (f"  cell $mux $warp${len(wires)}\n    parameter \\WIDTH 32\n    connect \\A {given}\n"
                f"    connect \\B \\warp_to\n    connect \\S \\warp\n    connect \\Y {wire}\n  end\n"
                f"{before}{wire}\n{after}")

    text = COUNTER.sub(settable, re.sub(r"^ *attribute (?!\\init ).*\n", "", text, flags=re.M))
    return re.sub(rf"^(module \\{TOP}\n)", lambda found: found[1] + "".join(wires), text, flags=re.M)


def applied(mutants, fixed=None):
    """Yosys commands that put mutants in: each behind its number, or `fixed` ones for good."""
    return [m.command if fixed else f"{m.command} -ctrl {SELECT} {BITS} {m.number}" for m in mutants]


def mutated(config, count, seed, wanted=lambda mutant: True):
    """(Verilog text with the input `mutant`, the mutants), of those drawn the `wanted` ones."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as folder:
        flat = flattened(config, folder)
        mutants = [mutant for mutant in drawn(flat, count, seed) if wanted(mutant)]
        (flat.parent / "warped.il").write_text(warped(flat.read_text()))
        yosys.run(["read_rtlil warped.il", "; ".join(applied(mutants)), "opt_clean", "write_verilog -noattr out.v"],
                  folder, "apply")
        return flat.with_name("out.v").read_text(), mutants
