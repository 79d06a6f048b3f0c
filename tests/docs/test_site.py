"""The site builds without a warning, asks no other machine for anything, and holds every page."""

import logging
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from documents import ROOT, pages

pytest.importorskip("material", reason="pip install 'sottovoce[docs]'")
pytest.importorskip("mkdocstrings", reason="pip install 'sottovoce[docs]'")
sys.path.insert(0, str(ROOT / "docs/site"))
from conform import conform  # noqa: E402
from docstrings import columns_kept  # noqa: E402

from sottovoce.commands import COMMANDS  # noqa: E402


class Fetched(HTMLParser):
    """Collects what a browser fetches to show a page, and the page's text."""

    def __init__(self, text):
        super().__init__()
        self.urls, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        wants = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}.get(tag)
        if wants and given.get(wants) and given.get("rel") not in ("canonical", "next", "prev"):
            self.urls.append(given[wants])

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site: name of a page -> its HTML."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder, records = tmp_path_factory.mktemp("site"), []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append
    logging.getLogger("mkdocs").addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    logging.getLogger("mkdocs").removeHandler(handler)
    assert not records, [record.getMessage() for record in records]
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.html")}


def test_every_page_is_there(site):
    wanted = [Path(name).relative_to("docs").with_suffix(".html") for name in pages() if name.startswith("docs/")]
    made = ["index", "contributing", "changelog", "examples", "commands", "api", "results", "register-map",
            "registers/index"]
    missing = {str(w) for w in [*wanted, *(Path(f"{name}.html") for name in made)]} - set(site)
    assert not missing


def test_nothing_is_fetched_from_elsewhere(site):
    for name, html in site.items():
        away = [url for url in Fetched(html).urls if re.match(r"(https?:)?//", url)]
        assert not away or name.startswith("registers/"), f"{name} fetches {away}"


def test_commands_are_the_door_s(site):
    words = "".join(Fetched(site["commands.html"]).words)
    assert [name for name in COMMANDS if f"sottovoce {name}" not in words] == []


def test_blocks_and_the_library_are_in_the_reference(site):
    for name in ("hw.lif.Lif", "hw.zero_skip.ZeroSkip", "hw.sequencer.Sequencer", "cosim.rtl.rtl.Rtl.predict",
                 "sw.golden.blocks.lif", "hw.driver.driver"):
        assert f'id="{name}"' in site["api.html"], name


def test_lists_are_what_github_reads():
    assert conform("text\n- one\n  more\n\n      code\n- two\n") == \
        "text\n\n-   one\n    more\n\n        code\n-   two\n"
    assert conform("1. one\n\n       code\n\nafter\n") == "1.  one\n\n        code\n\nafter\n"
    assert conform("```python example\n- x\n```\n") == "```python\n- x\n```\n"


def test_columns_of_a_docstring_stay():
    assert columns_kept("Words.\n\na   In   b\ncc  Out  d") == "Words.\n\n```text\na   In   b\ncc  Out  d\n```"
