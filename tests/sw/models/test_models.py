"""The spiking layer's kernel against its reference, the network against the golden model, pruning and quantisation."""


import pytest
import torch

from hw import config as hw_config
from sw import golden
from sw.integers import export
from sw.integers.integer_model import IntegerModel
from sw.integers.quantize import best_step, quantise
from sw.models import prune
from sw.models.gated import Gated
from sw.models.lif import SURROGATES, delayed, lif, reference
from sw.models.rsnn import Rsnn, index_bits


def test_neuron_by_hand():
    # threshold 1, beta 0.5: 0.8 stays, 0.8 / 2 + 0.6 = 1.0 fires at equality and resets, then 0.5 stays
    feed = torch.tensor([0.8, 0.6, 0.5]).view(3, 1, 1, 1)
    spikes, potentials = lif(feed, torch.zeros(1, 1), torch.tensor(1.0), steps=1, leak=0.5)
    assert spikes.flatten().tolist() == [0, 1, 0]
    assert potentials.flatten().tolist() == pytest.approx([0.8, 1.0, 0.5])
    # a threshold taken off instead: 1.4 fires and leaves 0.4, half of which carries 0.9 over the threshold
    feed = torch.tensor([1.4, 0.9, 0.0]).view(3, 1, 1, 1)
    spikes, potentials = lif(feed, torch.zeros(1, 1), torch.tensor(1.0), steps=1, leak=0.5, reset="subtract")
    assert spikes.flatten().tolist() == [1, 1, 0]
    assert potentials.flatten().tolist() == pytest.approx([1.4, 1.1, 0.05])


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("steps, shared, integer, reset, connected, late", [
    (2, 1, False, "zero", True, 0), (2, 2, True, "zero", True, 0), (1, 1, True, "zero", True, 3),
    (2, 1, False, "subtract", True, 2), (1, 1, False, "zero", False, 0), (2, 2, True, "subtract", True, 15)])
def test_kernel_equals_reference(surrogate, steps, shared, integer, reset, connected, late):
    torch.manual_seed(0)
    scale, n = (8.0 if integer else 1.0), 16
    shift = torch.arange(n) % 5  # 0: no leak
    inputs = [torch.randn(12, shared, 3, n) * 0.7 * scale, torch.randn(n, n) * 0.3 * scale,
              (torch.rand(n) + 0.5) * (170 if integer else 1), torch.where(shift > 0, 2.0 ** -shift, 0.0)]
    if integer:
        inputs[:3] = [i.round() for i in inputs[:3]]
    options = dict(steps=steps, gain=16.0 if integer else 1.0, integer=integer, surrogate=surrogate, damping=0.4,
                   reset=reset, delays=torch.randint(0, late + 1, (n,)) if late else None)
    weights = torch.randn(12, steps, 3, n)
    results = []
    for run in (lif, reference):
        leaves = [i.clone().requires_grad_() for i in inputs]
        feed, weight, threshold, leak = leaves
        spikes, potentials = run(feed, weight if connected else None, threshold, leak=leak, **options)
        (spikes * weights).sum().backward()
        results.append([spikes.detach(), potentials, *(leaf.grad for leaf in leaves if leaf.grad is not None)])
    assert 0 < results[0][0].mean() < 1
    for mine, wanted in zip(*results, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-4)


def test_a_delayed_spike_comes_so_many_frames_later_and_its_gradient_goes_back():
    x = torch.zeros(4, 1, 1, 3)
    x[1] = torch.tensor([1.0, 2.0, 3.0])
    x.requires_grad_()
    late = delayed(x, torch.tensor([0, 2, 3]))
    assert late[:, 0, 0].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 2, 0]]  # the last one's is yet to come
    late.cumsum(0).sum().backward()
    assert x.grad[:, 0, 0].tolist() == [[4, 2, 1], [3, 1, 0], [2, 0, 0], [1, 0, 0]]


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


def by_the_book(network, x):
    """Spikes of every layer, int (F, K, N) each, of int features x (F, features), neuron by neuron in integers."""
    w = {name: matrix.detach().long() for name, matrix in network.integers().items()}
    steps, layers = network.time_steps, range(len(network.widths))
    potentials = [torch.zeros(n, dtype=torch.int64) for n in network.widths]
    fired = [torch.zeros(len(x), steps, n, dtype=torch.int64) for n in network.widths]

    def heard(layer, connection, t, k):
        late = getattr(network, f"delay_{connection}", torch.zeros(network.widths[layer], dtype=torch.int64))
        return torch.tensor([fired[layer][t - d, k, n] if t >= d else 0 for n, d in enumerate(late.tolist())])

    for t in range(len(x)):
        for i in layers:
            for k in range(steps):
                if i:
                    current = heard(i - 1, f"forward{i}", t, k) @ w[f"forward{i}"]
                else:
                    current = (x[t] @ w["input"] + 8) >> 4
                if f"recurrent{i}" in w and t:
                    current = current + heard(i, f"recurrent{i}", t - 1, k) @ w[f"recurrent{i}"]
                shift, u = getattr(network, f"shift{i}"), potentials[i]
                leak = torch.where(shift > 0, u >> shift, 0)
                bias = network.integer_bias(i).detach().long() if network.bias else 0
                v = (u - leak + (current << 4) + bias).clamp(-2 ** 15, 2 ** 15 - 1)
                fired[i][t, k] = (v >= network.threshold(i).detach().long()).long()
                potentials[i] = torch.where(fired[i][t, k] > 0, 0, v)
    return fired


@pytest.mark.parametrize("sizes", [
    dict(neurons=(12, 20, 7), recurrent=(True, False, True), delays={"forward1": 15, "recurrent2": 3, "readout": 4}),
    dict(neurons=(9,), recurrent=(False,), leak_shift=([0, 6],), time_steps=2),
    dict(neurons=16, delays={"forward1": 7, "recurrent0": 2}, leak_shift=([0, 5], 2), time_steps=2)])
def test_network_of_any_layers_is_its_equations_to_the_bit(sizes):
    torch.manual_seed(3)
    network = Rsnn(**{"features": 10, "outputs": 6, "time_steps": 1, "bias": True, "steps": "neuron", **sizes}).eval()
    with torch.no_grad():
        for name in network.hidden_matrices:
            getattr(network, name).mul_(5)
        for i in range(len(network.widths)):
            getattr(network, f"bias{i}").uniform_(-0.2, 0.3)
    network.calibrate(4)
    x = torch.randint(-128, 128, (30, 10))
    wanted = by_the_book(network, x)
    merged, spikes = network.encode(x.unsqueeze(1).float())
    for mine, book in zip(spikes, wanted, strict=True):
        assert 0.02 < book.float().mean() < 0.8
        assert torch.equal(mine[:, :, 0].long(), book)
    late = network.delay_readout.tolist() if "readout" in network.delays else [0] * network.widths[-1]
    for n, d in enumerate(late):
        assert torch.equal(merged[d:, 0, n].long(), wanted[-1].sum(1)[:30 - d, n])


def test_a_learnt_step_is_a_threshold_and_every_parameter_learns():
    torch.manual_seed(4)
    network = Rsnn(features=10, neurons=(12, 8), outputs=6, time_steps=1, bias=True, steps="neuron", norm=0.8)
    x = torch.randint(-128, 128, (20, 16, 10)).float()
    network.readout(network.encode(x)[0]).square().sum().backward()
    assert network.norm0.weight.grad.any() and network.forward1.grad.any()
    network.eval()
    before = [s.mean().item() for s in network.encode(x)[1]]
    network.calibrate(8)  # so many bits that folding the norms shows, not rounding
    after = [s.mean().item() for s in network.encode(x)[1]]
    assert after == pytest.approx(before, rel=0.1) and min(before) > 0.01
    assert network.thresholds()[1].shape == (8,) and len(set(network.thresholds()[0].tolist())) > 4
    network.zero_grad()
    network.readout(network.encode(x)[0]).square().sum().backward()
    assert all(getattr(network, name).grad.any() for name in ("stretch0", "stretch1", "bias0", "bias1", "input"))


def test_a_network_with_neurons_of_their_own_is_the_golden_model_to_the_bit():
    torch.manual_seed(5)
    layers = [dict(neurons=12, recurrent=False, threshold="neuron", leak_shift="neuron", bias=True,
                   delays=dict(forward=9)),
              dict(neurons=20, threshold="neuron", leak_shift="neuron", bias=True, delays=dict(forward=2, recurrent=4)),
              dict(neurons=9, recurrent=False, threshold="neuron", leak_shift="neuron", bias=True)]
    config = hw_config.from_dict({"version": 2, "name": "own", "features": 10, "lanes": 16, "layers": layers,
                                  "outputs": 16, "readout_delay": 3}, "here")
    sizes = dict(features=10, outputs=16, time_steps=1, neurons=[12, 20, 9], recurrent=[False, True, False],
                 leak_shift=[[0, 5], [1, 4], [2, 2]], bias=True, steps="neuron",
                 delays={"forward1": 9, "recurrent1": 4, "forward2": 2, "readout": 3})
    network = Rsnn(**sizes).eval()
    with torch.no_grad():
        for name in network.hidden_matrices:
            getattr(network, name).mul_(4)
        network.bias1.uniform_(-0.2, 0.3)
    with pytest.raises(export.ExportError, match="float bit weights, own wants 4"):
        export.parts(network, config)
    network.calibrate(4)
    model = IntegerModel(config, **export.parts(network, config))
    export.check_bounds(model)
    x = torch.randint(-128, 128, (2, 40, 10))
    trace = golden.run(model, x)
    with torch.no_grad():
        merged, spikes = network.encode(x.transpose(0, 1).float())
        logits = network.readout(merged).transpose(0, 1) / network.steps_of[-1]
    for k, fired in enumerate(spikes):
        assert torch.equal(fired.permute(2, 0, 1, 3).bool(), trace.spikes[:, :, k, :, :network.widths[k]])
        assert 0.02 < fired.mean() < 0.9
    assert (logits == trace.logits).all()
    for changes, said in ((dict(delays={"forward1": 10}), "delays up to 10 into forward1"),
                          (dict(neurons=[12, 20, 8]), r"neurons=\[12, 20, 8\] was trained"),
                          (dict(input_shift=3), "input_shift=3")):
        other = Rsnn(**{**sizes, **changes})
        other.calibrate(4)
        with pytest.raises(export.ExportError, match=said):
            export.parts(other, config)


def test_a_neuron_whose_norm_has_closed_still_fits_the_hardware():
    torch.manual_seed(6)
    layers = [dict(neurons=12, recurrent=False, threshold="neuron", bias=True) for _ in range(2)]
    config = hw_config.from_dict({"version": 2, "name": "closed", "features": 10, "lanes": 16, "layers": layers,
                                  "outputs": 16}, "here")
    network = Rsnn(features=10, outputs=16, time_steps=1, neurons=[12, 12], recurrent=[False, False], leak_shift=[2, 2],
                   steps="neuron", norm=0.8).eval()
    with torch.no_grad():
        network.norm0.weight[3], network.norm0.bias[3] = 1e-6, 0.77
    network.calibrate(4)
    model = IntegerModel(config, **export.parts(network, config))
    export.check_bounds(model)
    assert not network.integers()["input"][:, 3].any() and 1 <= network.thresholds()[0][3] <= 2 ** 15 / 4
    x = torch.randint(-128, 128, (2, 40, 10))
    with torch.no_grad():
        spikes = network.encode(x.transpose(0, 1).float())[1]
    for k, fired in enumerate(spikes):
        assert torch.equal(fired.permute(2, 0, 1, 3).bool(), golden.run(model, x).spikes[:, :, k, :, :12])
    assert spikes[0][..., 3].mean() > 0.2  # its bias alone makes it fire


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
    assert index_bits(network.fc_mask) == 4 * 3  # four groups, six combinations
    assert index_bits(torch.ones(2, 8)) == 0
    prune.prune_fc(network, 0.5 + 1 / 16)
    assert index_bits(network.fc_mask) == 16  # unequal groups: a bit each
    network.calibrate(4)
    assert network.size_bytes() == (4 * (7 + 4 + 3 * 4) + 16 + 7) // 8
    with pytest.raises(ValueError, match="5"):
        prune.balance_fc(network, keep=5)


def test_gated_networks_have_as_many_parameters():
    wanted = sum(p.numel() for p in Rsnn(outputs=1920).parameters())
    for kind in ("gru", "lstm"):
        assert sum(p.numel() for p in Gated(kind=kind, outputs=1920).parameters()) == pytest.approx(wanted, rel=0.03)


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
