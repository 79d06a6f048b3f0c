"""What the flow refuses, in one line; the progress line that long steps share; tools run under it."""

import subprocess
import sys
import time
from contextlib import contextmanager


class FlowError(RuntimeError):
    """Something missing or wrong; the message quotes it and says what to do."""


@contextmanager
def command():
    """Turn a `FlowError` into one line and exit status 1, and Ctrl-C into 130, without a traceback."""
    from hw.config import ConfigError
    from hw.emit import EmitError
    try:
        yield
    except (FlowError, ConfigError, EmitError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("\ninterrupted; nothing half-written is left", file=sys.stderr)
        sys.exit(130)


class Progress:
    """One line on stderr that grows a dot a few seconds apart: `step ....... 34 s`. A context manager."""

    def __init__(self, text, stream=None):
        self.text, self.stream = text, stream or sys.stderr

    def __enter__(self):
        self.start = self.shown = time.monotonic()
        print(f"{self.text} ", end="", file=self.stream, flush=True)
        return self

    def tick(self):
        """Call as often as is handy."""
        if time.monotonic() - self.shown > 3:
            self.shown = time.monotonic()
            print(".", end="", file=self.stream, flush=True)

    @property
    def seconds(self):
        return time.monotonic() - self.start

    def __exit__(self, kind, value, trace):
        print(f" {self.seconds:.0f} s" if kind is None else " stopped", file=self.stream, flush=True)


def watched(call, text, log):
    """Run a tool under a `Progress`, its output kept in the file `log` as it comes; returns the output.

    An interrupt ends the tool too.
    """
    with Progress(text) as progress, log.open("w", buffering=1) as kept:
        process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            for line in process.stdout:
                kept.write(line)
                progress.tick()
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
            process.stdout.close()
    return log.read_text()
