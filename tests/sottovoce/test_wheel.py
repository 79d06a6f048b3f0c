"""The wheel: what is in it, and that it works in another environment, in another folder, without the checkout.

In CI the environment borrows the heavy packages of this one; `--clean-install` of the nightly run installs everything.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"^```python example\n(.*?)^```$", (ROOT / "docs" / "library.md").read_text(), re.M | re.S)
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of the checkout, without what earlier builds left."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("build", ".git", ".venv", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=ignored)
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, folder / "source"], check=True)
    return next(folder.glob("sottovoce-*.whl"))


def test_it_holds_what_it_needs_and_nothing_else(wheel):
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a clone: what is tracked is unknown")
    rooms = [n for n in tracked.stdout.split("\n") if n.split("/")[0] in ("hw", "sw", "cosim", "sottovoce")]
    files = {n for n in rooms if not (ROOT / n).is_symlink()}
    scripts = {f"hw/flow/{n}" for n in tracked.stdout.split("\n") if n.startswith("constraints/") and n.count("/") == 2
               or n == "constraints/accelerator.sdc"}
    figures = {f"cosim/report/results/{path.name}" for path in (ROOT / "docs" / "results").glob("*.json")}
    assert names == files | scripts | figures | {"sottovoce/tested.txt", "cosim/serve/physical.json"}


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory, request):
    """A function that runs a program of an environment that has the wheel, in a folder that has nothing."""
    folder = tmp_path_factory.mktemp("elsewhere")
    clean = request.config.getoption("--clean-install")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    if not clean:
        home = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                              capture_output=True, text=True, check=True).stdout.strip()
        (Path(home) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([*PIP, "--python", python, "install", *([] if clean else ["--no-deps"]), wheel], check=True)
    work = folder / "work"
    (work / "build").mkdir(parents=True)
    if (ROOT / "build" / "rtl").is_dir() and not clean:  # compiled before, and found again by the hash of its sources
        (work / "build" / "rtl").symlink_to(ROOT / "build" / "rtl")

    def run(program, *words, start=False):
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        given = {"cwd": work, "env": env, "text": True}
        if start:
            return subprocess.Popen([python.with_name(program), *words], stdout=subprocess.PIPE, **given)
        done = subprocess.run([python.with_name(program), *words], capture_output=True, **given)
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout
    run.folder = work
    return run


def test_the_command_is_there(elsewhere):
    assert elsewhere("sottovoce", "--version").startswith("sottovoce 0.")
    assert "0 missing" in elsewhere("sottovoce", "doctor")
    code = "import cosim, hw, sottovoce, sw; print(*(room.__file__ for room in (cosim, hw, sottovoce, sw)))"
    assert str(ROOT) not in elsewhere("python", "-c", code)


@pytest.mark.slow
def test_the_documented_examples_run(elsewhere):
    assert len(EXAMPLES) == 2
    assert "('sil', 0," in elsewhere("python", "-c", "\n".join(EXAMPLES))


@pytest.mark.slow
def test_the_demo_runs(elsewhere):
    assert re.search(r"[1-9][\d,]* values compared .* 0 mismatches", elsewhere("sottovoce", "demo"))


def test_the_report_has_its_figures(elsewhere):
    elsewhere("sottovoce", "report")
    page = (elsewhere.folder / "build" / "report" / "index.html").read_text()
    assert "is absent" not in page and "one frame" in page.lower() and len(page) > 150_000


def test_the_page_that_listens_is_served_whole(elsewhere):
    with elsewhere("sottovoce", "serve", "--port", "0", "--model", "rsnn-phone", start=True) as server:
        try:
            address = re.search(r"http://127.0.0.1:\d+/", next(line for line in server.stdout if "http://" in line))[0]
            parts = re.findall(r'(?:src|href)="/(page/[^"]+)"', read(address).decode())
            assert {Path(part).suffix for part in parts} >= {".js", ".css"} and all(read(address + p) for p in parts)
        finally:
            server.send_signal(signal.SIGINT)
            assert "stopped" in server.stdout.read()
    assert server.returncode == 0


def read(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read()


def test_it_goes_on_a_bus_with_its_registers(elsewhere):
    elsewhere("sottovoce", "verilog", "--config", "tiny", "--bus", "wishbone", "--out", "out")
    assert {"registers.h", "registers.json", "registers.xml", "accelerator_wishbone.v"} <= {
        path.name for path in (elsewhere.folder / "out").rglob("*")}


@pytest.mark.skipif(not shutil.which("riscv64-unknown-elf-gcc"), reason="apt install gcc-riscv64-unknown-elf")
def test_the_firmware_is_compiled(elsewhere):
    code = "from cosim import models; from cosim.rtl import soc; print(len(soc.program(models.load('rsnn-keywords'))))"
    assert int(elsewhere("python", "-c", code)) > 1000


@pytest.mark.parametrize("name", ["recognise", "keywords", "timeline", "sweep",
                                  *(pytest.param(n, marks=pytest.mark.slow) for n in ("rtl_object", "import_nir"))])
def test_an_example_runs_from_another_folder(elsewhere, name):
    script = shutil.copy(ROOT / "examples" / f"{name}.py", elsewhere.folder)
    assert elsewhere("python", script)


def test_the_flow_finds_its_scripts(elsewhere):
    code = "from hw.flow.lib import yosys, sta_tool; assert sta_tool.SDC.is_file(); print(yosys.triage('all well'))"
    assert elsewhere("python", "-c", code) == "{}\n"
