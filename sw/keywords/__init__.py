"""Keyword spotting: clips of one second, four families of models, one trainer, one evaluation."""

import json
import sys
from pathlib import Path


def asked_for(argv, names):
    """True where a command line names a keyword model with --model: one of `names`, or a folder that holds one."""
    words = list(sys.argv[1:] if argv is None else argv)
    given = [w.partition("=")[2] for w in words if w.startswith("--model=")]
    given += [b for a, b in zip(words, words[1:], strict=False) if a == "--model"]
    if not given:
        return False
    manifest = Path(given[-1]) / "manifest.json"
    if given[-1] not in names and manifest.is_file():
        try:
            return "labels" in json.loads(manifest.read_text())
        except (ValueError, OSError):
            return False
    return given[-1] in names
