"""Networks of other libraries: what they compute is what the float reference computes from the graph they export."""

import importlib
import warnings

import nir
import numpy as np
import pytest
import torch

from sw.networks import graph, import_nir, libraries, reference

FEATURES, CLASSES = 10, 5


@pytest.fixture(params=libraries.LIBRARIES, ids=lambda library: library.name)
def library(request):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries themselves, on being imported
            importlib.import_module(request.param.name)
            importlib.import_module("nirtorch")
    except ModuleNotFoundError as error:
        pytest.skip(f"no {error.name}: pip install --no-deps {libraries.WANTED}")
    return request.param


def lively(library):
    """An untrained network whose neurons fire: weights thrice as large as it begins with."""
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = library.build(FEATURES, CLASSES)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.Linear):
                module.weight *= 3
    return model


def exported(tmp_path, library, model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nir.write(tmp_path / f"{library.name}.nir", model.nir())
    return tmp_path / f"{library.name}.nir"


@pytest.mark.filterwarnings("ignore")
def test_the_reference_is_the_library(tmp_path, library):
    model = lively(library)
    x = torch.randn(4, 60, FEATURES, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        logits, spikes = model.run(x)
    found = reference.run(graph.read(exported(tmp_path, library, model)), x.numpy(), library.dt)
    for name, fired in spikes.items():
        assert 0.02 < fired.mean() < 0.8
        assert (fired.bool().numpy() == found[name]).mean() > 0.9999  # single precision beside double
    assert np.abs(logits.numpy() - found["output"]).mean() < 1e-3 * logits.std()


@pytest.mark.filterwarnings("ignore")
def test_it_reaches_the_integers_with_its_spikes(tmp_path, library):
    path, rng = exported(tmp_path, library, lively(library)), np.random.default_rng(3)
    np.save(tmp_path / "x.npy", np.clip(rng.normal(0, 32, (16, 40, FEATURES)).round(), -127, 127).astype(np.int8))
    done = import_nir.run_import(path, samples=tmp_path / "x.npy", feature_step=1 / 32, dt=library.dt, weight_bits=8)
    for layer in done.report["layers"]:
        assert layer["agreement"]["rate_agreement"] > 0.85
    assert done.report["spike_agreement"] > 0.85
    recurrent = [layer["recurrent"] for layer in done.report["layers"]]
    assert recurrent == {"snntorch": [True, True], "norse": [False, False], "spikingjelly": [True, False]}[library.name]


def test_without_the_library_one_line_says_what_to_install(tmp_path, monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'snntorch'", name="snntorch")
    monkeypatch.setattr(libraries, "features", lambda data: (torch.zeros(30, 4, 6, dtype=torch.int8), torch.zeros(
        30, dtype=torch.long), ("a", "b"), np.array(["train"] * 28 + ["dev"] * 2)))
    monkeypatch.setattr(libraries, "LIBRARIES", (libraries.Library("snntorch", missing, 1e-4, "its own"),))
    args = type("Args", (), {"data": "", "out": tmp_path, "only": None, "epochs": 1})
    with pytest.raises(ValueError, match="^snntorch is missing: pip install --no-deps snntorch norse"):
        libraries.run(args)
