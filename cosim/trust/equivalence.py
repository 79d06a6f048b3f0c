"""Which mutants cannot be told from the design: shown by a solver, not by opinion.

    equivalent(flat, mutants)           ->  numbers of those that no state at all tells from it
    equivalent_from_reset(flat, mutant) ->  whether no state that the design reaches after a reset does
    permuted(flat, mutant)              ->  whether it only puts a memory's rows in another order

First every flip-flop and memory is cut out: what it holds becomes an input, what it is given an output, of both
machines alike. If then no input at all makes an output differ (Yosys's SAT solver), the mutant is the design, in every
state. Of the others the control's flip-flops and those of the mutant's block stay, and both machines start from reset:
sequential equivalence by induction over signals that correspond, or by property-directed reachability (ABC's `scorr`,
`pdr`). What is still cut is free, so that what is proved holds. A row's address that is a one-to-one function of the
design's, for reading and writing alike, is seen by nobody, since no row means anything before it is written.
"""

import re
import subprocess
from pathlib import Path

import pyosys

from cosim.trust.mutation import BITS, SEEN, SELECT, TOP, applied, block_of
from hw.flow.lib import yosys

CELL = re.compile(r"^  cell (\$dff|\$mem_v2) (\S+)\n(.*?)^  end\n", re.M | re.S)
CONTROL = ("sequencer", "input_scan", "zero_skip", "input_buffer", "load_port")  # what decides where a frame goes
ABC = Path(pyosys.__file__).parent / "yosys-abc"
SECONDS = 20  # of the solver, a mutant
PATIENCE = 25  # of both ways from reset, likewise
NO_STATE, FROM_RESET, PERMUTED = "no state tells it", "no state after a reset tells it", "rows in another order"
TRIED = 60    # in one Yosys process


def cut(text, kept=()):
    """RTLIL text with flip-flops and memories as ports: what they hold comes in, what they are given goes out.

    The flip-flops of blocks `kept` stay.
    """
    ports, at = [], iter(range(10_000, 10_000_000))

    def taken(found):
        kind, name, body = found.groups()
        if kind == "$dff" and block_of(name) in kept:
            return found[0]
        number = dict(re.findall(r"parameter (?:signed )?\\(\w+) (\S+)", body))
        width = {key: int(value.split("'")[-1], 2 if "'" in value else 10) for key, value in number.items()
                 if re.fullmatch(r"(\d+'[01]+|-?\d+)", value)}
        lines = []
        for port, wire in re.findall(r"connect \\(\w+) (.+)", body):
            out = port in ("Q", "RD_DATA")
            bits = width["WIDTH"] if kind == "$dff" else {
                "RD_DATA": width["WIDTH"] * width["RD_PORTS"], "WR_DATA": width["WIDTH"] * width["WR_PORTS"],
                "WR_EN": width["WIDTH"] * width["WR_PORTS"], "RD_ADDR": width["ABITS"] * width["RD_PORTS"],
                "WR_ADDR": width["ABITS"] * width["WR_PORTS"], "WR_CLK": width["WR_PORTS"]}.get(port, width["RD_PORTS"])
            if port == "CLK" and kind == "$dff":
                continue
            cutting = f"\\cut:{name.replace(chr(92), '/')}:{port}"
            ports.append(f"  wire width {bits} {'input' if out else 'output'} {next(at)} {cutting}\n")
            lines.append(f"  connect {wire} {cutting}\n" if out else f"  connect {cutting} {wire}\n")
        return "".join(lines)

    body = CELL.sub(taken, re.sub(r"^ *attribute (?!\\init ).*\n", "", text, flags=re.M))
    return re.sub(rf"^(module \\{TOP}\n)", lambda found: found[1] + "".join(ports), body, flags=re.M)


def equivalent(flat, mutants):
    """Numbers of the mutants of a flattened design (path) that are the design, by proof."""
    found = set()
    for first in range(0, len(mutants), TRIED):
        found |= _batch(flat, mutants[first:first + TRIED])
    return found


def _batch(flat, mutants):
    folder = Path(flat).parent
    yosys.run([f"read_rtlil {flat.name}", "; ".join(applied(mutants)), "dffunmap", "opt_clean", "write_rtlil with.il"],
              folder, "with")
    (folder / "cut.il").write_text(cut((folder / "with.il").read_text()))
    passes = ["read_rtlil cut.il", "delete t:$scopeinfo", f"delete -input w:{SELECT}", "opt_clean",
              "design -stash base"]
    for mutant in mutants:
        steps = [f"log MUTANT {mutant.number}", "design -reset"]
        for name, number in (("gold", 0), ("gate", mutant.number)):
            steps += [f"design -copy-from base -as {name} {TOP}", f"cd {name}",
                      f"connect -set {SELECT} {BITS}'d{number}", "cd"]
        # what both have in common is merged, and the solver sees the difference's cone alone
        steps += ["miter -equiv -flatten -make_outputs gold gate miter", "hierarchy -top miter", "opt -fast",
                  f"sat -prove trigger 0 -timeout {SECONDS} miter"]
        passes.append("; ".join(steps))
    log, *_ = yosys.run(passes, folder, "equivalence")
    now, proved = 0, set()
    for line in log.splitlines():
        if line.startswith("MUTANT "):
            now = int(line.split()[1])
        elif line.startswith("SAT proof finished - no model found: SUCCESS"):
            proved.add(now)
    return proved


def _miter(mutant):
    """Passes: `miter` with one output `trigger`, high where the mutant differs from the design; `base` has both."""
    steps = ["design -reset"]
    for name, number in (("gold", 0), ("gate", mutant.number)):
        steps += [f"design -copy-from base -as {name} {TOP}", f"cd {name}", f"connect -set {SELECT} {BITS}'d{number}",
                  "cd"]
    return [*steps, "miter -equiv -flatten gold gate miter", "hierarchy -top miter", "opt -fast"]


def equivalent_from_reset(flat, mutant):
    """Whether no state that the design reaches after a reset tells one mutant from it; False where nobody knows.

    At first the flip-flops of its own block alone stay, which takes seconds, then those of the control too: minutes.
    """
    return any(_from_reset(Path(flat), mutant, kept) for kept in ({mutant.block}, {*CONTROL, TOP, mutant.block}))


def _from_reset(flat, mutant, kept):
    folder = flat.parent
    yosys.run([f"read_rtlil {flat.name}", *applied([mutant]), "dffunmap", "opt_clean", "write_rtlil with.il"], folder,
              "with")
    (folder / "cut.il").write_text(cut((folder / "with.il").read_text(), kept))
    yosys.run(["read_rtlil cut.il", "delete t:$scopeinfo", f"delete -input w:{SELECT}",
               *(f"delete -output w:{name}" for name in SEEN), "opt_clean", "design -stash base", *_miter(mutant),
               "setundef -zero", "dffunmap", "zinit -all", "techmap", "simplemap", "dfflegalize -cell $_DFF_P_ 0",
               "opt_clean", "aigmap",
               "write_aiger -zinit miter.aig"], folder, "from-reset")
    return never(folder / "miter.aig")


def never(path):
    """Whether the only output of an AIGER file is 0 in every cycle, from its initial state on."""
    path = Path(path)
    small = path.with_suffix(".small.aig")
    small.unlink(missing_ok=True)
    try:
        run = subprocess.run([ABC, "-c", f"read_aiger {path.name}; scorr; write_aiger {small.name}; pdr -T {PATIENCE}"],
                             cwd=path.parent, capture_output=True, text=True, timeout=2 * PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    if not small.is_file():
        return False
    header, output = small.read_bytes().split(b"\n", 2)[:2]
    _, _, _, latches, outputs, ands = header.split()
    if outputs == b"1" and latches == ands == b"0" and output == b"0":
        return True  # nothing is left of it
    return "Property proved" in run.stdout


def shown_later(flat, mutant, from_reset):
    """What shows that a mutant, which some state tells from the design, is the design all the same; "" if nothing."""
    if permuted(flat, mutant):
        return PERMUTED
    return FROM_RESET if from_reset and equivalent_from_reset(flat, mutant) else ""


def permuted(flat, mutant):
    """Whether the mutant only puts a memory's rows in another order: with its change made to the memory's addresses
    outside, for reading and writing alike, no state tells the design from it, and the change is one to one.
    """
    of = dict(re.findall(r"-(\w+) (\S+)", mutant.command))
    if of["mode"] not in ("inv", "cnot0", "cnot1") or "wire" not in of:
        return False
    folder, wire, bit = Path(flat).parent, re.escape(of["wire"]), int(of["wirebit"])
    control = int(of.get("ctrlbit", 0)) + bit - int(of["portbit"])
    found = [(name, int(re.search(r"parameter \\SIZE (\d+)", body)[1]))
             for kind, name, body in CELL.findall(Path(flat).read_text())
             if kind == "$mem_v2" and re.search(rf"connect \\RD_ADDR \\{wire}\n", body)]
    rows = {size for _, size in found}
    if len(rows) != 1 or sorted(_changed(row, of["mode"], bit, control) for row in range(*rows)) != list(range(*rows)):
        return False
    yosys.run([f"read_rtlil {flat.name}", *applied([mutant]), "dffunmap", "opt_clean", "write_rtlil with.il"], folder,
              "with")
    text = cut((folder / "with.il").read_text())
    for name, _ in found:  # weights, and their parity with them
        for port in ("RD_ADDR", "WR_ADDR"):
            text = _outside(text, f"\\cut:{name.replace(chr(92), '/')}:{port}", of["mode"], bit, control)
    (folder / "cut.il").write_text(text)
    log, *_ = yosys.run(["read_rtlil cut.il", "delete t:$scopeinfo", f"delete -input w:{SELECT}", "opt_clean",
                         "design -stash base", *_miter(mutant), f"sat -prove trigger 0 -timeout {SECONDS} miter"],
                        folder, "permuted")
    return "SAT proof finished - no model found: SUCCESS" in log


def _outside(text, port, mode, bit, control):
    """RTLIL text whose output `port` has the mutant's change where the mutant itself is off."""
    given = re.search(rf"^  connect {re.escape(port)} (.+)$", text, re.M)
    width = int(re.search(rf"^  wire width (\d+) output \d+ {re.escape(port)}$", text, re.M)[1])
    chosen = f"{port}:is [{control}]" if mode != "inv" else "1'1"
    if mode == "cnot0":
        chosen = f"{port}:not [{control}]"
    cells = [f"  wire width {width} {port}:{name}\n" for name in ("is", "not")]
    cells += [f"  wire {port}:{name}\n" for name in ("off", "flip", "bit")]
    cells.append(f"  connect {port}:is {given[1]}\n")

    def cell(kind, name, inputs, wide=1):
        sizes = "".join(f"    parameter \\{key}_WIDTH {wide if key != 'A' or kind != '$logic_not' else BITS}\n"
                        f"    parameter \\{key}_SIGNED 0\n" for key in "AB"[:len(inputs)])
        ports = "".join(f"    connect \\{key} {value}\n" for key, value in zip("AB", inputs, strict=False))
        cells.append(f"  cell {kind} $outside{port[1:]}:{name}\n{sizes}    parameter \\Y_WIDTH {wide}\n{ports}"
                     f"    connect \\Y {port}:{name}\n  end\n")

    cell("$not", "not", [f"{port}:is"], width)
    cell("$logic_not", "off", [f"\\{SELECT}"])
    cell("$and", "flip", [f"{port}:off", chosen])
    cell("$xor", "bit", [f"{port}:flip", f"{port}:is [{bit}]"])
    above = f"{port}:is [{width - 1}:{bit + 1}] " if bit < width - 1 else ""
    below = f" {port}:is [{bit - 1}:0]" if bit else ""
    cells.append(f"  connect {port} {{ {above}{port}:bit{below} }}\n")
    return text[:given.start()] + "".join(cells) + text[given.end() + 1:]


def _changed(row, mode, bit, control):
    """A row's address as the mutant has it."""
    flips = mode == "inv" or (row >> control & 1) == (mode == "cnot1")
    return row ^ flips << bit
