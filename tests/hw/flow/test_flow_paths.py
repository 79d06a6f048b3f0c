"""A checkout and a library whose paths have spaces and letters beyond ASCII: Yosys and ABC find their files there."""

import shutil
import subprocess
import sys
from pathlib import Path

from test_synth import COUNTER

from hw.flow.lib import library

ROOT = Path(__file__).parents[3]

MAP = """
from pathlib import Path
from hw.flow.lib import library, mapping, yosys
from hw.flow.lib.netlist import Netlist
folder = Path("build")
cells = library.load("eigene größe.lib")
log, _, _ = yosys.run(mapping.passes([folder / "empty.v", folder / "design.v"], cells, folder, top="top"), folder, "x")
assert Netlist(folder / "mapped.json", cells.cells.cells, "top").count("top")["flip_flops"] == 4
"""


def test_a_design_is_mapped_there(ihp, tmp_path):
    checkout = tmp_path / "my größte Projekte" / "sotto voce"
    for room in ("hw", "constraints"):
        shutil.copytree(ROOT / room, checkout / room, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "build").mkdir()
    (checkout / "build" / "empty.v").write_text("")
    (checkout / "build" / "design.v").write_text(COUNTER)
    shutil.copy(ihp.cells.path, checkout / "eigene größe.lib")
    run = subprocess.run([sys.executable, "-c", MAP], cwd=checkout, capture_output=True, text=True)
    assert not run.returncode, run.stderr


def test_a_pdk_named_from_here_is_found_from_elsewhere(pdk, tmp_path, monkeypatch):
    """Yosys, OpenSTA and OpenROAD run in folders of their own."""
    (tmp_path / "views").symlink_to(pdk.resolve())
    monkeypatch.chdir(tmp_path)
    found = library.load("ihp-sg13g2", "views")
    assert all(Path(path).is_absolute() for path in (found.cells.path, *found.macros, *found.lef))
