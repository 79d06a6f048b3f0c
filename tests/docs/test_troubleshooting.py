"""Every message on the page of troubles is one that the project prints."""

import re

import pytest
from documents import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# first cells that are a message between backticks and nothing else of code
MESSAGES = re.findall(r"^\| `([^`]+)`", PAGE, re.M)


@pytest.fixture(scope="module")
def source():
    """All text that could be printed, with the strings that the code breaks over lines joined."""
    files = [p for room in ("hw", "sw", "cosim", "sottovoce") for p in sorted((ROOT / room).rglob("*.py"))]
    text = "\n".join(path.read_text() for path in [*files, ROOT / "Makefile"])
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


@pytest.mark.parametrize("message", MESSAGES)
def test_message_is_the_project_s(message, source):
    parts = [part.strip() for part in message.removeprefix("error: ").split("…") if part.strip(" :")]
    assert parts and [part for part in parts if part not in source] == []


def test_there_are_messages():
    assert len(MESSAGES) > 25
