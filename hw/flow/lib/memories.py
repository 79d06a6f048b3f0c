"""Weight buffers composed of SRAM macros: which macros, what they cost, and the Verilog that joins them.

A buffer of R rows x W bits is cut in columns as wide as a macro (= a write slice) and, where no macro is deep enough,
in row banks of which a read enables one. Area, leakage and energy come from the macros' Liberty views; libraries
without macros get modelled ones of exactly the size wanted (`sram_model`).
"""

from dataclasses import asdict, dataclass

from hw.flow.lib import liberty, sram_model
from hw.flow.lib.errors import FlowError
from hw.interface import WEIGHT_BUFFERS

# Least area; least energy a read; and of macros of at most so many rows (a read of 256 costs half of one of 1024) least
# area, or least leakage, the gates that join banks included: an AND-OR a bit, as IHP's cells leak.
PREFERENCES = ("area", "energy", "balanced", "leakage")
BALANCED_ROWS, JOINT_NW = 256, 0.11


@dataclass(frozen=True)
class Macro:
    """A single-port SRAM. Area um2, leakage nW, energies pJ a clock edge, access time ns."""

    name: str
    rows: int
    bits: int
    area: float
    leakage: float
    read_pj: float
    write_pj: float
    idle_pj: float
    access_ns: float
    source: str


@dataclass(frozen=True)
class Buffer:
    """One weight buffer: `columns` x `banks` macros of one kind."""

    name: str
    rows: int
    bits: int
    macro: Macro
    columns: int
    banks: int
    slice_bits: int = 0  # separately written; 0: as wide as a macro

    @property
    def macros(self):
        return self.columns * self.banks

    @property
    def area(self):
        return self.macros * self.macro.area

    @property
    def leakage(self):
        return self.macros * self.macro.leakage

    @property
    def read_pj(self):
        """One row: every column of one bank reads, the other banks idle."""
        return self.columns * (self.macro.read_pj + (self.banks - 1) * self.macro.idle_pj)

    @property
    def write_pj(self):
        """One slice: one macro writes."""
        return self.macro.write_pj + (self.macros - 1) * self.macro.idle_pj

    @property
    def idle_pj(self):
        return self.macros * self.macro.idle_pj

    def row(self):
        """Plain values for reports."""
        return {"rows": self.rows, "bits": self.bits, "macro": self.macro.name, "macros": self.macros,
                "area_um2": round(self.area, 1), "leakage_nw": round(self.leakage, 2),
                "read_pj": round(self.read_pj, 3), "write_pj": round(self.write_pj, 3),
                "idle_pj": round(self.idle_pj, 3), "source": self.macro.source}


def _states(cell, clock):
    """Energy in pJ of a rising clock edge by state: `when` text without blanks -> number."""
    out = {}
    for pin in cell.group.all("pin"):
        if clock not in pin.names:
            continue
        for power in pin.all("internal_power"):
            when = power.attributes.get("when", "").replace(" ", "")
            for rise in power.all("rise_power"):
                values = rise.attributes.get("values", ["0"])
                out[when] = float(str(values[0]).split(",")[0])
    return out


def _access(cell):
    """Largest clock-to-output delay in the view, ns."""
    worst = 0.0
    for bus in cell.group.all("bus"):
        for timing in bus.all("timing"):
            for table in timing.all("cell_rise") + timing.all("cell_fall"):
                worst = max([worst, *(float(v) for row in table.attributes.get("values", [])
                                      for v in row.replace("\\", " ").split(",") if v.strip())])
    return worst


def from_liberty(path):
    """The `Macro` of an IHP SRAM view, or None where the file has no memory with A_CLK, A_MEN, A_WEN, A_REN."""
    library = liberty.read(path)
    for cell in library.cells.values():
        memory = cell.group.all("memory")
        if not memory or "A_MEN" not in cell.pins:
            continue
        states = _states(cell, "A_CLK")
        try:
            return Macro(
                cell.name, 1 << int(memory[0].number("address_width")), int(memory[0].number("word_width")),
                cell.area, cell.leakage, states["A_MEN&!A_WEN&A_REN"], states["A_MEN&A_WEN&!A_REN"],
                states["!A_MEN&!A_WEN&!A_REN"], _access(cell), f"Liberty {path.name}")
        except KeyError as error:
            raise FlowError(
                f"{path.name}: no energy for state {error}; the view is not one this flow can read"
            ) from None
    return None


def available(library, bits):
    """Macros of a library that are `bits` wide, smallest first; empty where it has none."""
    found = [m for m in map(from_liberty, library.macros) if m and m.bits == bits]
    return sorted(found, key=lambda m: m.rows)


def compose(config, library, prefer="area"):
    """Every memory of a configuration as macros: name -> `Buffer`. `prefer` is one of `PREFERENCES`."""
    if prefer not in PREFERENCES:
        raise FlowError(f"prefer={prefer!r}: wanted one of {', '.join(PREFERENCES)}")
    macros = available(library, config.load_bits)
    if library.macros and not macros:
        raise FlowError(f"load_bits={config.load_bits}: {library.name} has no macro of that width; use 64")
    out = {}
    for name, (rows, bits, slice_bits) in config.memories().items():
        if slice_bits == 1:
            out[name] = _of_bits(library, name, rows, bits)
            continue
        choices = macros or [sram_model.macro(library, rows, config.load_bits, Macro)]
        columns = bits // config.load_bits
        buffers = [Buffer(name, rows, bits, m, columns, -(-rows // m.rows), slice_bits) for m in choices]
        if prefer in ("balanced", "leakage"):
            buffers = [b for b in buffers if b.macro.rows <= BALANCED_ROWS] or buffers
        out[name] = min(buffers, key={
            "area": lambda b: (b.area, b.read_pj), "energy": lambda b: (b.read_pj, b.area),
            "balanced": lambda b: (b.area, b.read_pj),
            "leakage": lambda b: (b.leakage + JOINT_NW * b.bits * b.banks, b.area)}[prefer])
    return out


def _of_bits(library, name, rows, bits):
    """A memory whose bits are written one by one: the least macro that holds it, with the others masked."""
    found = [m for m in map(from_liberty, library.macros) if m and m.bits >= bits and m.rows >= rows]
    if library.macros and not found:
        raise FlowError(f"{name}: {library.name} has no macro of {rows} rows of {bits} bits")
    found = found or [sram_model.macro(library, rows, bits, Macro)]
    return Buffer(name, rows, bits, min(found, key=lambda m: (m.area, m.read_pj)), 1, 1, 1)


def built(config, library, settings):
    """`compose` of a synthesis by its `settings`: empty where the memories are flip-flops of the netlist."""
    return {} if settings.get("memories") == "flip-flops" else compose(config, library, settings["prefer"])


def modules(buffers):
    """Module name of the RTL -> `Buffer`; buffers of one size share a module."""
    def kind(buffer):
        if buffer.slice_bits == 1:
            return "parity_memory"
        # rows that are written whole
        return "state_memory" if buffer.slice_bits == buffer.bits and buffer.name not in WEIGHT_BUFFERS \
            and buffer.name != "neuron_table" else "weight_buffer"

    return {f"{kind(b)}_{b.rows}x{b.bits}": b for b in buffers.values()}


def macro_ports(macro):
    """Ports of a macro as (direction, name, bits); IHP's names, also for modelled macros."""
    address = max(1, (macro.rows - 1).bit_length())
    ports = [("input", "A_CLK", 1), ("input", "A_MEN", 1), ("input", "A_WEN", 1), ("input", "A_REN", 1),
             ("input", "A_ADDR", address), ("input", "A_DIN", macro.bits), ("input", "A_DLY", 1),
             ("output", "A_DOUT", macro.bits), ("input", "A_BM", macro.bits)]
    for name, bits in (("CLK", 1), ("EN", 1), ("MEN", 1), ("WEN", 1), ("REN", 1), ("ADDR", address),
                       ("DIN", macro.bits), ("BM", macro.bits)):
        ports.append(("input", f"A_BIST_{name}", bits))
    return ports


def _range(bits):
    return f"[{bits - 1}:0] " if bits > 1 else ""


def black_box(macro):
    """Empty Verilog module of a macro."""
    ports = macro_ports(macro)
    body = "\n".join(f"  {d} {_range(n)}{name};" for d, name, n in ports)
    return f"(* blackbox *)\nmodule {macro.name}({', '.join(p[1] for p in ports)});\n{body}\nendmodule\n"


def behaviour(macro):
    """Simulation model of a macro: reads or writes at a clock edge, output holds in between."""
    ports = macro_ports(macro)
    body = "\n".join(f"  {d} {'reg ' if d == 'output' else ''}{_range(n)}{name};" for d, name, n in ports)
    return f"""module {macro.name}({', '.join(p[1] for p in ports)});
{body}
  reg [{macro.bits - 1}:0] cells [0:{macro.rows - 1}];
  always @(posedge A_CLK) if (A_MEN) begin
    if (A_WEN) cells[A_ADDR] <= (cells[A_ADDR] & ~A_BM) | (A_DIN & A_BM);
    else if (A_REN) A_DOUT <= cells[A_ADDR];
  end
endmodule
"""


def wrapper(module, buffer):
    """Verilog of one weight buffer, with the ports of `hw.weight_buffer`, made of macros.

    Only macros that act are enabled, and read enable is low in idle cycles, which the macros' views price at nothing.
    """
    if buffer.slice_bits == 1:
        return _masked(module, buffer)
    columns, banks, macro = buffer.columns, buffer.banks, buffer.macro
    address = max(1, (buffer.rows - 1).bit_length())
    inner = max(1, (macro.rows - 1).bit_length())
    bits, width = macro.bits, buffer.bits
    written = buffer.slice_bits or bits  # at once: a macro, or a whole row
    slices = width // written
    lines = [f"module {module}(write, address, write_data, clk, rst, read_data, enable);",
             f"  input {_range(slices)}write;", f"  input {_range(address)}address;",
             f"  input {_range(written)}write_data;", "  input clk, rst, enable;",
             f"  output {_range(width)}read_data;", "  wire read = enable & ~(|write);"]
    if banks > 1:
        select = (banks - 1).bit_length()
        lines += [f"  wire {_range(select)}bank = address[{address - 1}:{inner}];",
                  f"  reg {_range(select)}bank_read;",
                  "  always @(posedge clk) if (rst) bank_read <= 0; else if (read) bank_read <= bank;"]
    low = f"address[{min(inner, address) - 1}:0]" if address > 1 else "address"
    given = low if address >= inner else f"{{{inner - address}'b0, {low}}}"
    for b in range(banks):
        chosen = f" & (bank == {b})" if banks > 1 else ""
        if banks > 1:
            lines.append(f"  wire {_range(width)}row_{b};")
        for c in range(columns):
            part = f"[{(c + 1) * bits - 1}:{c * bits}]"
            target = f"row_{b}{part}" if banks > 1 else f"read_data{part}"
            wen = f"write[{c * bits // written}]" if slices > 1 else "write"
            at = c * bits % written
            given_data = f"write_data[{at + bits - 1}:{at}]" if written > bits else "write_data"
            ones, zeros = f"{{{bits}{{1'b1}}}}", f"{{{bits}{{1'b0}}}}"
            pins = {"A_CLK": "clk", "A_MEN": f"(read | (enable & {wen})){chosen}", "A_WEN": f"enable & {wen}{chosen}",
                    "A_REN": f"read{chosen}", "A_ADDR": given, "A_DIN": given_data, "A_DLY": "1'b1",
                    "A_DOUT": target, "A_BM": ones, "A_BIST_DIN": zeros, "A_BIST_BM": zeros,
                    "A_BIST_ADDR": f"{{{inner}{{1'b0}}}}"}
            pins |= {f"A_BIST_{p}": "1'b0" for p in ("CLK", "EN", "MEN", "WEN", "REN")}
            lines.append(f"  {macro.name} macro_{b}_{c} (" + ", ".join(f".{k}({v})" for k, v in pins.items()) + ");")
    if banks > 1:
        lines.append("  assign read_data = " + " | ".join(
            f"({{{width}{{bank_read == {b}}}}} & row_{b})" for b in range(banks)) + ";")
    return "\n".join([*lines, "endmodule", ""])


def _masked(module, buffer):
    """The same of a memory whose bits are written one by one."""
    macro, width = buffer.macro, buffer.bits
    address, inner = (max(1, (rows - 1).bit_length()) for rows in (buffer.rows, macro.rows))
    spare, ahead = macro.bits - width, inner - address
    mask = f"{{{spare}'b0, write}}" if spare else "write"
    given = f"{{{ahead}'b0, address}}" if ahead else "address"
    pins = {"A_CLK": "clk", "A_MEN": "enable", "A_WEN": "enable & (|write)", "A_REN": "enable & ~(|write)",
            "A_ADDR": given, "A_DIN": f"{{{macro.bits}{{write_data}}}}", "A_DLY": "1'b1", "A_DOUT": "row",
            "A_BM": mask, "A_BIST_DIN": f"{{{macro.bits}{{1'b0}}}}", "A_BIST_BM": f"{{{macro.bits}{{1'b0}}}}",
            "A_BIST_ADDR": f"{{{inner}{{1'b0}}}}"}
    pins |= {f"A_BIST_{p}": "1'b0" for p in ("CLK", "EN", "MEN", "WEN", "REN")}
    return "\n".join([
        f"module {module}(write, address, write_data, clk, rst, read_data, enable);",
        f"  input {_range(width)}write;", f"  input {_range(address)}address;", "  input write_data, clk, rst, enable;",
        f"  output {_range(width)}read_data;", f"  wire {_range(macro.bits)}row;",
        f"  {macro.name} macro_0_0 (" + ", ".join(f".{k}({v})" for k, v in pins.items()) + ");",
        f"  assign read_data = row{_range(width).strip()};" if width > 1 else "  assign read_data = row[0];",
        "endmodule", ""])


def table(buffers):
    """Plain values of all buffers and their sums, for reports."""
    rows = {name: b.row() for name, b in buffers.items()}
    total = {key: round(sum(r[key] for r in rows.values()), 3) for key in ("macros", "area_um2", "leakage_nw")}
    return {"buffers": rows, "total": total, "macro_kinds": {b.macro.name: asdict(b.macro) for b in buffers.values()}}
