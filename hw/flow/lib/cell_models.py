"""Functional Verilog of the library's cells, made from their Liberty `function`, `ff`, `latch` and gating groups.

For gate-level simulation: not every library comes with Verilog, and no delays are wanted. Only cells in use are made.
"""

import re

from hw.flow.lib.errors import FlowError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expression(text):
    """A Liberty boolean expression as Verilog: postfix ' and prefix ! negate, * & and blanks AND, + | OR, ^ XOR."""
    text = text.strip()
    tokens = re.findall(r"[A-Za-z_][A-Za-z0-9_]*|[01]|[()!'*&+|^]", text)
    out, i = _or(tokens, 0, text)
    if i != len(tokens):
        raise FlowError(f"Liberty function {text!r} is not understood")
    return out


def _chain(lower, symbols, verilog, implicit=False):
    """Parser of a left-associative operator over `lower`; `implicit` also takes plain neighbours."""
    def parse(tokens, i, text):
        left, i = lower(tokens, i, text)
        while i < len(tokens) and (tokens[i] in symbols or implicit and tokens[i] not in "+|^)"):
            right, i = lower(tokens, i + (tokens[i] in symbols), text)
            left = f"({left} {verilog} {right})"
        return left, i
    return parse


def _term(tokens, i, text):
    if i >= len(tokens):
        raise FlowError(f"Liberty function {text!r} ends early")
    if tokens[i] == "!":
        inner, i = _term(tokens, i + 1, text)
        return f"~{inner}", i
    if tokens[i] == "(":
        inner, i = _or(tokens, i + 1, text)
        if i >= len(tokens) or tokens[i] != ")":
            raise FlowError(f"Liberty function {text!r}: bracket not closed")
        out, i = inner, i + 1
    elif tokens[i] in "01":
        out, i = f"1'b{tokens[i]}", i + 1
    elif NAME.fullmatch(tokens[i]):
        out, i = tokens[i], i + 1
    else:
        raise FlowError(f"Liberty function {text!r}: {tokens[i]!r} is out of place")
    while i < len(tokens) and tokens[i] == "'":
        out, i = f"~{out}", i + 1
    return out, i


_xor = _chain(_term, "^", "^")
_and = _chain(_xor, "*&", "&", implicit=True)
_or = _chain(_and, "+|", "|")


def cell(c):
    """Verilog module of one `liberty.Cell`."""
    pins = [p for p in c.pins.values() if p.direction in ("input", "output")]
    lines = [f"module {c.name}({', '.join(p.name for p in pins)});"]
    lines += [f"  {p.direction} {p.name};" for p in pins]
    if c.gating:
        lines += _gate(c)
    elif c.storage:
        lines += _storage(c)
    else:
        lines += [f"  assign {p.name} = {expression(p.function)};" for p in c.outputs if p.function]
    return "\n".join([*lines, "endmodule", ""])


def _gate(c):
    role = {key: pin.names[0] for pin in c.group.all("pin")
            for key in pin.attributes if key.startswith("clock_gate")}
    try:
        clock, enable, out = role["clock_gate_clock_pin"], role["clock_gate_enable_pin"], role["clock_gate_out_pin"]
    except KeyError as error:
        raise FlowError(f"{c.name}: clock gate without {error}") from None
    if not c.gating.startswith("latch_posedge"):
        raise FlowError(f"{c.name}: clock gate of kind {c.gating!r}; only latch_posedge is modelled")
    test = f" | {role['clock_gate_test_pin']}" if "clock_gate_test_pin" in role else ""
    return ["  reg open;", f"  always_latch if (~{clock}) open = {enable}{test};", f"  assign {out} = {clock} & open;"]


def _storage(c):
    kind, state, inverse, a = c.storage
    lines = [f"  reg {state};"] + ([f"  wire {inverse} = ~{state};"] if inverse else [])
    clear = expression(a["clear"]) if "clear" in a else None
    preset = expression(a["preset"]) if "preset" in a else None
    if kind == "latch":
        body = f"if ({expression(a['enable'])}) {state} = {expression(a['data_in'])};"
        for condition, value in ((preset, 1), (clear, 0)):
            if condition:
                body = f"if ({condition}) {state} = 1'b{value}; else {body}"
        lines.append(f"  always_latch {body}")
    else:
        edges, body = [_edge(a["clocked_on"])], f"{state} <= {expression(a['next_state'])};"
        for condition, value in ((preset, 1), (clear, 0)):
            if condition:
                edges.append(_edge(condition))
                body = f"if ({condition}) {state} <= 1'b{value}; else {body}"
        lines.append(f"  always @({' or '.join(edges)}) {body}")
    lines += [f"  assign {p.name} = {expression(p.function)};" for p in c.outputs if p.function]
    return lines


def _edge(text):
    """Sensitivity of an expression of one pin."""
    name = NAME.search(text)[0]
    return f"{'negedge' if '~' in text or '!' in text or chr(39) in text else 'posedge'} {name}"


def library(cells, names):
    """Verilog of the named cells."""
    return "\n".join(cell(cells[name]) for name in sorted(names))
