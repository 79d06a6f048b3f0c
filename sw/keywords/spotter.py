"""A trained keyword model with its normalisation and labels: from a second of sound to class scores; kept on disk.

A folder holds `weights.safetensors` and `manifest.json` (sizes, labels, recipe, metrics, SHA-256 of the weights). The
RSNN is kept as the accelerator's integers (`sw.integers.integer_model`) and answers through the golden model.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from hw import store
from sw import golden
from sw.integers import integer_model
from sw.integers.integer_model import ModelError
from sw.integers.quantize import dequantised
from sw.keywords import frontends
from sw.models.bcresnet import BcResNet
from sw.models.ds_cnn import DsCnn
from sw.models.gated import KeywordGated
from sw.models.keyword_rsnn import GAIN, KeywordRsnn
from sw.models.sparknet import SparkNet

WEIGHTS = Path(__file__).parents[1] / "weights"
NETWORKS = {n.__name__: n for n in (DsCnn, SparkNet, BcResNet, KeywordRsnn, KeywordGated)}


class GoldenSpotter(nn.Module):
    """An `IntegerModel` as a network: int8 values (B, features, frames) -> the frames' summed integer logits."""

    def __init__(self, integers):
        super().__init__()
        self.integers, self.classes = integers, len(integers.entry("labels"))

    def trace(self, x):
        """Golden's trace of x (B, features, frames)."""
        return golden.run(self.integers, x.transpose(1, 2))

    def forward(self, x):
        return self.trace(x).logits.sum(1)[:, :self.classes].float()


@dataclass(eq=False)
class Spotter:
    """`network` in evaluation mode, `normaliser`, `labels`, `manifest`."""

    name: str
    network: nn.Module
    normaliser: frontends.Normaliser
    labels: tuple
    manifest: dict = field(default_factory=dict)

    def hear(self, waves):
        """Float32 (B, 16000) -> normalised features (B, bins, frames)."""
        return self.normaliser(frontends.raw(waves, self.normaliser.frontend).half())

    @torch.no_grad()
    def logits(self, waves, batch=64):
        """Float32 (B, 16000) in -1..1 -> logits (B, classes)."""
        return torch.cat([self.network(self.hear(w).float()) for w in waves.split(batch)])

    def scale(self):
        """What logits are multiplied by before a softmax: 1, or an integer network's gain and step over its frames."""
        return GAIN * self.manifest["logit_step"] / 98 if isinstance(self.network, GoldenSpotter) else 1.0

    def posteriors(self, waves):
        """Float32 (B, 16000) -> class probabilities (B, classes)."""
        return (self.logits(waves) * self.scale()).softmax(1)

    # --- on disk -------------------------------------------------------------------------------------------
    def payload(self):
        """The bytes of `weights.safetensors`."""
        return save_tensors({**{k: v.contiguous() for k, v in self.network.state_dict().items()},
                             **{f"table.{k}": v for k, v in self.normaliser.tables().items()}})

    def save(self, folder):
        """Write both files, each atomically; returns the hash."""
        folder = Path(folder)
        if isinstance(self.network, GoldenSpotter):
            self.network.integers.save(folder)
            return self.network.integers.sha256
        folder.mkdir(parents=True, exist_ok=True)
        data = self.payload()
        manifest = {**self.manifest, "model": self.name, "network": type(self.network).__name__,
                    "sizes": self.network.sizes, "frontend": self.normaliser.frontend, "labels": list(self.labels),
                    "sha256": hashlib.sha256(data).hexdigest()}
        store.write_atomically(folder / "weights.safetensors", data)
        store.write_json(folder / "manifest.json", manifest)
        return manifest["sha256"]


def of_integers(name, integers):
    """A `Spotter` that answers through the golden model."""
    normaliser = frontends.Normaliser("causal", integers.table("feature_mean"), integers.table("feature_deviation"))
    return Spotter(name, GoldenSpotter(integers), normaliser, tuple(integers.entry("labels")), integers.manifest)


def floats(integers):
    """`KeywordRsnn` in floats with an `IntegerModel`'s weights (currents not rounded, leak not floored)."""
    c = integers.config
    late = {"readout" if matrix == "fc" else matrix: most for matrix, (_, most) in c.delays().items()}
    network = KeywordRsnn(classes=len(integers.entry("labels")), outputs=c.outputs, features=c.features,
                          neurons=[layer.neurons for layer in c.layers], time_steps=integers.time_steps,
                          recurrent=[layer.recurrent for layer in c.layers], input_shift=c.input_shift, delays=late,
                          leak_shift=[0 if layer.leak_shift == "neuron" else layer.leak_shift for layer in c.layers],
                          bias=any(layer.bias for layer in c.layers))
    with torch.no_grad():
        for name, weight in dequantised(integers).items():
            getattr(network.core, name).copy_(weight)
        for k in range(len(c.layers)):
            getattr(network.core, f"shift{k}").copy_(integers.leak_of(k))
        for connection in late:
            delays = integers.delays_of("fc" if connection == "readout" else connection)
            getattr(network.core, f"delay_{connection}").copy_(delays)
    return network.eval()


def load(name):
    """A `Spotter` by name under sw/weights, or from a folder. Raises `ModelError` naming what is wrong."""
    folder = WEIGHTS / str(name) if (WEIGHTS / str(name)).is_dir() else Path(name)
    for file in ("manifest.json", "weights.safetensors"):
        if not (folder / file).is_file():
            raise ModelError(f"{folder / file} is missing: train a model (make train MODEL=...) or name another folder")
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if "config" in manifest:  # the accelerator's integers
            return of_integers(manifest["model"], integer_model.load(folder))
        data = (folder / "weights.safetensors").read_bytes()
        tensors = load_tensors(data)
        if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
            raise ModelError(f"{folder / 'weights.safetensors'}: hash differs from the manifest's; restore both files")
        network = NETWORKS[manifest["network"]](**manifest["sizes"])
        network.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("table.")})
        normaliser = frontends.Normaliser(manifest["frontend"], tensors["table.feature_mean"],
                                         tensors["table.feature_deviation"])
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{folder}: not a readable keyword model: {' '.join(str(error).split())[:200]!r}") from None
    return Spotter(manifest["model"], network.eval(), normaliser, tuple(manifest["labels"]), manifest)
