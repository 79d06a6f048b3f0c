"""The golden model in pieces is the golden model of the whole, in every signal; with recurrence and with delays."""

import numpy as np
import pytest

from sw import golden
from sw.golden import PredictionError
from sw.integers import integer_model


@pytest.fixture(scope="module", params=["rsnn-phone", "rsnn-delays"])
def model(request):
    return integer_model.load(request.param)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(3).integers(-60, 61, (40, 40)).astype(np.int8)


@pytest.mark.parametrize("cuts", [[1], [17, 18, 30], list(range(1, 40))], ids=["two", "four", "frame by frame"])
def test_pieces_are_the_whole(model, x, cuts):
    whole, live = golden.predict(model, x), golden.LiveGolden(model)
    for start, end in zip([0, *cuts], [*cuts, len(x)], strict=True):
        got = live.push(x[start:end])
        for (name, *_, piece), (*_, wanted) in zip(got.signals(), whole.signals(), strict=True):
            assert np.array_equal(piece, wanted[start:end]), f"{name}, frames {start} to {end}"


def test_clear_begins_an_utterance(model, x):
    live = golden.LiveGolden(model)
    live.push(x)
    live.clear()
    assert live.push(x[9:]) == golden.predict(model, x[9:])


def test_an_empty_piece_is_refused(model, x):
    with pytest.raises(PredictionError, match=r"shape \(0, 40\)"):
        golden.LiveGolden(model).push(x[:0])
