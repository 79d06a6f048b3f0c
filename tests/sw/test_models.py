"""The spiking layer's kernel against its reference, the network against the golden model, pruning and quantisation."""


import pytest
import torch

from hw import config as hw_config
from sw import golden
from sw.integers import export
from sw.integers.integer_model import IntegerModel
from sw.integers.quantize import best_step, quantise
from sw.models.gated import Gated
from sw.models.lif import SURROGATES, lif, reference
from sw.models.rsnn import Rsnn
from sw.phones import stages
from sw.training import prune


def test_neuron_by_hand():
    # threshold 1, beta 0.5: 0.8 stays, 0.8 / 2 + 0.6 = 1.0 fires at equality and resets, then 0.5 stays
    feed = torch.tensor([0.8, 0.6, 0.5]).view(3, 1, 1, 1)
    spikes, potentials = lif(feed, torch.zeros(1, 1), torch.tensor(1.0), steps=1, shift=1)
    assert spikes.flatten().tolist() == [0, 1, 0]
    assert potentials.flatten().tolist() == pytest.approx([0.8, 1.0, 0.5])
    # a threshold taken off instead: 1.4 fires and leaves 0.4, half of which carries 0.9 over the threshold
    feed = torch.tensor([1.4, 0.9, 0.0]).view(3, 1, 1, 1)
    spikes, potentials = lif(feed, torch.zeros(1, 1), torch.tensor(1.0), steps=1, shift=1, reset="subtract")
    assert spikes.flatten().tolist() == [1, 1, 0]
    assert potentials.flatten().tolist() == pytest.approx([1.4, 1.1, 0.05])


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("steps, shared, integer, reset", [(2, 1, False, "zero"), (2, 2, True, "zero"),
                                                           (1, 1, True, "zero"), (2, 1, False, "subtract")])
def test_kernel_equals_reference(surrogate, steps, shared, integer, reset):
    torch.manual_seed(0)
    scale = 8.0 if integer else 1.0
    inputs = [torch.randn(12, shared, 3, 16) * 0.7 * scale, torch.randn(16, 16) * 0.3 * scale,
              torch.tensor(170.0 if integer else 1.0)]
    if integer:
        inputs[:2] = [i.round() for i in inputs[:2]]
    options = dict(steps=steps, shift=2, gain=16.0 if integer else 1.0, integer=integer, surrogate=surrogate,
                   damping=0.4, reset=reset)
    weights = torch.randn(12, steps, 3, 16)
    results = []
    for run in (lif, reference):
        leaves = [i.clone().requires_grad_() for i in inputs]
        spikes, potentials = run(*leaves, **options)
        (spikes * weights).sum().backward()
        results.append([spikes.detach(), potentials, *(leaf.grad for leaf in leaves)])
    assert 0 < results[0][0].mean() < 1
    for mine, wanted in zip(*results, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps, reset", [(1, "zero"), (2, "zero"), (2, "subtract")])
def test_quantised_network_is_the_golden_model_to_the_bit(steps, reset):
    torch.manual_seed(1)
    config = hw_config.load("tiny").with_layers(reset=reset)
    network = Rsnn(features=config.features, neurons=config.neurons, outputs=config.outputs, time_steps=steps,
                   reset=reset).eval()
    with torch.no_grad():
        for matrix in (network.input, network.forward1):
            matrix.mul_(3)
    network.calibrate(4)
    x = torch.randint(-128, 128, (2, 40, config.features))
    integers = {name: w.round().to(torch.int32) for name, w in network.integers().items()}
    model = IntegerModel(config, integers, thresholds=network.thresholds().to(torch.int32), time_steps=steps)
    export.check_bounds(model)
    trace = golden.run(model, x)
    with torch.no_grad():
        merged, spikes = network.encode(x.transpose(0, 1).float())
        logits = network.readout(merged).transpose(0, 1) / network.steps_of[2]
    assert (torch.stack(spikes).permute(3, 1, 0, 2, 4).bool() == trace.spikes).all()
    assert (logits == trace.logits).all() and trace.spikes.any()


def test_quantise_by_hand():
    weight = torch.tensor([-9.0, -8.4, -0.5, 0.49, 1.5, 7.6], requires_grad=True)
    integers = quantise(weight, 1.0, 4)
    assert integers.tolist() == [-8, -8, 0, 0, 2, 7]
    integers.sum().backward()
    assert weight.grad.tolist() == [0, 0, 1, 1, 1, 0]  # outside the range a step changes nothing
    assert best_step([torch.arange(-8.0, 8.0) * 0.25], 4) == pytest.approx(0.25, rel=0.1)


def test_pruning():
    torch.manual_seed(0)
    network = Rsnn(features=10, neurons=16, outputs=80)
    small = prune.keep_neurons(network, [torch.arange(16.0), -torch.arange(16.0)], 4)
    assert small.neurons == 4
    torch.testing.assert_close(small.recurrent0, network.recurrent0[12:, 12:])
    torch.testing.assert_close(small.forward1, network.forward1[12:, :4])
    prune.prune_fc(network, 0.4)
    kept = network.fc_mask.bool()
    assert int((~kept).sum()) == round(0.4 * 16 * 80)
    assert network.fc[~kept].abs().max() <= network.fc[kept].abs().min()
    for share in (-0.1, 1.0):
        with pytest.raises(ValueError, match=str(share)):
            prune.prune_fc(network, share)


def test_balanced_pruning_keeps_the_largest_two_of_four_and_its_index_is_cheap():
    network = Rsnn(features=2, neurons=2, outputs=8)
    with torch.no_grad():
        network.fc.copy_(torch.tensor([[4.0, -3, 2, 1, 0, 1, -9, 5], [1, 1.5, -2, 0, 7, 6, 5, 4]]))
    prune.balance_fc(network)
    assert network.fc_mask.tolist() == [[1, 1, 0, 0, 0, 0, 1, 1], [0, 1, 1, 0, 1, 1, 0, 0]]
    assert prune.index_bits(network.fc_mask) == 4 * 3  # four groups, six combinations
    assert prune.index_bits(torch.ones(2, 8)) == 0
    prune.prune_fc(network, 0.5 + 1 / 16)
    assert prune.index_bits(network.fc_mask) == 16  # unequal groups: a bit each
    network.calibrate(4)
    assert stages.size_of(network) == (4 * (7 + 4 + 3 * 4) + 16 + 7) // 8
    with pytest.raises(ValueError, match="5"):
        prune.balance_fc(network, keep=5)


def test_gated_networks_have_as_many_parameters():
    wanted = sum(p.numel() for p in Rsnn().parameters())
    for kind in ("gru", "lstm"):
        assert sum(p.numel() for p in Gated(kind=kind).parameters()) == pytest.approx(wanted, rel=0.03)


def test_silent_and_saturated_layers_are_called_out():
    assert export.check_rates([0.3, 0.2]) == []
    silent, saturated = export.check_rates([0.001, 0.95])
    assert "layer 0 is silent" in silent and "layer 1 is saturated" in saturated
    assert "before quantisation" in export.check_rates([0.1, 0.2], [0.3, 0.2])[0]


def test_overflow_names_the_worst_neuron():
    config = hw_config.load("tiny")
    zero = {name: torch.zeros(shape, dtype=torch.int32) for name, shape in (
        ("input", (10, 16)), ("recurrent0", (16, 16)), ("forward1", (16, 16)), ("recurrent1", (16, 16)),
        ("fc", (16, 80)))}
    zero["fc"][:, 7] = -8
    model = IntegerModel(config, zero, thresholds=torch.tensor([10, 10]))
    assert export.bounds(model)["fc"] == (10, 7, 256)  # 16 inputs x 2 time steps x 8, either sign


def test_other_outputs_keep_the_spiking_layers():
    torch.manual_seed(0)
    network = Rsnn(features=10, neurons=16, outputs=80)
    other = prune.other_outputs(network, 24)
    assert other.outputs == 24 and other.fc.shape == (16, 24) and other.sizes["neurons"] == 16
    for name in ("input", "recurrent0", "forward1", "recurrent1"):
        assert torch.equal(getattr(other, name), getattr(network, name))
