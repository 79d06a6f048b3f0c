"""Wav2Vec2 encoders of transformers: a small one for the open data, any other from its configuration or a folder.

The small encoder is transformers' own Wav2Vec2ForCTC, unchanged. Its waveform is the project's feature stream, 40
log-mel values a 10 ms frame read one after the other (4000 values a second), and its convolutional front end is one
layer of 160 values every 80: four frames every two. So it sees the frames that every other model here is trained on,
and answers every 20 ms like the published encoder.
"""

from pathlib import Path

import torch

from sw.data.phones import PHONES
from sw.features.causal import BINS

CLASSES = len(PHONES) + 1  # the phones, and CTC's blank as the last
BLANK = len(PHONES)
KERNEL, STRIDE = 4, 2  # frames of 10 ms that an answer hears at the front end, and from one answer to the next


class EncoderError(ValueError):
    """An encoder that cannot be built or loaded; the message quotes what was asked for."""


def transformers():
    """The transformers package; raises `EncoderError` with the command that installs it."""
    try:
        import transformers as package
    except ImportError:
        raise EncoderError("transformers is not installed: pip install -c requirements.txt -e '.[lpa]'") from None
    package.logging.set_verbosity_error()
    package.logging.disable_progress_bar()
    return package


def small(hidden=96, layers=12, heads=4, feed_forward=384, positions=16, seed=0):
    """An untrained Wav2Vec2ForCTC over the feature stream; raises `EncoderError` if `heads` does not divide it."""
    if hidden % heads:
        raise EncoderError(f"hidden={hidden}: wanted a multiple of heads={heads}")
    package = transformers()
    config = package.Wav2Vec2Config(
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=feed_forward,
        conv_dim=(hidden,), conv_kernel=(KERNEL * BINS,), conv_stride=(STRIDE * BINS,), conv_bias=True,
        num_feat_extract_layers=1, feat_extract_norm="layer", do_stable_layer_norm=True, hidden_act="relu",
        num_conv_pos_embeddings=positions, num_conv_pos_embedding_groups=heads, vocab_size=CLASSES,
        pad_token_id=BLANK, ctc_zero_infinity=True, apply_spec_augment=False, layerdrop=0.0, attention_dropout=0.0,
        hidden_dropout=0.0, activation_dropout=0.0, feat_proj_dropout=0.0, final_dropout=0.0)
    torch.manual_seed(seed)
    return package.Wav2Vec2ForCTC(config)


def load(name):
    """A Wav2Vec2 with a CTC head from a folder in transformers' form, or from the hub by name where there is a network.

    Raises `EncoderError` in one line if the folder or the network is missing, or it holds another kind of model.
    """
    package = transformers()
    local = Path(name).is_dir()
    try:
        model = package.Wav2Vec2ForCTC.from_pretrained(name, local_files_only=local)
    except Exception as error:  # the hub's client raises many kinds without a network
        where = "not a Wav2Vec2 in transformers' form" if local else "no such folder, and the hub did not give it"
        raise EncoderError(f"{name}: {where}: {str(error).strip().splitlines()[0][:160]}") from None
    return model.eval()


def takes_features(model):
    """True where a model takes the feature stream and answers phones, as `small` does; else it takes waves."""
    c = model.config
    return c.vocab_size == CLASSES and tuple(c.conv_stride) == (STRIDE * BINS,)


def tokenizer(name):
    """What turns a pretrained model's classes into text, from the same folder or hub name; raises `EncoderError`."""
    try:
        return transformers().Wav2Vec2CTCTokenizer.from_pretrained(name, local_files_only=Path(name).is_dir())
    except Exception as error:  # as above
        raise EncoderError(f"{name}: no CTC tokenizer (vocab.json): {str(error).strip().splitlines()[0][:160]}"
                           ) from None


def layers_of(model):
    """The encoder layers of a Wav2Vec2 model, with or without a head, or of a `whisper.Listener`."""
    core = getattr(model, "wav2vec2", model)
    if not hasattr(core, "encoder"):
        raise EncoderError(f"{type(model).__name__}: wanted a Wav2Vec2 model of transformers, or a Whisper")
    return core.encoder.layers


def attention_of(layer):
    """What mixes frames in a layer, by the name that its kind of model has for it."""
    return layer.attention if hasattr(layer, "attention") else layer.self_attn


def put(layer, mixer):
    """Set what mixes frames in a layer."""
    setattr(layer, "attention" if hasattr(layer, "attention") else "self_attn", mixer)


def rest_of(layer):
    """The parts of a layer that adapt with its mixer: feed-forward and norms."""
    if hasattr(layer, "attention"):
        return [layer.feed_forward, layer.layer_norm, layer.final_layer_norm]
    return [layer.fc1, layer.fc2, layer.self_attn_layer_norm, layer.final_layer_norm]


def answers(lengths):
    """How many answers the small encoder gives on `lengths` feature frames (int or tensor)."""
    return (lengths - KERNEL) // STRIDE + 1


def stream(x, lengths):
    """Features (B, F, 40) of int8 values, `lengths` (B,) -> (values (B, 40 F), attention mask (B, 40 F))."""
    values = x.flatten(1) / 32.0  # back to standard deviations
    mask = torch.arange(x.shape[1])[None] < lengths[:, None]  # (B, F)
    return values, mask.repeat_interleave(BINS, 1).long()
