"""An imported network on the RTL: three layers of different widths and kinds, with tables of their neurons' own."""

from types import SimpleNamespace

import nir
import numpy as np
import pytest

from cosim import models, networks
from cosim.rtl import side_by_side
from sw.networks import import_nir, refusals

FEATURES = 6


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Recurrent LIF neurons, IF neurons, recurrent LIF neurons with delays, from a graph."""
    folder, rng = tmp_path_factory.mktemp("imported"), np.random.default_rng(4)

    def neurons(count):
        rate = rng.uniform(0.05, 0.4, count)
        return nir.LIF(tau=refusals.DT / rate, r=1 / rate, v_leak=np.zeros(count), v_reset=np.zeros(count),
                       v_threshold=rng.uniform(0.8, 1.2, count))

    def matrix(outputs, inputs):
        return nir.Affine(rng.normal(0, 2.2 / inputs ** 0.5, (outputs, inputs)), rng.normal(0, 0.05, outputs))
    nodes = {"input": nir.Input(np.array([FEATURES])), "a": matrix(12, FEATURES), "lif": neurons(12),
             "own": matrix(12, 12), "b": matrix(20, 12),
             "if": nir.IF(np.full(20, 1 / refusals.DT), np.full(20, 1.5)), "c": matrix(9, 20),
             "late": nir.Delay(np.arange(9) % 4 * refusals.DT), "last": neurons(9), "back": matrix(9, 9),
             "read": matrix(5, 9), "output": nir.Output(np.array([5]))}
    way = ["input", "a", "lif", "b", "if", "c", "last", "read", "output"]
    edges = [*zip(way, way[1:], strict=False), ("lif", "own"), ("own", "lif"), ("last", "late"), ("late", "back"),
             ("back", "last")]
    nir.write(folder / "three.nir", nir.NIRGraph(nodes, edges, type_check=False))
    np.save(folder / "x.npy", np.clip(rng.normal(0, 40, (16, 40, FEATURES)), -127, 127).round().astype(np.int8))
    done = import_nir.run_import(folder / "three.nir", samples=folder / "x.npy", feature_step=1 / 32)
    import_nir.write(done, folder / "net")
    return folder


def asked(**given):
    return SimpleNamespace(**{"model": None, "features": None, "clips": 3, "seed": 0, "only": None} | given)


def test_it_is_compared_on_features_of_its_own(imported):
    (model, source, utterances), = networks.work_of(asked(model=imported / "net", features=imported / "x.npy"))
    assert source == "three.nir" and model.manifest["spike_agreement"] > 0.8
    assert [x.shape for x in utterances] == [(40, FEATURES)] * 3
    assert (utterances[1] == np.load(imported / "x.npy")[1]).all()


def test_without_features_random_ones_serve(imported):
    (model, _, utterances), = networks.work_of(asked(model=imported / "net"))
    assert all(x.shape[1] == model.config.features for x in utterances)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_rtl_is_the_golden_model(imported):
    model = models.load(imported / "net")
    config = model.config
    assert [layer.neurons for layer in config.layers] == [12, 20, 9] and config.layers[2].delays.recurrent == 3
    for mode in ("t1", "t2_union"):
        outcome = side_by_side.check(model, mode, list(np.load(imported / "x.npy")[:4]), quiet=True)
        assert outcome.compared > 10000 and outcome.differences == 0, outcome.first
