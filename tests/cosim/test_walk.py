"""The walk: steps run in a clone, are timed in their order, and the first that fails ends it with its log."""

import json
import os
import subprocess

import pytest
import soundfile

from cosim import walk
from cosim.errors import CosimError
from sottovoce.commands import COMMANDS


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A repository of one file, and a working folder."""
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "here.txt").write_text("yes\n")
    plain = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a",
             "GIT_COMMITTER_EMAIL": "a@b"}
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=folder, env=plain, check=True)
    monkeypatch.chdir(tmp_path)
    return folder


def walked(origin, *words):
    from sottovoce.cli import main
    return main(["walk", "--source", str(origin), *words])


def test_steps_run_in_the_clone_in_their_order(origin, monkeypatch, capsys):
    monkeypatch.setattr(walk, "STEPS", (walk.Step("look", "cat here.txt && test -f ../own.wav && echo x > made"),
                                        walk.Step("look again", "cat made && sleep 0.2")))
    assert walked(origin, "--folder", "place") == 0
    kept = json.loads((origin.parent / "build/results/system.json").read_text())
    assert [row["step"] for row in kept["walkthrough"]] == ["clone", "look", "look again"]
    assert kept["walkthrough"][0]["command"] == "git clone --quiet URL sottovoce"
    assert kept["walkthrough"][2]["seconds"] >= 0.2 > kept["walkthrough"][2]["processor_seconds"]
    assert kept["walkthrough_seconds"] == pytest.approx(sum(r["seconds"] for r in kept["walkthrough"]), abs=0.11)
    assert "$ cat made" in (origin.parent / "build/results/walk.log").read_text()
    wave, rate = soundfile.read("place/own.wav")
    assert rate == 44100 and wave.shape[1] == 2 and len(wave) > 4 * rate


def test_the_first_step_that_fails_ends_it(origin, monkeypatch, capsys):
    monkeypatch.setattr(walk, "STEPS", (walk.Step("break", "echo no such thing; exit 3"), walk.Step("never", "true")))
    assert walked(origin) == 1
    said = capsys.readouterr().err
    assert "error: break: `echo no such thing; exit 3` ended with status 3; see" in said
    assert "no such thing" in (origin.parent / "build/results/walk.log").read_text()


def test_a_walk_that_takes_too_long_is_a_failure(origin, monkeypatch, capsys):
    monkeypatch.setattr(walk, "STEPS", ())
    monkeypatch.setattr(walk, "LIMIT_S", -1)
    assert walked(origin) == 1


def test_a_folder_with_something_in_it_is_refused(origin):
    args = type("", (), {"wav": None, "folder": origin})
    with pytest.raises(CosimError, match="not empty"):
        walk.run(args)


def test_every_step_is_a_target_of_the_makefile():
    text = (walk.Path(walk.__file__).parents[1] / "Makefile").read_text()
    targets = [step.command.split()[1] for step in walk.STEPS if step.command.startswith("make ")]
    assert len(targets) >= 5
    for target in targets:
        assert f"\n{target}: $(READY)" in text and target in COMMANDS
