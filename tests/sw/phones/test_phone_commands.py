"""Training and scoring of phone recognisers: what is asked for is what runs, or one line says why not."""

import json

import pytest
import torch

from sottovoce import cli
from sw.data import synthetic
from sw.data.utterance import DataError, Utterance
from sw.integers import integer_model
from sw.phones import phone_task, train
from sw.training import trainer


def refused(words, capsys):
    try:
        status = cli.main(words)
    except SystemExit as stopped:
        status = stopped.code
    said = capsys.readouterr().err
    assert status in (1, 2) and said.startswith("error: ") and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize("words, wanted", [
    (["train", "rsnn", "--data", "nowhere"], "nowhere: no such folder"),
    (["train", "rsnn", "--epochs", "0"], "'0': wanted a whole number from 1"),
    (["train", "rsnn", "--threads", "0"], "'0': wanted a whole number from 1"),
    (["train", "rsnn", "--seed", "-1"], "'-1': wanted a whole number from 0"),
    (["train", "rsnn", "--data", ".", "--stages", "flaot256"], "stage 'flaot256': wanted one of float256"),
    (["train", "rsnn", "--data", ".", "--start", "/typo"], "--start /typo: no run there"),
    (["train", "rsnn", "--data", ".", "--teacher", "/typo"], "--teacher /typo: no run there"),
    (["train", "rsnn", "--data", ".", "--fold", "7"], "fold=7: wanted 0 to 2, one of 3 folds"),
    (["train", "rsnn", "--data", ".", "--stages", "q8", "--export", "x"], "does not end in 4-bit weights"),
    (["train", "rsnn", "--data", ".", "--config", "spotter"], "this chain trains two recurrent layers of one width"),
    (["evaluate", "rsnn", "--data", "nowhere"], "nowhere: no such folder"),
    (["evaluate", "nothing"], "model 'nothing' not found: give one of rsnn, rsnn-t1"),
    (["evaluate", "rsnn", "--snr", "10"], "needs --noise"),
    (["evaluate", "rsnn", "--threads", "0"], "wanted a whole number from 1"),
    (["optimisers", "--only", "SGD"], "--only 'SGD': wanted some of AdamW"),
    (["optimisers", "--steps", "70"], "--steps 70: wanted a multiple of 50"),
    (["training-report", "--runs", "nowhere"], "nowhere: no such folder"),
])
def test_commands_refuse_in_one_line(words, wanted, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifest.csv").write_text("path,phones,speaker,split\n")
    assert wanted in refused(words, capsys)


def test_a_start_that_is_not_there_is_refused_even_where_the_stage_is_finished(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "run" / "prune128"
    out.mkdir(parents=True)
    (out / trainer.CHECKPOINT).write_bytes(b"finished")
    words = ["train", "rsnn", "--data", ".", "--out", "run", "--stages", "prune128", "--start", "/typo"]
    assert "--start /typo: no run there: wanted a folder with last.pt" in refused(words, capsys)


@pytest.mark.parametrize("hand", [True, False])
@pytest.mark.parametrize("fold", [3, 7, -1])
def test_a_fold_that_is_not_there_is_refused_on_any_data(hand, fold):
    some = [Utterance("a.wav", "a.phn", f"s{i}", "c", split, hand=hand) for i, split in enumerate(("train", "dev"))]
    with pytest.raises(DataError, match=f"fold={fold}: wanted 0 to 2"):
        phone_task.split(some, fold, 3)


def test_a_bad_place_for_the_figures_is_known_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(phone_task, "find", lambda *a: pytest.fail("data was read first"))
    (tmp_path / "file").write_text("")
    said = refused(["evaluate", "rsnn", "--json", str(tmp_path / "file" / "r.json")], capsys)
    assert "r.json: its folder cannot be made" in said


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    pytest.importorskip("espeakng_loader")
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    synthetic.make(folder, utterances=8, speakers=8, quiet=True)
    return folder


def test_a_short_training_ends_in_integers_that_are_scored(spoken, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = ["--data", str(spoken), "--quiet"]
    chain = ["--noise", "", "--out", "run", "--epochs", "1", "--config", "phone", "--export", "kept"]
    assert cli.main(["train", "rsnn", *given, *chain, "--stages", "float256", "q4"]) == 0
    manifest = json.loads((tmp_path / "run" / "q4" / "manifest.json").read_text())
    assert manifest["epochs"] == 1 and manifest["commit"] and manifest["versions"]["torch"] == torch.__version__
    assert "neurons fire at" in capsys.readouterr().out
    assert cli.main(["evaluate", "kept", *given, "--json", "new/r.json"]) == 0
    result = json.loads((tmp_path / "new" / "r.json").read_text())
    assert result["clean"]["integer"]["utterances"] == 8 and 0 < result["clean"]["float"]["per"]
    held = train.scored(integer_model.load(tmp_path / "kept"), phone_task.find([spoken]), quiet=True)
    assert held == {"phone_error": result["clean"]["integer"]["per"], "utterances": 8}
    assert result["recipe"]["command"].startswith("sottovoce evaluate kept") and result["recipe"]["data"] == "synthetic"


def test_the_optimisers_are_trained_by_the_trainer(spoken, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["optimisers", "--data", str(spoken), "--noise", "", "--steps", "50", "--only", "Muon, one time step"]
    assert cli.main([*given, "--quiet"]) == 0
    (row,) = json.loads((tmp_path / "build" / "results" / "training.json").read_text())["ablation"]["rows"]
    assert row["choice"] == "Muon, one time step" and 0 < row["accuracy"] < 1 and len(row["rates"]) == 2
    assert (tmp_path / "build" / "runs" / "optimisers" / "muon-one-time-step" / trainer.CHECKPOINT).is_file()
