"""`sottovoce train MODEL` and `evaluate MODEL`: MODEL's family (phones, keywords) has the module and its options."""

from sottovoce.refusal import refuse

PHONES = {"train": ("rsnn", "gru", "lstm"), "evaluate": ("rsnn", "rsnn-t1", "rsnn-phone")}


def choose(task, words):
    """(module, its arguments) of a task for the model that the first argument names."""
    from sw import keywords
    from sw.keywords import recipes
    if not words or words[0].startswith("-"):
        models = ", ".join((*PHONES[task], *recipes.RECIPES))
        if words[:1] in (["-h"], ["--help"]):
            print(f"usage: sottovoce {task} MODEL …\n\nMODEL is one of {models};\n"
                  f"`sottovoce {task} MODEL --help` has the options of its family.")
            raise SystemExit(0)
        refuse(f"{task} wants a model as its first argument: {models}", 2)
    given = ["--model", words[0]]
    family = "keywords" if keywords.asked_for(given, recipes.RECIPES) else "phones"
    return f"sw.{family}.{task}", [*given, *words[1:]]
