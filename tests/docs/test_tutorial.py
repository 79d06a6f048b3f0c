"""The tutorial, command by command as it stands on the page, in an empty folder; what it shows is what is printed."""

import os
import re
import subprocess
import sys

import pytest
from documents import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]  # simulates and synthesises: minutes
PAGE = (ROOT / "docs/tutorial.md").read_text()
SHOWN = re.findall(r"^```console\n(.*?)^```$", PAGE, re.M | re.S)


def masked(text):
    """Lines without their numbers, which training makes a little different on each machine."""
    number = r"\b[0-9a-f]{12}\b|[-−]?\d[\d,]*(\.\d+)?"  # a model's hash is one too
    return [re.sub(number, "#", " ".join(line.split())) for line in text.splitlines() if line.strip()]


def commands():
    """(command, lines that it is shown to print) of the page, in order."""
    for block in SHOWN:
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            yield command, [line for line in masked(printed) if line != "…"]


def test_every_command_prints_what_is_shown(tmp_path, pdk):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, words in (("sottovoce", "-m sottovoce"), ("python", "")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        (folder / name).chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "docs").symlink_to(ROOT / "docs")
    (work / "ihp-sg13g2").symlink_to(pdk)
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    ran = list(commands())
    assert len(ran) == 9
    for command, shown in ran:
        run = subprocess.run(command, shell=True, cwd=work, env=env, capture_output=True, text=True)
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
        printed = masked(run.stdout)
        assert [line for line in shown if line not in printed] == [], f"{command}\n{run.stdout}"
