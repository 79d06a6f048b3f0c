"""Files and provenance, once for every room: written whole or not at all, with the commit and versions that made them.

Plain Python: `hw`, `sw` and `cosim` all write results, and only this room is imported by all of them.
"""

import json
import os
import platform
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
    except OSError as error:  # of a full disk, Python names no file
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        part.unlink(missing_ok=True)


def write_json(path, value):
    """Write plain values as JSON, atomically."""
    write_atomically(path, (json.dumps(value, indent=1) + "\n").encode())


def read_json(path):
    """The plain values of a JSON file; an empty dict where there is no such file. Raises `ValueError` naming it."""
    path = Path(path)
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not readable as JSON: {error}; restore or remove it") from None


def writable(path):
    """The path of a file that is to be written at the end, checked now: better than after the work.

    Its folder is made. Raises `ValueError` where no file can be written there.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path}: its folder cannot be made: {error.strerror}") from None
    if path.is_dir():
        raise ValueError(f"{path}: is a folder; name a file")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"{path}: its folder cannot be written to")
    return path


def results(name, publish=False):
    """Where a command leaves its figures: under build, or, to publish them, in the project's own docs/results.

    Published pictures (.png) stand in docs, beside the pages that show them.
    """
    if not publish:
        return Path("build/results") / name
    folder = Path(__file__).parents[1] / "docs" / "results"
    if not folder.is_dir():
        raise ValueError(f"--publish: {folder} is missing: only a checkout has published figures; leave the option out")
    return (folder.parent if name.endswith(".png") else folder) / name


def add_publish(parser):
    """The option of every command that leaves figures."""
    parser.add_argument("--publish", action="store_true",
                        help="write the figures and pictures into docs, not build/results")


def commit():
    """The project's commit, marked where the working tree differs; `unknown` outside a checkout."""
    try:
        run = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True,
                             cwd=Path(__file__).parent)
    except FileNotFoundError:  # no git
        return "unknown"
    return run.stdout.strip() or "unknown"


def versions(*packages):
    """Installed version of each package by name."""
    return {name: metadata.version(name) for name in packages}


def recipe(command, *, config="", data="", note="", packages=("torch", "numpy"), **more):
    """How a result came about, the same keys in every file: command, configuration, data, what it is not, versions.

    `command`: the line that was typed, which the door leaves in `args.command`. `data`: words, or folders, which go by
    their last names. `more`: plain values of this command's own. What was not given is left out.
    """
    places = [str(d) for d in ([data] if isinstance(data, (str, Path)) else data) if str(d)]
    names = [Path(d).name if Path(d).is_dir() else d for d in places]
    given = {"command": command, "config": config, "data": names[0] if len(names) == 1 else names, "note": note}
    return {**{k: v for k, v in given.items() if v}, **more, "commit": commit(),
            "versions": {"python": platform.python_version(), **versions(*packages)}}
