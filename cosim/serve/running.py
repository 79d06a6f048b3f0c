"""The command `serve` as a process of its own, and its memory: what the checks of the page and the soak look at."""

import contextlib
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

from cosim.errors import CosimError

PATIENCE_S = 300  # with --rtl it compiles first


class Server:
    """A server that runs: `address`, its process, and the lines that it has said since."""

    def __init__(self, process, address):
        self.process, self.address, self.said = process, address, deque(maxlen=200)
        self._reader = threading.Thread(target=self.said.extend, args=(process.stdout,), daemon=True)
        self._reader.start()

    def megabytes(self):
        """Resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def stop(self):
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(30)
        self._reader.join(5)
        return status


@contextlib.contextmanager
def server(*words):
    """A `Server` on a free port; it is killed where it was not stopped. Raises `CosimError` with its last words."""
    command = [sys.executable, "-m", "sottovoce", "serve", "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
    clock = threading.Timer(PATIENCE_S, process.kill)
    clock.start()
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if found := re.match(r"listening at (http://\S+/)", line):
                break
        else:
            raise CosimError(f"serve did not start: {' '.join(lines)[-400:]}")
        clock.cancel()
        yield Server(process, found[1])
    finally:
        clock.cancel()
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()
