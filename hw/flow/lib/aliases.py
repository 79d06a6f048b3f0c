"""One name for each net: what `assign` says in a mapped netlist, as buffers.

A port that repeats another port (`assign ready = open;`) is one net inside the module and two outside. OpenROAD
flattens by nets and keeps one of the two: the other's sinks are left without a driver, and layout against schematic
agrees, for both come from the same database. With a buffer there is nothing to join.
"""

import re

NAME = re.compile(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?")
ASSIGN = re.compile(r"^  assign ([^=;]+?) = ([^;]+?);\n", re.M)
RANGE = re.compile(r"^\s*(?:input|output|wire|reg)\s+\[(\d+):(\d+)\]\s*(\w+)\s*;", re.M)


def bits(text, ranges):
    """Bits of an expression of names, slices and concatenations, the highest first; None where it has a constant.

    `ranges`: name -> (high, low) of a module's vectors.
    """
    out = []
    for part in text.strip("{} ").split(","):
        found = NAME.fullmatch(part.strip())
        if not found:
            return None
        name, high, low = found.groups()
        if high is None and name not in ranges:
            out.append(name)
            continue
        first, last = (int(high), int(low or high)) if high is not None else ranges[name]
        out += [f"{name}[{i}]" for i in range(first, last - 1, -1)]
    return out


def buffered(netlist, cell):
    """A netlist's text with a buffer for each bit that an `assign` joins; constants stay. `cell`: `liberty.Cell`."""
    pin_in, pin_out = cell.inputs[0].name, cell.outputs[0].name

    def module(found):
        text, count = found[0], 0
        ranges = {name: (int(high), int(low)) for high, low, name in RANGE.findall(text)}

        def buffers(assign):
            nonlocal count
            targets, sources = (bits(side, ranges) for side in assign.groups())
            if targets is None or sources is None:
                return assign[0]
            out = ""
            for target, source in zip(targets, sources, strict=True):
                out += f"  {cell.name} alias_{count} (.{pin_in}({source}), .{pin_out}({target}));\n"
                count += 1
            return out

        return ASSIGN.sub(buffers, text)

    return re.sub(r"^module .*?^endmodule", module, netlist, flags=re.S | re.M)
