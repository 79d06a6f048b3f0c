"""The page of commands, from the parsers themselves: what each does, its options with their defaults, examples."""

import argparse
import importlib

from sottovoce import cli
from sottovoce.commands import GROUPS
from sw import registry


def text():
    """The whole page."""
    out = ["# Commands", "", "Made from the commands' own parsers: what is written here is what "
           "`sottovoce COMMAND --help` prints. Each `make` target calls the command of its name.", ""]
    for group, commands in GROUPS.items():
        out += [f"## {group[0].upper()}{group[1:]}", ""]
        for name, command in commands.items():
            out += [f"### sottovoce {name}", ""]
            if command.module:
                out += _of(name, importlib.import_module(command.module))
            else:
                sentence = f"{command.help[0].upper()}{command.help[1:]}"
                out += [f"{sentence}. The options are those of the model's family.", ""]
                for model in _families(name):
                    module = importlib.import_module(registry.module_of(name, model))
                    out += [f"#### sottovoce {name} {model}", "", *_of(f"{name} {model}", module)]
    return "\n".join(out) + "\n"


def _families(action):
    """One model of each family that an action knows, the first by name."""
    seen = {}
    for name in registry.names(action):
        seen.setdefault(registry.module_of(action, name), name)
    return seen.values()


def _of(name, module):
    """A command's sentence, examples and table of options."""
    first = module.__doc__.splitlines()[0]
    out = [first, ""]
    shown = cli.examples(module)
    if shown:
        out += ["```", *shown, "```", ""]
    rows = [_row(action) for action in cli.parser_of(name, module)._actions
            if not isinstance(action, argparse._HelpAction) and action.help != argparse.SUPPRESS]
    return out + (["| option | |", "|---|---|", *rows, ""] if rows else ["No options.", ""])


def _row(action):
    """One option: how it is typed, and what its help says."""
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if isinstance(value, tuple):
        value = " ".join(value)
    many = {"*": " …", "+": " …"}.get(action.nargs, "")
    typed = action.option_strings[-1] if action.option_strings else ""
    words = cli.Help("sottovoce")._expand_help(action) if action.help else ""
    cells = f"`{f'{typed} {value}'.strip()}{many}`", words
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
