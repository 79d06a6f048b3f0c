"""Models by name: one list, that says whose task each is, and that every refusal quotes."""

import json

import pytest

from sottovoce import cli
from sw import registry
from sw.integers import integer_model
from sw.keywords import spotter


def refused(words, capsys, status):
    try:
        found = cli.main(words)
    except SystemExit as stopped:
        found = stopped.code
    said = capsys.readouterr().err
    assert found == status and said.startswith("error: ") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize("action", ["train", "evaluate"])
def test_an_unknown_name_lists_those_that_exist(action, capsys):
    said = refused([action, "sparkent-32"], capsys, 1)
    assert "'sparkent-32'" in said and all(name in said for name in registry.names(action))


def test_the_task_of_a_name_or_folder_decides_the_module(tmp_path):
    assert registry.module_of("train", "sparknet-32") == "sw.keywords.train"
    assert registry.module_of("train", "gru") == "sw.phones.train"
    assert registry.module_of("evaluate", "rsnn-t1") == "sw.phones.evaluate"
    for name in registry.names("load"):
        assert registry.task_of(registry.folder_of(name)) == registry.task_of(name)
    (tmp_path / "manifest.json").write_text(json.dumps({"labels": ["a"]}))
    assert registry.module_of("evaluate", tmp_path) == "sw.keywords.evaluate"


def test_every_committed_folder_has_a_name():
    folders = {p.parent.name for p in registry.WEIGHTS.glob("*/manifest.json")}
    assert folders == {registry.folder_of(name).name for name in registry.names("load")}


def test_a_model_without_weights_and_one_of_another_task_are_refused(tmp_path):
    with pytest.raises(registry.ModelError, match="'gru' has no committed weights: train it and give its folder"):
        integer_model.load("gru")
    with pytest.raises(registry.ModelError, match="not a network for the accelerator: give one of rsnn, rsnn-t1"):
        integer_model.load("sparknet-4")
    with pytest.raises(registry.ModelError, match="'rsnn' knows no keywords: give one of tiny-kws"):
        spotter.load("rsnn")
    with pytest.raises(registry.ModelError, match="'' not found: give one of rsnn, rsnn-t1, rsnn-phone, rsnn-keywords"):
        integer_model.load("")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(registry.ModelError, match="manifest.json: not readable"):
        integer_model.load(tmp_path)


def test_a_committed_name_is_its_folder():
    model = integer_model.load("rsnn-t1")
    assert model.time_steps == 1 and model.sha256 == integer_model.load(registry.WEIGHTS / "rsnn-paper-t1").sha256
