"""The page: complete in itself, every figure with its command, and every figure from the results."""

import json
import re
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cosim.report import page
from cosim.report.figures import Results
from sottovoce import cli
from sottovoce.commands import COMMANDS

PUBLISHED = Path(__file__).parents[3] / "docs" / "results"
VOID = {"meta", "link", "br", "input"}


class Tree(HTMLParser):
    """Elements of a page, with faults of its structure in words."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.faults, self.texts = [], [], [], {}
        self.feed(text)
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        elif self.open:
            self.open.pop()

    def all(self, tag):
        return [attrs for name, attrs, _ in self.found if name == tag]


@pytest.fixture(scope="module")
def published():
    return page.render(Results([PUBLISHED]), "sottovoce report")


@pytest.fixture(scope="module")
def tree(published):
    return Tree(published)


@pytest.fixture
def folder(tmp_path):
    """A copy of the published results, to change."""
    for path in PUBLISHED.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(folder, name, act):
    values = json.loads((folder / name).read_text())
    act(values)
    (folder / name).write_text(json.dumps(values))


def articles(text):
    """Identifier -> markup of every figure."""
    found = re.finditer(r'<article class="figure" id="([^"]+)".*?</article>', text, re.S)
    return {article[1]: article[0] for article in found}


def test_structure(tree):
    assert tree.faults == []
    idents = [attrs["id"] for _, attrs, _ in tree.found if "id" in attrs]
    assert len(idents) == len(set(idents))
    for attrs in (attrs for _, attrs, _ in tree.found):
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(attrs.get(name, "").split()) <= set(idents), attrs
    for link in tree.all("a"):
        assert link["href"].removeprefix("#") in idents


def test_it_is_complete_in_itself(published, tree):
    assert not [attrs for tag in ("img", "iframe", "object", "source", "audio") for attrs in tree.all(tag)]
    assert [attrs["href"] for attrs in tree.all("link")] == ["data:,"]  # or the browser asks for an icon
    assert not [attrs for attrs in tree.all("script") if "src" in attrs]
    assert "http://" not in published and "https://" not in published and "@import" not in published
    assert len(published.encode()) < 1_000_000


def test_landmarks_headings_and_captions(tree):
    tags = [tag for tag, _, above in tree.found if "svg" not in above]
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert tags.count(landmark) == 1, landmark
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert tags.count("table") == tags.count("caption") > 10
    assert all(attrs.get("scope") in ("col", "row") for attrs in tree.all("th"))
    assert tree.all("html")[0]["lang"] == "en"
    for attrs in tree.all("svg"):
        assert attrs["role"] == "img" and len(attrs["aria-labelledby"].split()) == 2


def test_every_figure_has_its_command_or_says_what_is_missing(published):
    found = articles(published)
    assert len(found) > 15
    for ident, text in found.items():
        assert re.search(r'Made by <code>(sottovoce \S|see )|class="missing"', text), ident


def test_commands_exist(published):
    names = re.findall(r"<code>sottovoce ([a-z-]+)", published)
    assert names and set(names) <= set(COMMANDS)


@pytest.mark.parametrize("name, act, ident, shown", [
    ("accelerator.json", lambda v: v.update(cycles_t2_merged=912.3), "activity", "912.3"),
    ("accelerator.json", lambda v: v.update(cycles_t2_merged=912.3), "pairs", "912.3"),
    ("accelerator.json", lambda v: v.update(differences=7), "compared", "<td>7</td>"),
    ("accelerator.json", lambda v: v["recipes"]["activity"].update(command="sottovoce activity --seeds 77"), "activity",
     "sottovoce activity --seeds 77"),
    ("training.json", lambda v: [r.update(per=33.3) for r in v["rows"]], "phones", "33.3"),
    ("keywords.json", lambda v: [r.update(accuracy=71.5) for r in v["rows"]], "keywords", "71.5"),
    ("physical.json", lambda v: [r.update(power_uw_at_10ms=12.34) for r in v["rows"]], "pairs", "12.34"),
])
def test_a_figure_that_changes_in_the_results_changes_on_the_page(folder, published, name, act, ident, shown):
    assert shown not in articles(published)[ident]
    change(folder, name, act)
    assert shown in articles(page.render(Results([folder]), "sottovoce report"))[ident]


def test_later_folders_win(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "accelerator.json").write_text('{"cycles_t2_merged_real": 1.25}')
    text = articles(page.render(Results([folder, tmp_path / "mine"]), "sottovoce report"))["recordings"]
    assert "1.25" in text and "Made by <code>sottovoce conformance" in text


def test_without_any_result_every_section_says_so(tmp_path):
    text = page.render(Results([tmp_path]), "sottovoce report")
    found = articles(text)
    assert Tree(text).faults == [] and len(found) > 12
    for ident, markup in found.items():
        assert 'class="missing"' in markup, ident
    assert "trust.json is absent" in found["coverage"]


def test_results_of_another_form_are_said_plainly(folder):
    change(folder, "training.json", lambda v: [r.pop("per") for r in v["rows"]])
    found = articles(page.render(Results([folder]), "sottovoce report"))
    assert "another form" in found["phones"] and "KeyError" in found["phones"]
    assert 'class="missing"' not in found["keywords"]


def test_text_is_escaped(folder):
    change(folder, "networks.json", lambda v: v["recipes"]["networks"].update(data="<script>alert(1)</script>"))
    text = page.render(Results([folder]), "sottovoce report --out '<b>'")
    assert "<script>alert" not in text and "&lt;script&gt;" in text and "<b>'" not in text


def test_trust_when_it_is_there(folder):
    (folder / "trust.json").write_text(json.dumps({
        "functional_bins": 250, "functional_covered": 240, "waived": 10, "line_coverage": 0.987,
        "branch_coverage": 91.5,
        "proofs": [{"name": "drain keeps its beats", "method": "induction", "depth": 12, "solver": "z3", "seconds": 3.5,
                    "result": "proven", "broken_by": "ready stuck"}],
        "mutants": 1000, "killed": 990, "equivalent": 6, "survivors": ["one", "two", "three", "four"],
        "soak_frames": 1000000, "soak_differences": 0, "faults_injected": 5000,
        "recipes": {"mutants": {"command": "sottovoce mutate --publish"}}}))
    found = articles(page.render(Results([folder]), "sottovoce report"))
    assert "96.0 %" in found["coverage"] and "98.7 %" in found["coverage"] and "91.5 %" in found["coverage"]
    assert "drain keeps its beats" in found["proofs"] and "3.5" in found["proofs"]
    assert all(f"<td>{n}</td>" in found["counts"] for n in ("1,000", "990", "6", "4", "1,000,000", "0"))
    assert "sottovoce mutate --publish" in found["counts"] and "faults injected" in found["others"]


def test_trust_alone_has_each_check_with_its_command_and_what_it_would_have_caught(folder):
    (folder / "trust.json").write_text(json.dumps({"killed": 990, "mutants": 1000, "equivalent": 4,
                                                   "mutants_score": 99.4}))
    text = page.render(Results([folder]), "sottovoce report --only trust", "trust")
    found = articles(text)
    assert "990 of 1,000 killed, 4 equivalent: 99.4 %" in found["checks"] and "activity" not in found
    assert found["checks"].count("not measured") == 7 and "sottovoce soak" in found["checks"]
    assert "14 bits" in found["checks"] and Tree(text).faults == []


def test_pictures_of_the_timeline_are_well_formed(published):
    pictures = re.findall(r"<svg.*?</svg>", published, re.S)
    for text in pictures:
        root = xml.fromstring(text)
        assert root.find("title").text and "cycle" in root.find("desc").text


def test_the_command_writes_the_page(tmp_path, capsys):
    out = tmp_path / "deep" / "page.html"
    assert cli.main(["report", "--out", str(out)]) == 0
    assert "page:" in capsys.readouterr().out
    assert "<h1>Sottovoce</h1>" in out.read_text() and [p.name for p in out.parent.iterdir()] == ["page.html"]


@pytest.mark.parametrize("words, said", [
    (["--wav", "speech.wav"], "--wav says what to simulate: add --simulate"),
    (["--publish"], "the page is not published"),
    (["--results", "nowhere"], "--results nowhere: no such folder"),
    (["--simulate", "--publish", "--frame", "3"], "leave --frame out"),
    (["--out", "."], "is a folder"),
])
def test_refusals_are_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", *words]) == 1
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
