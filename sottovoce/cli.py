"""The command `sottovoce`: finds the module of the subcommand, gives it its parser, runs it, and words its errors."""

import argparse
import difflib
import importlib
import os
import shlex
import sys
from pathlib import Path

import sottovoce
from sottovoce import families, interrupt
from sottovoce.commands import COMMANDS, GROUPS
from sottovoce.refusal import CANNOT, MISUSED, refuse, say

REFUSED = (ValueError, RuntimeError, OSError)  # what commands raise for what they cannot do; anything else is a fault


class Help(argparse.RawDescriptionHelpFormatter):
    """Every option with its default, unless its own words say it."""

    def _get_help_string(self, action):
        text, default = action.help or "", action.default
        unsaid = default is None or isinstance(default, bool) or default in (argparse.SUPPRESS, "", [])  # 0 is said
        if "default" in text or unsaid or not action.option_strings:
            return text
        words = " ".join(map(str, default)) if isinstance(default, (list, tuple)) else str(default)
        return f"{text} (default: {words.replace('%', '%%')})"


class Parser(argparse.ArgumentParser):
    """One line for a bad option, with the nearest that exists."""

    def __init__(self, **options):
        super().__init__(formatter_class=Help, allow_abbrev=False, **options)

    def error(self, message):
        hint = ""
        if message.startswith("unrecognized arguments: "):
            known = [o for action in self._actions for o in action.option_strings]
            near = difflib.get_close_matches(message.split()[2].partition("=")[0], known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
        refuse(f"{message}{hint} (`{self.prog} --help` lists the options)", MISUSED)


def overview():
    """What `sottovoce --help` prints."""
    lines = ["usage: sottovoce [--version] [--traceback] COMMAND …", "",
             "Tiny speech recognisers from PyTorch to gates, bit for bit.", ""]
    wide = max(map(len, COMMANDS))
    for group, commands in GROUPS.items():
        lines += [f"{group}:", *(f"  {name:{wide}}  {command.help}" for name, command in commands.items()), ""]
    return "\n".join([*lines, "`sottovoce COMMAND --help` has a command's options, their defaults and an example.",
                      "--traceback: show where an error came from instead of one line."])


def examples(module):
    """Lines of a module's docstring that show the command."""
    return [line.strip() for line in module.__doc__.splitlines() if line.strip().startswith("sottovoce ")]


def parser_of(name, module):
    """The parser of one subcommand, filled by its module."""
    shown = examples(module)
    parser = Parser(prog=f"sottovoce {name}", description=module.__doc__.splitlines()[0],
                    epilog="\n".join(["example:" if len(shown) == 1 else "examples:", *(f"  {line}" for line in shown)])
                    if shown else None)
    module.add_arguments(parser)
    return parser


def typed(name, words):
    """The command as a figure's recipe has it: paths of this machine alone are cut to their last part."""
    plain = [Path(word).name if word.startswith(("/", "../", "~")) else word for word in words]
    return shlex.join(["sottovoce", name, *plain])


def find(name):
    """The command of a name, or one line with the nearest and all that there are."""
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, 1)
        refuse(f"no command {name!r}{f', did you mean {near[0]!r}?' if near else '.'} "
               f"There are: {', '.join(COMMANDS)}", MISUSED)
    return COMMANDS[name]


def parsed(name, words):
    """(module, options) of a subcommand with its arguments; `command` among the options is the line as it was typed."""
    command = find(name)
    if command.module:
        module = importlib.import_module(command.module)
        args = parser_of(name, module).parse_args(words)
    else:
        module, args = families.parsed(name, words, parser_of)
    args.command = typed(name, words)
    return module, args


def main(argv=None):
    """Run one command line; returns the exit status. A misspelt one ends in `SystemExit`."""
    words = list(sys.argv[1:] if argv is None else argv)
    shown = "--traceback" in words[:1]
    words = words[shown:]
    if not words or words[0] in ("-h", "--help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"sottovoce {sottovoce.__version__}")
        return 0
    try:
        module, args = parsed(words[0], words[1:])
        return module.run(args) or 0
    except KeyboardInterrupt:
        interrupt.leave()
    except BrokenPipeError:  # `sottovoce … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except REFUSED as error:
        if shown:
            raise
        say(error)
        return CANNOT


def enter():
    """The door as a process of its own."""
    interrupt.install()
    sys.exit(main())
