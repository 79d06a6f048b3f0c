"""Whisper's weights out of a CTranslate2 folder (`model.bin`, `config.json`), for transformers' Whisper.

`model.bin`, little-endian: u32 version, text specification, u32 revision, u32 count; then for each array: text name,
u8 rank, u32 each dimension, u8 kind of number, u32 bytes, the data; then u32 count of second names, each text name and
text of the array it stands for. A text is u16 length and that many bytes, the last of them 0. Queries, keys and values
of one attention lie in one array, keys and values of the attention over the encoder likewise.
"""

import json
from pathlib import Path

import numpy as np
import torch

KINDS = ("f4", "i1", "i2", "i4", "f2")  # of numbers, by their code; what follows, bfloat16, numpy does not know
VERSION = 6
ACTIVATION_GELU = 3


class ReadError(ValueError):
    """A folder that is not Whisper as CTranslate2 keeps it; the message names the file."""


class Reader:
    """Numbers, texts and arrays of a file's bytes, one after the other."""

    def __init__(self, path):
        self.path, self.data, self.place = path, path.read_bytes(), 0

    def take(self, count):
        """The next `count` bytes; raises `ReadError` where the file ends first."""
        if count > len(self.data) - self.place:
            raise ReadError(f"{self.path}: ends after {len(self.data)} bytes, {count} more wanted at {self.place}")
        self.place += count
        return self.data[self.place - count:self.place]

    def number(self, size):
        """An unsigned number of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def text(self):
        """A text without the 0 that ends it."""
        return self.take(self.number(2))[:-1].decode(errors="replace")

    def array(self):
        """(Name, float32 or integer tensor)."""
        name = self.text()
        shape = [self.number(4) for _ in range(self.number(1))]
        kind = self.number(1)
        data = self.take(self.number(4))
        if kind >= len(KINDS) or len(data) != np.dtype(KINDS[kind]).itemsize * int(np.prod(shape, dtype=np.int64)):
            raise ReadError(f"{self.path}: {name[:80]}: kind {kind}, shape {shape}, {len(data)} bytes: not understood")
        values = np.frombuffer(data, "<" + KINDS[kind]).reshape(shape)
        return name, torch.from_numpy(values.astype(np.float32 if KINDS[kind][0] == "f" else np.int64))


def arrays(path):
    """{name: tensor} of a `model.bin`, second names included; raises `ReadError`."""
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path}: no such file")
    reader = Reader(path)
    version, specification = reader.number(4), reader.text()
    if version != VERSION or specification != "WhisperSpec":
        raise ReadError(f"{path}: version {version} of {specification[:40]!r}: wanted {VERSION} of 'WhisperSpec'")
    reader.number(4)  # revision
    found = dict(reader.array() for _ in range(reader.number(4)))
    for _ in range(reader.number(4)):
        name, other = reader.text(), reader.text()
        if other not in found:
            raise ReadError(f"{path}: {name[:80]} stands for {other[:80]}, which is not there")
        found[name] = found[other]
    return found


def numbers(found):
    """Sizes of a Whisper by its arrays, as keyword arguments of transformers' `WhisperConfig`."""
    def layers(side):
        return len({name.split("/")[1] for name in found if name.startswith(f"{side}/layer_") and
                    name.split("/")[1][6:].isdecimal()})
    heads = {side: int(found[f"{side}/num_heads"]) for side in ("encoder", "decoder")}
    vocabulary, width = found["decoder/embeddings/weight"].shape
    return {"vocab_size": vocabulary, "d_model": width, "num_mel_bins": found["encoder/conv1/weight"].shape[1],
            "encoder_layers": layers("encoder"), "decoder_layers": layers("decoder"),
            "encoder_attention_heads": heads["encoder"], "decoder_attention_heads": heads["decoder"],
            "encoder_ffn_dim": len(found["encoder/layer_0/ffn/linear_0/bias"]),
            "decoder_ffn_dim": len(found["decoder/layer_0/ffn/linear_0/bias"]),
            "max_source_positions": len(found["encoder/position_encodings/encodings"]),
            "max_target_positions": len(found["decoder/position_encodings/encodings"])}


def state(found):
    """The arrays under the names of transformers' `WhisperForConditionalGeneration`."""
    kept = {"proj_out.weight": found["decoder/projection/weight"],
            "model.decoder.embed_tokens.weight": found["decoder/embeddings/weight"]}

    def linear(name, old, into):
        """One array of stacked projections, parted into those of the names `into`; keys have no bias of their own."""
        parts = [f"{name}.{part}" if part else name for part in into]
        for kind in ("weight", "bias"):
            for part, values in zip(parts, found[f"{old}/{kind}"].chunk(len(parts)), strict=True):
                if not (kind == "bias" and part.endswith("k_proj")):  # Whisper's keys have none: zeros are stored
                    kept[f"{part}.{kind}"] = values

    def norm(name, old):
        kept[f"{name}.weight"], kept[f"{name}.bias"] = found[f"{old}/gamma"], found[f"{old}/beta"]
    for side in ("encoder", "decoder"):
        top = f"model.{side}"
        kept[f"{top}.embed_positions.weight"] = found[f"{side}/position_encodings/encodings"]
        norm(f"{top}.layer_norm", f"{side}/layer_norm")
        for i in range(numbers(found)[f"{side}_layers"]):
            new, old = f"{top}.layers.{i}", f"{side}/layer_{i}"
            linear(f"{new}.self_attn", f"{old}/self_attention/linear_0", ("q_proj", "k_proj", "v_proj"))
            linear(f"{new}.self_attn.out_proj", f"{old}/self_attention/linear_1", ("",))
            norm(f"{new}.self_attn_layer_norm", f"{old}/self_attention/layer_norm")
            if side == "decoder":
                linear(f"{new}.encoder_attn.q_proj", f"{old}/attention/linear_0", ("",))
                linear(f"{new}.encoder_attn", f"{old}/attention/linear_1", ("k_proj", "v_proj"))
                linear(f"{new}.encoder_attn.out_proj", f"{old}/attention/linear_2", ("",))
                norm(f"{new}.encoder_attn_layer_norm", f"{old}/attention/layer_norm")
            linear(f"{new}.fc1", f"{old}/ffn/linear_0", ("",))
            linear(f"{new}.fc2", f"{old}/ffn/linear_1", ("",))
            norm(f"{new}.final_layer_norm", f"{old}/ffn/layer_norm")
    for i in (1, 2):
        linear(f"model.encoder.conv{i}", f"encoder/conv{i}", ("",))
    return kept


def suppressed(folder):
    """(Tokens never said, tokens not said first) by the folder's `config.json`; empty where it is silent."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        return [], []
    try:
        kept = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ReadError(f"{path}: not JSON: {error}") from None
    return kept.get("suppress_ids", []), kept.get("suppress_ids_begin", [])
