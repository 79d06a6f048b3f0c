"""Loaders on small folders made here, splits, features, and the commands' one-line errors."""

import numpy as np
import pytest
import soundfile

from sw.data import augment, librispeech, manifest, timit
from sw.data.labels import Segment
from sw.data.utterance import DataError, folds
from sw.features import causal
from sw.phones import corpus, phone_task

WAVE = (0.1 * np.random.default_rng(0).normal(size=16000)).astype(np.float32)
LABELS = "0 4000 h#\n4000 9000 iy\n9000 16000 h#\n"


def pack(folder, rows):
    """A folder with a manifest of (speaker, split, alignment, note) rows."""
    folder.mkdir(exist_ok=True)
    lines = ["path,corpus,speaker,split,phones,alignment,note"]
    for i, (speaker, split, alignment, note) in enumerate(rows):
        soundfile.write(folder / f"{i}.flac", WAVE, 16000)
        (folder / f"{i}.phn").write_text(LABELS)
        lines.append(f"{i}.flac,made,{speaker},{split},{i}.phn,{alignment},{note}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_folds_are_disjoint_over_speakers(tmp_path):
    rows = [(s, "train", "hand", note) for s in "abcd" for note in ("", "sa")] + [("ls1", "train", "forced:x", "")]
    utterances = manifest.find([pack(tmp_path / "p", rows)])
    held = set()
    for fold in range(2):
        parts = phone_task.split(utterances, fold, 2)
        train_speakers, test_speakers = ({u.speaker for u in p} for p in (parts.train, parts.test))
        assert not train_speakers & test_speakers and "ls1" in train_speakers
        assert not any(u.sa for u in parts.train + parts.test)
        held |= test_speakers
    assert held == set("abcd") and phone_task.split(utterances, everything=True).test == []
    with pytest.raises(DataError, match="folds=9"):
        folds(utterances, 9)


def test_a_folder_that_cannot_serve_is_named(tmp_path):
    folder = pack(tmp_path / "p", [("a", "train", "hand", "")])
    (folder / "0.phn").unlink()
    with pytest.raises(DataError, match="0.phn: named in"):
        manifest.load(folder)
    (folder / "manifest.csv").write_text("path,speaker\n")
    with pytest.raises(DataError, match="no column 'phones'"):
        manifest.load(folder)
    with pytest.raises(DataError, match="no such folder"):
        manifest.find([tmp_path / "none"])
    (folder / "manifest.csv").unlink()
    with pytest.raises(DataError, match="no manifest.csv"):
        manifest.find([tmp_path])


def test_timit_as_the_ldc_ships_it(tmp_path):
    for part, speaker, sentence in (("TRAIN", "FCJF0", "SA1"), ("TRAIN", "FCJF0", "SX37"), ("TEST", "MDAB0", "SX49"),
                                    ("TEST", "FAKS0", "SX43"), ("TEST", "FXXX0", "SX1")):
        folder = tmp_path / "TIMIT" / part / "DR1" / speaker
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{sentence}.WAV", WAVE, 16000, subtype="PCM_16", format="NIST")
        (folder / f"{sentence}.PHN").write_text(LABELS)
    found = {(u.speaker, u.split, u.sa) for u in timit.load(tmp_path)}
    assert found == {("fcjf0", "train", True), ("fcjf0", "train", False), ("mdab0", "test", False),
                     ("faks0", "dev", False), ("fxxx0", "unused", False)}
    parts = phone_task.split(phone_task.find([tmp_path / "TIMIT"]))
    assert [u.speaker for u in parts.train] == ["fcjf0"] and [u.speaker for u in parts.test] == ["mdab0"]
    assert np.abs(parts.test[0].wave() - WAVE).max() < 1e-3
    assert (len(timit.CORE_TEST), len(timit.DEV)) == (24, 50) and not timit.CORE_TEST & timit.DEV
    with pytest.raises(DataError, match="neither TRAIN nor TEST"):
        timit.load(tmp_path / "TIMIT" / "TRAIN")


def test_librispeech_with_textgrids(tmp_path):
    folder = tmp_path / "dev-clean" / "84" / "121"
    folder.mkdir(parents=True)
    soundfile.write(folder / "84-121-0000.flac", WAVE, 16000)
    intervals = [(0, 0.25, ""), (0.25, 0.5, "AH0"), (0.5, 1.0, "sp")]
    (folder / "84-121-0000.TextGrid").write_text('item [1]:\n name = "words"\nitem [2]:\n name = "phones"\n' + "".join(
        f' intervals [1]:\n xmin = {a}\n xmax = {b}\n text = "{t}"\n' for a, b, t in intervals))
    found, = librispeech.load(tmp_path, cache=tmp_path / "cache")
    assert (found.speaker, found.split, found.hand) == ("ls84", "dev", False)
    assert found.segments(16000) == [Segment(0, 4000, "sil"), Segment(4000, 8000, "ah"), Segment(8000, 16000, "sil")]


def test_features_in_pieces_equal_the_whole():
    normalisation = causal.Normalisation.of([causal.log_mel(WAVE)])
    whole = normalisation(causal.log_mel(WAVE))
    assert whole.shape == (98, 40) and whole.dtype == np.int8
    stream = causal.FeatureStream(normalisation)
    pieces = [stream.push(WAVE[i:i + 700]) for i in range(0, len(WAVE), 700)]
    assert (np.concatenate(pieces) == whole).all()


def test_silence_is_finite_and_noise_has_its_snr():
    assert np.isfinite(causal.log_mel(np.zeros(16000, np.float32))).all()
    rng = np.random.default_rng(0)
    noise = rng.normal(size=5000).astype(np.float32)
    added = augment.add_noise(WAVE, noise, 10, rng) - WAVE
    assert 10 * np.log10(np.mean(WAVE ** 2) / np.mean(added ** 2)) == pytest.approx(10, abs=0.3)
    assert (augment.add_noise(WAVE, np.zeros(100, np.float32), 10, rng) == WAVE).all()




def test_cached_features_follow_the_files_and_the_noise(tmp_path):
    folder = pack(tmp_path / "p", [("a", "train", "hand", "")])
    rng = np.random.default_rng(1)

    def first(noise=None, variant="plain"):
        return corpus.prepare(manifest.load(folder), [variant], noise, tmp_path / "cache", quiet=True)[variant][0]

    before = first()
    assert np.array_equal(before.labels, first().labels)
    (folder / "0.phn").write_text(LABELS.replace("4000", "6000"))  # as many bytes, other labels
    assert not np.array_equal(before.labels, first().labels)
    hiss, hum = (rng.standard_normal(16000).astype(np.float32) for _ in range(2))
    noisy = first({"a": hiss}, "noisy").logmel
    assert np.array_equal(noisy, first({"a": hiss}, "noisy").logmel)
    assert not np.array_equal(noisy, first({"a": hum}, "noisy").logmel)  # another noise of that name and length
