"""A tool's output is returned and kept, errors included."""

import subprocess
import sys

import pytest

from hw.flow.lib.tools import Progress, ended, watched


def test_output_is_returned_and_kept(tmp_path):
    code = "import sys; print('one'); sys.stdout.flush(); print('two', file=sys.stderr)"
    text = watched([sys.executable, "-c", code], "tool", tmp_path / "tool.log")
    assert text == "one\ntwo\n" == (tmp_path / "tool.log").read_text()


def test_a_log_says_what_runs_before_it_is_over(capsys):
    with Progress("a long step", steps=2) as progress:
        assert capsys.readouterr().err == "a long step …"
        progress.tick(1, "second")
    assert capsys.readouterr().err == " 0 s\n"


def test_a_log_says_that_a_step_was_stopped(capsys):
    with pytest.raises(RuntimeError), Progress("a long step"):
        raise RuntimeError
    assert capsys.readouterr().err == "a long step … stopped\n"


def test_a_tool_does_not_outlive_its_block():
    with pytest.raises(RuntimeError), subprocess.Popen(["sleep", "60"]) as process, ended(process):
        raise RuntimeError
    assert process.poll() is not None
