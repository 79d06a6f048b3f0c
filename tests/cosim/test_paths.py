"""A checkout whose path has a space and letters beyond ASCII: benches and harness work there as anywhere."""

import shutil
import subprocess
import sys
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


@pytest.mark.parametrize("words", [["-m", "sottovoce", "cosim", "--test", "lif"], ["-c", HARNESS]],
                         ids=["benches", "harness"])
def test_it_runs(checkout, words):
    run = subprocess.run([sys.executable, *words], cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
