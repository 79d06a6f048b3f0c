"""Ctrl-C ends a command at once and says so in one line, whatever it is doing and whatever it has started."""

import os
import signal
import sys
import threading
from pathlib import Path

STATUS = 130  # 128 + SIGINT, as shells have it
PATIENCE_S = 1.5  # for temporary files to be removed; then the process ends regardless


def install():
    """Take SIGINT over: processes that this one started end, the command unwinds, and the door says `interrupted`."""
    owner = os.getpid()

    def handler(*_):
        if os.getpid() != owner:  # a worker that was forked from this process
            os._exit(STATUS)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.unraisablehook = lambda _: None  # raised in a destructor it is dropped, and Python would print where
        for pid in descendants(owner):
            _end(pid)
        deadline = threading.Timer(PATIENCE_S, leave)
        deadline.daemon = True
        deadline.start()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)


def leave():
    """Say so and end now: no waiting for threads, pools or exit handlers."""
    sys.stdout.flush()
    print("\ninterrupted", file=sys.stderr, flush=True)
    os._exit(STATUS)


def descendants(pid):
    """Process ids below one, the youngest first; none where the system has no /proc."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in children for found in (*descendants(child), int(child))]


def _end(pid):
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
