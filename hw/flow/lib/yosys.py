"""Yosys (the pyosys wheel) in a process of its own: an error there ends the process, not the flow.

Every warning must match a rule of `constraints/yosys/warnings.txt` or the run is refused.
"""

import importlib.metadata
import re
import subprocess
import sys
import time
from pathlib import Path

from hw.flow.lib.errors import FlowError, Progress

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints"  # in a checkout a link to the top-level folder
RUN = "import sys\nfrom pyosys import libyosys as y\nd = y.Design()\n" \
      "for p in open(sys.argv[1]): y.run_pass(p.strip(), d)\n"
WARNING = re.compile(r"(?:^|\s)Warning: (.*)")


def version():
    try:
        return f"pyosys {importlib.metadata.version('pyosys')}"
    except importlib.metadata.PackageNotFoundError:
        raise FlowError("pyosys is missing: run `make setup`") from None


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
    with log.open("w") as out, Progress(f"Yosys {label}") as progress:
        process = subprocess.Popen([sys.executable, "-c", RUN, str(script)], stdout=out, stderr=out, cwd=folder)
        peak = 0
        try:
            while process.poll() is None:
                peak = max(peak, _resident(process.pid))
                progress.tick()
                time.sleep(0.2)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        seconds = progress.seconds
    text = log.read_text(errors="replace")
    if process.returncode:
        last = [line for line in text.splitlines() if line.startswith("ERROR")] or text.splitlines()[-1:]
        raise FlowError(f"Yosys stopped in {label}: {' '.join(last)[:300]} (log: {log})")
    return text, seconds, peak


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
