"""The recogniser with delays: what is trained is the golden model to the bit, and a fold goes on."""

import numpy as np
import pytest
import torch

from hw import config as hw_config
from sw import golden
from sw.integers import export
from sw.models.gated import Gated
from sw.phones import stages


def network(bits=4):
    torch.manual_seed(2)
    config = hw_config.load("phone-delays")
    model = stages.build(stages.STAGES["delays"], config, None, None)
    with torch.no_grad():
        for matrix in (model.input, model.forward1):
            matrix.mul_(2)
    if bits:
        model.calibrate(bits)
    return model.eval(), config


def test_quantised_network_is_its_golden_model_to_the_bit():
    model, config = network()
    integers = export.integer_model(model, config, name="test", recipe={}, tables={})
    x = torch.randint(-128, 128, (2, 60, 40))
    trace = golden.run(integers, x)
    with torch.no_grad():
        merged, spikes = model.encode(x.transpose(0, 1).float())
        logits = model.readout(merged).transpose(0, 1) / model.steps_of[-1]
    assert torch.equal(torch.stack(spikes).permute(3, 1, 0, 2, 4).bool(), trace.spikes)
    assert all(0.01 < s.mean() < 0.9 for s in spikes) and torch.equal(logits, trace.logits.float())


def test_its_size_fits_the_aim():
    model, config = network()
    assert model.size_bytes() == (40 * 128 + 4 * 128 * 128) * 4 // 8 == 35_328
    assert config.delays() == {"forward1": (0, 5), "fc": (1, 5)}
    assert sorted(set(model.delay_readout.tolist())) == list(range(6))


@pytest.mark.parametrize("stage", ["adapt", "adapt4"])
def test_a_fold_goes_on_with_the_network_that_heard_aligned_speech(stage):
    before, config = network(bits=0)
    x = torch.randint(-60, 60, (40, 2, 40)).float()
    heard = before.encode(x)[0]
    model = stages.build(stages.STAGES[stage], config, before, None)
    assert int(model.bits) == (4 if stage == "adapt4" else 0)
    same = np.mean((model.encode(x)[0] == heard).numpy())
    assert same == 1 if stage == "adapt" else 0.7 < same < 1


def test_a_gated_network_goes_on_as_it_is():
    before = Gated(outputs=128)
    assert stages.build(stages.STAGES["gru-adapt"], hw_config.load("phone-delays"), before, None) is before
