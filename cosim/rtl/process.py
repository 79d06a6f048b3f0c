"""Child processes that never outlive what started them: Ctrl-C, an error or a time limit ends the whole family."""

import os
import signal
import subprocess
import tempfile
from contextlib import contextmanager

from cosim.errors import BuildError


@contextmanager
def started(command, *, cwd=None, env=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE):
    """A `Popen` in a session of its own. Left early, it is killed with every process that it has started.

    Compilers run as children of make: to kill make alone would leave them running, and their pipes open.
    """
    process = subprocess.Popen([str(part) for part in command], cwd=cwd, env=env, stdout=stdout, stderr=stderr,
                               text=True, encoding="utf-8", errors="replace", start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()


def call(tool, command, *, cwd=None, env=None, tick=lambda: None):
    """Run a tool to its end; `tick` is called meanwhile, a few times a second. Raises `BuildError` if it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with started(command, cwd=cwd, env=env, stdout=log, stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    process.wait(0.25)
                    break
                except subprocess.TimeoutExpired:
                    tick()
        if process.returncode:
            log.seek(0)
            raise BuildError(f"{tool} failed with code {process.returncode}: {log.read().strip()[-1500:]}")
