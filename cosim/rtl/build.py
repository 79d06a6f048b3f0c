"""Builds one top level of a configuration for cocotb: emitted Verilog, Verilated, linked; only if the Verilog changed.

    build("lif", config)        build/cosim/tiny/lif/lif
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from cocotb_tools.runner import VerilatorControlFile, get_runner

import hw
from cosim.rtl import toolchain
from cosim.rtl.probes import control_file
from hw.emit import emit

ROOT = Path("build/cosim")
# A trace in FST needs headers that not every machine has; without them nothing else is lost.
FST_HEADERS = (("zlib.h", "zlib1g-dev"), ("lz4.h", "liblz4-dev"))


class BuildError(RuntimeError):
    """Verilator or the compiler failed; the message names the log."""


@contextmanager
def tools(**extra):
    """The process's environment with the tool chain's; the runner reads it from there."""
    before = dict(os.environ)
    env = toolchain.environment()
    env["MAKEFLAGS"] = " ".join([env["MAKEFLAGS"], *(f"{k}={v}" for k, v in extra.items())])
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def versions():
    """Versions of the tools that decide what a run computes."""
    return {name: metadata.version(name) for name in ("amaranth", "pyosys", "verilator", "cocotb", "torch")} | {
        "python": ".".join(map(str, sys.version_info[:3]))}


def config_folder(config, root=ROOT):
    return Path(root) / config.name


def build(toplevel, config, *, root=ROOT, waves=False):
    """Build one top level; returns its folder. A second process waits for the first.

    Raises `toolchain.ToolError`, `hw.emit.EmitError` or `BuildError`.
    """
    folder = config_folder(config, root).resolve() / (f"{toplevel}-waves" if waves else toplevel)
    folder.mkdir(parents=True, exist_ok=True)
    if waves:
        _need_fst_headers()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / "stamp.json"
        known = json.loads(stamp.read_text()) if stamp.is_file() else {}
        sources = _digest(*_hardware(), json.dumps(config.to_dict()), json.dumps(versions()))
        verilog, probes = folder / f"{toplevel}.v", folder / "probes.vlt"
        if known.get("sources") != sources or not verilog.is_file():
            emit(toplevel, config, verilog)
        args = _arguments(waves)
        control = control_file(toplevel, verilog.read_text())
        design = _digest(verilog.read_text(), control, *args, json.dumps(versions()))
        if known.get("design") != design or not (folder / toplevel).is_file():
            stamp.unlink(missing_ok=True)
            probes.write_text(control)
            _verilate(toplevel, folder, [VerilatorControlFile(probes), verilog], args, waves)
        stamp.write_text(json.dumps({"sources": sources, "design": design}))
    return folder


def _hardware():
    """Text of everything that decides what is emitted."""
    return [path.read_text() for path in sorted(Path(hw.__file__).parent.glob("*.py"))]


def _digest(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _arguments(waves):
    return [*toolchain.WAIVERS, "--no-public-flat-rw", "-O3", *(["--trace-fst"] if waves else [])]


def _verilate(toplevel, folder, sources, args, waves):
    """Verilator's run-time library is the same for every top level: the first build keeps it, the others link it."""
    library = folder.parents[1] / f"runtime-{_digest(*args, json.dumps(versions()))[:12]}.a"
    ready = library.is_file()
    log = folder / "build.log"
    (folder / toplevel).unlink(missing_ok=True)
    with tools(**({"VM_GLOBAL_FAST": ""} if ready else {})):
        try:
            get_runner("verilator").build(
                sources=sources, hdl_toplevel=toplevel, build_dir=folder, always=True, waves=waves, log_file=log,
                build_args=[*args, *(["-LDFLAGS", str(library)] if ready else [])])
        except RuntimeError as error:
            raise BuildError(f"{toplevel}: {error}; see {log}") from None
    if not ready:
        part = library.with_suffix(f".{os.getpid()}-{toplevel}")
        subprocess.run(["ar", "rcs", part, *sorted(folder.glob("verilated*.o"))], check=True, capture_output=True)
        part.replace(library)


def _need_fst_headers():
    for header, package in FST_HEADERS:
        probe = subprocess.run(["g++", "-E", "-x", "c++", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True)
        if probe.returncode:
            raise toolchain.ToolError(f"WAVES=1 needs {header}: install it, e.g. `apt install {package}`")
