"""BC-ResNet: two-dimensional features averaged over frequency, convolved in time, broadcast back and added.

    y = f2(x)                               depthwise 3 x 1 over frequency, sub-spectral norm
    out = relu(x + y + f1(mean_f(y)))       f1: depthwise 1 x 3 (dilated) over time, norm, swish, pointwise, dropout

Source: arXiv 2106.04140 (sizes: table 1; BC-ResNet-t has 8 t base channels). Where channels change, f2 begins with a
pointwise convolution and the residual x falls away.
"""

import torch
from torch import nn

BANDS = 5                     # groups of bins with statistics of their own
REPEATS = (2, 2, 4, 4)        # blocks a stage
STRIDES = (1, 2, 2, 1)        # over frequency, first block of a stage
WIDTHS = (2, 1, 1.5, 2, 2.5, 4)  # stem, four stages, head, in base channels


class BcResNet(nn.Module):
    """Log-mel features (B, 40, frames) -> logits (B, classes). `scale` 1 or 0.625 in the comparison.

    Raises `ValueError` where the bins do not divide into bands, or nothing would be left of a layer.
    """

    def __init__(self, *, classes=12, scale=1.0, bins=40, dropout=0.1):
        if bins % (8 * BANDS):
            raise ValueError(f"bins={bins!r}: wanted a multiple of {8 * BANDS} (three halvings, {BANDS} bands)")
        if scale < 0.25:
            raise ValueError(f"scale={scale!r}: wanted at least 0.25, two base channels")
        super().__init__()
        self.sizes = dict(classes=classes, scale=scale, bins=bins, dropout=dropout)
        stem, *widths, head = (int(w * round(8 * scale)) for w in WIDTHS)
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 5, stride=(2, 1), padding=2, bias=False), nn.BatchNorm2d(stem),
                                  nn.ReLU())
        blocks, before = [], stem
        for stage, (width, repeats) in enumerate(zip(widths, REPEATS, strict=True)):
            for i in range(repeats):
                blocks.append(Block(before, width, STRIDES[stage] if i == 0 else 1, 2 ** stage, dropout))
                before = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.Conv2d(before, before, 5, padding=(0, 2), groups=before, bias=False),  # 5 bins -> 1
            nn.Conv2d(before, head, 1, bias=False), nn.BatchNorm2d(head), nn.ReLU())
        self.linear = nn.Linear(head, classes)

    def forward(self, x):
        x = self.head(self.blocks(self.stem(x.unsqueeze(1))))  # (B, head, 1, frames)
        return self.linear(x.mean((2, 3)))


class Block(nn.Module):
    """One broadcasted residual block: (B, inputs, bins, frames) -> (B, outputs, bins / stride, frames)."""

    def __init__(self, inputs, outputs, stride, dilation, dropout):
        super().__init__()
        self.transition = None if inputs == outputs else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
        self.frequency = nn.Conv2d(outputs, outputs, (3, 1), stride=(stride, 1), padding=(1, 0), groups=outputs,
                                   bias=False)
        self.norm = SubSpectralNorm(outputs)
        self.time = nn.Sequential(
            nn.Conv2d(outputs, outputs, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=outputs,
                      bias=False),
            nn.BatchNorm2d(outputs), nn.SiLU(), nn.Conv2d(outputs, outputs, 1, bias=False), nn.Dropout2d(dropout))

    def forward(self, x):
        y = self.norm(self.frequency(x if self.transition is None else self.transition(x)))
        out = y + self.time(y.mean(2, keepdim=True))
        return torch.relu(out + x if self.transition is None else out)


class SubSpectralNorm(nn.Module):
    """Batch norm with statistics for each of `BANDS` groups of neighbouring bins (arXiv 2103.13620)."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels * BANDS)

    def forward(self, x):
        batch, channels, bins, frames = x.shape
        x = x.reshape(batch, channels * BANDS, bins // BANDS, frames)
        return self.norm(x).reshape(batch, channels, bins, frames)
