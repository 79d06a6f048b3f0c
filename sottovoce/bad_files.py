"""Bad inputs that are networks: weights and manifests, NIR graphs, calibration features."""

import hashlib
import json
import pickle
import shutil
from functools import partial

import h5py
import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from sottovoce.bad_inputs import DEEP, Case, file
from sottovoce.bad_speech import CLIP, PHONES, SPARK
from sw import registry
from sw.networks import refusals

KEYWORDS = "rsnn-keywords"
HEAR = ("listen", str(CLIP), "--model", "m")
IMAGES = ("verilog", "--model", "m", "--out", "out")


# --- models: a committed one, with one thing wrong -----------------------------------------------------------------
def model(name, change=None, manifest=None, data=None):
    """Prepares `m`: `change(tensors)`, `manifest(manifest)` in place, with a hash that fits; `data(bytes)` without."""
    def prepare(folder):
        place = folder / "m"
        shutil.copytree(registry.folder_of(name), place)
        weights, values = place / "weights.safetensors", json.loads((place / "manifest.json").read_text())
        if change:
            tensors = load_tensors(weights.read_bytes())
            change(tensors)
            weights.write_bytes(save_tensors(tensors))
            values["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
        if manifest:
            manifest(values)
        (place / "manifest.json").write_text(json.dumps(values))
        if data is not None:
            weights.write_bytes(data(weights.read_bytes()))
    return prepare


def put(name, value):
    """Changes a tensor: `value(tensor)`, or is taken out where it is None."""
    def change(tensors):
        tensor = tensors.pop(name)
        if value:
            tensors[name] = value(tensor).contiguous()
    return change


def entry(value, *keys):
    """Changes a value of a manifest, or takes it out where it is None."""
    def change(values):
        for key in keys[:-1]:
            values = values[key]
        values.pop(keys[-1], None)
        if value is not None:
            values[keys[-1]] = value
    return change


def nan(t):
    t = t.clone().float()
    t.view(-1)[0] = float("nan")
    return t


def raw(name, text):
    """Prepares a model whose manifest is this text, or is not there."""
    def prepare(folder):
        model(name)(folder)
        path = folder / "m" / "manifest.json"
        path.unlink() if text is None else path.write_bytes(text)
    return prepare


def weights():
    """(name, line, says, prepare) of models."""
    tensors = [
        ("a matrix is missing", "fc", None, "fc"), ("a matrix of another shape", "fc", lambda t: t[:-1], "fc"),
        ("a matrix turned", "input", lambda t: t.T, "input"), ("weights of 5 bits", "fc", lambda t: t * 0 + 8, "fc"),
        ("weights below 4 bits", "fc", lambda t: t * 0 - 9, "fc"), ("float weights", "fc", torch.Tensor.float, "fc"),
        ("weights that are NaN", "fc", nan, "fc"), ("weights of bool", "fc", torch.Tensor.bool, "fc"),
        ("no weights at all", "fc", lambda t: t[:0], "fc"),
        ("thresholds are missing", "thresholds", None, "thresholds"),
        ("one threshold too many", "thresholds", lambda t: torch.cat([t, t[:1]]), "thresholds"),
        ("one threshold", "thresholds", lambda t: t[:1], "thresholds"),
        ("float thresholds", "thresholds", torch.Tensor.float, "thresholds"),
        ("threshold 0", "thresholds", lambda t: t * 0, "thresholds"),
        ("negative threshold", "thresholds", lambda t: -t, "thresholds"),
        ("threshold of 17 bits", "thresholds", lambda t: t * 0 + (1 << 16), "thresholds"),
        ("threshold 2^40", "thresholds", lambda t: t.long() * 0 + (1 << 40), "thresholds")]
    yield from ((f"{text}, {tool[0]}", tool, says, model(KEYWORDS, put(name, value)))
                for text, name, value, says in tensors for tool in (IMAGES, HEAR))
    both = ("feature_mean", "feature_deviation")
    for name, which in ((name, which) for name in (KEYWORDS, PHONES) for which in both):
        for text, value in (("NaN in", nan), ("missing:", None), ("too short:", lambda t: t[:-1]),
                            ("infinite:", lambda t: t / 0)):
            yield f"{text} {which} of {name}", HEAR, which, model(name, put(f"table.{which}", value))
    yield "deviation of 0", HEAR, "feature_deviation", model(KEYWORDS, put("table.feature_deviation", lambda t: t * 0))
    names = [k for k in load_tensors((registry.folder_of(PHONES) / "weights.safetensors").read_bytes())
             if k.startswith("table.") and "feature" not in k]
    for name in names:
        yield f"missing: {name}", HEAR, name.removeprefix("table."), model(PHONES, put(name, None))
        yield f"NaN in {name}", HEAR, name.removeprefix("table."), model(PHONES, put(name, nan))
        yield f"a row less in {name}", HEAR, name.removeprefix("table."), model(PHONES, put(name, lambda t: t[:-1]))
    files = (("empty", lambda d: b""), ("cut off", lambda d: d[:-100]), ("a header alone", lambda d: d[:8]),
             ("a header of 2^63 bytes", lambda d: b"\xff" * 7 + b"\x7f" + d[8:]), ("text", lambda d: b"weights\n" * 9),
             ("a pickle", lambda d: pickle.dumps({"fc": 1})), ("another byte", lambda d: d[:-1] + bytes([d[-1] ^ 1])))
    for text, data in files:
        for name in (KEYWORDS, SPARK):
            yield f"file of weights: {text}, {name}", HEAR, "m", model(name, data=data)
    for text, data in (("is missing", None), ("empty", b""), ("no JSON", b"{"), ("a list", b"[]"), ("a number", b"3"),
                       ("nested deeply", b"[" * 10 * DEEP), ("not UTF-8", b'{"a": "\xff"}'), ("of nothing", b"{}")):
        yield f"manifest {text}", HEAR, "m", raw(KEYWORDS, data)
        yield f"manifest {text}, images", IMAGES, "m", raw(KEYWORDS, data)
    for keys, values in ((("config",), ([], 3, {"name": "a"}, None)), (("config", "outputs"), (32, "x")),
                         (("config", "lanes"), (64,)), (("sha256",), ("0" * 64, 3, None)),
                         (("time_steps",), (3, "2", None, 0, True)), (("labels",), (3, None, ["a"], "yes", [1] * 12)),
                         (("logit_step",), ("x", None, float("nan"), [1]))):
        for value in values:
            yield (f"manifest: {'.'.join(keys)} = {value!r}"[:60], HEAR, "m|" + "|".join(keys),
                   model(KEYWORDS, manifest=entry(value, *keys)))
    for keys, values in ((("targets",), (3, None)), (("targets", "delay"), ("x", -1, None, 1.5, 10 ** 9))):
        for value in values:
            yield (f"manifest: {'.'.join(keys)} = {value!r}"[:60], HEAR, "m|" + "|".join(keys),
                   model(PHONES, manifest=entry(value, *keys)))
    for keys, values in ((("network",), ("Nothing", 3, None)), (("sizes",), ({}, 3, {"width": -1}, None)),
                         (("frontend",), ("ear", 3, None)), (("labels",), (3, [], ["a"])), (("model",), (None,))):
        for value in values:
            yield (f"{SPARK}: {'.'.join(keys)} = {value!r}"[:60], HEAR, "m|" + "|".join(keys),
                   model(SPARK, manifest=entry(value, *keys)))


# --- graphs --------------------------------------------------------------------------------------------------------
def graph(name):
    """Bytes of one of `refusals.GRAPHS`."""
    return lambda folder: refusals.write(name, folder / "g.nir")


def hdf5(fill):
    def prepare(folder):
        with h5py.File(folder / "g.nir", "w") as made:
            fill(made)
    return prepare


def _huge(made):
    made.create_dataset("node/nodes/fc/weight", (1 << 20, 1 << 20), "f8", chunks=(1, 1024))


def _outside(made):
    made["node"] = h5py.ExternalLink("/etc/passwd", "/")


def _circle(made):
    made["node/nodes/a"] = h5py.SoftLink("/node")


def _many(made):
    for i in range(2000):
        made.create_group(f"node/nodes/{i}")


def _deep(made):
    made.create_group("node" + "/nodes/a" * 40)


def _edges(made):
    made.create_group("node/nodes")
    made["node/edges"] = np.array([[b"a", b"b"]])


def _number(made):
    made["node"] = 3


def _odd_edges(made):
    made.create_group("node/nodes")
    made["node/edges"] = np.zeros((3, 3, 3))


def graphs():
    """(name, words behind `import`, says, prepare)."""
    for text, fill in (("no node", lambda made: None), ("nodes of 2^40 numbers", _huge), ("a link out of it", _outside),
                       ("a link to itself", _circle), ("2,000 nodes", _many), ("40 deep", _deep),
                       ("an edge to nowhere", _edges), ("a number for a graph", _number), ("odd edges", _odd_edges)):
        yield text, ("g.nir",), "", hdf5(fill)
    for name in refusals.GRAPHS:
        yield name, ("g.nir",), "", graph(name)
    for text, data in (("empty", b""), ("text", b"graph\n"), ("HDF5's signature", b"\x89HDF\r\n\x1a\n" + bytes(99)),
                       ("a pickle", pickle.dumps([1]))):
        yield text, ("g.nir",), "g.nir", file("g.nir", data)
    for option, value in (("--dt", "0"), ("--dt", "nan"), ("--dt", "-1"), ("--feature-step", "0"), ("--features", "7"),
                          ("--weight-bits", "9"), ("--lanes", "3"), ("--lanes", "0"), ("--lif-lanes", "3"),
                          ("--name", "a/b"), ("--name", "../a"), ("--reset", "never"), ("--out", "full"),
                          ("--out", "/proc/none/a"), ("--config", "papper"), ("--calibration", "none.npy")):
        yield f"{option} {value}", ("g.nir", option, value, "--quiet"), "", _good_graph
    rng = np.random.default_rng(0)
    size = (3, 9, 6)
    for text, array, says in (("of 7 features", rng.normal(size=(3, 9, 7)), "shape"),
                              ("of nothing", np.zeros((0, 9, 6)), ""),
                              ("NaN", np.full(size, np.nan), "finite"), ("of text", np.array([["a"] * 6]), "numbers"),
                              ("past int8", np.full(size, 300), "int8"), ("an object", np.array([{}]), ".npy"),
                              ("of complex numbers", np.full(size, 1j), "numbers"), ("flat", np.zeros(6), "shape")):
        yield f"calibration {text}", ("g.nir", "--calibration", "x.npy", "--quiet"), says, partial(_calibration, array)


def _good_graph(folder):
    refusals.write(None, folder / "g.nir")
    (folder / "full").mkdir()
    (folder / "full" / "a").write_text("mine")


def _calibration(array, folder):
    _good_graph(folder)
    np.save(folder / "x.npy", array, allow_pickle=array.dtype == object)


def cases():
    """All of them."""
    yield from (Case("weights and manifests", name, line, says, prepare) for name, line, says, prepare in weights())
    yield from (Case("graphs", name, ("import", *line), says, prepare) for name, line, says, prepare in graphs())
