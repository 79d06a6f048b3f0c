"""The synthetic corpus: phones and their times are those of the sound, and the folder loads like any other."""

import numpy as np
import pytest

from sottovoce import cli
from sw.data import espeak, manifest, synthetic
from sw.data.utterance import DataError
from sw.phones import phone_task

pytest.importorskip("espeakng_loader", reason="the synthetic corpus needs espeak-ng: pip install espeakng-loader")


def test_events_by_hand():
    # starts in samples at 22050 Hz; `car on`: the r of A@ is said once, the glottal stop joins what precedes it
    events = [(0, "k"), (441, "'A@"), (882, "r-"), (1323, "?"), (1764, "'O2"), (2205, ";"), (2646, "_:"), (2700, "_")]
    got = [(s.start, s.end, s.phone) for s in espeak.segments(events, 2400, 16000 / 22050)]
    assert got == [(0, 320, "k"), (320, 640, "aa"), (640, 1280, "r"), (1280, 1920, "aa"), (1920, 2400, "sil")]
    with pytest.raises(DataError, match="'Q9'"):
        espeak.segments([(0, "Q9")], 100, 1.0)
    got = espeak.segments([(10, "@L"), (20, "t")], 30, 1.0)  # one mnemonic, two phones; the start is silence
    assert [(s.start, s.end, s.phone) for s in got] == [(0, 10, "sil"), (10, 15, "ah"), (15, 20, "l"), (20, 30, "t")]


def test_times_are_those_of_the_sound():
    def hiss(shift):
        """Share of energy changes (high frequencies) in voiceless fricatives and in vowels, labels late by `shift`."""
        found = {"s": [], "aa": []}
        for voice in ("en-us+m3", "en-us+f2"):
            wave, segments = espeak.speak("this sauce has six pots, so he saw soft socks", voice=voice)
            for s in segments:
                name = "s" if s.phone in ("s", "z") else "aa" if s.phone in ("aa", "ow") else None
                piece = wave[s.start + shift:s.end + shift]
                if name and len(piece) > 320:
                    found[name].append(np.square(np.diff(piece)).mean() / np.square(piece).mean())
        return min(np.median(found["s"]), np.quantile(found["s"], 0.25)) / np.quantile(found["aa"], 0.75)

    assert hiss(0) > 3
    assert hiss(1600) < 1.5  # a tenth of a second late, the test fails


def test_corpus_loads_like_any_other(tmp_path):
    folder = tmp_path / "synthetic"
    seconds = synthetic.make(folder, utterances=10, speakers=9, quiet=True)
    utterances = manifest.load(folder)
    assert len(utterances) == 10 and {u.corpus for u in utterances} == {"synthetic"}
    for u in utterances:
        wave = u.wave()
        assert u.segments(len(wave))[-1].end == len(wave)
        seconds -= len(wave) / 16000
    assert abs(seconds) < 0.01
    parts = phone_task.split(utterances)
    assert parts.name == "train/dev" and not {u.speaker for u in parts.train} & {u.speaker for u in parts.test}
    again = tmp_path / "again"
    synthetic.make(again, utterances=10, speakers=9, quiet=True)
    assert (again / "manifest.csv").read_bytes() == (folder / "manifest.csv").read_bytes()


def test_refusals(tmp_path, capsys):
    with pytest.raises(DataError, match="no-such-voice"):
        espeak.speak("yes", voice="no-such-voice")
    assert cli.main(["synthetic", "--out", str(tmp_path), "--quiet"]) == 1
    assert "is there already" in capsys.readouterr().err
    with pytest.raises(DataError, match="utterances=0"):
        synthetic.make(tmp_path / "none", utterances=0)
