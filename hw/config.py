"""The one frozen configuration that feeds RTL, golden model, training, export and reports.

A configuration is a YAML file. Shipped ones are named (`tiny`, `paper`); a user's own file is given by path.
Every field is checked when the configuration is built; an error quotes the bad value and says what would serve.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import yaml

SHIPPED = Path(__file__).parent / "configs"
INPUT_CODES = ("twos_complement", "sign_magnitude", "signed_digit")
RESETS = ("zero", "subtract")
GROUP_BITS = 4  # an 8-bit input is split in two groups of 4 bits, one per PE set (type A)


class ConfigError(ValueError):
    """A configuration that cannot be built; the message names the field and quotes the value."""


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
class Config:
    """Sizes, number formats and mechanisms of one accelerator.

    Weights are signed `weight_bits`, inputs signed 8 bit, potentials signed `potential_bits` with
    `potential_fraction` fractional bits (`paper`: Q12.4); all sums are integers. See docs/arithmetic.md.

    Raises `ConfigError` on any value that cannot be built.
    """

    name: str
    features: int
    input_rows: int
    neurons: int
    outputs: int
    feature_bits: int = 8
    weight_bits: int = 4
    input_code: str = "signed_digit"
    accumulator_bits: int = 13
    potential_bits: int = 16
    potential_fraction: int = 4
    input_shift: int = 4              # input current = round((lo + 16 hi) / 2^input_shift)
    leak_shift: tuple[int, int] = (2, 2)  # per layer: leak(u) = u >> shift, beta = 1 - 2^-shift
    reset: str = "zero"
    logits_per_beat: int = 16
    load_bits: int = 64               # width of the load port = write granularity of the weight SRAMs
    counters: bool = True
    mechanisms: Mechanisms = field(default_factory=Mechanisms)

    def __post_init__(self):
        def need(name, ok, wanted):
            if not ok:
                raise ConfigError(f"{self.name}: {name}={getattr(self, name)!r}: {wanted}")

        for f in fields(self):
            value = getattr(self, f.name)
            if f.type in (int, "int") and (not isinstance(value, int) or isinstance(value, bool)):
                raise ConfigError(f"{self.name}: {f.name}={value!r}: wanted an integer")
        need("feature_bits", self.feature_bits == 8, "only 8-bit features are built (two 4-bit groups)")
        need("weight_bits", 2 <= self.weight_bits <= 8, "wanted 2 to 8")
        need("features", 2 <= self.features <= self.input_rows, f"wanted 2 to input_rows={self.input_rows}")
        need("input_rows", 2 <= self.input_rows <= 4096, "wanted 2 to 4096")
        need("neurons", 4 <= self.neurons <= 1024 and self.neurons % 4 == 0, "wanted a multiple of 4 from 4 to 1024")
        need("logits_per_beat", 1 <= self.logits_per_beat <= self.neurons and
             self.neurons % self.logits_per_beat == 0, f"wanted a divisor of neurons={self.neurons}")
        need("outputs", self.outputs >= 1 and self.outputs % self.logits_per_beat == 0,
             f"wanted a positive multiple of logits_per_beat={self.logits_per_beat}")
        need("load_bits", self.load_bits >= 32 and self.row_bits % self.load_bits == 0,
             f"wanted a divisor, at least 32, of the row width {self.row_bits}")
        need("input_code", self.input_code in INPUT_CODES, f"wanted one of {', '.join(INPUT_CODES)}")
        need("reset", self.reset in RESETS, f"wanted one of {', '.join(RESETS)}")
        need("potential_fraction", 0 <= self.potential_fraction <= 8, "wanted 0 to 8")
        need("input_shift", 0 <= self.input_shift <= 8, "wanted 0 to 8")
        need("leak_shift", isinstance(self.leak_shift, tuple) and len(self.leak_shift) == 2 and
             all(isinstance(k, int) and 1 <= k <= 6 for k in self.leak_shift), "wanted two integers from 1 to 6")
        need("accumulator_bits", self.accumulator_bits <= 24, "wanted at most 24")
        need("accumulator_bits", self.accumulator_bits >= self.accumulator_bits_needed,
             f"can overflow; {self.accumulator_bits_needed} bits hold any weights and inputs")
        need("potential_bits", self.accumulator_bits + 1 <= self.potential_bits <= 32,
             f"wanted accumulator_bits + 1 = {self.accumulator_bits + 1} to 32")

    # --- derived sizes -------------------------------------------------------------------------------------
    @property
    def row_bits(self):
        """Bits of one weight row: one weight for each lane."""
        return self.neurons * self.weight_bits

    @property
    def slices(self):
        """Separately writable slices of a weight row."""
        return self.row_bits // self.load_bits

    @property
    def half(self):
        """Neurons in each half that type B gives to one PE set and one bank."""
        return self.neurons // 2

    @property
    def groups(self):
        """Output groups of `neurons` outputs each; the last may be partly filled."""
        return -(-self.outputs // self.neurons)

    @property
    def full_passes(self):
        """FC passes in which the two PE sets take one output group each."""
        return self.groups // 2

    @property
    def split_pass(self):
        """True where an odd last group is shared: each PE set and bank takes half of its inputs."""
        return self.groups % 2 == 1

    @property
    def passes(self):
        return self.full_passes + self.split_pass

    @property
    def recurrent_rows(self):
        """Rows of each of the two recurrent banks: L0 recurrent, L1 recurrent, L1 feed-forward, half each."""
        return 3 * self.half

    @property
    def fc_rows(self):
        """Rows of each of the two FC banks (`paper`: 7 x 128 + 64 = 960)."""
        return self.full_passes * self.neurons + (self.half if self.split_pass else 0)

    @property
    def logit_bits(self):
        """Signed bits that hold any logit: fan-in x 2 time steps x the largest weight magnitude."""
        return (self.neurons * 2 * self.weight_limit - 1).bit_length() + 1

    @property
    def weight_limit(self):
        """Magnitude of the most negative weight."""
        return 1 << (self.weight_bits - 1)

    @property
    def digit_limit(self):
        """Largest magnitude of one 4-bit group's value under `input_code`."""
        return 10 if self.input_code == "signed_digit" else 15

    @property
    def accumulator_bits_needed(self):
        """Signed bits no visit order can overflow: input groups, combined input + recurrence, and FC."""
        limit = self.weight_limit
        group = self.features * limit * self.digit_limit
        scaled = self.features * limit * (1 << (self.feature_bits - 1))
        combined = -(-scaled // (1 << self.input_shift)) + self.neurons * limit
        spiking = 2 * self.neurons * limit  # two matrices of L1, and the FC with doubled weights
        return max(group, combined, spiking - 1).bit_length() + 1

    def sizes(self):
        """Weight buffers as name -> (rows, bits a row)."""
        rows = {"input": self.input_rows, "recurrent0": self.recurrent_rows, "recurrent1": self.recurrent_rows,
                "fc0": self.fc_rows, "fc1": self.fc_rows}
        return {name: (count, self.row_bits) for name, count in rows.items()}

    def to_dict(self):
        """Plain values, in the form `from_dict` reads."""
        values = asdict(self)
        values["leak_shift"] = list(self.leak_shift)
        return values


def from_dict(values, source="configuration"):
    """Build a `Config` from plain values; unknown or missing keys raise `ConfigError` by name."""
    if not isinstance(values, dict):
        raise ConfigError(f"{source}: wanted a mapping of fields, got {type(values).__name__}")
    values = dict(values)
    mechanisms = values.pop("mechanisms", None) or {}
    for given, cls, where in ((values, Config, ""), (mechanisms, Mechanisms, "mechanisms.")):
        if not isinstance(given, dict):
            raise ConfigError(f"{source}: mechanisms={given!r}: wanted a mapping")
        known = [f.name for f in fields(cls)]
        for key in given:
            if key not in known:
                raise ConfigError(f"{source}: unknown key {where}{key!r}; known: {', '.join(known)}")
    for key, value in mechanisms.items():
        if not isinstance(value, bool):
            raise ConfigError(f"{source}: mechanisms.{key}={value!r}: wanted true or false")
    if isinstance(values.get("leak_shift"), list):
        values["leak_shift"] = tuple(values["leak_shift"])
    missing = [key for key in ("name", "features", "input_rows", "neurons", "outputs") if key not in values]
    if missing:
        raise ConfigError(f"{source}: missing key {missing[0]!r}")
    return Config(**values, mechanisms=Mechanisms(**mechanisms))


def load(name_or_path):
    """Load a shipped configuration by name or a user's YAML file by path."""
    path = SHIPPED / f"{name_or_path}.yaml"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.yaml")))
        raise ConfigError(f"configuration {str(name_or_path)!r} not found: give one of {names}, or a YAML file's path")
    try:
        values = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    return from_dict(values, str(path))
