"""A trained keyword model with its normalisation and labels: from a second of sound to class scores; kept on disk.

A folder holds `weights.safetensors` and `manifest.json` (sizes, labels, recipe, metrics, SHA-256 of the weights). The
RSNN is kept as the accelerator's integers (`sw.integers.integer_model`) and answers through the golden model.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from hw import store
from sw import golden, registry
from sw.features import causal
from sw.integers import integer_model
from sw.keywords import frontends
from sw.models.bcresnet import BcResNet
from sw.models.ds_cnn import DsCnn
from sw.models.gated import KeywordGated
from sw.models.keyword_rsnn import GAIN, KeywordRsnn
from sw.models.sparknet import SparkNet
from sw.registry import ModelError

NETWORKS = {n.__name__: n for n in (DsCnn, SparkNet, BcResNet, KeywordRsnn, KeywordGated)}


class GoldenSpotter(nn.Module):
    """An `IntegerModel` as a network: int8 values (B, features, frames) -> the frames' summed integer logits."""

    def __init__(self, integers):
        super().__init__()
        self.integers, self.classes = integers, len(integers.entry("labels"))
        if self.classes > integers.config.outputs:
            raise ModelError(f"manifest: {self.classes} labels for {integers.config.outputs} outputs")

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
        if isinstance(self.network, GoldenSpotter):
            return GAIN * registry.entry(self.manifest, "logit_step") / frontends.CAUSAL_FRAMES
        return 1.0

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
        store.write_atomically(folder / integer_model.WEIGHTS_FILE, data)
        store.write_json(folder / "manifest.json", manifest)
        return manifest["sha256"]


def of_integers(name, integers):
    """A `Spotter` that answers through the golden model."""
    mean, deviation = (integers.table(f"feature_{part}", (causal.BINS,)) for part in ("mean", "deviation"))
    normaliser = frontends.Normaliser("causal", mean, deviation)
    return Spotter(name, GoldenSpotter(integers), normaliser, tuple(integers.entry("labels")), integers.manifest)


def load(name):
    """A `Spotter` by name (`sw.registry`), or from a folder. Raises `ModelError` naming what is wrong."""
    names = registry.names("load", "keywords")
    folder = registry.folder_of(name, names)
    manifest = registry.manifest_of(folder)
    if "labels" not in manifest:
        raise ModelError(f"model {str(name)!r} knows no keywords: give one of {', '.join(names)}, or the folder of a "
                         "trained one")
    if "config" in manifest:
        return of_integers(registry.entry(manifest, "model"), integer_model.load(folder))
    path = folder / integer_model.WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"{path} is missing: train a model (`sottovoce train`) or name another folder")
    try:
        data = path.read_bytes()
        tensors = load_tensors(data)
        if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
            raise ModelError(f"{path}: hash differs from the manifest's; restore both files")
        network = NETWORKS[manifest["network"]](**manifest["sizes"])
        network.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("table.")})
        name, frontend, labels = (registry.entry(manifest, key) for key in ("model", "frontend", "labels"))
        if len(labels) != network.sizes.get("classes", len(labels)):
            raise ModelError(f"{folder}: {len(labels)} labels for {network.sizes['classes']} classes")
        normaliser = frontends.Normaliser(frontend, tensors["table.feature_mean"], tensors["table.feature_deviation"])
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{folder}: not a readable keyword model: {' '.join(str(error).split())[:200]!r}") from None
    if bad := [k for k, v in tensors.items() if not v.isfinite().all()]:
        raise ModelError(f"{path}: {bad[0]} holds values that are not finite: restore the file or train again")
    return Spotter(name, network.eval(), normaliser, tuple(labels), manifest)
