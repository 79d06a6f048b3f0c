"""The trained network as the accelerator sees it: small integers, a manifest and a hash.

On disk a model is a folder with `weights.safetensors` (int8 matrices, int32 thresholds and tables of single neurons,
and whatever tables its decoder needs) and `manifest.json` (configuration, training recipe, metrics, feature
normalisation, targets, hash).
"""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from hw import config as hw_config
from hw import store
from sw import golden, registry
from sw.registry import ModelError

WEIGHTS_FILE = "weights.safetensors"


@dataclass(frozen=True, eq=False)
class IntegerModel:
    """Integer weights and neurons of a configuration.

    `matrices`: name -> weights, fan-in first, as `config.matrices()` names and sizes them: `input` (F, N_0),
    `recurrent{l}` (N_l, N_l), `forward{l}` (N_{l-1}, N_l) from layer l - 1 into l, `fc` (N_last, O); a sequence is
    taken in that order. Each is an attribute, too: `model.recurrent0`.
    `thresholds` (L,) in the potential's format (`paper`: Q12.4); 0 for a layer whose neurons have their own.
    `neurons`: the tables that `config.neuron_tables()` wants, a value a neuron: `thresholds{l}`, `leaks{l}`,
    `biases{l}` (N_l,), and `delays_{matrix}`, the frames that each input of that matrix comes late.
    `tables` are further tensors that travel with the weights (decoder bigram, normalisation); `manifest` is plain JSON.
    """

    config: hw_config.Config
    matrices: dict
    thresholds: torch.Tensor
    neurons: dict = field(default_factory=dict)
    time_steps: int = 2
    tables: dict = field(default_factory=dict)
    manifest: dict = field(default_factory=dict)

    def __post_init__(self):
        c = self.config
        names = list(c.matrices())
        if not isinstance(self.matrices, dict):
            if len(self.matrices) != len(names):
                raise ModelError(f"{len(self.matrices)} matrices: {c.name} wants {len(names)}: {', '.join(names)}")
            object.__setattr__(self, "matrices", dict(zip(names, self.matrices, strict=True)))
        for given, wanted, what in ((self.matrices, names, "matrices"), (self.neurons, c.neuron_tables(), "neurons")):
            for name in {*given} ^ {*wanted}:
                raise ModelError(f"{what}: {name!r} is {'not wanted' if name in given else 'missing'}: "
                                 f"{c.name} has {', '.join(wanted) or 'none'}")
        for name, shape in c.matrices().items():
            matrix = self.matrices[name]
            _check_integers(name, matrix, shape, c)
            if matrix.min() < -c.weight_limit or matrix.max() >= c.weight_limit:
                raise ModelError(f"{name}: weights {int(matrix.min())}..{int(matrix.max())} leave {c.weight_bits} bits")
        if c.fc_two_of_four and (crowded := int((in_four(self.matrices["fc"]) > 2).sum())):
            raise ModelError(f"fc: {crowded} groups of four neighbouring outputs have more than two weights: {c.name} "
                             "stores two of four")
        for name, (count, least, most) in c.neuron_tables().items():
            values = self.neurons[name]
            _check_integers(name, values, (count,), c)
            if values.min() < least or values.max() > most:
                raise ModelError(f"{name}: values {int(values.min())}..{int(values.max())}: wanted {least} to {most}")
        for name, values in self.tables.items():
            if not values.isfinite().all():
                bad = values[~values.isfinite()]
                raise ModelError(f"table {name!r}: {len(bad)} of {values.numel()} values are {float(bad[0])}")
        _check_integers("thresholds", self.thresholds, (len(c.layers),), c)
        top = 1 << (c.potential_bits - 1)
        for layer, threshold in zip(c.layers, self.thresholds.tolist(), strict=True):
            if layer.threshold == "neuron" and threshold:
                raise ModelError(f"thresholds={self.thresholds.tolist()}: wanted 0 where neurons have their own")
            if layer.threshold == "layer" and not 0 < threshold < top:
                raise ModelError(f"thresholds={self.thresholds.tolist()}: wanted 1 to {top - 1}")
        if type(self.time_steps) is not int or self.time_steps not in (1, 2):
            raise ModelError(f"time_steps={self.time_steps!r}: wanted 1 or 2")

    def __getattr__(self, name):
        matrices = self.__dict__.get("matrices", {})
        if name in matrices:
            return matrices[name]
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def threshold_of(self, layer):
        """Thresholds of a layer's neurons (N_l,), from its own table or from the layer's one value."""
        return self._of_neurons(f"thresholds{layer}", layer, int(self.thresholds[layer]))

    def leak_of(self, layer):
        """Leak shifts of a layer's neurons (N_l,)."""
        return self._of_neurons(f"leaks{layer}", layer, self.config.layers[layer].leak_shift)

    def bias_of(self, layer):
        """Biases of a layer's neurons (N_l,)."""
        return self._of_neurons(f"biases{layer}", layer, 0)

    def delays_of(self, matrix):
        """Frames that each input of a matrix comes late (N_inputs,)."""
        inputs = self.config.matrices()[matrix][0]
        return self.neurons.get(f"delays_{matrix}", torch.zeros(inputs, dtype=torch.int32))

    def _of_neurons(self, name, layer, value):
        if name in self.neurons:
            return self.neurons[name]
        return torch.full((self.config.layers[layer].neurons,), value, dtype=torch.int32)

    def table(self, name, shape=None):
        """A tensor that travels with the weights; raises `ModelError` if there is none, or not of that shape."""
        if name not in self.tables:
            raise ModelError(f"table {name!r} is missing: this model has {', '.join(sorted(self.tables)) or 'none'}")
        if shape is not None and tuple(self.tables[name].shape) != shape:
            raise ModelError(f"table {name!r}: shape {tuple(self.tables[name].shape)}: wanted {shape}")
        return self.tables[name]

    def entry(self, *keys):
        """A value of the manifest, nested keys in order; raises `ModelError` if there is none, or an impossible one."""
        return registry.entry(self.manifest, *keys)

    def predict(self, x, mode=None):
        """The golden model's `Prediction` of int8 features, see `sw.golden.predict`."""
        return golden.predict(self, x, mode)

    def payload(self):
        """The bytes of `weights.safetensors`; the hash is taken over them."""
        tensors = {name: self.matrices[name].to(torch.int8).contiguous() for name in self.config.matrices()}
        tensors |= {name: self.neurons[name].to(torch.int32).contiguous() for name in self.config.neuron_tables()}
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
        store.write_atomically(folder / WEIGHTS_FILE, self.payload())
        store.write_json(folder / "manifest.json", manifest)


def load(model):
    """Read a model by its committed name (`sw.registry`) or from its folder.

    Raises `ModelError` in one line: the names that exist, or the file that is missing, damaged or not of its hash.
    """
    names = registry.accelerated()
    folder = registry.folder_of(model, names)
    manifest = registry.manifest_of(folder)
    if "config" not in manifest:
        raise ModelError(f"{folder}: not a network for the accelerator: give one of {', '.join(names)}, or the folder "
                         "of an exported one")
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: train a model (`sottovoce train`) or name another folder")
    try:
        data = weights.read_bytes()
        tensors = load_tensors(data)
        config = hw_config.from_dict(manifest.pop("config"), str(folder / "manifest.json"))
        stored, time_steps = manifest.pop("sha256"), manifest.pop("time_steps")
        parts = {name: {n: tensors[n] for n in names} for name, names in (
            ("matrices", config.matrices()), ("neurons", config.neuron_tables()))}
        thresholds = tensors["thresholds"]
    except (SafetensorError, KeyError) as error:
        raise ModelError(f"{folder}: not a readable model: {error!r}") from None
    if hashlib.sha256(data).hexdigest() != stored:
        raise ModelError(f"{weights}: hash differs from the manifest's; restore both files")
    tables = {name.removeprefix("table."): t for name, t in tensors.items() if name.startswith("table.")}
    try:
        whole = IntegerModel(config, **parts, thresholds=thresholds, time_steps=time_steps, tables=tables,
                             manifest=manifest)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from None
    return replace(whole, thresholds=thresholds.to(torch.int32),
                   **{name: {n: t.to(torch.int32) for n, t in part.items()} for name, part in parts.items()})


def in_four(fc):
    """Weights that are not zero in each four neighbouring outputs: (N, O) -> (N, ceil(O / 4))."""
    whole = torch.nn.functional.pad(fc, (0, -fc.shape[1] % 4))
    return (whole.reshape(len(whole), -1, 4) != 0).sum(-1)


def two_of_four(fc):
    """The same weights but for the two smallest of each four neighbouring outputs, which become zero."""
    whole = torch.nn.functional.pad(fc, (0, -fc.shape[1] % 4)).reshape(len(fc), -1, 4)
    largest = whole.abs().topk(2, -1).indices
    kept = torch.zeros_like(whole).scatter(-1, largest, whole.gather(-1, largest))
    return kept.reshape(len(fc), -1)[:, :fc.shape[1]]


def _check_integers(name, values, shape, config):
    if tuple(values.shape) != tuple(shape):
        raise ModelError(f"{name}: shape {tuple(values.shape)}, but {config.name} wants {tuple(shape)}")
    if values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise ModelError(f"{name}: values of {values.dtype}: wanted integers, rounding is the export's")
