"""A model folder that cannot be used is refused in one line that names the file and the value."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save

from hw import config as hw_config
from sw.features import causal
from sw.integers import integer_model
from sw.integers.integer_model import IntegerModel, ModelError
from sw.phones import decode

TINY = hw_config.load("tiny")


def model_of(config=TINY, **tables):
    n = config.neurons
    zero = torch.zeros(n, n, dtype=torch.int32)
    return IntegerModel(config, [torch.zeros(config.features, n, dtype=torch.int32), zero, zero, zero,
                                 torch.zeros(n, config.outputs, dtype=torch.int32)],
                        torch.tensor([300, 100]), tables=tables)


def damaged(folder, change):
    """Save a good model, change its tensors and make the manifest's hash follow, as a careless tool would."""
    model_of().save(folder)
    tensors = load_file(folder / "weights.safetensors")
    data = save(change(tensors) or tensors)
    (folder / "weights.safetensors").write_bytes(data)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "sha256": hashlib.sha256(data).hexdigest()}))
    return folder


def refused(call):
    with pytest.raises(ModelError) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_was_saved_is_loaded(tmp_path):
    model_of(log_prior=torch.zeros(3)).save(tmp_path)
    model = integer_model.load(tmp_path)
    assert model.input.dtype == torch.int32 and model.thresholds.tolist() == [300, 100]
    assert model.table("log_prior").tolist() == [0, 0, 0] and model.sha256 == model_of(log_prior=torch.zeros(3)).sha256


@pytest.mark.parametrize("change, words", [
    (lambda t: t.update(fc=t["fc"].float() + 0.5), "fc: values of torch.float32: wanted integers"),
    (lambda t: t.update(input=t["input"].float() * float("nan")), "input: values of torch.float32"),
    (lambda t: t.update(thresholds=t["thresholds"].double()), "thresholds: values of torch.float64"),
    (lambda t: t.update(thresholds=torch.tensor([300, 100, 50])), r"thresholds: shape (3,), but tiny wants (2,)"),
    (lambda t: t.update({"table.bigram": torch.tensor([0.0, float("nan")])}), "table 'bigram': 1 of 2 values are nan"),
    (lambda t: t.update({"table.stay": torch.tensor([float("inf")])}), "table 'stay': 1 of 1 values are inf"),
    (lambda t: {k: v for k, v in t.items() if k != "fc"}, "not a readable model: KeyError('fc')"),
])
def test_damaged_tensors_are_refused(tmp_path, change, words):
    message = refused(lambda: integer_model.load(damaged(tmp_path, change)))
    assert words in message and message.startswith(str(tmp_path))


def test_a_manifest_that_is_no_mapping_is_refused(tmp_path):
    model_of().save(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    assert "manifest.json: not readable: wanted a mapping, got list" in refused(lambda: integer_model.load(tmp_path))


def test_missing_tables_and_entries_are_named():
    wave = np.ones(1600, np.float32)
    assert refused(lambda: causal.extract(wave, 16000, model_of())) == \
        "table 'feature_mean' is missing: this model has none"
    short = {"feature_mean": torch.zeros(3), "feature_deviation": torch.ones(40)}
    assert "shape (3,): wanted (40,)" in refused(lambda: causal.extract(wave, 16000, model_of(**short)))
    whole = {"feature_mean": torch.zeros(40), "feature_deviation": torch.ones(40)}
    assert "'targets' is missing" in refused(lambda: causal.extract(wave, 16000, model_of(**whole)))
    half = replace(model_of(**whole), manifest={"targets": {}})
    assert "'targets.delay' is missing" in refused(lambda: causal.extract(wave, 16000, half))
    assert "table 'bigram' is missing: this model has feature_deviation, feature_mean" in refused(
        lambda: decode.of(model_of(**whole)))


def test_a_deviation_of_zero_is_refused_before_it_divides():
    tables = {"feature_mean": torch.zeros(40), "feature_deviation": torch.ones(40)}
    tables["feature_deviation"][7] = 0
    with pytest.raises(ValueError, match="feature_deviation of bin 7 is 0: wanted more than 0"):
        causal.normalisation_of(model_of(**tables))
