"""Microwatts of what was run, estimated from its cycles and row reads and the project's published energy of a frame.

    power = leakage + frames a second x (logic x cycles / cycles0 + SRAM x row reads / row reads0)

Logic, SRAM (nJ a frame), leakage, cycles0 and row reads0 are of one row of docs/results/physical.json, measured on the
mapped netlist of that configuration over a recording. An estimate: what toggles in a cycle is taken to be alike.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hw import config as configs

FILE = Path(__file__).with_name("physical.json")  # a link to docs/results, so that a wheel carries it too
LIBRARY = "ihp-sg13g2"  # manufactured, with SRAM macros
FRAME_S = 0.01


@dataclass(frozen=True)
class Energy:
    """A configuration's published frame: leakage in uW; logic and SRAM in nJ, at so many cycles and row reads."""

    leakage_uw: float
    logic_nj: float
    sram_nj: float
    cycles: float
    reads: float
    source: str

    def microwatts(self, cycles, reads, frames_a_second):
        """Mean power at so many cycles and row reads a frame, and frames a second."""
        frame_nj = self.logic_nj * cycles / self.cycles + self.sram_nj * reads / self.reads
        return self.leakage_uw + frame_nj * frames_a_second / 1000


@cache
def _rows(path):
    return tuple(json.loads(path.read_text()).get("rows", ())) if path.is_file() else ()


def of(config, path=FILE):
    """The `Energy` of a configuration, or None where none was published for it as it is."""
    if not (configs.SHIPPED / f"{config.name}.yaml").is_file() or configs.load(config.name) != config:
        return None
    for row in _rows(path):
        if (row["config"], row["library"], row["variant"]) == (config.name, LIBRARY, "default") and row.get(
                "energy_by_kind_nj") and row.get("row_reads_per_frame"):
            kinds = row["energy_by_kind_nj"]
            logic = kinds["dynamic_nj"] - kinds["sram_nj"]
            source = (f"estimate: cycles and row reads as counted, times the energy of a frame of {config.name!r} in "
                      f"docs/results/physical.json ({row['library']}, {row['energy_method']}; {row['not']})")
            return Energy(kinds["leakage_nj"] / (1000 * FRAME_S), logic, kinds["sram_nj"], row["cycles_per_frame"],
                          sum(row["row_reads_per_frame"].values()), source)
    return None
