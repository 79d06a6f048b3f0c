"""Damaged files, drawn at random, straight into the readers: each is read, or refused with the reader's own error."""

import hashlib
import json
import random
import shutil
import tempfile
from pathlib import Path

import yaml

from hw import config as configs
from sottovoce import bad_speech
from sw import registry
from sw.data import audio, labels, manifest
from sw.data.utterance import DataError
from sw.integers import integer_model
from sw.networks import chain, graph, refusals

MODEL = "rsnn-keywords"
INTERESTING = (0, 1, 0x7f, 0x80, 0xff)
MOST_FAULTS = 20  # that are kept


def damaged(data, rng):
    """A copy with one to four faults: bytes changed, cut out, doubled or put in, the end cut off."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        at = rng.randrange(min(len(data), rng.choice((64, 1024, 1 << 30))))  # headers are hit often
        size = rng.choice((1, 1, 2, 4, 8, 100))
        match rng.randrange(6):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at:at + size] = bytes([rng.choice(INTERESTING)]) * len(data[at:at + size])
            case 2:
                del data[at:at + size]
            case 3:
                data[at:at] = data[at:at + size]
            case 4:
                data[at:at] = rng.randbytes(size)
            case 5:
                del data[at if rng.random() < 0.3 else max(at, len(data) // 2):]
    return bytes(data)


def _config(path, data):
    path = path / "x.yaml"
    path.write_bytes(data)
    configs.load(path)


def _audio(path, data):
    path = path / "x.wav"
    path.write_bytes(data)
    audio.read(path)


def _labels(path, data):
    path = path / "x.phn"
    path.write_bytes(data)
    labels.read(path, 16000)


def _manifest(path, data):
    (path / "manifest.csv").write_bytes(data)
    manifest.load(path, check=False)


def _weights(path, data):
    """Under a hash that fits: the hash is no shield against whoever writes both."""
    values = registry.manifest_of(registry.folder_of(MODEL)) | {"sha256": hashlib.sha256(data).hexdigest()}
    (path / "manifest.json").write_text(json.dumps(values))
    (path / "weights.safetensors").write_bytes(data)
    integer_model.load(path)


def _model_manifest(path, data):
    (path / "manifest.json").write_bytes(data)
    shutil.copy(registry.folder_of(MODEL) / "weights.safetensors", path)
    integer_model.load(path)


def _graph(path, data):
    path = path / "x.nir"
    path.write_bytes(data)
    chain.chain(graph.read(path))


def _good_graph():
    with tempfile.TemporaryDirectory() as place:
        refusals.write(None, Path(place) / "g.nir")
        return (Path(place) / "g.nir").read_bytes()


def kinds():
    """Kind -> (whole files, reader, the errors that are its own)."""
    model = registry.folder_of(MODEL)
    flac = bad_speech.coded(audio.read(bad_speech.CLIP)[:16000], kind="FLAC", subtype="PCM_16")
    return {
        "configuration": ([(configs.SHIPPED / f"{name}.yaml").read_bytes() for name in ("tiny", "phone-delays")]
                          + [yaml.safe_dump(configs.load("tiny").to_dict()).encode()], _config, configs.ConfigError),
        "audio": ([bad_speech.header(), flac], _audio, audio.AudioError),
        "labels": ([b"0 4000 sil\n4000 9000 aa\n9000 16000 t\n"], _labels, labels.LabelError),
        "manifest": ([bad_speech.HEAD + b"a.wav,s,a.phn,test\nb.wav,t,b.phn,train\n"], _manifest, DataError),
        "weights": ([(model / "weights.safetensors").read_bytes()], _weights, registry.ModelError),
        "model manifest": ([(model / "manifest.json").read_bytes()], _model_manifest,
                           (registry.ModelError, configs.ConfigError)),
        "graph": ([_good_graph()], _graph, graph.GraphError),
    }


def run(count, seed, only=None):
    """`count` damaged files of each kind; {tried, read, refused, faults: what ended in another error}."""
    found = {"tried": 0, "read": 0, "refused": 0, "faults": []}
    with tempfile.TemporaryDirectory() as place:
        for kind, (whole, reader, own) in kinds().items():
            rng = random.Random(f"{kind} {seed}")
            for number in range(count if only in (None, kind) else 0):
                data = damaged(rng.choice(whole), rng)
                found["tried"] += 1
                try:
                    reader(Path(place), data)
                    found["read"] += 1
                except own as error:
                    found["refused"] += 1
                    if "\n" in str(error) or len(str(error)) > 1000:
                        found["faults"].append(f"{kind} {number}: not one line: {str(error)[:80]!r}")
                except Exception as error:
                    found["faults"].append(f"{kind} {number}: {type(error).__name__}: {error}"[:160])
    return found | {"faults": found["faults"][:MOST_FAULTS]}
