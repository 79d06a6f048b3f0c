"""An untrained Whisper, small but for its 1500 frames, and a folder of it in CTranslate2's form."""

import json
import struct

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, models

WIDTH, HEADS = 24, 2
SPECIAL = ("endoftext", "startoftranscript", "notimestamps")


def small():
    """An untrained Whisper of two layers each side, 24 channels, the full 1500 frames, 60 tokens."""
    torch.manual_seed(0)
    model = transformers.WhisperForConditionalGeneration(transformers.WhisperConfig(
        vocab_size=60, d_model=WIDTH, num_mel_bins=80, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=48, decoder_ffn_dim=48,
        max_source_positions=1500, max_target_positions=200, pad_token_id=0, bos_token_id=0, eos_token_id=0,
        decoder_start_token_id=1)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # exact in float16, as the file keeps them
            parameter.copy_((parameter * 2).half().float())
        model.proj_out.weight.mul_(8)
    return model


def text(value):
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def stored(name, values, kind=4):
    data = values.astype("<f2" if kind == 4 else "<i1" if kind == 1 else "<i2").tobytes()
    return (text(name) + struct.pack("<B", values.ndim) + struct.pack(f"<{values.ndim}I", *values.shape)
            + struct.pack("<BI", kind, len(data)) + data)


def write(model, folder):
    """A folder in CTranslate2's form: the arrays of a Whisper, stacked and named as there."""
    s = {name: v.detach().numpy() for name, v in model.state_dict().items()}
    arrays = {}

    def linear(name, *parts):
        for kind in ("weight", "bias"):
            values = [s.get(f"{p}.{kind}", np.zeros(len(s[f"{p}.weight"]), np.float32)) for p in parts]
            arrays[f"{name}/{kind}"] = np.concatenate(values)

    def norm(name, part):
        arrays[f"{name}/gamma"], arrays[f"{name}/beta"] = s[f"{part}.weight"], s[f"{part}.bias"]
    for side in ("encoder", "decoder"):
        top = f"model.{side}"
        arrays[f"{side}/position_encodings/encodings"] = s[f"{top}.embed_positions.weight"]
        norm(f"{side}/layer_norm", f"{top}.layer_norm")
        for i in range(2):
            old, new = f"{side}/layer_{i}", f"{top}.layers.{i}"
            linear(f"{old}/self_attention/linear_0", *(f"{new}.self_attn.{n}_proj" for n in "qkv"))
            linear(f"{old}/self_attention/linear_1", f"{new}.self_attn.out_proj")
            norm(f"{old}/self_attention/layer_norm", f"{new}.self_attn_layer_norm")
            if side == "decoder":
                linear(f"{old}/attention/linear_0", f"{new}.encoder_attn.q_proj")
                linear(f"{old}/attention/linear_1", f"{new}.encoder_attn.k_proj", f"{new}.encoder_attn.v_proj")
                linear(f"{old}/attention/linear_2", f"{new}.encoder_attn.out_proj")
                norm(f"{old}/attention/layer_norm", f"{new}.encoder_attn_layer_norm")
            linear(f"{old}/ffn/linear_0", f"{new}.fc1")
            linear(f"{old}/ffn/linear_1", f"{new}.fc2")
            norm(f"{old}/ffn/layer_norm", f"{new}.final_layer_norm")
    for i in (1, 2):
        linear(f"encoder/conv{i}", f"model.encoder.conv{i}")
    arrays["decoder/embeddings/weight"] = s["model.decoder.embed_tokens.weight"]
    plain = [("decoder/activation", 3, 1), ("decoder/alignment_heads", 1, 2), ("decoder/alignment_layer", -1, 2),
             ("decoder/alibi", 0, 1), ("decoder/num_heads", HEADS, 2), ("decoder/pre_norm", 1, 1),
             ("decoder/scale_embeddings", 0, 1), ("decoder/start_from_zero_embedding", 0, 1),
             ("encoder/num_heads", HEADS, 2)]
    body = b"".join([*(stored(n, v) for n, v in arrays.items()), *(stored(n, np.array(v), k) for n, v, k in plain)])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.bin").write_bytes(
        struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays) + len(plain)) + body
        + struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight"))
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [5], "suppress_ids_begin": [6], "lang_ids": [],
                                                    "alignment_heads": [[1, 0]]}))
    names = [*(f"<|{name}|>" for name in SPECIAL), *(f"word{i}" for i in range(57))]
    (folder / "vocabulary.txt").write_text("\n".join(names) + "\n")
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="word0"))
    tokenizer.add_special_tokens(names[:3])
    tokenizer.save(str(folder / "tokenizer.json"))
