"""What a keyword model costs: parameters, multiply-accumulates a clip, bytes, latency; and how much of it is zeros.

MACs are half of what PyTorch's `FlopCounterMode` counts: convolutions and matrix products, not norms, biases or
activations. The spiking layers run in a kernel of our own, which it does not see: those are counted here.
"""

import time

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hw.interface import MODES
from sw import golden
from sw.keywords import frontends
from sw.keywords.spotter import GoldenSpotter
from sw.models import keyword_rsnn
from sw.models.bcresnet import BcResNet
from sw.models.ds_cnn import DsCnn
from sw.models.keyword_rsnn import KeywordRsnn
from sw.models.sparknet import SparkNet

FRAMES = frontends.CAUSAL_FRAMES


def parameters(spotter):
    """Trained numbers of a model."""
    if isinstance(spotter.network, GoldenSpotter):
        c = spotter.network.integers.config
        return _weights(c, len(spotter.labels)) + sum(layer.neurons * layer.bias for layer in c.layers)
    if isinstance(spotter.network, KeywordRsnn):
        return sum(synapses(spotter.network)) + sum(spotter.network.core.widths) * bool(spotter.network.core.bias)
    return sum(p.numel() for p in spotter.network.parameters())


def synapses(network):
    """Weights of each matrix of a `KeywordRsnn`, those of unused outputs left out."""
    return [rows * (network.classes if name == "fc" else columns)
            for name, (rows, columns) in network.core.matrices.items()]


def _weights(config, classes):
    """Weights of a configuration, those of unused outputs left out."""
    return sum(rows * (classes if name == "fc" else columns) for name, (rows, columns) in config.matrices().items())


def spiking_macs(config, classes, time_steps, frames=FRAMES):
    """Dense MACs of an RSNN over a clip: every weight once for each time step, the input's once a frame."""
    first = config.features * config.layers[0].neurons
    return frames * (first + time_steps * (_weights(config, classes) - first))


def macs(spotter, x):
    """MACs of one clip, x (1, bins, frames) its features."""
    if isinstance(spotter.network, GoldenSpotter):
        integers = spotter.network.integers
        return spiking_macs(integers.config, len(spotter.labels), integers.time_steps, x.shape[2])
    if isinstance(spotter.network, KeywordRsnn):
        core = spotter.network.core
        return x.shape[2] * sum(n * (1 if name == "input" else core.time_steps)
                                for name, n in zip(core.matrices, synapses(spotter.network), strict=True))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        spotter.network(x.float())
    return counter.get_total_flops() // 2


def macs_published_rule(spotter, x):
    """MACs of one clip by the profiler's rule behind the published figures; None for spiking and gated networks.

    Convolutions and matrix products as `macs` counts them, 4 for each element that a batch norm gives, k + 1 for each
    mean over k (of BC-ResNet, whose authors pool adaptively; SparkNet's mean is no layer and counts nothing).
    """
    network = spotter.network
    if not isinstance(network, (DsCnn, SparkNet, BcResNet)):
        return None
    more = []
    handles = [m.register_forward_hook(lambda module, given, out: more.append(4 * out.numel()))
               for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    if isinstance(network, BcResNet):
        handles += [m.register_forward_hook(lambda module, given, out: more.append(
            (out.shape[2] + 1) * out.shape[1] * out.shape[3])) for m in network.blocks]
        handles.append(network.head.register_forward_hook(
            lambda module, given, out: more.append((out.shape[2] * out.shape[3] + 1) * out.shape[1])))
    try:
        return macs(spotter, x) + sum(more)
    finally:
        for handle in handles:
            handle.remove()


def size(spotter):
    """Bytes of the weights: four a number, or as many bits as the accelerator's, with two a threshold and a bias that a
    neuron has of its own."""
    if isinstance(spotter.network, KeywordRsnn) and int(spotter.network.core.bits):
        core = spotter.network.core
        own = sum(core.widths) * ((core.steps == "neuron") + bool(core.bias))
        return sum(synapses(spotter.network)) * int(core.bits) // 8 + 2 * own
    if isinstance(spotter.network, GoldenSpotter):
        c = spotter.network.integers.config
        own = sum(layer.neurons * ((layer.threshold == "neuron") + layer.bias) for layer in c.layers)
        return (_weights(c, len(spotter.labels)) * c.weight_bits + own * c.potential_bits) // 8
    return 4 * parameters(spotter)


def latency(spotter, x, runs=200):
    """Milliseconds of one clip on one thread, batch 1, features given: (mean, 95th percentile) of `runs`.

    Time of the thread on its core, which is what a clock shows on an idle machine, and holds on a busy one. An RSNN's
    is that of the same weights in floats: its integers are for the accelerator.
    """
    network = spotter.network
    if isinstance(network, GoldenSpotter):
        network = keyword_rsnn.of_integers(network.integers)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x, times = x[:1].float(), []
    try:
        with torch.no_grad():
            for i in range(runs + 10):
                start = time.thread_time()
                network(x)
                if i >= 10:
                    times.append(time.thread_time() - start)
    finally:
        torch.set_num_threads(threads)
    times = sorted(t * 1000 for t in times)
    return round(sum(times) / len(times), 3), round(times[int(0.95 * (len(times) - 1))], 3)


@torch.no_grad()
def sparsity(spotter, waves, mode="t2_union", batch=64):
    """Zeros among the 1-bit activations, as shares: `gates` of SparkNet; `spikes` of both layers of an RSNN, with the
    accelerator's `cycles` a frame. Empty for other models. Means over waves, float32 (B, 16000)."""
    measure = {SparkNet: _gates, GoldenSpotter: _spikes, KeywordRsnn: _layers}.get(type(spotter.network))
    if measure is None:
        return {}
    total = sum(len(w) * measure(spotter, spotter.hear(w), mode) for w in waves.split(batch)) / len(waves)
    if measure is _gates:
        return {"gates_zero": round(float(total), 4)}
    single = measure is _spikes and spotter.network.integers.time_steps == 1
    cycles = "estimated" if measure is _layers else "t1" if single else mode
    return {"spikes_zero": [round(float(z), 4) for z in total[:-2]],
            "additions_after_skipping": round(float(total[-2])), f"cycles_a_frame_{cycles}": round(float(total[-1]), 1)}


def _gates(spotter, x, mode):
    return (spotter.network.mu(x.float()) < 0).double().mean()


def _spikes(spotter, x, mode):
    """Zeros of each layer, additions a clip, cycles a frame: float64 (layers + 2,)."""
    integers = spotter.network.integers
    c, trace = integers.config, spotter.network.trace(x)
    cost = golden.cycles(c, MODES["t1" if integers.time_steps == 1 else mode], x.transpose(1, 2), trace)
    fired = trace.spikes.double().sum(4).mean((0, 1))  # (B, T, L, K, N) -> (L, K): a frame and time step
    widths = [layer.neurons for layer in c.layers]
    rates = fired.mean(1) / torch.tensor(widths)
    fan = torch.tensor(golden.fan_out(widths, [layer.recurrent for layer in c.layers]))
    fan[-1] += len(spotter.labels)
    adds = (golden.digits(x.transpose(1, 2), c.input_code) != 0).double().sum((2, 3)).mean() * widths[0]
    adds = adds + (fired.sum(1) * fan).sum()
    return torch.stack([*(1 - rate for rate in rates), FRAMES * adds, cost.interval.double().mean()])


def _layers(spotter, x, mode):
    """Zeros of each layer of a `KeywordRsnn`, additions a clip, cycles a frame by an estimate: float64 (layers + 2,).

    The estimate: as many slots as the fuller half of the neurons has spikes, for each matrix and time step, a slot for
    each digit of the input in the fuller group, a cycle a layer and time step for its LIF, four for the rest.
    """
    core = spotter.network.core
    _, spikes = spotter.network.encode(x.float())  # (F, K, B, N) each
    nonzero = golden.digits(x.transpose(1, 2), "signed_digit") != 0  # (B, F, features, 8)
    groups = torch.stack([nonzero[..., :4].sum(-1), nonzero[..., 4:].sum(-1)], -1).amax(-1)
    cycles = 4 + groups.clamp_min(1).sum(-1).double().mean() + len(spikes) * core.time_steps
    adds = nonzero.double().sum((2, 3)).mean() * core.widths[0]
    for i, s in enumerate(spikes):
        halves = torch.stack([half.sum(-1) for half in s.chunk(2, -1)]).amax(0)  # (F, K, B)
        targets = [core.matrices[name][1] for name in (f"forward{i + 1}", f"recurrent{i}") if name in core.matrices]
        if i == len(spikes) - 1:
            targets.append(spotter.network.classes)
        cycles = cycles + halves.double().sum(1).mean() * len(targets)
        adds = adds + s.double().sum((1, 3)).mean() * sum(targets)
    return torch.stack([*(1 - s.double().mean() for s in spikes), FRAMES * adds, cycles])
