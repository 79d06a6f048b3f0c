"""The detector over recordings, its counts, and the study of them."""

import argparse
import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from keyword_helpers import RATE, Ear, Scripted, tones

from sottovoce import cli
from sw.data.speech_commands import CLASSES
from sw.data.utterance import DataError
from sw.integers.integer_model import ModelError
from sw.keywords import spotter, stream, study_stream, train

torch.set_num_threads(1)  # small sums: threads only wait for each other
HOP = 1600


def in_pieces(spotter, wave, size, **options):
    detector = stream.Detector(spotter, **options)
    found = [d for start in range(0, len(wave), size) for d in detector.push(wave[start:start + size])]
    return found + detector.finish()


def test_detector_by_hand():
    quiet, yes = "_silence_", "yes"
    script = [quiet] * 5 + [yes] * 6 + [quiet] * 20 + [yes] * 2 + [quiet] * 5
    found = []
    detector = stream.Detector(Scripted(script), threshold=0.6, smooth=4, rest_s=0.8)
    for start in range(0, len(script) * HOP, 777):  # pieces of any length
        found += detector.push(np.zeros(min(777, len(script) * HOP - start), np.float32))
    # windows end at 0.1, 0.2, ...; the eighth is the third yes, mean (3 x 0.9 + 0.009) / 4 = 0.68
    assert [(d.time_s, d.label) for d in found] == [(0.8, "yes")]  # two windows of yes are not enough the second time
    assert found[0].score == pytest.approx(0.677, abs=0.001)
    with pytest.raises(ValueError, match="threshold=1.5"):
        stream.Detector(None, threshold=1.5)
    with pytest.raises(ValueError, match="smooth=0"):
        stream.Detector(None, smooth=0)


def test_what_is_left_comes_out_at_the_end():
    # three hops heard, then silence: one second holds some of them, and three more windows are smoothed with those
    script = ["_silence_"] * 10 + ["yes"] * 2 + ["_silence_"] * 3
    detector = stream.Detector(Scripted(script), threshold=0.4, smooth=4)
    assert detector.push(np.zeros(3 * HOP, np.float32)) == [] and len(detector.spotter.words) == 12
    assert [(d.time_s, d.label) for d in detector.finish()] == [(0.3, "yes")] and not detector.spotter.words
    assert detector.finish() == []  # nothing was heard since


@pytest.mark.parametrize("seconds, start", [(1.0, 0.3), (1.0, 0.6), (0.4, 0.0), (5.0, 0.0), (5.0, 4.6), (4.97, 4.57)])
def test_words_at_either_end_are_heard(seconds, start):
    wave = tones(seconds, (start, "yes"))
    found = stream.detect(Ear(), wave)
    assert [d.label for d in found] == ["yes"]
    assert start < found[0].time_s <= seconds  # none is later than the recording is long


def test_a_word_is_not_reported_again_while_it_is_in_the_window():
    script = ["yes"] * 13 + ["_silence_"] * 4  # a word of 0.3 s, from its first window to its last
    assert [d.time_s for d in stream.Detector(Scripted(script)).push(np.zeros(17 * HOP, np.float32))] == [0.4]


@pytest.mark.parametrize("samples", [1, 1599, 1600, 16000, 40001])
@pytest.mark.parametrize("smooth", [1, 4, 25])
def test_the_study_and_the_detector_agree(samples, smooth):
    rng = np.random.default_rng(samples)
    wave = rng.standard_normal(samples).astype(np.float32)

    class Odd:
        """Posteriors that depend on every sample of the window, and are often above the threshold."""

        labels = CLASSES

        def posteriors(self, waves):
            return torch.stack([waves[:, i::12].double().abs().sum(1) % 1 for i in range(12)], 1).float()

    rows = stream.posteriors(Odd(), wave, smooth)
    assert len(rows) == -(-samples // HOP) + 9 + smooth - 1
    wanted = stream.Detector(Odd(), threshold=0.4, smooth=smooth, rest_s=0.2).decide(rows, samples / RATE)
    options = dict(threshold=0.4, smooth=smooth, rest_s=0.2)
    assert (wanted or samples < RATE) and all(d.time_s <= samples / RATE for d in wanted)
    assert in_pieces(Odd(), wave, 997, **options) == wanted == stream.detect(Odd(), wave, **options)


def test_a_model_hears_the_same_in_pieces():
    model, wave = spotter.load("sparknet-4"), tones(3, (1, "yes"))
    wave += np.random.default_rng(0).normal(0, 0.02, len(wave)).astype(np.float32)
    detector, pieces = stream.Detector(model), []
    detector.decide = lambda rows, end_s=0: pieces.append(rows) or []
    for start in range(0, len(wave), 5003):
        detector.push(wave[start:start + 5003])
    detector.finish()
    np.testing.assert_allclose(np.concatenate(pieces), stream.posteriors(model, wave), atol=1e-4)


def test_hits_and_false_alarms_by_hand():
    found = [stream.Detection(t, w, 0.9) for t, w in (
        (1.5, "yes"), (1.6, "yes"), (3.1, "up"), (3.3, "yes"), (5.0, "no"), (5.2, "go"), (9.0, "go"))]
    r = stream.rate(found, [(1.0, 2.0, "yes"), (4.5, 5.5, "no"), (7.0, 7.5, "go"), (20, 21, "up")], 1800)
    # yes and no are hit. 1.6 says yes again, 3.1 up within 1.2 s of its end; 3.3 is past that; at 5.2 only no is in
    # reach; go at 9.0 is 0.3 s too late
    assert r == {"words": 4, "hits": 2, "wrong_word": 2, "doubles": 1, "between": 2, "hit_rate": 50.0,
                 "false_alarms": 5, "seconds": 1800, "false_alarms_per_hour": 10.0}
    # two of one word in reach of each other: each is hit once, the one that closes first before the other
    twice = [stream.Detection(t, "up", 0.9) for t in (2.5, 3.4)]
    r = stream.rate(twice, [(1.9, 2.4, "up"), (1.0, 2.0, "up")], 60)
    assert (r["hits"], r["false_alarms"]) == (2, 0)


# --- the study ---------------------------------------------------------------------------------------------
def test_rows_hold_counts_and_follow_the_detector(tmp_path):
    words = tones(12, (1, "yes"), (4, "no"), (7, "yes"), (10, "no"))
    truth = [(1, 1.4, "yes"), (4, 4.4, "yes"), (7, 7.4, "yes")]
    speech = tones(30, (29.6, "no"))
    rows = study_stream.rows_of("ear", Ear(), words, truth, speech)
    assert [r["threshold"] for r in rows] == list(study_stream.THRESHOLDS)
    row, = [r for r in rows if r["threshold"] == 0.7]
    assert row == {"model": "ear", "threshold": 0.7, "words": 3, "hits": 2, "wrong_word": 1, "doubles": 0,
                   "between": 1, "hit_rate": 66.67, "false_alarms": 2, "seconds": 12.0,
                   "false_alarms_per_hour": 600.0, "speech_false_alarms": 1, "speech_seconds": 30.0,
                   "speech_false_alarms_per_hour": 120.0}
    counted = stream.rate(in_pieces(Ear(), words, 1234, threshold=0.7), truth, 12)
    assert counted == {k: rows[2][k] for k in counted}
    study_stream.draw(rows, tmp_path / "a.png", "stream")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_the_study_is_one_command(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    (tmp_path / "speech").mkdir()
    soundfile.write(tmp_path / "speech" / "a.flac", rng.normal(0, 0.05, 6 * RATE), RATE)
    (tmp_path / "speech" / "manifest.csv").write_text("path,transcript\nnone.flac,go on\na.flac,nothing of it\n")
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "hum.flac", rng.normal(0, 0.05, 6 * RATE), RATE)
    (tmp_path / "noise" / "manifest.csv").write_text("path,split\nhum.flac,test\n")
    clips = [SimpleNamespace(label=label) for label in ("yes", "_unknown_", "no")]
    held = SimpleNamespace(clips=clips, floats=lambda rows: torch.ones(3, RATE)[list(rows)] * 0.1)
    monkeypatch.setattr(train, "gather", lambda *a, **k: (SimpleNamespace(of=lambda name: held), CLASSES))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["study", "stream", "--speech", "speech", "--noise", "noise", "--models", "sparknet-4", "--words",
                     "2", "--minutes", "0.1", "--quiet"]) == 0
    rows = json.loads((tmp_path / "build" / "results" / "keywords-stream.json").read_text())["rows"]
    assert len(rows) == len(study_stream.THRESHOLDS)
    assert all(r["words"] == 2 and r["seconds"] == 9 and r["speech_seconds"] == 6 for r in rows)
    assert all(r["false_alarms"] == r["wrong_word"] + r["doubles"] + r["between"] for r in rows)


def test_a_missing_model_is_known_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "gather", lambda *a, **k: pytest.fail("data was read first"))
    args = argparse.Namespace(models=["sparknet-4", str(tmp_path / "none")], data="", noise="", speech="", words=1,
                              minutes=1, quiet=True)
    with pytest.raises(ModelError, match="none' not found: give one of tiny-kws, sparknet-32"):
        study_stream.study(args)


@pytest.mark.parametrize("content, said", [
    (None, "no such file"), (b"path,text\na.flac,hello\n", "'transcript'"), (b"file,transcript\na.flac,hi\n", "'path'"),
    (b"path,transcript\n\xff\xfe\x00\n", "not a CSV"), (b"path,transcript\na.flac,go on\n", "without yes")])
def test_speech_without_transcripts_is_refused_by_name(tmp_path, content, said):
    if content is not None:
        (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(DataError) as error:
        study_stream.without_words(tmp_path, 60)
    assert str(tmp_path / "manifest.csv") in str(error.value) and said in str(error.value)
    assert "\n" not in str(error.value)
