"""Files and provenance: whole or absent, where they belong, one shape of recipe."""

import json
import os

import pytest

from hw import store


def test_a_file_is_whole_or_what_it_was(tmp_path, monkeypatch):
    path = tmp_path / "new" / "a.json"
    store.write_json(path, {"a": 1})

    def killed(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write_json(path, {"a": 2})
    assert store.read_json(path) == {"a": 1} and [p.name for p in path.parent.iterdir()] == ["a.json"]


def test_an_unreadable_file_is_named_and_a_missing_one_is_empty(tmp_path):
    assert store.read_json(tmp_path / "none.json") == {}
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match="bad.json: not readable as JSON"):
        store.read_json(tmp_path / "bad.json")


def test_a_place_that_cannot_be_written_is_known_beforehand(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="its folder cannot be made"):
        store.writable(tmp_path / "file" / "a.json")
    with pytest.raises(ValueError, match="is a folder; name a file"):
        store.writable(tmp_path)
    assert store.writable(tmp_path / "new" / "a.json").parent.is_dir()


def test_figures_go_to_build_unless_they_are_published():
    assert store.results("a.json").parts == ("build", "results", "a.json")
    assert store.results("a.json", True).parts[-3:] == ("docs", "results", "a.json")
    assert store.results("a.png", True).parts[-2:] == ("docs", "a.png")  # beside the pages that show it


def test_a_recipe_has_one_shape(tmp_path):
    (tmp_path / "mine").mkdir()
    found = store.recipe("sottovoce study bins", config="paper", data=[tmp_path / "mine", "20 utterances"],
                         note="not the official set", packages=("numpy",), seeds=3)
    assert list(found) == ["command", "config", "data", "note", "seeds", "commit", "versions"]
    assert found["data"] == ["mine", "20 utterances"] and list(found["versions"]) == ["python", "numpy"]
    assert json.loads(json.dumps(found)) == found
    assert list(store.recipe("", packages=())) == ["commit", "versions"]  # what was not given is left out
    assert store.recipe("x", data=str(tmp_path / "mine"))["data"] == "mine"


def test_without_git_the_commit_is_unknown(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert store.commit() == "unknown"
