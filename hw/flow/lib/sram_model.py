"""SRAM model for libraries without macros. Every coefficient has its source; docs/physical.md has the check.

    area    = bits * cell * (1 + overhead) + columns * periphery
    energy  = columns * (fixed + per_row * rows)           a read; a write is `WRITE_OVER_READ` times that
    leakage = bits * per_bit + columns * per_column

The shape (linear in bits and columns) and the 130 nm coefficients are a least-squares fit of IHP SG13G2's own 64-bit
macros (Liberty views, typical corner, 64 to 2048 rows): see `fit`. Other nodes scale the fit:
area by the square of the node [Dennard et al., IEEE JSSC 9(5), 1974], energy by node x V^2 (wire and gate capacitance
per length about constant), and leakage per bit with the library's own: the ratio of NAND2 leakage, since no
constant-field rule gives leakage. Area gets `LOGIC_RULES` on top where the node is a predictive library drawn with
logic rules.
"""

from dataclasses import dataclass

import numpy as np

NODE_FIT = 130       # nm
VOLTAGE_FIT = 1.2    # V
NAND2_LEAKAGE_FIT = 0.0812  # nW, sg13g2_nand2_1, typical corner
# OpenRAM draws its FreePDK45 bit cell, 0.705 x 1.3425 um, with logic design rules (openram 1.2.48,
# technology/freepdk45): 467 F2, against 206 F2 a bit fitted to IHP's foundry cell with array overhead.
LOGIC_RULES = 467 / 206


@dataclass(frozen=True)
class Coefficients:
    """um2, pJ and nW at `NODE_FIT`, `VOLTAGE_FIT`."""

    area_bit: float
    area_column: float
    energy_column: float
    energy_column_row: float
    write_over_read: float
    leakage_bit: float
    leakage_column: float
    access_ns: float
    access_row_ns: float


# Result of `fit` on the macros named above; tests refit it from the views and compare.
IHP_FIT = Coefficients(area_bit=3.474, area_column=566.5, energy_column=0.6555, energy_column_row=0.0006486,
                       write_over_read=1.242, leakage_bit=0.012086, leakage_column=0.0, access_ns=3.199,
                       access_row_ns=0.0012085)


def fit(macros):
    """Least-squares `Coefficients` of a list of macros of one width."""
    rows = np.array([m.rows for m in macros], float)
    bits = np.array([m.rows * m.bits for m in macros], float)
    columns = np.array([m.bits for m in macros], float)

    def two(a, b, values):
        (x, y), *_ = np.linalg.lstsq(np.stack([a, b], 1), np.array(values, float), rcond=None)
        return float(x), float(y)

    area = two(bits, columns, [m.area for m in macros])
    energy = two(columns, columns * rows, [m.read_pj for m in macros])
    leakage = two(bits, columns, [m.leakage for m in macros])
    access = two(np.ones_like(rows), rows, [m.access_ns for m in macros])
    ratio = float(np.mean([m.write_pj / m.read_pj for m in macros]))
    return Coefficients(*area, *energy, ratio, *leakage, *access)


def predict(rows, bits, coefficients=IHP_FIT, node=NODE_FIT, voltage=VOLTAGE_FIT, leakage_ratio=1.0, drawn=1.0):
    """area um2, leakage nW, read pJ, write pJ, access ns of `rows` x `bits`."""
    c = coefficients
    shrink = node / NODE_FIT
    energy = bits * (c.energy_column + c.energy_column_row * rows) * shrink * (voltage / VOLTAGE_FIT) ** 2
    return {
        "area": (rows * bits * c.area_bit + bits * c.area_column) * shrink**2 * drawn,
        "leakage": (rows * bits * c.leakage_bit + bits * c.leakage_column) * leakage_ratio,
        "read_pj": energy, "write_pj": energy * c.write_over_read,
        "access_ns": (c.access_ns + c.access_row_ns * rows) * shrink,
    }


def macro(library, rows, bits, make):
    """A modelled macro of exactly `rows` x `bits` for a library without macros; `make` is `memories.Macro`."""
    node = library.node or NODE_FIT
    ratio = library.cells.cells[library.nand2].leakage / NAND2_LEAKAGE_FIT
    drawn = LOGIC_RULES if library.name == "nangate45" else 1.0
    p = predict(rows, bits, node=node, voltage=library.cells.voltage, leakage_ratio=ratio, drawn=drawn)
    return make(f"sram_model_{rows}x{bits}", rows, bits, round(p["area"], 2), round(p["leakage"], 3),
                round(p["read_pj"], 4), round(p["write_pj"], 4), 0.0, round(p["access_ns"], 3),
                "model fitted to IHP SG13G2 macros, scaled (hw/flow/lib/sram_model.py)")


def liberty_view(macro, ports, voltage):
    """Liberty text of a modelled macro, for timing and power tools; scalar tables."""
    buses, pins = [], []
    widths = sorted({n for _, _, n in ports if n > 1})
    types = "".join(f"  type (bus{n}) {{ base_type : array; data_type : bit; bit_width : {n}; "
                    f"bit_from : {n - 1}; bit_to : 0; downto : true; }}\n" for n in widths)
    check = ('timing () {{ related_pin : "A_CLK"; timing_type : {kind}_rising; rise_constraint (scalar) '
             '{{ values ("{t}"); }} fall_constraint (scalar) {{ values ("{t}"); }} }}')
    access = macro.access_ns
    delay = (f'timing () {{ related_pin : "A_CLK"; timing_type : rising_edge; timing_sense : non_unate; '
             f'cell_rise (scalar) {{ values ("{access}"); }} cell_fall (scalar) {{ values ("{access}"); }} '
             'rise_transition (scalar) { values ("0.05"); } fall_transition (scalar) { values ("0.05"); } }')
    for direction, name, bits in ports:
        body = f"direction : {direction}; "
        if direction == "output":
            body += delay
        elif name == "A_CLK":
            states = ((macro.read_pj, "A_MEN&!A_WEN&A_REN"), (macro.write_pj, "A_MEN&A_WEN&!A_REN"),
                      (macro.idle_pj, "!A_MEN"))
            body += "clock : true; capacitance : 0.01; " + " ".join(
                f'internal_power () {{ when : "{when}"; rise_power (scalar) {{ values ("{pj}"); }} '
                f'fall_power (scalar) {{ values ("0"); }} }}' for pj, when in states)
        else:
            body += "capacitance : 0.003; "
            if not name.startswith("A_BIST") and name != "A_DLY":
                body += check.format(kind="setup", t=0.1) + " " + check.format(kind="hold", t=0.05)
        if bits > 1:
            buses.append(f"    bus ({name}) {{ bus_type : bus{bits}; {body} }}\n")
        else:
            pins.append(f"    pin ({name}) {{ {body} }}\n")
    return (f"library ({macro.name}) {{\n  time_unit : \"1ns\"; voltage_unit : \"1V\"; current_unit : \"1uA\";\n"
            "  capacitive_load_unit (1, pf); leakage_power_unit : \"1nW\"; pulling_resistance_unit : \"1kohm\";\n"
            f"  delay_model : table_lookup; nom_voltage : {voltage}; nom_process : 1; nom_temperature : 25;\n{types}"
            f"  cell ({macro.name}) {{\n    area : {macro.area}; cell_leakage_power : {macro.leakage};\n"
            f"    memory () {{ type : ram; address_width : {max(1, (macro.rows - 1).bit_length())}; "
            f"word_width : {macro.bits}; }}\n" + "".join(buses + pins) + "  }\n}\n")
