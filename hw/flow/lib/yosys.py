"""Yosys (the pyosys wheel) in a process of its own: an error there ends the process, not the flow.

Every warning must match a rule of `constraints/yosys/warnings.txt` or the run is refused.
"""

import importlib.metadata
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from hw.flow.lib.errors import FlowError
from hw.flow.lib.tools import Progress, ended

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints"  # in a checkout a link to the top-level folder
# runs the passes of the script argv[1], and writes the number of each to the pipe argv[2] before it begins
RUN = """import os, sys
from pyosys import libyosys
design = libyosys.Design()
for number, line in enumerate(open(sys.argv[1])):
    os.write(int(sys.argv[2]), bytes([number]))
    libyosys.run_pass(line.strip(), design)
"""
WARNING = re.compile(r"(?:^|\s)Warning: (.*)")


def version():
    try:
        return f"pyosys {importlib.metadata.version('pyosys')}"
    except importlib.metadata.PackageNotFoundError:
        raise FlowError("pyosys is missing: run `pip install pyosys`") from None


def triage(log, rules=CONSTRAINTS / "yosys" / "warnings.txt"):
    """Count warnings by rule: reason -> count. Raises `FlowError` on the first one without a rule."""
    known = []
    for line in Path(rules).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, reason = line.split(" :: ")
            known.append((re.compile(pattern), reason.strip()))
    counts = {}
    for line in log.splitlines():
        found = WARNING.search(line)
        if not found:
            continue
        text = found[1].strip()
        reason = next((reason for pattern, reason in known if pattern.search(text)), None)
        if reason is None:
            raise FlowError(f"Yosys warns, and {Path(rules).name} has no rule for it: {text[:200]}")
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def run(passes, folder, label):
    """Run Yosys commands in order; returns (log, seconds, peak MB). `folder` keeps script and log."""
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    script, log = folder / f"{label}.ys", folder / f"{label}.log"
    script.write_text("\n".join(passes) + "\n")
    begun, told = os.pipe()
    os.set_blocking(begun, False)
    peak = 0
    try:
        with log.open("w") as out, Progress(f"Yosys {label}", len(passes)) as progress, subprocess.Popen(
                [sys.executable, "-c", RUN, str(script), str(told)], stdout=out, stderr=out, cwd=folder,
                pass_fds=[told]) as process, ended(process):
            while process.poll() is None:
                peak = max(peak, _resident(process.pid))
                at = _latest(begun)
                progress.tick(at, passes[at].split()[0]) if at is not None else progress.tick()
                time.sleep(0.2)
            seconds = progress.seconds
    finally:
        os.close(begun)
        os.close(told)
    text = log.read_text(errors="replace")
    if process.returncode:
        last = [line for line in text.splitlines() if line.startswith("ERROR")] or text.splitlines()[-1:]
        raise FlowError(f"Yosys stopped in {label}: {' '.join(last)[:300]} (log: {log})")
    return text, seconds, peak


def _latest(pipe):
    """Number of the pass that began last since the last call, or None."""
    try:
        return os.read(pipe, 256)[-1]
    except BlockingIOError:
        return None


def _resident(pid):
    """Resident MB of a process and of its children (ABC), 0 where /proc does not say."""
    total = 0
    for path in [Path(f"/proc/{pid}"), *_children(pid)]:
        try:
            for line in (path / "status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1]) // 1024
        except OSError:
            continue
    return total


def _children(pid):
    try:
        ids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [Path(f"/proc/{i}") for i in ids]
