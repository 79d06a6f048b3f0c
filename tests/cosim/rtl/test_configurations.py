"""Configurations nobody ships: random sizes, widths, codes and mechanisms build, and equal the golden model."""

import dataclasses
import random

import numpy as np
import pytest
import torch

from cosim.rtl import side_by_side
from hw import config as configs
from hw.interface import MODES
from sw.integers.integer_model import IntegerModel


def drawn(seed):
    """A random configuration with accumulators no wider than it needs."""
    rng = random.Random(seed)
    neurons = rng.choice((8, 12, 16, 20, 24, 40))
    bits = rng.choice((2, 3, 4, 4, 8)) if neurons > 16 else 4
    row = neurons * bits
    beat = rng.choice([d for d in range(1, neurons + 1) if neurons % d == 0])
    features = rng.randint(2, 20)
    mechanisms = {field.name: rng.random() < 0.7 for field in dataclasses.fields(configs.Mechanisms)}
    wide = configs.from_dict({
        "name": f"drawn{seed}", "features": features, "input_rows": features + rng.randint(0, 4), "neurons": neurons,
        "outputs": beat * rng.randint(1, 5 * neurons // beat), "weight_bits": bits, "logits_per_beat": beat,
        "input_code": rng.choice(configs.INPUT_CODES), "reset": rng.choice(configs.RESETS),
        "load_bits": rng.choice([d for d in range(32, row + 1) if row % d == 0]), "input_shift": rng.randint(0, 6),
        "leak_shift": [rng.randint(1, 4), rng.randint(1, 4)], "potential_fraction": rng.randint(0, 6),
        "accumulator_bits": 24, "potential_bits": 32, "mechanisms": mechanisms})
    narrow = wide.accumulator_bits_needed
    return dataclasses.replace(wide, accumulator_bits=narrow, potential_bits=narrow + rng.randint(1, 6))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_rtl_equals_golden(seed):
    config = drawn(seed)
    generator = torch.Generator().manual_seed(seed)

    def weights(*shape):
        return torch.randint(-config.weight_limit, config.weight_limit, shape, generator=generator, dtype=torch.int32)

    n, top = config.neurons, (1 << config.potential_bits - 1) - 1
    threshold = min(top, 5 * config.weight_limit << config.potential_fraction)
    model = IntegerModel(config, [weights(config.features, n), weights(n, n), weights(n, n), weights(n, n),
                                  weights(n, config.outputs)], torch.tensor([threshold, max(1, threshold // 2)]))
    source = np.random.default_rng(seed)
    inputs = [source.integers(-128, 128, (9, config.features)).astype(np.int8),
              source.integers(-20, 20, (14, config.features)).astype(np.int8)]
    for name in MODES:
        for isolated in (False, True):
            outcome = side_by_side.check(model, name, inputs, isolated=isolated, quiet=True)
            assert (name, outcome.differences, outcome.first) == (name, 0, "")
