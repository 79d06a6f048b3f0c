"""Phone sets, label files and what is refused."""

import pytest

from sw.data import labels
from sw.data.phones import CLASSES_39, CMU, PHONES, TIMIT_61, PhoneError, to_39, to_40


def test_folding_by_hand():
    pairs = {"ao": "aa", "ax-h": "ah", "axr": "er", "ix": "ih", "ux": "uw", "hv": "hh", "eng": "ng", "nx": "n",
             "zh": "sh",
             "h#": "sil", "epi": "sil", "kcl": "cl", "dcl": "cl", "dx": "dx", "AH0": "ah"}
    assert {symbol: to_40(symbol) for symbol in pairs} == pairs
    assert to_39("cl") == "sil" and to_40("q") is None


def test_sets_have_their_sizes():
    assert (len(set(TIMIT_61)), len(set(CMU)), len(set(PHONES)), len(set(CLASSES_39))) == (61, 39, 40, 39)
    assert {to_39(to_40(s)) for s in TIMIT_61 if s != "q"} == set(CLASSES_39)


def test_unknown_phone_is_quoted():
    with pytest.raises(PhoneError, match="'xx'"):
        to_40("xx")


def test_glottal_stop_is_shared_by_its_neighbours(tmp_path):
    (tmp_path / "a.phn").write_text("0 100 h#\n100 200 q\n200 300 iy\n")
    assert [(s.start, s.end, s.phone) for s in labels.read(tmp_path / "a.phn")] == [(0, 150, "sil"), (150, 300, "iy")]


@pytest.mark.parametrize("text, wanted", [
    ("0 100 h#\n90 200 iy\n", "2: '90 200 iy'"), ("0 100\n", "'0 100'"), ("0 100 zz\n", "'zz'"),
    ("", "holds no labels")])
def test_bad_label_file_is_named(tmp_path, text, wanted):
    path = tmp_path / "bad.phn"
    path.write_text(text)
    with pytest.raises(labels.LabelError) as error:
        labels.read(path)
    assert str(path) in str(error.value) and wanted in str(error.value) and "\n" not in str(error.value)


def test_labels_of_other_audio_are_refused(tmp_path):
    path = tmp_path / "a.phn"
    path.write_text("0 16000 h#\n")
    assert labels.read(path, 16000 + 8000)  # half a second without labels is let pass
    for samples in (16000 - 1601, 16000 + 8001):
        with pytest.raises(labels.LabelError, match="do not belong together"):
            labels.read(path, samples)
