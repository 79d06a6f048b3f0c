"""Ctrl-C: one line, status 130, at once, and nothing that was started goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DOOR = "import sys; sys.argv[0] = 'sottovoce'; from sottovoce import cli; "
# what a command may be doing when it is stopped
BUSY = {
    "computing": "while True: pass",
    "waiting for a tool": "import subprocess; subprocess.run(['sleep', '60'])",
    "waiting for a tool in a session of its own": "import subprocess; subprocess.Popen(['sh', '-c', 'sleep 60; true'], "
                                                  "start_new_session=True).wait()",
    "waiting for workers": "import concurrent.futures as f, time\n    with f.ProcessPoolExecutor(2) as pool: "
                           "list(pool.map(time.sleep, [60, 60]))",
    "waiting for threads": "import concurrent.futures as f, time\n    with f.ThreadPoolExecutor(2) as pool: "
                           "list(pool.map(time.sleep, [60, 60]))",
    "in a destructor": "import time\n    class Slow:\n        def __del__(self): time.sleep(60)\n"
                       "    Slow(); time.sleep(60)",
    "swallowing every exception": "import time\n    while True:\n        try: time.sleep(60)\n"
                                  "        except BaseException: pass",
}


def interrupted(code, ready, *, whole_group=False):
    """Run Python code in a session of its own, interrupt it once it has printed `ready`; (status, stderr, seconds)."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    assert process.stdout.readline().strip() == ready
    time.sleep(0.3)
    start = time.monotonic()
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    return process.returncode, said, time.monotonic() - start


@pytest.mark.parametrize("whole_group", [False, True], ids=["kill", "terminal"])
@pytest.mark.parametrize("what", BUSY)
def test_a_command_ends_at_once_with_one_line(what, whole_group, tmp_path):
    (tmp_path / "busy.py").write_text(
        f'"""Busy."""\n\n\ndef add_arguments(parser):\n    pass\n\n\ndef run(args):\n    print("ready", flush=True)\n'
        f"    {BUSY[what]}\n")
    code = (f"{DOOR} from sottovoce.commands import COMMANDS, Command; sys.path.insert(0, {str(tmp_path)!r}); "
            "COMMANDS['busy'] = Command('busy', 'busy'); sys.argv[1:] = ['busy']; cli.enter()")
    before = sleepers()
    status, said, seconds = interrupted(code, "ready", whole_group=whole_group)
    assert (status, said.strip()) == (130, "interrupted")
    assert seconds < 3
    time.sleep(0.2)
    assert sleepers() <= before


def sleepers():
    """Ids of `sleep 60` processes on this machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x0060\x00":
                found.add(path.parent.name)
        except OSError:
            continue
    return found
