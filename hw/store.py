"""Files and provenance, once for every room: written whole or not at all, with the commit and versions that made them.

Plain Python: `hw`, `sw` and `cosim` all write results, and only this room is imported by all of them.
"""

import json
import os
import subprocess
from importlib import metadata
from pathlib import Path


def write_atomically(path, data):
    """Write bytes so that a reader, or a kill, never meets half a file; folders above are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path, value):
    """Write plain values as JSON, atomically."""
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode())


def results(name, publish=False):
    """Where a command leaves its figures: under build, or, to publish them, in the project's own docs/results."""
    if not publish:
        return Path("build/results") / name
    folder = Path(__file__).parents[1] / "docs" / "results"
    if not folder.is_dir():
        raise ValueError(f"--publish: {folder} is missing: only a checkout has published figures; leave the option out")
    return folder / name


def commit():
    """The project's commit, marked where the working tree differs; `unknown` outside a checkout."""
    run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                         cwd=Path(__file__).parent)
    return run.stdout.strip() or "unknown"


def versions(*packages):
    """Installed version of each package by name."""
    return {name: metadata.version(name) for name in packages}
