"""The one builder of Verilated models: Verilog and C++ in, programs in a folder named by the hash of what made them.

    build(Design(label="tiny-harness", top="accelerator", sources={"accelerator.v": text}, mains={"harness": path}))

A folder appears whole or not at all; two processes that want the same one wait for each other. Verilator's run-time
library is the same for every design: the first build keeps it, the others link it.
"""

import fcntl
import hashlib
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hw
from cosim.rtl import process, toolchain
from hw import emit, store
from hw.flow.lib.tools import Progress

KEPT = 4  # builds of one label that stay: branches and configurations that take turns
TOOLS = ("amaranth", "pyosys", "verilator", "cocotb")
RUNTIME = ("--vpi", "--trace-fst", "--coverage-line")  # options that change the run-time library
# as Verilator's own wrapper does, which cannot be called from a folder with a space in its name
UNLIMITED = ("sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"')


@dataclass(frozen=True, kw_only=True)
class Design:
    """What is compiled. `sources`: file name -> text, Verilog, control files and headers. `mains`: program -> C++ file.

    `prefix` is the C++ class of the model, `verilator` are further options, `defines` and `link` go to the C++
    compiler, `optimise` is the level of the model's C++ (-O0 where compiling takes longer than the run).
    """

    label: str
    top: str
    sources: dict
    mains: dict
    prefix: str = "Vaccelerator"
    verilator: tuple = ()
    defines: tuple = ()
    link: tuple = ()
    optimise: str = "-O2"
    headers: tuple = ()  # files beside the mains that they include

    def digest(self):
        """Hash of everything that decides what the executables do."""
        parts = [self.top, self.prefix, self.optimise, *self.verilator, *self.defines, *self.link, *_versions()]
        for name, text in self.sources.items():
            parts += [name, text]
        for path in (*self.mains.values(), *self.headers):
            parts += [path.name, path.read_text()]
        return _digest(*parts)


def root():
    """Where builds are kept: build/rtl of the working folder, or the user's cache where that cannot be written."""
    here = Path("build/rtl")
    base = next(p for p in (here, *here.absolute().parents) if p.is_dir())
    if os.access(base, os.W_OK):
        return here.absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sottovoce" / "rtl"


def verilog(top, config, quiet=False):
    """Verilog text of one top level, emitted only if the generator or the configuration changed."""
    key = _digest(top, repr(config), *_generator(), *_versions())
    folder = root() / "verilog"
    target = folder / f"{_label(config.name)}-{top}-{key}.v"
    if not target.is_file():
        with _locked(folder / f".{target.name}.lock"):
            if not target.is_file():
                with _shown(f"{config.name}: Verilog of {top}", quiet), toolchain.workshop() as place:
                    text = emit.emit(top, config, Path(place) / f"{top}.v").read_text()
                store.write_atomically(target, text.encode())
                _forget(folder, f"{_label(config.name)}-{top}-*.v", keep=target)
    return target.read_text()


def build(design, quiet=False):
    """Compile a `Design`; returns the folder with its programs and sources. `quiet` shows no progress.

    Raises `cosim.errors.ToolError` or `BuildError`.
    """
    label = _label(design.label)
    folder = root() / label / design.digest()
    if folder.is_dir():
        os.utime(folder)
        return folder
    with _locked(root() / f".{label}.lock"):
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _shown(f"{design.label}: compiling for simulation, once", quiet) as tick, \
                    toolchain.workshop() as place:
                _compile(design, Path(place), tick)
                _install(design, Path(place), folder)
            _forget(folder.parent, "*", keep=folder)
    return folder


def _compile(design, place, tick):
    """Verilate and link in `place`."""
    real = toolchain.verilator_root()
    (place / "verilator").symlink_to(real)  # the project's own path may hold what make cannot take
    env = toolchain.environment(place / "verilator", design.optimise)
    for name, text in design.sources.items():
        (place / name).write_text(text, encoding="utf-8")
    inputs = [name for name in design.sources if name.endswith((".vlt", ".v"))]
    process.call("verilator", [*UNLIMITED, "verilator_bin", "--cc", "-O3", "--top-module", design.top, "--prefix",
                               design.prefix, "--Mdir", "model", *toolchain.WAIVERS, *design.verilator, *inputs],
                 cwd=place, env=env, tick=tick)
    library = root() / "runtime" / f"{_digest(*(o for o in design.verilator if o in RUNTIME), *_versions())}.a"
    make = ["make", "-s", "-j", str(os.cpu_count() or 2), "-C", "model", "-f", f"{design.prefix}.mk"]
    process.call("make", [*make, f"lib{design.prefix}.a"], cwd=place, env=env, tick=tick)
    if not library.is_file():
        process.call("make", [*make, "libverilated.a"], cwd=place, env=env, tick=tick)
        store.write_atomically(library, (place / "model" / "libverilated.a").read_bytes())
    include = real / "include"
    for name, source in design.mains.items():
        folders = (place, source.parent, place / "model", include, include / "vltstd")
        process.call("g++", ["g++", "-std=c++17", "-O2", "-DVERILATOR=1", *design.defines, *(f"-I{f}" for f in folders),
                             source, place / "model" / f"lib{design.prefix}.a", library, *design.link, "-pthread",
                             "-latomic", "-o", place / name], env=env, tick=tick)


def _install(design, place, folder):
    """Move programs and sources to `folder`, which appears whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as part:
        for name in (*design.sources, *design.mains):
            shutil.copy2(place / name, part)
        os.chmod(part, 0o755)
        os.replace(part, folder)
        os.mkdir(part)  # for the context manager to remove


@contextmanager
def _shown(text, quiet):
    """A progress line; yields what makes it grow."""
    if quiet:
        yield lambda: None
    else:
        with Progress(text) as progress:
            yield progress.tick


@contextmanager
def _locked(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _forget(folder, pattern, keep):
    """Remove all but the last few builds of a label."""
    found = sorted((p for p in folder.glob(pattern) if p != keep), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in found[KEPT - 1:]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


@cache
def _versions():
    return tuple(f"{name} {version}" for name, version in store.versions(*TOOLS).items()) + (sys.version.split()[0],)


def _generator():
    """Text of everything that decides what is emitted."""
    return [path.read_text() for path in sorted(p for p in Path(hw.__file__).parent.rglob("*")
                                             if p.suffix in (".py", ".rdl") and p.parent.name in ("hw", "bus", "soc"))]


def _label(text):
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)


def _digest(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]
