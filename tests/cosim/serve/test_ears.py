"""What an ear gives in pieces is what the whole recording gives offline: features, spikes, logits, phones and words."""

import numpy as np
import pytest
import torch

from cosim import models
from cosim.serve import ears
from sw.data import audio
from sw.golden import predict
from sw.phones import decode

torch.set_num_threads(1)
SECONDS = {"rsnn": 6.05, "rsnn-keywords": 0.5, "rsnn-delays": 0.3}  # of the clip: windows take ten times the frames


@pytest.fixture(scope="module", params=SECONDS)
def case(request):
    """(model, wave, what it hears offline, its prediction)."""
    model = models.load(request.param)
    wave = audio.read(models.CLIP)[:int(SECONDS[request.param] * audio.RATE)]
    heard = models.hear(model, wave)
    return model, wave, heard, predict(model, heard.utterances)


def listened(ear, wave, size):
    answer = ears.Answer((), ())
    for start in range(0, len(wave), size):
        answer += ear.push(wave[start:start + size])
    return answer + ear.finish()


@pytest.mark.parametrize("size", [683, 8000])
def test_the_frames_are_those_of_the_whole(case, size):
    model, wave, heard, whole = case
    got = listened(ears.ear_of(model), wave, size)
    assert np.array_equal(np.concatenate([p.x for p in got.pieces]), np.concatenate(heard.utterances))
    parts = [[array for *_, array in p.prediction.signals()] for p in got.pieces]
    for (name, where, _, wanted), found in zip(whole.signals(), zip(*parts, strict=True), strict=True):
        assert np.array_equal(np.concatenate(found), wanted), (name, where)
    if heard.keywords:
        assert {p.new for p in got.pieces} == {10}
        words = models.words(model, whole.logits, len(wave))
        assert [(h.text, h.end_s, h.score) for h in got.heard] == [(d.label, d.time_s, d.score) for d in words]
    else:
        phones = [(h.text, round(100 * h.start_s), round(100 * h.end_s)) for h in got.heard]
        assert phones == decode.decode(whole.logits, model)


def test_words_are_heard_with_their_scores():
    """A tone that the network is made to hear as a word: the detector's answer arrives with its times."""
    model = models.load("rsnn-keywords")
    ear = ears.KeywordEar(model, None)
    sure = torch.eye(len(ear.labels))[3:4]
    ear.posteriors = lambda waves: sure.expand(len(waves), -1)
    first = ear.push(np.zeros(16000, np.float32)).heard[0]
    assert first == ears.Heard("down", 0.0, 0.4, 1.0)


def test_a_finished_ear_starts_anew(case):
    model, wave, heard, _ = case
    ear, wave = ears.ear_of(model), wave[:3000]
    first, again = listened(ear, wave, 1600), listened(ear, wave, 1600)
    assert first.heard == again.heard
    assert all(p.prediction == q.prediction for p, q in zip(first.pieces, again.pieces, strict=True))


def test_a_network_without_features_is_refused():
    model = models.load("rsnn-phone")
    model.tables.pop("feature_mean")
    with pytest.raises(models.ModelError, match="phone: the model carries no feature normalisation"):
        ears.ear_of(model)
