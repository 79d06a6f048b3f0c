"""A tool's output is returned and kept, errors included."""

import sys

from hw.flow.lib.tools import watched


def test_output_is_returned_and_kept(tmp_path):
    code = "import sys; print('one'); sys.stdout.flush(); print('two', file=sys.stderr)"
    text = watched([sys.executable, "-c", code], "tool", tmp_path / "tool.log")
    assert text == "one\ntwo\n" == (tmp_path / "tool.log").read_text()
