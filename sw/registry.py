"""Every model by name: whose task it is, whether it can be trained, and where its committed weights are.

Plain Python: a command line is understood before torch is loaded.

    module_of("train", "sparknet-32")     sw.keywords.train, which has `add_arguments(parser)` and `run(args)`
    folder_of("rsnn")                     sw/weights/rsnn-paper-t2
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"


class ModelError(ValueError):
    """A model that is not known, or that cannot be used; the message lists the names or names the file."""


@dataclass(frozen=True)
class Entry:
    """`task`: the folder of `sw` that trains and scores the model. `weights`: its folder under `WEIGHTS`, or ''."""

    name: str
    task: str
    trained: bool
    weights: str = ""


KEYWORDS = ("tiny-kws", "sparknet-32", "sparknet-16", "sparknet-8", "sparknet-4", "bcresnet-1", "bcresnet-0.625",
            "rsnn-keywords", "bcresnet-1.5", "rsnn-delays", "gru-keywords")
ENTRIES = {e.name: e for e in (
    Entry("rsnn", "phones", True, "rsnn-paper-t2"),
    Entry("rsnn-t1", "phones", False, "rsnn-paper-t1"),
    Entry("rsnn-phone", "phones", False, "rsnn-phone-t2"),
    Entry("rsnn-phone-delays", "phones", True, "rsnn-phone-delays"),
    Entry("gru", "phones", True),
    Entry("lstm", "phones", True),
    Entry("teacher", "phones", True),
    *(Entry(name, "keywords", True, name) for name in KEYWORDS),
)}


def names(action, task=None):
    """Names that can be given to `action`, of one task or of all: `train`, or anything else, which wants weights."""
    return [e.name for e in ENTRIES.values() if task in (None, e.task) and
            (e.trained if action == "train" else (WEIGHTS / e.weights / "manifest.json").is_file() and e.weights)]


def accelerated():
    """Names of the committed models that run on the accelerator."""
    return [name for name in names("load") if "config" in manifest_of(folder_of(name))]


def folder_of(model, among=None):
    """The folder of a committed model by name (or by its folder's name under `WEIGHTS`), or of one's own by path.

    Raises `ModelError` listing the names: all, or those `among` which the caller can choose.
    """
    entry, there = ENTRIES.get(str(model)), ", ".join(among or names("load"))
    if entry and not entry.weights:
        raise ModelError(f"model {str(model)!r} has no committed weights: train it and give its folder, or give one of "
                         f"{there}")
    if str(model) and (WEIGHTS / (entry.weights if entry else str(model)) / "manifest.json").is_file():
        return WEIGHTS / (entry.weights if entry else str(model))
    if not str(model) or not Path(model).is_dir():
        raise ModelError(f"model {str(model)!r} not found: give one of {there}, or the folder of a trained one")
    return Path(model)


def manifest_of(folder):
    """The manifest in a model's folder as a dict; raises `ModelError` naming the file."""
    path = Path(folder) / "manifest.json"
    try:
        manifest = json.loads(path.read_text())
    except FileNotFoundError:
        raise ModelError(f"{path} is missing: train a model (`sottovoce train`) or name another folder") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not readable: {' '.join(str(error).split())}") from None
    if not isinstance(manifest, dict):
        raise ModelError(f"{path}: not readable: wanted a mapping, got {type(manifest).__name__}")
    return manifest


MOST_DELAY = 1000  # frames that a network may answer late
ENTRY_CHECKS = {  # entries that arithmetic is done with: (what is right, in words)
    ("targets", "delay"): (lambda v: type(v) is int and 0 <= v <= MOST_DELAY, f"wanted frames from 0 to {MOST_DELAY}"),
    ("logit_step",): (lambda v: type(v) in (int, float) and math.isfinite(v) and v > 0, "wanted a number above 0"),
    ("labels",): (lambda v: isinstance(v, list) and 2 <= len(v) <= 4096 and all(isinstance(x, str) for x in v)
                  and len(set(v)) == len(v), "wanted a list of different words, two at least"),
    ("model",): (lambda v: isinstance(v, str), "wanted a name"),
    ("frontend",): (lambda v: isinstance(v, str), "wanted a name"),
}


def entry(manifest, *keys):
    """A value of a manifest, nested keys in order; raises `ModelError` if there is none, or an impossible one."""
    value = manifest
    for i, key in enumerate(keys):
        if not isinstance(value, dict) or key not in value:
            raise ModelError(f"manifest: {'.'.join(keys[:i + 1])!r} is missing: export the model again")
        value = value[key]
    right, wanted = ENTRY_CHECKS.get(keys, (lambda _: True, ""))
    if not right(value):
        shown = repr(value)
        raise ModelError(f"manifest: {'.'.join(keys)}={shown if len(shown) <= 80 else shown[:77] + '...'}: {wanted}")
    return value


def task_of(model):
    """`phones` or `keywords`, for a name or the folder of a trained model; raises `ModelError` listing the names."""
    if str(model) in ENTRIES:
        return ENTRIES[str(model)].task
    return "keywords" if "labels" in manifest_of(folder_of(model)) else "phones"


def module_of(action, model):
    """Name of the module that does `action` (train, evaluate) for a model; raises `ModelError` listing the names."""
    if action == "train" and model not in names("train"):
        raise ModelError(f"model {model!r}: wanted one of {', '.join(names('train'))}")
    return f"sw.{task_of(model)}.{action}"
