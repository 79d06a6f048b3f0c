"""The wheel: what is in it, and that it works in another environment, in another folder, without the checkout.

In CI the environment borrows the heavy packages of this one; `--clean-install` of the nightly run installs everything.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
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
    assert names == files | scripts | {"sottovoce/tested.txt", "cosim/serve/physical.json"}


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

    def run(program, *words):
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.run([python.with_name(program), *words], cwd=work, env=env, capture_output=True, text=True,
                              check=True).stdout
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


def test_the_flow_finds_its_scripts(elsewhere):
    code = "from hw.flow.lib import yosys, sta_tool; assert sta_tool.SDC.is_file(); print(yosys.triage('all well'))"
    assert elsewhere("python", "-c", code) == "{}\n"
