"""Every figure kept in docs/results names a command that this checkout has, with options that it takes."""

import json
import re
import shlex

import pytest
from documents import ROOT, options_of

from sottovoce.commands import COMMANDS

RESULTS = sorted((ROOT / "docs/results").glob("*.json"))
OLD = re.compile(r"(?:make [a-z-]+|python3? -m \S+)(?: |$)")


def strings(value):
    """All strings inside a value read from JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_recipes_are_commands_of_this_checkout(path):
    found = [line for line in strings(json.loads(path.read_text())) if line.startswith("sottovoce ")]
    assert found, f"{path.name} names no command"
    for line in (part for whole in found for part in whole.split("; ")):
        _, name, *words = shlex.split(line.split(" (")[0])
        assert name in COMMANDS, f"{path.name}: {line}"
        for option in (word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)):
            assert option in options_of(name, words), f"{path.name}: {line}: no {option}"


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_recipes_are_in_the_form_of_the_command(path):
    figures = json.loads(path.read_text())
    figures.pop("walkthrough", None)  # what a new user types, make among it
    old = [line for line in strings(figures) if OLD.match(line)]
    assert not old, f"{path.name}: {old[:3]}"
