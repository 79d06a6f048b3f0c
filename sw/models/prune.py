"""Structured pruning of neurons and of time steps; unstructured and bank-balanced pruning of the FC layer."""

import torch

from sw.models.rsnn import Rsnn


@torch.no_grad()
def importance(model, batches):
    """How much each neuron's spikes can change what follows: deviation of its spikes x norm of its outgoing weights.

    Returns two float tensors (N,), one a layer.
    """
    model.eval()
    rates = [torch.zeros(model.neurons), torch.zeros(model.neurons)]
    count = 0
    for x, *_ in batches:
        for total, s in zip(rates, model.encode(x)[1], strict=True):
            total += s.mean((0, 1, 2))
        count += 1
    spread = [(r / count * (1 - r / count)).clamp_min(0).sqrt() for r in rates]
    outgoing = [torch.cat([model.recurrent0, model.forward1], 1).norm(dim=1),
                torch.cat([model.recurrent1, model.fc], 1).norm(dim=1)]
    return [s * o for s, o in zip(spread, outgoing, strict=True)]


@torch.no_grad()
def keep_neurons(model, scores, neurons):
    """A smaller `Rsnn` with the `neurons` most important neurons of each layer, in their old order."""
    if not 0 < neurons <= model.neurons:
        raise ValueError(f"neurons={neurons!r}: wanted 1 to {model.neurons}")
    first, second = (s.topk(neurons).indices.sort().values for s in scores)
    small = Rsnn(**{**model.sizes, "neurons": neurons})
    kept = {"input": model.input[:, first], "recurrent0": model.recurrent0[first][:, first],
            "forward1": model.forward1[first][:, second], "recurrent1": model.recurrent1[second][:, second],
            "fc": model.fc[second]}
    for name in model.matrices:
        getattr(small, name).copy_(kept[name])
    return small


@torch.no_grad()
def one_time_step(model):
    """The same network with one time step; its readout, which saw the spikes of two, is doubled."""
    single = Rsnn(**{**model.sizes, "time_steps": 1})
    for name in model.matrices:
        getattr(single, name).copy_(getattr(model, name) * (2 if name == "fc" else 1))
    return single


@torch.no_grad()
def other_outputs(model, outputs):
    """The same spiking layers under a fresh readout of `outputs`, for targets of another kind."""
    other = Rsnn(**{**model.sizes, "outputs": outputs})
    for name in model.matrices:
        if name != "fc":
            getattr(other, name).copy_(getattr(model, name))
    return other


@torch.no_grad()
def prune_fc(model, share):
    """Mask the smallest `share` of the FC weights, by magnitude; the mask stays through further training."""
    if not 0 <= share < 1:
        raise ValueError(f"share={share!r}: wanted 0 to below 1")
    count = round(share * model.fc.numel())
    order = (model.fc * model.fc_mask).abs().flatten().argsort()
    mask = torch.ones(model.fc.numel())
    mask[order[:count]] = 0
    model.fc_mask.copy_(mask.view_as(model.fc))


@torch.no_grad()
def balance_fc(model, keep=2, group=4):
    """Mask all but the `keep` largest of every `group` neighbouring outputs of an input (sparsity that every
    bank shares alike)."""
    if not 0 < keep <= group or model.fc.shape[1] % group:
        raise ValueError(f"keep={keep!r} of group={group!r}: wanted 1 to {group}, and {model.fc.shape[1]} outputs in "
                         "whole groups")
    size = (model.fc * model.fc_mask).abs().unflatten(1, (-1, group))  # (N, O / group, group)
    mask = torch.zeros_like(size).scatter_(-1, size.topk(keep).indices, 1.0)
    model.fc_mask.copy_(mask.flatten(1))
