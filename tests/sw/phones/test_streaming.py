"""A recording that arrives in pieces is recognised as one that is there whole: features, network, decoder."""

import numpy as np
import pytest

from sottovoce import cli
from sw import golden, registry
from sw.data import audio
from sw.features import causal
from sw.integers import integer_model
from sw.phones import decode, live

CLIP = registry.WEIGHTS.parent / "clips" / "sense_and_sensibility.flac"
LAG = decode.LAG


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


@pytest.mark.parametrize("size", [1600, 7000])
def test_a_recogniser_that_listens_hears_what_the_whole_holds(model, wave, logits, size):
    ear = live.Recogniser(model)
    for _ in range(2):  # once more after `finish`: nothing is left over
        found = [p for i in range(0, len(wave), size) for p in ear.push(wave[i:i + size])] + ear.finish()
        heard = [(p.phone, round(100 * p.start_s), round(100 * p.end_s)) for p in found]
        assert heard == decode.decode(logits[0], model)


def test_listen_prints_phones_of_the_recogniser_that_was_asked_for(model, logits, capsys):
    assert cli.main(["listen", str(CLIP), "--model", "rsnn-phone"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    whole = decode.decode(logits[0], model)
    assert [line.split()[-1] for line in lines] == [p for p, _, _ in whole]
    assert last.startswith(f"{len(whole)} phones in ")
    for option in (["--threshold", "0.5"], ["--smooth", "2"]):
        assert cli.main(["listen", str(CLIP), "--model", "rsnn-phone", *option]) == 1
        assert f"{option[0]}: is for keywords; rsnn-phone recognises phones" in capsys.readouterr().err
