"""`sottovoce verilog`: a configuration's Verilog and a network's memory images, of one configuration or not at all."""

import json

import pytest

from cosim import models
from hw import config as configs
from sottovoce import cli


def test_a_configuration_alone(tmp_path, capsys):
    assert cli.main(["verilog", "--config", "tiny", "--out", str(tmp_path)]) == 0
    folder = tmp_path / "tiny"
    assert sorted(p.name for p in folder.iterdir()) == ["accelerator.h", "accelerator.v", "config.json"]
    assert configs.from_dict(json.loads((folder / "config.json").read_text())) == configs.load("tiny")


@pytest.mark.parametrize("words", [[], ["--config", "paper"], ["--model", "rsnn-paper-t2"],
                                   ["--config", "paper", "--model", "rsnn-paper-t2"]], ids=" ".join)
def test_weights_come_with_their_configuration(words, tmp_path, monkeypatch):
    monkeypatch.setattr("hw.emit.emit", lambda top, config, target: target.write_text("") and target or target)
    (tmp_path / "paper").mkdir()
    assert cli.main(["verilog", *words, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "paper" / "images" / "fc0.hex").is_file()
    told = (tmp_path / "paper" / "images" / "model.sha256").read_text().strip()
    assert told == models.load("rsnn-paper-t2").sha256


def test_weights_of_another_configuration_are_refused_before_anything_is_written(tmp_path, capsys):
    assert cli.main(["verilog", "--config", "tiny", "--model", "rsnn-paper-t2", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "'paper', which differs from 'tiny' in name, features" in said
    assert not list(tmp_path.iterdir())
