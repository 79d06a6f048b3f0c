"""What the pages say exists does: links, pictures, notes, files, modules, make targets, subcommands; examples run."""

import contextlib
import dataclasses
import importlib
import importlib.util
import io
import re

import pytest
from documents import FENCE, LINK, ROOT, anchors, code_of, examples, options_of, pages

from cosim.bench.catalog import TESTS
from hw import config
from sottovoce.commands import COMMANDS

PAGES = {name: path.read_text() for name, path in pages().items()}
each_page = pytest.mark.parametrize("page", PAGES)
MAKEFILE = (ROOT / "Makefile").read_text() + (ROOT / "constraints/targets.mk").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", MAKEFILE, re.M))
MODULE = re.compile(r"(?<![\w./-])(?:sw|hw|cosim|sottovoce)(?:\.[A-Za-z_]\w*)+")
FILE = re.compile(r"(?<![\w./<-])(?:sw|hw|cosim|sottovoce|constraints|tests|docs)/[\w./-]+")


def exists(dotted):
    """Whether a dotted name is a module, or something that a module holds."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        name = ".".join(parts[:cut])
        try:
            found = importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            continue
        if found:
            inside = importlib.import_module(name) if cut < len(parts) else None
            for part in parts[cut:]:
                if not hasattr(inside, part):
                    return False
                inside = getattr(inside, part)
            return True
    return False


@each_page
def test_links_resolve(page):
    for target in LINK.findall(PAGES[page]):
        if re.match(r"https?:", target):
            continue
        name, _, fragment = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page} links {target}"
        assert not fragment or fragment in anchors(path.read_text()), f"{page} links {target}: no such heading"


def linked():
    return {((ROOT / page).parent / target.partition("#")[0]).resolve()
            for page, text in PAGES.items() for target in LINK.findall(text)}


@pytest.mark.parametrize("pattern", ["docs/*.png", "docs/pictures/*.svg", "docs/notes/*.md", "docs/*.md"])
def test_nothing_in_docs_is_left_unlinked(pattern):
    missing = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(pattern)) if path not in linked()]
    assert not missing, f"no page links {', '.join(missing)}"


@each_page
def test_make_targets_exist(page):
    for code in code_of(PAGES[page]):
        for name in re.findall(r"(?:^|[\s(])make ([a-z][a-z0-9-]*)", code):
            assert name in TARGETS, f"{page}: make {name}"


@each_page
def test_subcommands_exist(page):
    for code in code_of(PAGES[page]):
        for name in re.findall(r"(?:^|\s)sottovoce ([a-z][a-z0-9-]*)", code):
            assert name in COMMANDS, f"{page}: sottovoce {name}"


def test_every_subcommand_is_on_a_page():
    shown = "\n".join(PAGES.values())
    missing = [name for name in COMMANDS if not re.search(rf"(?:(?:make|sottovoce) |`){name}\b", shown)]
    assert not missing, f"no page names {', '.join(missing)}"


@each_page
def test_options_exist(page):
    for code in code_of(PAGES[page]):
        for name, rest in re.findall(r"(?:^|\s)sottovoce ([a-z][a-z0-9-]*)([^\n#]*)", code):
            own = re.sub(r'"[^"]*"', "", rest)  # what is quoted is one value, of whatever it is for
            for option in re.findall(r"(?<=\s)\[?(--[a-z][a-z-]*)", own):
                assert option in options_of(name, rest.split()), f"{page}: sottovoce {name} {option}"


@each_page
def test_options_given_through_make_exist(page):
    commands = dict(re.findall(r"^([a-z-]+):.*\n\t@\$\(DOOR\) ([a-z-]+)", MAKEFILE, re.M))
    for code in code_of(PAGES[page]):
        for target, given, options in re.findall(r'make ([a-z-]+)([^\n"]*)ARGS="?([^"\n]*)', code):
            model = re.search(r"MODEL=(\S+)", given)
            for option in re.findall(r"(?:^|\s)(--[a-z][a-z-]*)", options):
                if option != "--help":
                    found = options_of(commands[target], [model[1] if model else "rsnn"])
                    assert option in found, f"{page}: make {target} {option}"


@each_page
def test_modules_and_files_exist(page):
    for code in code_of(PAGES[page]):
        for dotted in MODULE.findall(code):
            assert exists(dotted), f"{page}: {dotted}"
        for name in FILE.findall(code):
            assert (ROOT / name.rstrip("./")).exists(), f"{page}: {name}"


@pytest.mark.parametrize("page", [name for name, text in PAGES.items() if examples(text)])
def test_examples_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    space = {}
    for example in examples(PAGES[page]):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(example, page, "exec"), space)


@pytest.mark.parametrize("part", [config.Config, config.Layer, config.Delays, config.Mechanisms])
def test_every_field_of_a_configuration_is_explained(part):
    for field in dataclasses.fields(part):
        assert f"`{field.name}`" in PAGES["docs/configuration.md"], field.name


def test_the_readme_has_every_configuration():
    rows = re.findall(r"^\| `([\w-]+)` \| \d+ \|", PAGES["README.md"], re.M)
    assert sorted(rows) == sorted(path.stem for path in config.SHIPPED.glob("*.yaml"))


def test_the_configuration_shown_is_the_shipped_one(tmp_path):
    shown = tmp_path / "shown.yaml"
    shown.write_text(FENCE.search(PAGES["docs/configuration.md"])[2])
    assert config.load(shown) == config.load("tiny")


def test_the_readme_fits_a_terminal():
    long = [i for i, line in enumerate(PAGES["README.md"].splitlines(), 1) if len(line) > 120]
    assert not long, f"lines {long} of README.md are longer than 120 columns"


def test_the_table_of_benches_is_the_catalogue():
    rows = re.findall(r"^\| `(\w+)` \|", PAGES["docs/cosim.md"], re.M)
    assert sorted(rows) == sorted(TESTS)
