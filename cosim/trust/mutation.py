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
UPTO = r"(?:    (?!connect \\{0}).*\n)*    connect \\{0} "  # a cell's lines up to what a port is connected to
REGISTER = re.compile(rf"^(  cell \$dff \S+\n{UPTO.format('D')})(.*)\n((?:    .*\n)*  end\n)", re.M)
PARITY = re.compile(rf"^(  cell \$mem_v2 \\?\w+_parity\.\S+\n{UPTO.format('WR_DATA')})(.*)$", re.M)
# registers that an upset overwrites, by the bits of `upset`
UPSET = ("sequencer.position", "input_scan.scan__index", "watchdog.timer", "sequencer.step")
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


def shares(cells, count, chosen=None):
    """Mutants for each block, or each that `chosen` (a pattern) names, together `count`: as the root of its cells, so
    that small blocks have enough.
    """
    blocks = {}
    for block in map(block_of, cells):
        if chosen is None or re.fullmatch(chosen, block):
            blocks[block] = blocks.get(block, 0) + 1
    whole = sum(n ** 0.5 for n in blocks.values())
    return {name: max(1, round(count * n ** 0.5 / whole)) for name, n in sorted(blocks.items())}


def flattened(config, folder):
    """Path of the accelerator in RTLIL, one module, memories as cells."""
    source, flat = Path(folder) / "design.il", Path(folder) / "flat.il"
    source.write_text(emit.rtlil_text(TOP, config))
    yosys.run([f"read_rtlil {source.name}", f"hierarchy -top {TOP}", *FLATTENED, f"write_rtlil {flat.name}"], folder,
              "flatten")
    return flat


def drawn(flat, count, seed, chosen=None):
    """The list of `Mutant`s of a flattened design, or of the blocks that the pattern `chosen` names."""
    folder, wanted = flat.parent, shares(CELL.findall(flat.read_text()), count, chosen)
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
    """RTLIL text with ways in for benches: `warp`, `warp_to` set all counters, so that their high bits are seen to
    count; `upset`, `upset_to` overwrite a register of `UPSET`, as radiation does; `flip` turns the parity over that is
    being stored.
    """
    text, cells = re.sub(r"^ *attribute (?!\\init ).*\n", "", text, flags=re.M), []
    wires = [f"  wire width {bits} input {20000 + i} \\{name}\n" for i, (name, bits) in enumerate(
        (("warp", 1), ("warp_to", 32), ("upset", len(UPSET)), ("upset_to", 32), ("flip", 1)))]

    def chosen(given, width, other, when):
        """A wire that is `other` when the input is high, and what it was otherwise."""
        wire = f"\\way:{len(wires)}"
        wires.append(f"  wire width {width} {wire}\n")
        cells.append(f"  cell $mux $way${len(wires)}\n    parameter \\WIDTH {width}\n    connect \\A {given}\n"
                     f"    connect \\B {other}\n    connect \\S {when}\n    connect \\Y {wire}\n  end\n")
        return wire

    def settable(found):
        before, given, after = found.groups()
        name, width = before.split()[2], int(re.search(r"parameter \\WIDTH (\S+)", before)[1])
        shown = re.search(r"connect \\Q \\(\S+)\n", after)
        if block_of(name) == "counters" or shown and shown[1] == "parity_errors":
            given = chosen(given, width, "\\warp_to", "\\warp")
        elif shown and shown[1] in UPSET:
            given = chosen(given, width, f"\\upset_to [{width - 1}:0]", f"\\upset [{UPSET.index(shown[1])}]")
        return f"{before}{given}\n{after}"

    def turned(found):
        before, given = found.groups()
        wires.append(f"  wire \\turned:{len(wires)}\n")
        wire = wires[-1].split()[1]
        cells.append(f"  cell $xor $turned${len(wires)}\n" + "".join(
            f"    parameter \\{key}_WIDTH 1\n    parameter \\{key}_SIGNED 0\n" for key in "AB") +
            f"    parameter \\Y_WIDTH 1\n    connect \\A {_first_bit(given)}\n    connect \\B \\flip\n"
            f"    connect \\Y {wire}\n  end\n")
        width = int(re.search(r"parameter \\WIDTH (\S+)", before)[1])
        return before + (wire if width == 1 else "{ " + " ".join([wire] * width) + " }")

    text = PARITY.sub(turned, REGISTER.sub(settable, text))
    text = re.sub(rf"^(module \\{TOP}\n)", lambda found: found[1] + "".join(wires), text, flags=re.M)
    return re.sub(r"^end\n", lambda found: "".join(cells) + found[0], text, count=1, flags=re.M)


def _first_bit(signal):
    """Bit 0 of a signal that is a bit many times over."""
    return signal.strip("{} ").split()[-1] if signal.startswith("{") else signal


def applied(mutants, fixed=None):
    """Yosys commands that put mutants in: each behind its number, or `fixed` ones for good."""
    return [m.command if fixed else f"{m.command} -ctrl {SELECT} {BITS} {m.number}" for m in mutants]


def mutated(config, count, seed, wanted=lambda mutant: True, chosen=None):
    """(Verilog text with the input `mutant`, the mutants), of those drawn in blocks `chosen` the `wanted` ones."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as folder:
        flat = flattened(config, folder)
        mutants = [mutant for mutant in drawn(flat, count, seed, chosen) if wanted(mutant)]
        (flat.parent / "warped.il").write_text(warped(flat.read_text()))
        yosys.run(["read_rtlil warped.il", "; ".join(applied(mutants)), "opt_clean", "write_verilog -noattr out.v"],
                  folder, "apply")
        return flat.with_name("out.v").read_text(), mutants
