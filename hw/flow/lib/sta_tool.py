"""OpenSTA: finds `sta` on PATH, says which one, runs a script of `constraints/sta`."""

import re
import shutil
import subprocess
from pathlib import Path

from hw.flow.lib.errors import FlowError
from hw.flow.lib.tools import watched
from hw.flow.lib.yosys import CONSTRAINTS

SDC = CONSTRAINTS / "accelerator.sdc"


def version():
    """The version that `sta` reports, e.g. "3.1.0"."""
    if not shutil.which("sta"):
        raise FlowError("sta (OpenSTA) is missing: `apt install opensta` gives timing; power from recorded activity "
                        "needs OpenSTA 3 (github.com/parallaxsw/OpenSTA)")
    run = subprocess.run(["sta", "-version"], capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", run.stdout + run.stderr)
    return found[0] if found else "unknown"


def tcl(value):
    """A value as a word of Tcl; sequences as lists."""
    if isinstance(value, (list, tuple)):
        return "[list " + " ".join(tcl(v) for v in value) + "]"
    return "{" + str(value) + "}"


def run(script, folder, **settings):
    """Run `constraints/sta/SCRIPT.tcl` with Tcl variables set; returns its output."""
    version()
    folder = Path(folder)
    lines = [f"set {name} {tcl(value)}" for name, value in settings.items()]
    source = folder / f"{script}_run.tcl"
    source.write_text("\n".join([*lines, f"source {{{CONSTRAINTS / 'sta' / (script + '.tcl')}}}", "exit", ""]))
    text = watched(["sta", "-no_splash", "-exit", str(source)], f"OpenSTA {script}", folder / f"{script}.log")
    error = re.search(r"^Error.*", text, re.M)
    if error or "END" not in text:
        raise FlowError(f"sta: {error[0] if error else text.strip()[-200:]}")
    return text


def settings(library, views, netlist, top, period, spefs=None):
    """Tcl variables that every script takes."""
    return {"liberties": [library.cells.path, *views], "netlist": Path(netlist).resolve(), "top": top, "sdc": SDC,
            "clock_period": period, "driving_cell": library.drive, "load_pf": 0.02,
            "spefs": [word for item in (spefs or {}).items() for word in item]}
