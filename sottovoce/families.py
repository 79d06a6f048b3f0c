"""`sottovoce train MODEL` and `evaluate MODEL`: MODEL's task (phones, keywords) has the module and its options."""

from sottovoce.refusal import refuse
from sw import registry


def choose(task, words):
    """(module, its arguments) of a task for the model that the first argument names."""
    models = ", ".join(registry.names(task))
    if words[:1] in (["-h"], ["--help"]):
        print(f"usage: sottovoce {task} MODEL …\n\nMODEL is one of {models};\n"
              f"`sottovoce {task} MODEL --help` has the options of its family.")
        raise SystemExit(0)
    if not words or words[0].startswith("-"):
        refuse(f"{task} wants a model as its first argument: {models}", 2)
    return registry.module_of(task, words[0]), ["--model", *words]
