"""From a NIR graph to integers and back: exact where it can be, near where it cannot, whole or not at all on disk."""

import argparse
import json

import nir
import nir_graphs
import numpy as np
import pytest
import torch
from nir_graphs import DT, chain_of, matrix, neurons, written

from hw import config as hw_config
from sw import golden
from sw.integers import integer_model
from sw.networks import export_nir, graph, import_nir, reference, rounding
from sw.networks.graph import GraphError


def clips(tmp_path, features, count=24, frames=50, seed=3):
    """Calibration of int8 features that change slowly, as a file."""
    rng = np.random.default_rng(seed)
    x = np.zeros((count, frames, features))
    for t in range(frames):
        x[:, t] = 0.7 * x[:, t - 1] + rng.normal(0, 28, (count, features))
    np.save(tmp_path / "x.npy", np.clip(x.round(), -127, 127).astype(np.int8))
    return tmp_path / "x.npy"


def imported(tmp_path, built, features=6, **options):
    return import_nir.run_import(written(tmp_path, built), samples=clips(tmp_path, features), feature_step=1 / 32,
                                 **options)


def same(a, b):
    """Whether two models have the same integers in all that they load."""
    assert a.matrices.keys() == b.matrices.keys() and a.neurons.keys() == b.neurons.keys()
    return all(torch.equal(a.matrices[n], b.matrices[n]) for n in a.matrices) and \
        all(torch.equal(a.neurons[n], b.neurons[n]) for n in a.neurons) and torch.equal(a.thresholds, b.thresholds)


def test_a_recurrent_network_keeps_its_spikes(tmp_path):
    done = imported(tmp_path, nir_graphs.recurrent(), weight_bits=8)
    layer, = done.report["layers"]
    assert layer["agreement"]["rate_reference"] > 0.05
    assert layer["agreement"]["bits_equal"] > 0.97 and layer["agreement"]["rate_agreement"] > 0.95
    assert layer["leak"]["most"] < 1e-6 and done.model.config.layers[0].leak_shift == 3


def test_four_bits_lose_more_than_eight(tmp_path):
    bits = {b: imported(tmp_path, nir_graphs.deep(), weight_bits=b).report for b in (4, 8)}
    assert bits[4]["spike_agreement"] > 0.9
    for low, high in zip(bits[4]["layers"], bits[8]["layers"], strict=True):
        assert low["weights"] > 4 * high["weights"]


def test_layers_of_all_kinds_reach_the_configuration(tmp_path):
    config = imported(tmp_path, nir_graphs.deep()).model.config
    assert [(x.neurons, x.recurrent) for x in config.layers] == [(12, True), (20, False), (8, True)]
    assert config.layers[0].leak_shift == "neuron" and config.layers[1].leak_shift == 0  # IF does not leak
    assert config.layers[2].threshold == "neuron" and config.layers[0].bias
    assert config.outputs == 5 and config.lanes == 32


def whole_numbers(delay=0):
    """A graph whose numbers are the machine's: integer weights, thresholds half a unit below, no leak, no rounding."""
    rng = np.random.default_rng(5)
    node = nir.IF(np.full(8, 1 / DT), np.arange(8) * 3.0 + 40 - 0.5 / 16)
    own, late = nir.Linear(rng.integers(-3, 4, (8, 8)).astype(float)), nir.Delay(np.arange(8) % 3 * delay * DT)
    return chain_of(nir.Affine(rng.integers(-7, 8, (8, 6)).astype(float), np.arange(8) / 4), node,
                    nir.Linear(rng.integers(-7, 8, (3, 8)).astype(float)), named=[("late", late), ("own", own)],
                    extra=[("n1", "late"), ("late", "own"), ("own", "n1")])


@pytest.mark.parametrize("delay", [0, 1, 7])
def test_whole_numbers_are_taken_as_they_are_and_every_spike_agrees(tmp_path, delay):
    done = import_nir.run_import(written(tmp_path, whole_numbers(delay)), samples=clips(tmp_path, 6), input_shift=0)
    assert done.report["layers"][0]["exact"] and done.report["first_divergence"] is None
    assert done.report["spike_agreement"] == 1.0 and done.report["layers"][0]["agreement"]["rate"] > 0.05
    assert done.report["readout"]["agreement"]["same_largest_of_frames"] == 1.0
    assert done.model.config.layers[0].delays.recurrent == 2 * delay


def test_dyadic_steps_are_found():
    weights = np.array([[0.5, 3, 0.125], [-0.25, -4, 0.3]])
    assert rounding.exact_steps(weights, 4).tolist() == [0.25, 1.0, 0.0]


MODELS = {"paper": "sw/weights/rsnn-paper-t1", "two time steps": "sw/weights/rsnn-keywords"}


@pytest.mark.parametrize("folder", MODELS.values(), ids=MODELS)
def test_a_trained_model_comes_back_as_it_was(tmp_path, folder):
    model = integer_model.load(folder)
    nir.write(tmp_path / "out.nir", export_nir.graph_of(model))
    back = import_nir.run_import(tmp_path / "out.nir").model
    assert same(model, back) and back.config == model.config and back.time_steps == model.time_steps


def test_an_imported_model_comes_back_from_the_graph_alone(tmp_path):
    model = imported(tmp_path, nir_graphs.deep()).model
    built = export_nir.graph_of(model)
    built.metadata = {}
    nir.write(tmp_path / "out.nir", built)
    back = import_nir.run_import(tmp_path / "out.nir").model
    assert same(model, back)
    x = np.load(clips(tmp_path, 6))
    assert torch.equal(golden.run(model, x).spikes, golden.run(back, x).spikes)


def test_an_exported_graph_means_the_same_to_the_reference(tmp_path):
    """No leak and an input shift of 0: nothing is rounded in the machine, so floats give the same spikes."""
    done = import_nir.run_import(written(tmp_path, whole_numbers(2)), samples=clips(tmp_path, 6), input_shift=0)
    nir.write(tmp_path / "out.nir", export_nir.graph_of(done.model))
    x = np.load(clips(tmp_path, 6, seed=8))
    wanted = reference.run(graph.read(tmp_path / "out.nir"), x, DT)["lif0"]
    assert wanted.any() and (golden.run(done.model, x).spikes[:, :, 0, 0, :8].numpy() == wanted).all()


def test_a_small_layer_is_filled_up_and_read_as_it_is(tmp_path):
    built = chain_of(matrix(8, 6, scale=2), neurons(8), matrix(2, 8, 1, scale=2), neurons(2))
    done = imported(tmp_path, built)
    assert done.model.config.layers[1].neurons == 4 and done.report["readout"]["outputs"] == 2
    x = np.load(clips(tmp_path, 6))
    trace = golden.run(done.model, x)
    assert not trace.spikes[:, :, 1, :, 2:4].any()
    assert torch.equal(trace.logits[..., :2], trace.spikes[:, :, 1, 0, :2].int())


def test_a_synaptic_current_becomes_a_state(tmp_path):
    node = nir.CubaLIF(tau_syn=np.full(12, 4 * DT), tau_mem=np.full(12, 8 * DT), r=np.full(12, 8.0),
                       v_leak=np.zeros(12), v_threshold=np.ones(12), w_in=np.full(12, 4.0))
    built = chain_of(matrix(12, 6), node, matrix(4, 12, 1),
                     named=[("own", matrix(12, 12, 2, bias=False, scale=0.2))], extra=[("n1", "own"), ("own", "n1")])
    done = imported(tmp_path, built, weight_bits=8)
    assert done.model.config.layers[0].synapse_shift == 2
    agreed = done.report["layers"][0]["agreement"]
    assert agreed["rate_reference"] > 0.05 and agreed["bits_equal"] > 0.95
    nir.write(tmp_path / "back.nir", export_nir.graph_of(done.model))
    assert same(done.model, import_nir.run_import(tmp_path / "back.nir").model)


def test_floats_are_scaled_with_a_stated_step(tmp_path):
    x = np.random.default_rng(0).normal(0, 1, (12, 40, 6)).astype(np.float32)
    np.save(tmp_path / "f.npy", x)
    done = import_nir.run_import(written(tmp_path, nir_graphs.recurrent()), samples=tmp_path / "f.npy")
    step = done.report["feature_step"]
    assert 127 * step == pytest.approx(np.quantile(np.abs(x), 0.999))
    assert done.report["calibration"]["values_clipped"] > 0


def listed(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def command(*words):
    parser = argparse.ArgumentParser()
    import_nir.add_arguments(parser)
    return import_nir.run(parser.parse_args([*map(str, words), "--quiet"]))


def test_the_command_writes_a_model_and_says_what_it_rounded(tmp_path, capsys):
    path, x = written(tmp_path, nir_graphs.recurrent()), clips(tmp_path, 6)
    assert command(path, "--features", 6, "--calibration", x, "--feature-step", 0.03125, "--out", tmp_path / "net") == 0
    said = capsys.readouterr().out
    for words in ("bits equal", "first divergence", "sottovoce verilog --config", "sottovoce conformance --model"):
        assert words in said
    assert listed(tmp_path / "net") == ["config.yaml", "manifest.json", "report.json", "weights.safetensors"]
    model = integer_model.load(tmp_path / "net")
    assert hw_config.load(tmp_path / "net" / "config.yaml") == model.config
    report = json.loads((tmp_path / "net" / "report.json").read_text())
    assert report["sha256"] == model.sha256 and report["layers"][0]["agreement"]["bits_equal"] > 0.9
    command(path, "--calibration", x, "--out", tmp_path / "net")  # again, over its own
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_nothing_is_written_on_refusal(tmp_path):
    built = nir_graphs.recurrent()
    built.nodes["n0"] = matrix(12, 7)
    path = written(tmp_path, built)
    before = listed(tmp_path)
    with pytest.raises(GraphError, match="'n0': takes 7 values, but 'input' gives 6"):
        command(path, "--out", tmp_path / "net")
    assert listed(tmp_path) == before


def test_a_kill_while_writing_leaves_what_was_there(tmp_path, monkeypatch):
    path, x = written(tmp_path, nir_graphs.recurrent()), clips(tmp_path, 6)
    command(path, "--calibration", x, "--out", tmp_path / "net")
    before = {name: (tmp_path / "net" / name).read_bytes() for name in listed(tmp_path / "net")}

    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(import_nir.store, "write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command(path, "--calibration", x, "--out", tmp_path / "net", "--weight-bits", 8)
    assert {name: (tmp_path / "net" / name).read_bytes() for name in listed(tmp_path / "net")} == before


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years")
    with pytest.raises(GraphError, match="is there and is no imported network"):
        command(written(tmp_path, nir_graphs.recurrent()), "--out", tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years"


@pytest.mark.parametrize("options, message", [
    (["--features", 7], "takes 6 features, but --features says 7"),
    (["--dt", 0], "--dt 0: wanted a number above 0"),
    (["--weight-bits", 9], "weight_bits=9"),
    (["--lanes", 6], "lanes=6"),
    (["--calibration", "nowhere.npy"], "calibration nowhere.npy not found"),
    (["--config", "nowhere"], "configuration 'nowhere' not found"),
])
def test_options_are_checked(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        command(written(tmp_path, nir_graphs.recurrent()), *options, "--out", tmp_path / "net")
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize("values, message", [
    (np.zeros((4, 10, 5)), r"shape \(4, 10, 5\), wanted \(clips, frames, 6\)"),
    (np.full((4, 10, 6), 200), "whole numbers 200..200; features are int8"),
    (np.full((4, 10, 6), np.nan), "240 values are not finite"),
    (np.array([["a"]]), "wanted one array of numbers"),
    (np.array([{}], object), "not a readable .npy"),
])
def test_calibration_is_checked(tmp_path, values, message):
    np.save(tmp_path / "bad.npy", values, allow_pickle=True)
    with pytest.raises(GraphError, match=message):
        import_nir.run_import(written(tmp_path, nir_graphs.recurrent()), samples=tmp_path / "bad.npy")
