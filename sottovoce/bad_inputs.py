"""Bad inputs that are text: configurations, YAML, command lines, places to write to."""

from collections.abc import Callable
from typing import NamedTuple

import yaml

from hw import config as configs


def nothing(_folder):
    """No files to prepare."""


class Case(NamedTuple):
    """`words` of a command line that must be refused in a line with `says` in it; `prepare(folder)` makes its files.

    `file_bytes`: the most that a file may grow to, as on a full disk.
    """

    kind: str
    name: str
    words: tuple
    says: str
    prepare: Callable = nothing
    file_bytes: int | None = None


def tiny(**changes):
    """`tiny` as plain values, with fields changed; None leaves one out."""
    values = configs.load("tiny").to_dict() | changes
    return {key: value for key, value in values.items() if value is not None}


def layer(**changes):
    """`tiny`, its first layer changed."""
    values = tiny()
    values["layers"][0] |= changes
    return values


FIELDS = {  # field -> values that cannot be built
    "name": ("a/b", "../outside", "a b", 5, "", "Tiny", "é", "a" * 100, "..", "-o", "a\nb", True),
    "features": (0, 1, -3, 1.5, "8", True, 99999, [1], 1e3, float("nan"), float("inf")),
    "lanes": (0, 6, 5000, "x"),
    "layers": ([], "two", {}, [5], [[]], 7, [{"neurons": 16} for _ in range(9)]),
    "outputs": (800_000_000, -16, 10, 10 ** 30, 0),
    "input_rows": (1, 5000),
    "feature_bits": (9,),
    "weight_bits": (1, 9, 4.0),
    "input_code": ("gray", 3),
    "accumulator_bits": (3, 25, "wide"),
    "potential_bits": (8, 33, 64),
    "potential_fraction": (9, -1),
    "input_shift": (9, -1),
    "readout_delay": (16, -1),
    "lif_lanes": (3, 0),
    "logits_per_beat": (3, 0),
    "step_difference": (True, "yes"),
    "readout": ("largest", 3, True),
    "readout_outputs": (3, -1, 10 ** 6),
    "load_bits": (24, 31, 2048),
    "counters": ("yes", 1),
    "mechanisms": (False, ["union_skip"], {"union_skip": 1}, {"union": True}),
    "version": (3, "2", True, 0),
    "nuerons": (8,),
}
LAYERS = {
    "neurons": (3, 2000, "16", True, -1), "recurrent": ("no", 1), "reset": ("none", 1), "persist": ("no",),
    "leak_shift": (9, -1, True, "abc", [2]), "threshold": ("x", 5), "bias": (1,), "synapse_shift": (8, -1),
    "delays": (3, {"forward": 16}, {"forward": "2"}, {"sideways": 1}, {"recurrent": -1}), "neuron": (4,),
}
DEEP = 3000
TEXTS = {  # what is no plain YAML, or no mapping
    "duplicate key": (b"name: a\nname: b\n", "twice"),
    "alias bomb": (b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "alias"),
    "merge key": (b"a: &a {x: 1}\nb: {<<: *a}\n", "alias"),
    "list nested deeply": (b"[" * DEEP + b"]" * DEEP, "deep"),
    "map nested deeply": (b"{a: " * DEEP + b"1" + b"}" * DEEP, "deep"),
    "not UTF-8": (b"name: \xff\xfe\n", "YAML"),
    "NUL": (b"name: a\0b\n", "YAML"),
    "tab": (b"name:\n\t- a\n", "YAML"),
    "empty": (b"", "mapping"),
    "only a comment": (b"# nothing\n", "mapping"),
    "a list": (b"- a\n", "mapping"),
    "a text": (b"tiny\n", "mapping"),
    "two documents": (b"a: 1\n---\nb: 2\n", "YAML"),
    "an object of Python": (b"!!python/object/apply:os.getcwd []\n", "YAML"),
    "a date": (b"name: 2024-01-01\nfeatures: 8\nlanes: 16\nlayers: []\noutputs: 16\n", "name"),
    "an unhashable key": (b"? [a, b]\n: 1\n", "YAML"),
    "an odd key": (b"1: 2\n", "missing key|unknown key"),
    "two megabytes": (b"#" * (2 << 20), "bytes"),
    "an integer of 6,000 digits": (b"name: a\nfeatures: " + b"9" * 6000 + b"\n", "YAML"),
    "an open bracket": (b"a: [\n", "YAML"),
    "UTF-16": ("name: a\n".encode("utf-16"), "mapping|YAML|key"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "YAML"),
}
LINES = (  # command line, what it must say
    ("dmo", "did you mean 'demo'"), ("--demo", "no command"), ("", "no command"),
    ("synth --confg paper", "did you mean --config?"), ("synth --corner cold", "invalid choice: 'cold'"),
    ("synth --config papper", "configuration 'papper' not found"), ("synth --lib sky130", "--lib sky130"),
    ("synth --pdk /nowhere", "--pdk /nowhere"), ("sta --fast 0", "--fast 0"), ("sta --fast nan", "--fast nan"),
    ("sta --fast inf", "inf"), ("layout --period 0", "--period 0"), ("layout --utilisation 200", "200"),
    ("gates --config tiny --frames 0", "'0'"), ("gates --config tiny --frames 1e3", "'1e3'"),
    ("physical --build nowhere", "nowhere"), ("train", "train wants a model"), ("train resnet", "'resnet'"),
    ("train rsnn --epochs 0", "'0'"), ("train rsnn --threads 0", "'0'"), ("train rsnn --seed -1", "-1"),
    ("train rsnn --data nowhere", "nowhere"), ("evaluate", "evaluate wants a model"),
    ("train rsnn --seed 99999999999999999999999", "99999999999999999999999"),
    ("cosim --seed 99999999999999999999999 --test lif", "99999999999999999999999"),
    ("evaluate rsnn --threads 0", "'0'"), ("evaluate rsnn --data nowhere", "nowhere"),
    ("evaluate rsnn --json /proc/none/a.json", "/proc/none"),
    ("evaluate sparknet-32 --json /proc/none/a.json", "/proc"),
    ("evaluate sparknet-32 --data nowhere", "nowhere"), ("evaluate sparknet-32 --kinds white", "--snr"),
    ("evaluate sparknet-32 --split all --snr nan", "nan"), ("study lamda", "'lamda'"),
    ("conformance --data /none", "/none"),
    ("demo --model nope", "'nope'"), ("demo --wav nowhere.wav", "nowhere.wav"), ("demo --model=", "''"),
    ("activity --seeds 0", "'0'"), ("cosim --test pe_aray", "'pe_aray'"), ("cosim --config nope", "'nope'"),
    ("import nowhere.nir", "nowhere.nir"), ("export --model nowhere", "nowhere"), ("verilog --block cpu", "'cpu'"),
    ("verilog --bus pci", "'pci'"), ("verilog --config tiny --model rsnn", "rsnn"), ("describe nope", "'nope'"),
    ("describe", "config"), ("describe .", "'.'"), ("describe ../../../etc/passwd", "passwd"),
    ("listen nowhere.wav", "nowhere.wav"), ("listen --seconds -1", "-1"), ("listen --seconds nan", "nan"),
    ("listen x.wav --smooth 0", "'0'"), ("listen x.wav --threshold nan", "nan"), ("listen x.wav --threshold 2", "2"),
    ("listen x.wav --model rsnn --threshold 0.5", "threshold"), ("listen x.wav --model lstm", "lstm"),
    ("serve --port 99999", "99999"), ("serve --port x", "--port: x"), ("mutants --count 0", "'0'"),
    ("mutants --only paper", "'paper'"), ("soak --frames 0", "'0'"), ("soak --model rsnn", "rsnn"),
    ("soak --modes t3", "'t3'"), ("faults --clips 0", "'0'"),
    ("faults --model rsnn-keywords --data nowhere", "nowhere"),
    ("synthetic --utterances 0", "'0'"), ("synthetic --out .", "is there already"),
    ("networks --model nowhere", "nowhere"), ("bus-test --config nope", "'nope'"), ("fpga --config papper", "papper"),
    ("walk --what", "--what"), ("download nothing", "nothing"),
)
FULL = 1 << 12  # bytes a file
PLACES = (  # command line, what it says, most bytes a file
    ("verilog --config tiny --out /proc/none", "/proc/none", None),
    ("verilog --config tiny --out /dev/null", "/dev/null", None),
    ("verilog --config tiny --out taken", "taken", None),
    ("verilog --config tiny --out out", "File too large", FULL),
    ("verilog --config tiny --bus axi --out out", "File too large", FULL),
    ("verilog --model rsnn --out out", "File too large", FULL),
    ("export --model rsnn --out out.nir", "out.nir", FULL),
    ("export --model rsnn --out /proc/none/a.nir", "/proc/none", None),
    ("synthetic --quiet --out /proc/none --utterances 1", "/proc", None),
    ("synthetic --quiet --out out --utterances 1 --speakers 1", "File too large", FULL),
)


def file(name, data):
    """Prepares one file of bytes."""
    return lambda folder: (folder / name).write_bytes(data)


def cases():
    """All of them."""
    bad = [(f"{field}: {configs.quoted(value)}", tiny(**{field: value}), field) for field, values in FIELDS.items()
           for value in values]
    bad += [(f"layers.{field}: {configs.quoted(value)}", layer(**{field: value}), field)
            for field, values in LAYERS.items() for value in values]
    bad += [(f"without {field}", tiny(**{field: None}), field) for field in ("name", "features", "outputs", "lanes")]
    for name, values, field in bad:
        text = yaml.safe_dump(values, allow_unicode=True).encode()
        yield Case("configuration", name, ("describe", "bad.yaml"), field, file("bad.yaml", text))
    for name, (data, says) in TEXTS.items():
        yield Case("YAML", name, ("describe", "bad.yaml"), says, file("bad.yaml", data))
    for line, says in LINES:
        yield Case("command line", line or "an empty command", tuple(line.split()) or ("",), says)
    for line, says, most in PLACES:
        yield Case("disk", f"{line}{' on a full disk' if most else ''}", tuple(line.split()), says,
                   file("taken", b"a file"), most)
