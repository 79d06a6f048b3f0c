"""The weight buffers built other ways: SRAM macros, flip-flops, latches, or a ROM of fixed weights.

    sottovoce memory-options --config paper --lib ihp-sg13g2

Flip-flops and latches: a small bank is synthesised (cells, enables, read multiplexers) and scaled by bits; the scaling
is linear in bits with the read tree counted. ROM: rows of given or seeded weights as logic, `rows` of them synthesised.
"""

from pathlib import Path

import numpy as np

from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import mapping, memories, runs, yosys
from hw.flow.lib.errors import FlowError
from hw.flow.lib.netlist import Netlist

ROWS, BITS = 16, 64  # of the bank that is synthesised


def register_bank(rows, bits, latch):
    """Verilog of a single-port bank from flip-flops, or from latches written in the clock's low phase."""
    a = max(1, (rows - 1).bit_length())
    store = ("  genvar r; generate for (r = 0; r < ROWS; r = r + 1) begin : row\n"
             + ("    wire open = chosen[r] & ~clk;\n    always @* if (open) cells[r] = data;\n" if latch else
                "    always @(posedge clk) if (chosen[r]) cells[r] <= data;\n")
             + "  end endgenerate\n").replace("ROWS", str(rows))
    return (f"module bank(clk, enable, write, address, data, q);\n  input clk, enable, write;\n"
            f"  input [{a - 1}:0] address;\n  input [{bits - 1}:0] data;\n  output reg [{bits - 1}:0] q;\n"
            f"  reg [{bits - 1}:0] cells [0:{rows - 1}];\n  wire [{rows - 1}:0] chosen = (enable & write) << address;\n"
            f"{store}  always @(posedge clk) if (enable & ~write) q <= cells[address];\nendmodule\n")


def rom(words, bits):
    """Verilog of a synchronous ROM."""
    a = max(1, (len(words) - 1).bit_length())
    cases = "\n".join(f"      {a}'d{i}: word = {bits}'h{w:x};" for i, w in enumerate(words))
    return (
        f"module bank(clk, enable, address, q);\n  input clk, enable;\n  input [{a - 1}:0] address;\n"
        f"  output reg [{bits - 1}:0] q;\n  reg [{bits - 1}:0] word;\n  always @* begin\n    case (address)\n{cases}\n"
        f"      default: word = {bits}'d0;\n    endcase\n  end\n"
        "  always @(posedge clk) if (enable) q <= word;\nendmodule\n"
    )


def latch_map(cell):
    """Techmap of Yosys's D latch to a library latch."""
    _, _, _, attributes = cell.storage
    out = next(p.name for p in cell.outputs if p.function.strip() == cell.storage[1])
    return (f"module \\$_DLATCH_P_ (input E, D, output Q);\n  {cell.name} cell (.{attributes['enable']}(E), "
            f".{attributes['data_in']}(D), .{out}(Q));\nendmodule\n")


def _map(text, library, folder, label):
    """Area and leakage of a bank."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty.v").write_text("")
    (folder / f"{label}.v").write_text(text)
    passes = mapping.passes([folder / "empty.v", folder / f"{label}.v"], library, folder, top="bank")
    passes = [p for p in passes if not p.startswith(("read_verilog -lib", "check"))]
    if label == "latches":
        (folder / "latch_map.v").write_text(latch_map(library.latch))
        passes.insert(passes.index("simplemap") + 1, "techmap -map latch_map.v")
    log, _, _ = yosys.run(passes, folder, label)
    yosys.triage(log)
    netlist = Netlist(folder / "mapped.json", library.cells.cells, "bank")
    netlist.buffer_fanout(mapping.FANOUT, library.drive, ties=(library.tie_high[0], library.tie_low[0]))
    return netlist.count("bank")


def read_hex(path):
    """Rows of a `$readmemh` file as integers."""
    path = Path(path)
    if not path.is_file():
        raise FlowError(f"{path}: no such memory image; make it with `sottovoce verilog --model MODEL`")
    return [int(line, 16) for line in path.read_text().split()]


def measure(config, library, folder, images=None):
    """Area and leakage of all weight buffers by kind of storage."""
    buffers = memories.compose(config, library)
    bits = sum(b.rows * b.bits for b in buffers.values())
    out = {"config": config.name, "library": library.name, "bits": bits, "tool_versions": {"yosys": yosys.version()},
           "sram macros": {"area_um2": round(sum(b.area for b in buffers.values())),
                           "leakage_uw": round(sum(b.leakage for b in buffers.values()) / 1e3, 3), "how": "Liberty"}}
    for kind, latch in (("flip-flops", False), ("latches", True)):
        counts = _map(register_bank(ROWS, BITS, latch), library, folder, kind)
        ratio = bits / (ROWS * BITS)
        out[kind] = _scaled(counts, ratio, f"a bank of {ROWS} x {BITS} synthesised, scaled by bits")
    rows, width = config.input_rows, config.row_bits
    if images:
        words, source = read_hex(Path(images) / "input.hex"), "trained input weights"
    else:
        codes = np.random.default_rng(0).integers(0, 1 << 16, (rows, width // 16))
        words = [sum(int(c) << (16 * i) for i, c in enumerate(row)) for row in codes]
        source = "random bits: an upper bound"
    counts = _map(rom(words, width), library, folder, "rom")
    ratio = bits / (rows * width)
    out["rom"] = _scaled(counts, ratio, f"{rows} x {width} of {source} as logic, scaled by bits")
    return out


def _scaled(counts, ratio, how):
    return {"area_um2": round(counts["area_um2"] * ratio), "leakage_uw": round(counts["leakage_nw"] * ratio / 1e3, 3),
            "how": how}


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser)
    parser.add_argument("--images", help="folder of memory images (.hex) for the ROM; random bits without")


def run(args):
    """Measure and print a line a kind of storage."""
    config, library, folder = runs.opened(args)
    out = measure(config, library, folder / "memory_options", args.images)
    store.write_json(folder / "memory_options.json", out | {"command": args.command})
    base = out["sram macros"]["area_um2"]
    print(f"{out['bits']} bits of {config.name} in {library.name}:")
    for kind in ("sram macros", "flip-flops", "latches", "rom"):
        row = out[kind]
        print(f"  {kind:12} {row['area_um2'] / 1e6:9.4f} mm2  {row['area_um2'] / base:6.2f} x  "
              f"{row['leakage_uw']:10.3f} uW leakage  ({row['how']})")
