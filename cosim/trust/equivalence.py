"""Which mutants cannot be told from the design: shown by Yosys's SAT solver, not by opinion.

    equivalent(flat, mutants)  ->  numbers of those that are

Every flip-flop and memory is cut out: what it holds becomes an input, what it is given an output, of both machines
alike. If then no input at all makes an output differ, the mutant is the design, in every state, reachable or not. A
difference that shows in unreachable states only is not proved here, and such a mutant counts as alive.
"""

import re
from pathlib import Path

from cosim.trust.mutation import BITS, SELECT, TOP, applied
from hw.flow.lib import yosys

CELL = re.compile(r"^  cell (\$dff|\$mem_v2) (\S+)\n(.*?)^  end\n", re.M | re.S)
SECONDS = 20  # of the solver, a mutant
TRIED = 60    # in one Yosys process


def cut(text):
    """RTLIL text with flip-flops and memories as ports: what they hold comes in, what they are given goes out."""
    ports, at = [], iter(range(10_000, 10_000_000))

    def taken(found):
        kind, name, body = found.groups()
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

    body = CELL.sub(taken, re.sub(r"^ *attribute .*\n", "", text, flags=re.M))
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
