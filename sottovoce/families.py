"""`sottovoce train MODEL` and `evaluate MODEL`: MODEL's task (phones, keywords) has the module and its options."""

import argparse
import importlib

from sottovoce.refusal import refuse
from sw import registry


def parsed(action, words, parser_of):
    """(module, options) of an action on the model that the first argument names."""
    models = ", ".join(registry.names(action))
    if words[:1] in (["-h"], ["--help"]):
        print(f"usage: sottovoce {action} MODEL …\n\nMODEL is one of {models};\n"
              f"`sottovoce {action} MODEL --help` has the options of its family.")
        raise SystemExit(0)
    if not words or words[0].startswith("-"):
        refuse(f"{action} wants a model as its first argument: {models}")
    module = importlib.import_module(registry.module_of(action, words[0]))
    parser = parser_of(f"{action} {words[0]}", module)
    for option in parser._actions:
        if option.dest == "model":  # given already
            option.help = argparse.SUPPRESS
    return module, parser.parse_args(["--model", *words])
