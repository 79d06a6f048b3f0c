"""Networks by name or folder, and what they hear of a recording."""

import numpy as np
import pytest

from cosim import conformance, models
from hw.interface import MODES
from sottovoce import cli
from sw.data import audio
from sw.integers.integer_model import ModelError


def test_the_published_network_is_two_models():
    assert {steps: m.time_steps for steps, m in models.by_time_steps("rsnn").items()} == {1: 1, 2: 2}
    assert models.modes(models.by_time_steps("rsnn-paper-t1")) == ["t1"]
    assert models.modes(models.by_time_steps("rsnn-phone-t2")) == [m for m in MODES if m != "t1"]


def test_a_folder_of_one_s_own_is_a_model(tmp_path):
    mine = models.load("rsnn-phone-t2")
    mine.save(tmp_path / "my model")
    assert models.load(tmp_path / "my model").sha256 == mine.sha256


def test_unknown_names_list_those_that_exist():
    with pytest.raises(ModelError, match="model 'rsn' not found: give one of rsnn, .*rsnn-keywords.* or the folder"):
        models.load("rsn")


def test_a_keyword_network_hears_a_second_at_a_time_and_answers_in_words():
    model = models.load("rsnn-keywords")
    wave = np.zeros(2 * audio.RATE, np.float32)
    heard = models.hear(model, wave)
    assert heard.keywords and {u.shape for u in heard.utterances} == {(98, model.config.features)}
    logits = np.zeros((98 * len(heard.utterances), model.config.outputs))
    logits[:, model.manifest["labels"].index("stop")] = 1000
    assert {d.label for d in models.words(model, logits, len(wave))} == {"stop"}


def test_a_recogniser_hears_a_recording_whole():
    heard = models.hear(models.load("rsnn-paper-t2"), audio.read(models.CLIP))
    assert not heard.keywords and len(heard.utterances) == 1


def test_a_folder_that_was_named_must_be_there(tmp_path, capsys):
    assert cli.main(["conformance", "--data", str(tmp_path / "typo")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {tmp_path / 'typo'}: no such folder") and error.count("\n") == 1


def test_without_data_the_default_is_said_to_be_absent(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(conformance, "DATA", tmp_path / "none")
    assert conformance.data_folder(None) is None
    assert "only the embedded recording is run" in capsys.readouterr().out


def test_only_the_published_network_is_published(capsys):
    assert cli.main(["conformance", "--model", "rsnn-phone-t2", "--publish"]) == 1
    assert "--publish: docs/results holds the figures of --model rsnn" in capsys.readouterr().err
