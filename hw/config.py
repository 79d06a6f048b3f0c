"""The one frozen configuration that feeds RTL, golden model, training, export and reports.

A configuration is a YAML file of version 2; files of version 1 (two recurrent layers as wide as the lanes) still load.
Shipped ones are named (`tiny`, `paper`, ...); a user's own file is given by path. Every field is checked when the
configuration is built; an error quotes the bad value and says what would serve.
"""

import re
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from .plain_yaml import YamlError, read
from .sizes import Sizes

SHIPPED = Path(__file__).parent / "configs"
INPUT_CODES = ("twos_complement", "sign_magnitude", "signed_digit")
RESETS = ("zero", "subtract")
DRAINS = ("buffered", "direct")
MENDED_BY = ("parallel_time_steps", "union_skip", "merged_spikes", "zero_skip_recurrent", "zero_skip_fc")
GROUP_BITS = 4   # an 8-bit input is split in two groups of 4 bits, one per PE set (type A)
MOST_DELAY = 15  # frames
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
V1_ONLY = ("neurons", "leak_shift", "reset")


class ConfigError(ValueError):
    """A configuration that cannot be built; the message names the field and quotes the value."""


def quoted(value):
    """A value as an error quotes it: never longer than a line."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@dataclass(frozen=True, kw_only=True)
class Mechanisms:
    """Which mechanisms the generator builds. A run-time mode can only select what is built."""

    parallel_time_steps: bool = True  # one row read serves both time steps
    union_skip: bool = True           # type D visits only where OR(s0, s1) = 1
    merged_spikes: bool = True        # type C visits once, doubles the weight where AND(s0, s1) = 1
    zero_skip_input: bool = True      # type A visits nonzero digits only
    zero_skip_recurrent: bool = True  # type B visits fired neurons only (one time step)
    zero_skip_fc: bool = True         # type C visits fired neurons only


@dataclass(frozen=True, kw_only=True)
class Delays:
    """The most frames that any neuron's spikes are late on their way; a neuron's own number is data. 0 builds none."""

    forward: int = 0    # into the next layer; the last layer's way into the FC is `Config.readout_delay`
    recurrent: int = 0  # into the layer itself, beyond the one frame that recurrence takes


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of spiking neurons. `neuron` in place of a value: a table with a value for each neuron is loaded."""

    neurons: int
    recurrent: bool = True
    reset: str = "zero"           # of a neuron that fired: to zero, or `subtract` the threshold
    persist: bool = True          # false: potentials start each frame from zero
    leak_shift: int | str = 2     # leak(u) = u >> shift, 0 for none; or `neuron`
    threshold: str = "layer"      # one, loaded at run time; or `neuron`
    bias: bool = False            # a value for each neuron, added at each time step
    synapse_shift: int = 0        # currents decay by i >> shift instead of ending at once; 0: no such state
    on_change: bool = False       # its sums over spikes are kept, and only changes of spikes visited (`t2_change`)
    delays: Delays = field(default_factory=Delays)


@dataclass(frozen=True, kw_only=True)
class Config(Sizes):
    """Sizes, number formats and mechanisms of one accelerator.

    Weights are signed `weight_bits`, inputs signed 8 bit, potentials signed `potential_bits` with
    `potential_fraction` fractional bits (`paper`: Q12.4); all sums are integers. See docs/arithmetic.md.

    Raises `ConfigError` on any value that cannot be built.
    """

    name: str
    features: int
    lanes: int                        # of each of the two PE sets
    layers: tuple[Layer, ...]
    outputs: int
    input_rows: int | None = None     # rows of the input weight buffer a group of layer 0; default: `features`
    feature_bits: int = 8
    weight_bits: int = 4
    input_code: str = "signed_digit"
    accumulator_bits: int | None = None  # default: as many as no weights and inputs can overflow
    potential_bits: int = 16
    potential_fraction: int = 4
    input_shift: int = 4              # input current = round((lo + 16 hi) / 2^input_shift)
    readout_delay: int = 0            # as `Delays`, from the last layer into the FC
    readout_on_change: bool = False   # as `Layer.on_change`: logits are kept, and changes of merged spikes visited
    lif_lanes: int | None = None      # neurons that the LIF unit serves a cycle; default: `lanes`
    fc_two_of_four: bool = False      # the FC has at most two weights in four neighbouring outputs, and is stored so
    serial_combine: bool = False      # the input current is made a word of neurons at a time, and waits in a memory
    step_difference: bool = False     # PE set 1 sums by how much time step 1 differs from time step 0
    logits_per_beat: int = 16
    drain: str = "buffered"           # logits leave while the next pass computes; `direct`: before it begins
    readout: str = "logits"           # what leaves: all of them, the largest (`argmax`), the largest of their `sum`s
    readout_outputs: int = 0          # ... of the first so many outputs; 0: of all
    load_bits: int = 64               # width of the load port = write granularity of the weight SRAMs
    counters: bool = True
    sleep: bool = False               # the supply may be cut between frames: `hw.sleep`
    watchdog: bool = False            # an upset sequencer comes back to idle: `hw.watchdog`
    parity: bool = False              # of weight rows, checked when they are read: `hw.parity`
    mechanisms: Mechanisms = field(default_factory=Mechanisms)

    def __post_init__(self):
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise ConfigError(f"name={quoted(self.name)}: wanted a plain name of a-z, 0-9, '-', '_' and '.'")
        self._types(self, "")
        for default, value in (("input_rows", self.features), ("lif_lanes", self.lanes)):
            if getattr(self, default) is None:
                object.__setattr__(self, default, value)
        self._check_sizes()
        self._check_layers()
        self._check_change()
        if self.accumulator_bits is None:
            object.__setattr__(self, "accumulator_bits", self.accumulator_bits_needed)
        self._check_formats()

    def _types(self, part, where):
        wanted = {bool: "true or false", int: "an integer", str: "text"}
        for f in fields(part):
            value = getattr(part, f.name)
            if f.type in wanted and type(value) is not f.type or f.type == (int | None) and value is not None \
                    and type(value) is not int:
                raise ConfigError(f"{self.name}: {where}{f.name}={quoted(value)}: wanted "
                                  f"{wanted.get(f.type, wanted[int])}")

    def _need(self, name, ok, wanted, value=None):
        if not ok:
            value = getattr(self, name) if value is None else value
            raise ConfigError(f"{self.name}: {name}={quoted(value)}: {wanted}")

    def _check_layers(self):
        self._need("layers", isinstance(self.layers, tuple) and all(isinstance(x, Layer) for x in self.layers),
                   "wanted a list of layers, each a mapping with its neurons")
        self._need("layers", 1 <= len(self.layers) <= 8, "wanted 1 to 8 layers", f"{len(self.layers)} layers")
        for index, layer in enumerate(self.layers):
            where = f"layers[{index}]."
            self._types(layer, where)
            self._types(layer.delays, f"{where}delays.")
            shift = layer.leak_shift
            last = index == len(self.layers) - 1
            for name, ok, wanted in (
                    ("neurons", 4 <= layer.neurons <= 1024, "wanted 4 to 1024"),
                    ("neurons", layer.neurons <= 64 * self.lanes, f"wanted at most 64 groups of lanes={self.lanes}"),
                    ("reset", layer.reset in RESETS, f"wanted one of {', '.join(RESETS)}"),
                    ("leak_shift", shift == "neuron" or type(shift) is int and 0 <= shift <= 7,
                     "wanted 0 (no leak) to 7, or neuron"),
                    ("threshold", layer.threshold in ("layer", "neuron"), "wanted layer or neuron"),
                    ("synapse_shift", 0 <= layer.synapse_shift <= 7, "wanted 0 (no synapse state) to 7")):
                self._need(where + name, ok, wanted, getattr(layer, name))
            self._need(f"{where}on_change", not layer.on_change or index or layer.recurrent and self.serial_combine,
                       "layer 0 keeps its sum over spikes apart from the features': wanted a recurrent layer, and "
                       "serial_combine: true", layer.on_change)
            for name in ("forward", "recurrent"):
                value = getattr(layer.delays, name)
                self._need(f"{where}delays.{name}", 0 <= value <= MOST_DELAY, f"wanted 0 to {MOST_DELAY}", value)
            self._need(f"{where}delays.recurrent", layer.recurrent or not layer.delays.recurrent,
                       "wanted 0: the layer is not recurrent", layer.delays.recurrent)
            self._need(f"{where}delays.forward", not last or not layer.delays.forward,
                       "wanted 0: the last layer's way out is delayed by readout_delay", layer.delays.forward)

    def _check_change(self):
        off = [name for name in MENDED_BY if self.changes() and not getattr(self.mechanisms, name)]
        self._need("mechanisms", not off, "sums that are kept (on_change) want all of them built", ", ".join(off))
        self._need("readout_on_change", not self.readout_on_change or self.drain == "direct",
                   "logits are kept where they leave straight from the PE sets: wanted drain: direct")

        for name, wanted in self.refused():
            self._need(name, False, wanted)

    def _check_sizes(self):
        need = self._need
        need("drain", self.drain in DRAINS, f"wanted one of {', '.join(DRAINS)}")
        need("feature_bits", self.feature_bits == 8, "only 8-bit features are built (two 4-bit groups)")
        need("weight_bits", 2 <= self.weight_bits <= 8, "wanted 2 to 8")
        need("features", 2 <= self.features <= self.input_rows, f"wanted 2 to input_rows={self.input_rows}")
        need("input_rows", 2 <= self.input_rows <= 4096, "wanted 2 to 4096")
        need("lanes", 4 <= self.lanes <= 1024 and self.lanes % 4 == 0, "wanted a multiple of 4 from 4 to 1024")
        need("lif_lanes", 4 <= self.lif_lanes and self.lanes % self.lif_lanes == 0,
             f"wanted a divisor, at least 4, of lanes={self.lanes}")
        need("logits_per_beat", 1 <= self.logits_per_beat <= self.lanes and
             self.lanes % self.logits_per_beat == 0, f"wanted a divisor of lanes={self.lanes}")
        need("outputs", 1 <= self.outputs <= 65536 and self.outputs % self.logits_per_beat == 0,
             f"wanted a multiple of logits_per_beat={self.logits_per_beat} from {self.logits_per_beat} to 65536")
        need("readout_delay", 0 <= self.readout_delay <= MOST_DELAY, f"wanted 0 to {MOST_DELAY}")
        need("load_bits", 32 <= self.load_bits <= 1024 and self.row_bits % self.load_bits == 0,
             f"wanted a divisor, at least 32, of the row width {self.row_bits}")

    def _check_formats(self):
        need = self._need
        need("input_code", self.input_code in INPUT_CODES, f"wanted one of {', '.join(INPUT_CODES)}")
        need("potential_fraction", 0 <= self.potential_fraction <= 8, "wanted 0 to 8")
        need("input_shift", 0 <= self.input_shift <= 8, "wanted 0 to 8")
        need("accumulator_bits", self.accumulator_bits <= 24, "wanted at most 24")
        need("accumulator_bits", self.accumulator_bits >= self.accumulator_bits_needed,
             f"can overflow; {self.accumulator_bits_needed} bits hold any weights and inputs")
        need("potential_bits", self.accumulator_bits + 1 <= self.potential_bits <= 32,
             f"wanted accumulator_bits + 1 = {self.accumulator_bits + 1} to 32")

    def with_layers(self, **changes):
        """The same configuration with fields of every layer changed."""
        return replace(self, layers=tuple(replace(layer, **changes) for layer in self.layers))

    def to_dict(self):
        """Plain values, in the form `from_dict` reads."""
        values = asdict(self)
        return {"version": 2, **values, "layers": list(values["layers"])}


def from_dict(values, source="configuration"):
    """Build a `Config` from plain values; unknown or missing keys raise `ConfigError` by name."""
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: wanted a mapping of fields, got {type(values).__name__}")
    values = dict(values)
    version = values.pop("version", 2 if "layers" in values else 1)
    if type(version) is not int or version not in (1, 2):
        raise ConfigError(f"{source}: version={quoted(version)}: wanted 1 or 2")
    if version == 1:
        values = _from_version_1(values, source)
    values["mechanisms"] = _part(Mechanisms, values.get("mechanisms", {}), "mechanisms", source)
    layers = values.get("layers")
    if isinstance(layers, list | tuple):
        values["layers"] = tuple(_layer(layer, f"layers[{i}]", source) for i, layer in enumerate(layers))
    try:
        return _part(Config, values, "", source)
    except ConfigError as error:
        raise ConfigError(str(error) if str(error).startswith(f"{source}: ") else f"{source}: {error}") from None


def _layer(values, where, source):
    if isinstance(values, dict) and "delays" in values:
        values = {**values, "delays": _part(Delays, values["delays"], f"{where}.delays", source)}
    return _part(Layer, values, where, source)


def _part(cls, values, where, source):
    """One dataclass from a mapping; `where` is its place in the configuration."""
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: {where}={quoted(values)}: wanted a mapping")
    known, dot = {f.name: f for f in fields(cls)}, f"{where}." if where else ""
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f"{source}: unknown key {dot}{quoted(key)}; known: {', '.join(known)}")
        if cls is Mechanisms and not isinstance(value, bool):
            raise ConfigError(f"{source}: {dot}{key}={quoted(value)}: wanted true or false")
    try:
        return cls(**values)
    except TypeError:  # every key is known, so one without default is missing
        missing = next(key for key in ("name", "features", "lanes", "layers", "neurons", "outputs")
                       if key in known and key not in values)
        raise ConfigError(f"{source}: missing key {dot}{missing!r}") from None


def _from_version_1(values, source):
    """Two recurrent layers, each as wide as the lanes, with one `reset` and a leak shift each."""
    for key in ("name", "features", "input_rows", "neurons", "outputs"):
        if key not in values:
            raise ConfigError(f"{source}: missing key {key!r}")
    given = {key: values.pop(key) for key in V1_ONLY if key in values}
    for key in values:
        if key in ("lanes", "layers", "readout_delay", "lif_lanes"):
            raise ConfigError(f"{source}: unknown key {key!r} in version 1: say version: 2, with layers")
    neurons, leaks = given["neurons"], given.get("leak_shift", [2, 2])
    where = f"{source}: {quoted(values['name'])}"
    if type(neurons) is not int:
        raise ConfigError(f"{where}: neurons={quoted(neurons)}: wanted an integer")
    if not 4 <= neurons <= 1024 or neurons % 4:
        raise ConfigError(f"{where}: neurons={neurons}: wanted a multiple of 4 from 4 to 1024")
    if not isinstance(leaks, list | tuple) or len(leaks) != 2 or \
            not all(type(k) is int and 1 <= k <= 6 for k in leaks):
        raise ConfigError(f"{where}: leak_shift={quoted(leaks)}: wanted two integers from 1 to 6")
    layers = [{"neurons": neurons, "leak_shift": k, "reset": given.get("reset", "zero")} for k in leaks]
    return {**values, "lanes": neurons, "layers": layers}


def load(name_or_path):
    """Load a shipped configuration by name or a user's YAML file by path."""
    path = SHIPPED / f"{name_or_path}.yaml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.yaml")))
        raise ConfigError(f"configuration {quoted(str(name_or_path))} not found: give one of {names}, "
                          "or a YAML file's path")
    try:
        values = read(path)
    except YamlError as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from None
    return from_dict(values, str(path))
