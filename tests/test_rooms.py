"""The rooms of the house: who may import whom, no circles, nothing private across a wall, no long files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("hw", "sw", "cosim", "sottovoce")
LONGEST = 300  # lines


def dotted(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {dotted(p): p for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def imports(name):
    """(line, module, name in it or '', name here) of everything that a module imports, wherever it does."""
    package = name.split(".") if FILES[name].name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "", alias.asname or alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                here = alias.asname or alias.name
                yield (node.lineno, whole, "", here) if whole in FILES else (node.lineno, module, alias.name, here)


EDGES = {name: {module for _, module, *_ in imports(name) if module in FILES} for name in FILES}


def room_of(name):
    """The folder below the top of `sw` (files beside those folders stand for themselves); else the top folder."""
    return ".".join(name.split(".")[:2]) if name.startswith("sw.") else name.split(".")[0]


def circle(edges):
    """A circle in a graph as a list, or nothing."""
    done, path = set(), []

    def walk(node):
        if node in path:
            return path[path.index(node):]
        if node in done:
            return []
        path.append(node)
        found = next((c for after in sorted(edges.get(node, ())) if (c := walk(after))), [])
        path.pop()
        done.add(node)
        return found
    return next((c for node in sorted(edges) if (c := walk(node))), [])


def test_no_circle_of_modules():
    assert circle(EDGES) == []


def test_no_circle_of_rooms():
    rooms = {}
    for name, others in EDGES.items():
        rooms.setdefault(room_of(name), set()).update({room_of(other) for other in others} - {room_of(name)})
    assert circle(rooms) == []


@pytest.mark.parametrize("room, forbidden", [
    ("hw", ("torch", "sw", "cosim", "sottovoce")), ("sw", ("amaranth", "cosim", "sottovoce")),
    ("cosim", ("sottovoce",))])
def test_who_may_import_whom(room, forbidden):
    wrong = [f"{name}:{line} imports {module}" for name in FILES if name.split(".")[0] == room
             for line, module, *_ in imports(name) if module.split(".")[0] in forbidden]
    assert wrong == []


def test_nothing_private_crosses_a_wall():
    wrong = []
    for name, tree in TREES.items():
        modules = {}
        for line, module, imported, here in imports(name):
            if imported.startswith("_") and module in FILES:
                wrong.append(f"{name}:{line} imports {module}.{imported}")
            if module in FILES and not imported:
                modules[here] = module
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                if node.attr.startswith("_") and not node.attr.startswith("__"):
                    wrong.append(f"{name}:{node.lineno} uses {modules[node.value.id]}.{node.attr}")
    assert wrong == []


def test_no_file_is_long():
    found = {str(p.relative_to(ROOT)): len(p.read_text().splitlines())
             for p in [*FILES.values(), *(ROOT / "tests").rglob("*.py")]}
    assert {name: lines for name, lines in found.items() if lines > LONGEST} == {}
