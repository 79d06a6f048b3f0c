"""Every door that input comes in by: bad inputs, each of which must be refused in one line and leave nothing behind.

    sottovoce doors                            all of them, in this process (a minute)
    sottovoce doors --only audio               one kind
    sottovoce doors --fuzz 5000                and more damaged files of each kind, straight into their readers

A case is a command line and the files that it names (`bad_inputs.py`, `bad_files.py`, `bad_speech.py`). Handled is: one
line that begins with `error:` and quotes what is wrong, an exit status that is not 0, nothing written, an answer within
20 s. Every case runs in a folder whose name holds blanks and letters beyond ASCII.
"""

import argparse
import contextlib
import io
import os
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from cosim import results
from hw import store
from sottovoce import bad_files, bad_inputs, bad_speech, cli, fuzz
from sw import options

PATIENCE_S = 20
LONGEST = 700  # characters of a line that is still read; the list of commands has 550
FOLDER = "Büro – eins"


class Verdict(NamedTuple):
    """`why` a case is not handled, "" if it is; `said` is what stood on stderr."""

    why: str
    said: str


class NoAnswer(BaseException):
    """Nothing in time; no command may catch it."""


def cases():
    """All cases in a fixed order."""
    return [*bad_inputs.cases(), *bad_files.cases(), *bad_speech.cases()]


@contextlib.contextmanager
def inside(folder):
    """In a folder for a while."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def bounded(file_bytes):
    """With a limit of time, and of bytes a file where the disk is to be full."""
    def late(*_):
        raise NoAnswer
    handler, limits = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.alarm(PATIENCE_S)
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def listing(folder):
    """Everything below a folder, with sizes."""
    return {str(p.relative_to(folder)): p.stat().st_size if p.is_file() else None for p in folder.rglob("*")}


def tried(case):
    """The `Verdict` on one case."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as place:
        folder = Path(place) / FOLDER
        folder.mkdir()
        with inside(folder):
            case.prepare(folder)
            before = listing(Path(place))
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), bounded(case.file_bytes):
                    status = cli.main(list(case.words))
            except SystemExit as stopped:
                status = stopped.code
            except NoAnswer:
                return Verdict(f"no answer in {PATIENCE_S} s", err.getvalue())
            except Exception as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                why = f"traceback: {type(error).__name__}: {error} ({Path(at.filename).name}:{at.lineno})"
                return Verdict(why, err.getvalue())
            after = listing(Path(place))
    return Verdict(_fault(case, status, err.getvalue(), before, after), err.getvalue())


def _fault(case, status, said, before, after):
    if not status:
        return "taken: exit status 0"
    lines = said.splitlines()
    if len(lines) != 1 or not lines[0].startswith("error: "):
        return f"{len(lines)} lines on stderr"
    if len(said) > LONGEST + len(str(Path(tempfile.gettempdir()))):
        return f"{len(said)} characters"
    if not any(part in said for part in case.says.split("|")):
        return f"does not say {case.says!r}"
    files = {name for name, size in after.items() if before.get(name, -1) != size and size is not None}
    return f"left {', '.join(sorted(files))[:100]}" if files else ""


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--only", metavar="KIND", choices=sorted({c.kind for c in cases()}), help="%(choices)s")
    parser.add_argument("--show", action=argparse.BooleanOptionalAction, default=False, help="print every answer")
    parser.add_argument("--fuzz", type=options.from_zero, default=1000, metavar="N", help="damaged files of each kind")
    parser.add_argument("--seed", type=options.from_zero, default=1, help="of the damage")
    store.add_publish(parser)


def run(args):
    """1 if any is not handled."""
    chosen = [c for c in cases() if args.only in (None, c.kind)]
    bad, kinds = [], {}
    for case in tqdm(chosen, unit="input", file=sys.stderr, disable=None):
        verdict = tried(case)
        kind = kinds.setdefault(case.kind, {"tried": 0, "handled": 0})
        kind["tried"] += 1
        kind["handled"] += not verdict.why
        if verdict.why:
            bad.append(f"{case.kind}, {case.name}: {verdict.why}")
        if args.show:
            print(f"{case.kind}, {case.name}: {verdict.said.strip()}")
    print(results.plain_table(("door", "tried", "handled"), [(k, *v.values()) for k, v in kinds.items()]))
    print("\n".join(f"not handled: {line}" for line in bad), end="\n" if bad else "")
    damaged = fuzz.run(args.fuzz, args.seed)
    for line in damaged["faults"]:
        print(f"damaged file: {line}")
    print(f"{damaged['tried']} damaged files: {damaged['read']} could be read, {damaged['refused']} were refused, "
          f"{len(damaged['faults'])} did neither")
    figures = {"bad_inputs_tried": len(chosen), "bad_inputs_handled": len(chosen) - len(bad), "bad_inputs": kinds,
               "bad_inputs_not_handled": bad, "damaged_files": damaged}
    if not args.only:
        path = results.update(figures, "doors", {"command": args.command}, args.publish, "trust.json")
        print(f"figures: {path}")
    return 1 if bad or damaged["faults"] else 0
