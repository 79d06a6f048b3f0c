"""A checkout whose path has a space and letters beyond ASCII: benches and harness work there as anywhere."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(1800)  # builds simulators: long on a busy machine

HARNESS = """
import torch
from cosim.bench.networks import random_frames, random_model
from cosim.rtl import side_by_side
from hw import config
numbers, tiny = torch.Generator().manual_seed(1), config.load("tiny")
outcome = side_by_side.check(random_model(tiny, numbers), "t2_union", [random_frames(tiny, 3, numbers).numpy()])
assert outcome.compared and not outcome.differences, outcome.first
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("my größte Projekte") / "sotto voce"
    for room in ("hw", "sw", "cosim", "sottovoce"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "weights", "data"))
    if (ROOT / "build/rtl/runtime").is_dir():  # the same for every design, and slow to compile
        shutil.copytree(ROOT / "build/rtl/runtime", folder / "build/rtl/runtime")
    shutil.copytree(ROOT / "sw/data", folder / "sw/data", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("words", [
    pytest.param(["-m", "sottovoce", "cosim", "--test", "lif"], id="benches", marks=pytest.mark.slow),
    pytest.param(["-c", HARNESS], id="harness")])
def test_it_runs(checkout, words):
    run = subprocess.run([sys.executable, *words], cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_the_demo_as_a_newcomer_runs_it(tmp_path):
    """`make demo` in a copy of everything; its environment borrows this one's packages, as if `make setup` had run."""
    folder = tmp_path / "my größte Projekte" / "sotto voce"
    ignored = shutil.ignore_patterns("build", ".git", ".venv", "*.egg-info", "__pycache__", ".pytest_cache")
    shutil.copytree(ROOT, folder, symlinks=True, ignore=ignored)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    home, = (folder / ".venv/lib").glob("python*/site-packages")
    (home / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / ".venv/ready").touch()
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")}
    run = subprocess.run(["make", "demo"], cwd=folder, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"[1-9][\d,]* values compared .* 0 mismatches", run.stdout)
    assert (folder / "build/demo").is_dir() and list((folder / "build/rtl").glob("paper-*"))
