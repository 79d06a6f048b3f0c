"""The library's face: names that load when they are used."""

import subprocess
import sys

import numpy as np
import pytest

import sottovoce


def test_importing_it_loads_nothing_heavy():
    code = "import sys, sottovoce; assert not {'torch', 'numpy', 'amaranth'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", sottovoce.__all__)
def test_every_name_is_there(name):
    assert getattr(sottovoce, name) is not None and name in dir(sottovoce)


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(AttributeError, match="'featrues'; it has load, .*features"):
        sottovoce.featrues  # noqa: B018


def test_a_file_and_its_samples_are_heard_alike():
    from sw.data import audio
    model = sottovoce.load("rsnn-paper-t2")
    x = sottovoce.features(model, str(sottovoce.CLIP))
    assert x.dtype == np.int8 and x.shape[1] == 40
    np.testing.assert_array_equal(x, sottovoce.features(model, audio.read(sottovoce.CLIP)))


def test_an_unknown_model_lists_those_that_exist():
    with pytest.raises(ValueError, match="'nope' not found: give one of rsnn, rsnn-t1, "):
        sottovoce.load("nope")
