"""Configurations nobody ships: named ones at the corners and random ones build, and equal the golden model."""

import pytest
import torch

from cosim import networks
from cosim.bench import configurations
from cosim.bench.networks import random_model, random_utterances
from cosim.rtl import harness

pytestmark = pytest.mark.timeout(3600)  # builds simulators: long on a busy machine

FAST = ("three-widths", "serial-lif")


@pytest.mark.parametrize("name", [
    *FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in networks.names()
             if name not in (*FAST, *networks.SHIPPED))])
def test_rtl_equals_golden(name):
    config, source = networks.configuration(name)
    model = random_model(config, torch.Generator().manual_seed(1))
    row, first = networks.row(model, source, random_utterances(config, 1), harness.build_quickly(config))
    assert (row["differences"], first) == (0, "")
    assert row["values_compared"] > 0


def test_drawn_configurations_reach_every_corner():
    """What 24 seeds draw has every kind of layer, delays, serial LIF units, state in memory, and every width apart."""
    drawn = [configurations.drawn(seed) for seed in range(networks.DRAWN)]
    layers = [layer for config in drawn for layer in config.layers]
    assert {len(config.layers) for config in drawn} >= {1, 2, 3, 8}
    assert {layer.reset for layer in layers} == {"zero", "subtract"}
    for field in ("recurrent", "persist", "bias", "synapse_shift"):
        assert {bool(getattr(layer, field)) for layer in layers} == {True, False}
    assert {layer.threshold for layer in layers} == {"layer", "neuron"}
    assert {"neuron", 0} < {layer.leak_shift for layer in layers}
    assert {config.lif_in_memory for config in drawn} == {True, False}
    assert {bool(config.readout_delay) for config in drawn} == {True, False}
    assert any(config.lif_lanes < config.lanes for config in drawn)
    assert any(layer.neurons > config.lanes for config in drawn for layer in config.layers)
    assert all(1 <= int(t) for config in drawn for t in random_model(config, torch.Generator()).threshold_of(0))
