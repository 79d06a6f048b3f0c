"""What the flow refuses, in one line, and the progress line that long steps share."""

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
