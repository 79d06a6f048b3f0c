"""Verilog in which mapped blocks ride along inside their RTL: same inputs, every output compared at every clock edge.

The RTL keeps driving the design, so a difference is seen where it arises, and counted. Netlist modules get the suffix
`_gates`; clock and reset are the RTL's.
"""

import re

SUFFIX = "_gates"


def modules(text):
    """Verilog text -> module name -> its text."""
    out = {}
    for part in re.findall(r"^module .*?^endmodule", text, re.S | re.M):
        out[re.match(r"module\s+\\?(\S+?)\s*\(", part)[1]] = part + "\n"
    return out


def ports(text):
    """Ports of one module: (direction, name, bits)."""
    return [(d, name, int(high or 0) + 1) for d, high, name in
            re.findall(r"^\s*(input|output)\s+(?:signed\s+)?(?:\[(\d+):0\]\s*)?(\w+);", text, re.M)]


def closure(parts, top):
    """Modules of `parts` reachable from `top`, itself included."""
    seen, queue = [], [top]
    while queue:
        name = queue.pop()
        if name in parts and name not in seen:
            seen.append(name)
            queue += re.findall(r"^\s+(\w+) \w+ \(", parts[name], re.M)
    return seen


def renamed(parts, names):
    """The named netlist modules with the suffix, inside and out."""
    text = "\n".join(parts[name] for name in names)
    text = re.sub(r"^module (\w+)", rf"module \g<1>{SUFFIX}", text, flags=re.M)
    for name in names:
        text = re.sub(rf"^(\s+){name} (\w+ \()", rf"\g<1>{name}{SUFFIX} \g<2>", text, flags=re.M)
    return text


def checker(name, given):
    """The text that goes into RTL module `name` with ports `given`."""
    outputs = [(n, bits) for d, n, bits in given if d == "output"]
    pins = ", ".join(f".{n}({'gates__' + n if d == 'output' else n})" for d, n, _ in given)
    lines = [f"  wire {f'[{bits - 1}:0] ' if bits > 1 else ''}gates__{n};" for n, bits in outputs]
    lines += [
        f"  {name}{SUFFIX} gates ({pins});",
        "  longint gates_compared = 0, gates_differ = 0; reg gates_armed = 0;",
        "  always @(posedge clk) begin",
        "    if (rst) gates_armed <= 1;",
        "    if (gates_armed & ~rst) begin",
        f"      gates_compared <= gates_compared + {sum(b for _, b in outputs)};",
    ]
    # the RTL may be read before the edge only: outputs are settled there
    wrong = " + ".join(f"$countones({n} ^ gates__{n})" for n, _ in outputs)
    lines += [f"      gates_differ <= gates_differ + ({wrong});"]
    for n, _ in outputs:
        lines.append(
            f'      if (gates_differ < 3 && {n} !== gates__{n}) $display("DIFFERENCE %m {n}: expected %h, got %h", '
            f"{n}, gates__{n});"
        )
    lines += ["    end", "  end", '  final $display("GATES %m %0d %0d", gates_compared, gates_differ);', ""]
    return "\n".join(lines)


def build(rtl, netlist, blocks):
    """RTL text with `blocks` of the netlist riding along; also the netlist text they need."""
    design, mapped = modules(rtl), modules(netlist)
    missing = [b for b in blocks if b not in design or b not in mapped]
    if missing:
        raise ValueError(f"block {missing[0]!r}: wanted one of {', '.join(sorted(set(design) & set(mapped)))}")
    needed = []
    for block in blocks:
        given = ports(design[block])
        if not {"clk", "rst"} <= {n for _, n, _ in given}:
            raise ValueError(f"block {block!r} has no clock: it is compared as part of `accelerator`")
        design[block] = design[block].replace("endmodule", checker(block, given) + "endmodule")
        needed += [n for n in closure(mapped, block) if n not in needed]
    return "\n".join(design.values()), renamed(mapped, needed)
