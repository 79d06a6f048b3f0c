"""A recording that arrives in pieces is recognised as one that is there whole: features, network, decoder."""

import numpy as np
import pytest

from sw import golden, registry
from sw.data import audio
from sw.features import causal
from sw.integers import integer_model
from sw.phones import decode

CLIP = registry.WEIGHTS.parent / "clips" / "sense_and_sensibility.flac"
LAG = 40  # frames after whose end a phone is given


@pytest.fixture(scope="module")
def model():
    return integer_model.load("rsnn-phone")


@pytest.fixture(scope="module")
def wave():
    return audio.read(CLIP)


@pytest.fixture(scope="module")
def logits(model, wave):
    """Whole, and the same in pieces of a tenth of a second, each as it would arrive."""
    whole = model.predict(causal.extract(wave, audio.RATE, model)).logits
    ear, state, pieces = causal.FeatureStream(causal.normalisation_of(model)), None, []
    silence = np.zeros((model.entry("targets", "delay"), causal.BINS), np.int8)
    heard = [ear.push(wave[i:i + 1600]) for i in range(0, len(wave), 1600)]
    for x in [*heard, silence]:  # the network answers some frames late
        if len(x):
            trace = golden.run(model, x[None], state=state)
            state = trace.state
            pieces.append(trace.logits[0].numpy())
    return whole, pieces


def test_pieces_give_the_logits_of_the_whole(logits):
    whole, pieces = logits
    assert len(pieces) > 20 and np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("kind", ["pieces", "frames"])
def test_phones_come_as_they_become_stable_and_are_those_of_the_whole(model, logits, kind):
    whole, pieces = logits
    stream, found, given_at, frames = decode.StreamDecoder(model, LAG), [], [], 0
    for piece in pieces if kind == "pieces" else whole[:, None]:
        fresh = stream.push(piece)
        frames += len(piece)
        assert all(end <= frames - stream.search.delay - LAG for _, _, end in fresh)
        found += fresh
        given_at += [frames] * len(fresh)
    before = len(found)
    found += stream.finish()
    assert 5 < before < len(found) and given_at[0] < len(whole) / 2  # most come before the recording is over
    assert found == decode.decode(whole, model)
    assert all(a[2] == b[1] for a, b in zip(found, found[1:], strict=False))  # nothing twice, nothing left out


def test_an_endless_lag_gives_all_at_the_end(model, logits):
    whole, _ = logits
    stream = decode.StreamDecoder(model, lag=10 ** 6)
    assert stream.push(whole) == [] and stream.push(whole[:0]) == []
    assert stream.finish() == decode.decode(whole, model) and stream.finish() == []
