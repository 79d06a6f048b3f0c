"""The RSNN as a keyword spotter: logits summed over a clip's frames."""

from torch import nn

from sw.models import rsnn

GAIN = 8.0  # of the mean over frames: few neurons fire in few frames, and a softmax wants logits of size 1 and more


class KeywordRsnn(nn.Module):
    """int8 values (B, features, frames) -> logits (B, classes): `GAIN` times the mean over frames of an `Rsnn`'s.

    The accelerator gives the same sum frame by frame, in integers; what is beyond `classes` of its outputs is unused.
    `rate_target`: firing rates above it are punished with their squared excess. Other arguments: `Rsnn`.
    """

    def __init__(self, *, classes=12, outputs=16, rate_target=0.3, rate_weight=10.0, **sizes):
        if not 2 <= classes <= outputs:
            raise ValueError(f"classes={classes!r}: wanted 2 to outputs={outputs}")
        super().__init__()
        self.classes, self.rate_target, self.rate_weight = classes, rate_target, rate_weight
        self.core = rsnn.Rsnn(outputs=outputs, **sizes)
        self.hidden_matrices = tuple(f"core.{name}" for name in self.core.hidden_matrices)
        self.sizes = dict(classes=classes, outputs=outputs, rate_target=rate_target, rate_weight=rate_weight,
                          **{k: v for k, v in self.core.sizes.items() if k != "outputs"})

    def encode(self, x):
        """x (B, features, frames) -> merged spikes (frames, B, N), spikes of both layers."""
        return self.core.encode(x.permute(2, 0, 1).contiguous())

    def readout(self, merged):
        """Merged spikes (frames, B, N) -> logits (B, classes); the FC is linear, so the mean comes first."""
        return GAIN * self.core.readout(merged.mean(0))[:, :self.classes]

    def forward(self, x):
        return self.readout(self.encode(x)[0])

    def excess(self, spikes):
        """Penalty of firing rates above the target."""
        return self.rate_weight * sum((s.mean() - self.rate_target).clamp_min(0).square() for s in spikes)


def of_integers(model):
    """`KeywordRsnn` in floats with an `IntegerModel`'s weights, see `sw.models.rsnn.of_integers`."""
    core = rsnn.of_integers(model)
    network = KeywordRsnn(classes=len(model.entry("labels")), **core.sizes)
    network.core = core
    return network.eval()
