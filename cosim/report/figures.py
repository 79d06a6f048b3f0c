"""What the page is made of: `Figure`s, read from results files, each with the command that makes it.

    Results([Path("docs/results")]).need("system.json", "buses", "sottovoce bus-test --publish")

A result that is not there, or has another form than its reader knows, becomes a figure that says so in one line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hw import store

NOTES = {"note": "", "is_not": "not: ", "not": "", "compared": "compared: "}  # key of a recipe -> how it is said


class Absent(LookupError):
    """A result is not there; the message says which, and the command that makes it."""


@dataclass(frozen=True)
class Made:
    """How figures came about: the command, the results file, and what its recipe says besides."""

    command: str
    file: str
    config: str = ""
    data: str = ""
    note: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Bar:
    """A cell with a bar: value of `most`, in words; `published` puts a mark on the same scale.

    `parts`: (name, value, class) that the bar is divided in.
    """

    value: float
    text: str
    most: float
    published: float | None = None
    parts: tuple = ()


@dataclass(frozen=True)
class Figure:
    """A table, with bars in its cells or a picture (`svg` or other markup) above it; `made` says how.

    `ident` names it within the page. `choice`: figures of a section that have one are shown one at a time, by these
    names. `legend`: (name, class) of a picture's or a bar's colours. `missing`: the one line
    that stands in its place.
    """

    ident: str
    title: str
    made: tuple = ()
    note: str = ""
    head: tuple = ()
    rows: tuple = ()
    picture: str = ""
    legend: tuple = ()
    choice: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Section:
    """Figures under a heading; `lead` says what they are about."""

    ident: str
    title: str
    lead: str
    figures: tuple


@dataclass
class Results:
    """Results files of folders; keys of later folders win. `read` has the names of the files that were found."""

    folders: list
    read: set = field(default_factory=set)

    def of(self, name):
        """All keys of a file; {} where no folder has it. Raises `ValueError` where one is not JSON."""
        found = {}
        for folder in self.folders:
            values = store.read_json(Path(folder) / name)
            if values:
                self.read.add(name)
                found = {**found, **values, "recipes": found.get("recipes", {}) | values.get("recipes", {})}
        return found

    def need(self, name, key, command):
        """The value of a key. Raises `Absent`, which names `command`."""
        values = self.of(name)
        if key not in values:
            what = f"{name} has no {key!r}" if values else f"{name} is absent"
            raise Absent(f"{what}: `{command}` makes it.")
        return values[key]

    def made(self, name, part="", command="", **more):
        """The `Made` of a file's recipe `part`, or of the file itself; `command` where none is recorded."""
        values = self.of(name)
        recipe = values.get("recipes", {}).get(part) or values
        notes = [f"{said}{recipe[key]}" for key, said in NOTES.items() if recipe.get(key)]
        given = {"command": recipe.get("command") or command, "config": recipe.get("config", ""),
                 "data": _words(recipe.get("data", "")), "note": "; ".join(notes), "commit": recipe.get("commit", "")}
        return Made(file=name, **{**given, **more})


def _words(data):
    return ", ".join(data) if isinstance(data, list) else str(data)


def read(ident, title, reader: Callable, results):
    """`reader(results)` gives keywords of a `Figure`; where it cannot, a figure that says why."""
    try:
        return Figure(ident, title, **reader(results))
    except Absent as error:
        return Figure(ident, title, missing=str(error))
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        return Figure(ident, title, missing=f"The results have another form than this page knows "
                                            f"({type(error).__name__}: {error}).")


def plain(value):
    """A figure's value as a person reads it: grouped thousands, up to two decimals, a dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.2f}".rstrip("0").rstrip(".")
    return str(value)
