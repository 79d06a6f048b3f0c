"""Tools as processes: how far they are, what they say, and their end when this one ends."""

import subprocess
import sys
import time
from contextlib import contextmanager

from tqdm import tqdm

BEAT_S = 0.5  # how often the clock of a bar moves


class Progress:
    """One line on stderr: what runs, for how long, and, where `steps` are known, which of them. A context manager.

    On a terminal a bar that moves; in a log what runs, and its seconds when it is over.
    """

    def __init__(self, text, steps=None):
        self.text, self.steps = text, steps

    def __enter__(self):
        self.start = self.shown = time.monotonic()
        count = "{n_fmt}/{total_fmt} " if self.steps else ""
        # passes take from milliseconds to minutes: their number says where the run is, not how long it will last
        self.bar = tqdm(total=self.steps, desc=self.text, disable=None, leave=False, file=sys.stderr,
                        bar_format="{desc}: " + count + "{elapsed}{postfix}")
        if self.bar.disable:
            print(f"{self.text} …", end="", file=sys.stderr, flush=True)
        return self

    def tick(self, done=None, name=None):
        """Call as often as is handy; `done` steps are over; `name` is what runs now."""
        if done is not None:
            self.bar.n = done
        if name is not None:
            self.bar.set_postfix_str(name, refresh=False)
        if done is not None or name is not None or time.monotonic() - self.shown > BEAT_S:
            self.shown = time.monotonic()
            self.bar.refresh()

    @property
    def seconds(self):
        return time.monotonic() - self.start

    def __exit__(self, kind, value, trace):
        head = "" if self.bar.disable else f"{self.text}:"
        self.bar.close()
        if kind is None:
            print(f"{head} {self.seconds:.0f} s", file=sys.stderr, flush=True)
        elif not head:
            print(" stopped", file=sys.stderr, flush=True)


@contextmanager
def ended(process):
    """A process that does not outlive the block."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def watched(call, text, log, said=lambda line: None):
    """Run a tool under a `Progress`, its output kept in the file `log` as it comes; returns the output.

    `said` makes of a line of the output what it says of how far the tool is, or None.
    """
    with Progress(text) as progress, log.open("w", buffering=1) as kept, \
            subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process, \
            ended(process):
        for line in process.stdout:
            kept.write(line)
            progress.tick(name=said(line))
    return log.read_text()
