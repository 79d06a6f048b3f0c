"""The training loss of the frame classifiers, on a random part of the frames.

Logits are trained as log likelihood ratios: softmax(logits + log prior), so that the decoder can use them as they are
and no bias is needed. The loss is that of the phone's third plus `CONTEXT` times that of the context class within it:
few frames show each of 1920 classes, many show each of 120.
"""

import torch
from torch.nn import functional

from sw.phones.batches import IGNORE
from sw.phones.targets import CONTEXTS

CONTEXT = 0.4


class FrameLoss:
    """Callable (model, batch) -> (loss, metrics). `log_prior` float (O,); `share`: part of the frames that is used.

    `rate_target`, `rate_weight`: firing rates of a layer above the target are punished with their squared excess.
    Where a batch brings a teacher's posteriors of the thirds, they count as much as the labels.
    """

    def __init__(self, log_prior, contexts=CONTEXTS, share=0.34, smoothing=0.05, rate_target=0.35, rate_weight=20.0):
        self.log_prior, self.contexts, self.share = log_prior, contexts, share
        self.smoothing, self.rate_target, self.rate_weight = smoothing, rate_target, rate_weight

    def __call__(self, model, batch):
        x, target, *taught = batch
        hidden, spikes = model.encode(x)
        chosen = (target != IGNORE) & (torch.rand(target.shape) < self.share)
        wanted = target[chosen]
        logits = model.readout(hidden[chosen]) + self.log_prior  # (frames used, O)
        rows = torch.arange(len(wanted))
        grouped = logits.unflatten(-1, (-1, self.contexts)).logsumexp(-1)  # (frames, thirds of phones)
        loss = functional.cross_entropy(grouped, wanted // self.contexts, label_smoothing=self.smoothing)
        if taught:
            thirds, shares = (values[chosen] for values in taught)  # (frames used, KEPT)
            likely = grouped.log_softmax(-1).gather(-1, thirds)
            loss = (loss - (shares * likely).sum(-1).mean()) / 2
        metrics = {"frame_accuracy": (grouped.argmax(-1) == wanted // self.contexts).float().mean().item()}
        if self.contexts > 1:
            within = logits[rows, wanted] - grouped[rows, wanted // self.contexts]
            loss = loss - CONTEXT * within.mean()
        for i, s in enumerate(spikes):
            rate = s.mean()
            loss = loss + self.rate_weight * (rate - self.rate_target).clamp_min(0).square()
            metrics[f"rate{i}"] = rate.item()
        return loss, metrics


def log_prior(targets, layout, floor=2.0):
    """Log relative frequency of each output over integer arrays `targets`, each counted `floor` times at least.

    Outputs that stand for nothing get -30. Returns float32 (outputs,).
    """
    counts = torch.zeros(layout.outputs)
    for t in targets:
        counts += torch.bincount(torch.from_numpy(t), minlength=layout.outputs)
    prior = (counts.clamp_min(floor) / counts.clamp_min(floor)[:layout.classes].sum()).log()
    return torch.where(silent_surplus(layout) < 0, -30.0, prior)


def silent_surplus(layout):
    """Zero for outputs that stand for something, -30 for the others: float32 (outputs,)."""
    surplus = torch.zeros(layout.outputs)
    surplus[layout.classes:] = -30.0
    return surplus
