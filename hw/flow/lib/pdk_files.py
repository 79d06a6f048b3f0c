"""Files of a PDK that a layout needs beyond Liberty and LEF: wire RC, extraction rules, GDS, CDL, decks of KLayout.

IHP SG13G2 is read from the folder that the user names, laid out as IHP-Open-PDK or as OpenROAD-flow-scripts' platform.
What a folder lacks is empty here; the step that wants it says so. Nothing of it is copied into the project.
"""

from dataclasses import dataclass, field
from pathlib import Path

from hw.flow.lib import library as libraries


@dataclass(frozen=True)
class PdkFiles:
    """Paths; None or empty where the folder has no such file."""

    wire_rc: Path | None = None      # Tcl: resistance and capacitance of wires before they are routed
    rcx_rules: Path | None = None    # OpenRCX
    gds: tuple = ()                  # cells first, then macros
    gds_map: Path | None = None      # LEF/DEF layer -> GDS layer
    layer_colours: Path | None = None
    cdl: tuple = ()
    drc: dict = field(default_factory=dict)  # name -> deck
    lvs: Path | None = None
    metal_fill: Path | None = None


PATTERNS = {
    "wire_rc": ("setRC.tcl",),
    "rcx_rules": ("IHP_rcx_patterns.rules", "libs.tech/librelane/IHP_rcx_patterns.rules",
                  "libs.tech/openlane/IHP_rcx_patterns.rules"),
    "gds_map": ("sg13g2.map", "libs.tech/klayout/tech/sg13g2.map"),
    "layer_colours": ("sg13g2.lyp", "libs.tech/klayout/tech/sg13g2.lyp"),
    "lvs": ("lvs/sg13g2.lvs", "libs.tech/klayout/tech/lvs/sg13g2.lvs"),
    "metal_fill": ("fill.json",),
}
SETS = {
    "gds": ("gds/sg13g2_stdcell.gds", "gds/RM_IHPSG13_1P_*.gds", "libs.ref/sg13g2_stdcell/gds/sg13g2_stdcell.gds",
            "libs.ref/sg13g2_sram/gds/RM_IHPSG13_1P_*.gds"),
    "cdl": ("cdl/sg13g2_stdcell.cdl", "cdl/RM_IHPSG13_1P_*.cdl", "libs.ref/sg13g2_stdcell/cdl/sg13g2_stdcell.cdl",
            "libs.ref/sg13g2_sram/cdl/RM_IHPSG13_1P_*.cdl"),
}
DECKS = ("drc/sg13g2_minimal.lydrc", "drc/sg13g2_maximal.lydrc",
         "libs.tech/klayout/tech/drc/sg13g2_minimal.lydrc", "libs.tech/klayout/tech/drc/sg13g2_maximal.lydrc")


def find(library, pdk=None):
    """The `PdkFiles` of a library; all of them empty where it is not IHP's."""
    if library.name != "ihp-sg13g2":
        return PdkFiles()
    folder = Path(pdk or libraries.DEFAULT_PDK).resolve()

    def first(patterns):
        return next((hit for pattern in patterns for hit in sorted(folder.glob(pattern))), None)

    sets = {name: tuple(hit for pattern in patterns for hit in sorted(folder.glob(pattern)))
            for name, patterns in SETS.items()}
    decks = {hit.stem.removeprefix("sg13g2_"): hit for pattern in DECKS for hit in folder.glob(pattern)}
    return PdkFiles(**{name: first(patterns) for name, patterns in PATTERNS.items()}, **sets, drc=decks)
