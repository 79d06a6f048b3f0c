"""The project's pages as text: where they are, their links, and what they name in code."""

import importlib
import re
from pathlib import Path

from sottovoce import cli
from sottovoce.commands import COMMANDS
from sw import registry

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(.*?)\n(.*?)^```$", re.M | re.S)
INDENTED = re.compile(r"(?:^(?: {4}|\t).*\n)+", re.M)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def pages():
    """Every page a reader is meant to find, by its path from the root."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sw/**/*.md")]
    return {str(path.relative_to(ROOT)): path for path in sorted(found)}


def code_of(text):
    """Everything that a page shows as code: fenced blocks, indented blocks, and words between backticks."""
    blocks = [body for _, body in FENCE.findall(text)]
    rest = FENCE.sub("", text)
    return [*blocks, *INDENTED.findall(rest), *INLINE.findall(rest)]


def examples(text):
    """Python blocks whose fence says `python example`, in order."""
    return [body for kind, body in FENCE.findall(text) if kind.split() == ["python", "example"]]


def anchors(text):
    """The fragments that GitHub makes of a page's headings."""
    slugs = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slugs.add(re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-"))
    return slugs


def options_of(name, words):
    """Options of a subcommand; of `train` and `evaluate`, those of the model that the words name.

    MODEL or a folder stands for any model.
    """
    module = COMMANDS[name].module
    if not module:
        stands_for_any = words[0] == "MODEL" or "/" in words[0]
        module = registry.module_of(name, "sparknet-32" if stands_for_any else words[0])
    parser = cli.parser_of(name, importlib.import_module(module))
    return {option for action in parser._actions for option in action.option_strings}
