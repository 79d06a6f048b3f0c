"""The trained network as the accelerator sees it: small integers, a manifest and a hash.

On disk a model is a folder with `weights.safetensors` (int8 matrices, int32 thresholds and whatever tables its decoder
needs) and `manifest.json` (configuration, training recipe, metrics, feature normalisation, targets, hash).
"""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from hw import config as hw_config
from hw import store
from sw import golden

MATRICES = ("input", "recurrent0", "forward1", "recurrent1", "fc")


class ModelError(ValueError):
    """A model folder that cannot be used; the message names the file."""


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """Integer weights, fan-in first: `input` (F, N), `recurrent0`, `forward1`, `recurrent1` (N, N), `fc` (N, O).

    `forward1` feeds layer 1 from layer 0. `thresholds` (2,) are in the potential's format (`paper`: Q12.4).
    `tables` are further tensors that travel with the weights (decoder bigram, normalisation); `manifest` is plain JSON.
    """

    config: hw_config.Config
    input: torch.Tensor
    recurrent0: torch.Tensor
    forward1: torch.Tensor
    recurrent1: torch.Tensor
    fc: torch.Tensor
    thresholds: torch.Tensor
    time_steps: int = 2
    tables: dict = field(default_factory=dict)
    manifest: dict = field(default_factory=dict)

    def __post_init__(self):
        c = self.config
        shapes = {"input": (c.features, c.neurons), "recurrent0": (c.neurons,) * 2, "forward1": (c.neurons,) * 2,
                  "recurrent1": (c.neurons,) * 2, "fc": (c.neurons, c.outputs)}
        for name, shape in {**shapes, "thresholds": (2,)}.items():
            matrix = getattr(self, name)
            if tuple(matrix.shape) != shape:
                raise ModelError(f"{name}: shape {tuple(matrix.shape)}, but {c.name} wants {shape}")
            if matrix.is_floating_point() or matrix.is_complex() or matrix.dtype == torch.bool:
                raise ModelError(f"{name}: values of {matrix.dtype}: wanted integers, rounding is the export's")
            if name in MATRICES and (matrix.min() < -c.weight_limit or matrix.max() >= c.weight_limit):
                raise ModelError(f"{name}: weights {int(matrix.min())}..{int(matrix.max())} leave {c.weight_bits} bits")
        for name, values in self.tables.items():
            if not values.isfinite().all():
                bad = values[~values.isfinite()]
                raise ModelError(f"table {name!r}: {len(bad)} of {values.numel()} values are {float(bad[0])}")
        top = 1 << (c.potential_bits - 1)
        if any(not 0 < int(t) < top for t in self.thresholds):
            raise ModelError(f"thresholds={self.thresholds.tolist()}: wanted 1 to {top - 1}")
        if self.time_steps not in (1, 2):
            raise ModelError(f"time_steps={self.time_steps}: wanted 1 or 2")

    def table(self, name, shape=None):
        """A tensor that travels with the weights; raises `ModelError` if there is none, or not of that shape."""
        if name not in self.tables:
            raise ModelError(f"table {name!r} is missing: this model has {', '.join(sorted(self.tables)) or 'none'}")
        if shape is not None and tuple(self.tables[name].shape) != shape:
            raise ModelError(f"table {name!r}: shape {tuple(self.tables[name].shape)}: wanted {shape}")
        return self.tables[name]

    def entry(self, *keys):
        """A value of the manifest, nested keys in order; raises `ModelError` if there is none."""
        value = self.manifest
        for i, key in enumerate(keys):
            if not isinstance(value, dict) or key not in value:
                raise ModelError(f"manifest: {'.'.join(keys[:i + 1])!r} is missing: export the model again")
            value = value[key]
        return value

    def predict(self, x, mode=None):
        """The golden model's `Prediction` of int8 features, see `sw.golden.predict`."""
        return golden.predict(self, x, mode)

    def payload(self):
        """The bytes of `weights.safetensors`; the hash is taken over them."""
        tensors = {name: getattr(self, name).to(torch.int8).contiguous() for name in MATRICES}
        tensors["thresholds"] = self.thresholds.to(torch.int32)
        return save_tensors({**tensors, **{f"table.{k}": v.contiguous() for k, v in self.tables.items()}})

    @property
    def sha256(self):
        """Ties a checkpoint, its memory images and a Verilog run together."""
        return hashlib.sha256(self.payload()).hexdigest()

    def save(self, folder):
        """Write both files, each atomically (temporary file, then rename)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        manifest = {**self.manifest, "config": self.config.to_dict(), "time_steps": self.time_steps,
                    "sha256": self.sha256}
        store.write_atomically(folder / "weights.safetensors", self.payload())
        store.write_json(folder / "manifest.json", manifest)


def load(folder):
    """Read a model folder; raises `ModelError` naming the file if it is missing, damaged or does not match its hash."""
    folder = Path(folder)
    for name in ("manifest.json", "weights.safetensors"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder / name} is missing: train a model (make train) or name another folder")
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        data = (folder / "weights.safetensors").read_bytes()
        tensors = load_tensors(data)
        config = hw_config.from_dict(manifest.pop("config"), str(folder / "manifest.json"))
        stored, time_steps = manifest.pop("sha256"), manifest.pop("time_steps")
        parts = {name: tensors[name] for name in (*MATRICES, "thresholds")}
    except (AttributeError, TypeError, json.JSONDecodeError, UnicodeDecodeError, SafetensorError, KeyError) as error:
        raise ModelError(f"{folder}: not a readable model: {error!r}") from None
    if hashlib.sha256(data).hexdigest() != stored:
        raise ModelError(f"{folder / 'weights.safetensors'}: hash differs from the manifest's; restore both files")
    tables = {name.removeprefix("table."): t for name, t in tensors.items() if name.startswith("table.")}
    try:
        model = IntegerModel(config, **parts, time_steps=time_steps, tables=tables, manifest=manifest)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None
    return replace(model, **{name: values.to(torch.int32) for name, values in parts.items()})
