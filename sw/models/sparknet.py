"""SparkNet: four time-channel separable blocks make binary gates; their mean over time goes to one linear layer.

    mu = tanh(BN(W h))                      (B, gates, frames), h: the blocks' output
    z  = clamp(mu + noise + 1/2, 0, 1)      training; noise of deviation sigma
    z  = 1 where mu >= 0, else 0            use: one bit a gate (`binary`); or clamp(mu + 1/2, 0, 1) (`relaxed`)
    logits = W_fc mean_t(z) + b

Source: arXiv 2406.06634. The relaxed gate counts as open with probability P(mu + noise + 1/2 > 0) =
1/2 - 1/2 erf(-(mu + 1/2) / (sqrt 2 sigma)); its mean is the sparsity loss. A binary gate is to the accelerator's FC
path what a spike is: a weight row is added, or it is not.
"""

import math

import torch
from torch import nn

KERNELS = (11, 15, 19, 29)
NOISES = ("gaussian", "uniform", "laplace")
GATES = ("binary", "relaxed")


class SparkNet(nn.Module):
    """Features (B, bins, frames) -> logits (B, classes). `channels` 32, 16, 8 or 4 in the paper.

    `gates`: outputs of the gating layer (the paper: as many as bins, 32). `noise`, `sigma`: of the relaxation, all of
    the same deviation. `gate`: what stands for a gate outside training, and `through`: train through binary gates too
    (straight-through gradient of the relaxed gate). Raises `ValueError` naming the bad value.
    """

    def __init__(self, *, classes=12, bins=32, channels=16, gates=32, noise="gaussian", sigma=0.5, gate="binary",
                 through=False):
        for name, value, wanted in (("noise", noise, NOISES), ("gate", gate, GATES)):
            if value not in wanted:
                raise ValueError(f"{name}={value!r}: wanted one of {', '.join(wanted)}")
        if min(classes, bins, channels, gates) < 1 or sigma <= 0:
            raise ValueError(f"classes={classes}, bins={bins}, channels={channels}, gates={gates}, sigma={sigma}: "
                             "wanted positive values")
        super().__init__()
        self.sizes = dict(classes=classes, bins=bins, channels=channels, gates=gates, noise=noise, sigma=sigma,
                          gate=gate, through=through)
        self.noise, self.sigma, self.gate, self.through = noise, sigma, gate, through
        widths = (bins, channels, channels, channels)
        self.blocks = nn.Sequential(*(Block(width, channels, kernel, residual=i > 0)
                                      for i, (width, kernel) in enumerate(zip(widths, KERNELS, strict=True))))
        self.gating = nn.Sequential(nn.Conv2d(channels, gates, 1), nn.BatchNorm2d(gates), nn.Tanh())
        self.linear = nn.Linear(gates, classes)

    def mu(self, x):
        """Features (B, bins, frames) -> mu (B, gates, frames) in -1..1."""
        x = x.unsqueeze(2).contiguous(memory_format=torch.channels_last)  # (B, bins, 1, frames)
        return self.gating(self.blocks(x)).squeeze(2)

    def gates_of(self, mu):
        """Gates (B, gates, frames) of mu: noisy and relaxed in training, else as `gate` says."""
        if self.training:
            noisy = mu + self.sample(mu)
            soft = (noisy + 0.5).clamp(0, 1)
            return soft + ((noisy >= 0).to(mu.dtype) - soft).detach() if self.through else soft
        return (mu >= 0).to(mu.dtype) if self.gate == "binary" else (mu + 0.5).clamp(0, 1)

    def sample(self, like):
        """Noise of deviation sigma and the chosen kind, in the shape of `like`."""
        if self.noise == "gaussian":
            return torch.randn_like(like) * self.sigma
        u = torch.rand_like(like) - 0.5  # -1/2..1/2
        if self.noise == "uniform":
            return u * (self.sigma * math.sqrt(12))
        # Laplace of scale b has deviation b sqrt 2
        return -self.sigma / math.sqrt(2) * u.sign() * torch.log1p(-2 * u.abs().clamp_max(0.499999))

    def readout(self, gates):
        """Gates (B, gates, frames) -> logits (B, classes)."""
        return self.linear(gates.mean(2))

    def forward(self, x):
        return self.readout(self.gates_of(self.mu(x)))


class Block(nn.Module):
    """Depthwise convolution in time, pointwise, batch norm, ReLU; a 1 x 1 convolution with batch norm beside it.

    (B, inputs, 1, frames) -> (B, outputs, 1, frames): two-dimensional with channels last, which on a CPU takes a third
    of the time of PyTorch's one-dimensional convolutions.
    """

    def __init__(self, inputs, outputs, kernel, residual):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, (1, kernel), padding=(0, kernel // 2), groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.residual = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)) \
            if residual else None

    def forward(self, x):
        y = self.norm(self.pointwise(self.depthwise(x)))
        return torch.relu(y if self.residual is None else y + self.residual(x))


def open_probability(mu, sigma=0.5):
    """Probability that a relaxed gate is not zero, elementwise: the erf sparsity loss before its mean."""
    return 0.5 - 0.5 * torch.erf(-(mu + 0.5) / (math.sqrt(2) * sigma))
