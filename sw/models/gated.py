"""GRU and LSTM of the same size as the spiking network, through the same interface: what a spike costs in accuracy."""

from torch import nn

from sw.features.causal import BINS, SCALE

WIDTHS = {"gru": 102, "lstm": 95}  # two layers and 1920 outputs: as many parameters as the spiking network, 300 k


class Gated(nn.Module):
    """Two layers of `kind` (gru or lstm), then linear without bias. See `Rsnn` for `encode` and `readout`.

    `both_ways`: each layer also runs from the last frame to the first, for a teacher that hears what is still to come.
    """

    def __init__(self, *, outputs, kind="gru", features=BINS, neurons=None, dropout=0.1, both_ways=False):
        super().__init__()
        if kind not in WIDTHS:
            raise ValueError(f"kind={kind!r}: wanted one of {', '.join(WIDTHS)}")
        neurons = neurons or WIDTHS[kind]
        self.sizes = dict(kind=kind, features=features, neurons=neurons, outputs=outputs, dropout=dropout,
                          both_ways=both_ways)
        self.core = {"gru": nn.GRU, "lstm": nn.LSTM}[kind](features, neurons, 2, dropout=dropout,
                                                           bidirectional=both_ways)
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(neurons * (2 if both_ways else 1), outputs, bias=False)

    def size_bytes(self, places=True):
        """Bytes of the weights, four a number; nothing is pruned, so there are no `places`."""
        return 4 * sum(p.numel() for p in self.parameters())

    def encode(self, x):
        """x (F, B, features), int8 values -> hidden (F, B, N) and no spikes."""
        return self.drop(self.core(x / SCALE)[0]), ()

    def readout(self, hidden):
        """Hidden (..., N) -> logits (..., O)."""
        return self.fc(hidden)

    def forward(self, x):
        """x (F, B, features) -> logits (F, B, O)."""
        return self.readout(self.encode(x)[0])


class KeywordGated(nn.Module):
    """A gated network as a keyword spotter: int8 values (B, features, frames) -> logits (B, classes)."""

    def __init__(self, *, classes=12, neurons=102, **sizes):
        super().__init__()
        self.core = Gated(outputs=classes, neurons=neurons, **sizes)
        self.sizes = dict(classes=classes, **{k: v for k, v in self.core.sizes.items() if k != "outputs"})

    def forward(self, x):
        return self.core.readout(self.core.encode(x.permute(2, 0, 1).contiguous())[0].mean(0))
