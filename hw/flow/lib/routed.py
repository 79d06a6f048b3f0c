"""The netlist as routed: blocks that have a layout in place of their mapped modules, and their extracted wires.

Where the whole has been laid out it is the netlist; else each block that has been is put in the place of its module,
and the rest stays as mapped, without wires. Names of a laid-out netlist that hold a path ("lif/g12") become plain words
("lif__g12") in netlist and parasitics alike, which no tool then takes for a path.
"""

import json
import re
from pathlib import Path

from hw.flow.lib import mapping, yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.layout_settings import TOP, digest_of

JOINT = "__"
# words of SystemVerilog (IEEE 1800-2017, annex B) that Verilog 2001 does not reserve: OpenROAD writes them unescaped
RESERVED = """accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte
    chandle checker class clocking const constraint context continue cover covergroup coverpoint cross dist do
    endchecker endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence enum eventually
    expect export extends extern final first_match foreach forkjoin global iff ignore_bins illegal_bins implements
    implies import inside int interconnect interface intersect join_any join_none let local logic longint matches
    modport nettype new nexttime null package packed priority program property protected pure rand randc randcase
    randsequence ref reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence shortint
    shortreal soft solve static string strong struct super sync_accept_on sync_reject_on tagged this throughout
    timeprecision timeunit type typedef union unique unique0 until until_with untyped uwire var virtual void wait_order
    weak wildcard with within""".split()


def stage_of(layout):
    """What a netlist is called by `--layout`: None as mapped, no names as routed, names: only those blocks routed."""
    return "synthesised" if layout is None else "routed-blocks" if layout else "routed"


def plain(name):
    """A name without path and brackets."""
    return re.sub(r"[\[\]]", "_", name.replace("/", JOINT))


def netlist_text(text):
    """Verilog of a layout with plain names, without cells that have no pins (filler), reserved words escaped."""
    text = re.sub(r"\\(\S*/\S*) ", lambda m: plain(m[1]) + " ", text)
    text = re.sub(rf"(?<![\\\w$.])({'|'.join(RESERVED)})(?![\w$])", r"\\\1 ", text)
    return re.sub(r"^\s*\w+ \S+ \(\s*\);\n", "", text, flags=re.M)


def parasitics_text(text):
    """SPEF with the same names: they stand in its name map only."""
    head, mark, rest = text.partition("*NAME_MAP")
    if not mark:
        raise FlowError("the parasitics have no name map")
    body = re.search(r"^\*(?:PORTS|D_NET)", rest, re.M)
    end = body.start() if body else len(rest)
    table = re.sub(r"^(\*\d+) (\S*/\S*)$", lambda m: f"{m[1]} {plain(m[2].replace(chr(92), ''))}", rest[:end],
                   flags=re.M)
    return head + mark + table + rest[end:]


def every(folder):
    """Module -> folder of its layout, of a synthesis folder; only those that were finished of this netlist."""
    netlist = (Path(folder) / "netlist.v").read_text()
    found = {path.parent.name: path.parent for path in sorted(Path(folder).glob("layout/*/layout.json"))
             if json.loads(path.read_text())["netlist_sha256"] == digest_of(netlist, path.parent.name)}
    return found


def layouts(folder):
    """`every` that goes into the netlist: the whole alone, where it has been laid out."""
    found = every(folder)
    return {TOP: found[TOP]} if TOP in found else found


def collect(folder, library, blocks=None):
    """Leave `netlist.v`, `netlist.json` and SPEF files in FOLDER/routed; returns (that folder, routed modules, spefs).

    `blocks` names the modules to take (default: all that have a layout); `spefs` maps instance path -> SPEF file, with
    the path "" for the top.
    """
    folder = Path(folder)
    found = layouts(folder) if blocks is None else every(folder)
    chosen = found if blocks is None else {name: found[name] for name in blocks if name in found}
    if not chosen or (blocks and set(blocks) - set(chosen)):
        wanted = sorted(set(blocks or []) - set(found))
        raise FlowError(f"{folder}: no layout of {', '.join(wanted) or 'any block'}: run `sottovoce layout`")
    target = folder / "routed"
    target.mkdir(exist_ok=True)
    whole = json.loads((folder / "netlist.json").read_text())
    texts = mapping.split_modules((folder / "netlist.v").read_text())
    for name, place in chosen.items():
        texts[name] = netlist_text((place / "routed.v").read_text())
        (target / f"{name}.v").write_text(texts[name])
        macros = f'read_verilog -lib "{(folder / "macros.v").resolve()}"'
        yosys.run([f'read_liberty -lib -ignore_miss_func "{library.cells.path}"', macros, f"read_verilog {name}.v",
                   f"hierarchy -top {name}", f"write_json {name}.json"], target, f"read_{name}")
        part = json.loads((target / f"{name}.json").read_text())["modules"][name]
        whole["modules"][name] = part
        if (place / "routed.spef").is_file():
            (target / f"{name}.spef").write_text(parasitics_text((place / "routed.spef").read_text()))
    if TOP in chosen:  # what the flat netlist does not use any more
        used = {c["type"] for c in whole["modules"][TOP]["cells"].values()}
        whole["modules"] = {n: m for n, m in whole["modules"].items() if n == TOP or n in used}
        texts = {TOP: texts[TOP]}
    whole["modules"][TOP].setdefault("attributes", {})["top"] = "1"
    (target / "netlist.json").write_text(json.dumps(whole, separators=(",", ":")))
    (target / "netlist.v").write_text("\n".join(texts.values()))
    instances = {"": TOP} | {n: c["type"] for n, c in whole["modules"][TOP]["cells"].items()}
    spefs = {path: (target / f"{module}.spef").resolve() for path, module in instances.items()
             if module in chosen and (target / f"{module}.spef").is_file()}
    return target, sorted(chosen), spefs
