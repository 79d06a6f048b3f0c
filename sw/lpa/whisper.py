"""Whisper for the sweep and the replacement: loaded, run in parts, decoded.

Users name a hub model or a folder in transformers' form; a CTranslate2 folder (`model.bin`) serves too. The decoder and
the embeddings stay as they are. The encoder always hears 30 s, or several such chunks joined for timing.
"""

from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

from sw.lpa import ctranslate
from sw.lpa.encoder import EncoderError, transformers

SECONDS = 30
MOST = 160  # tokens of an answer
NAMES = {(384, 4): "tiny", (512, 6): "base", (768, 12): "small", (1024, 24): "medium"}


class Listener(nn.Module):
    """A WhisperForConditionalGeneration whose encoder may start at any layer; `text`: its `tokenizers.Tokenizer`."""

    def __init__(self, core, text, never=(), never_first=()):
        super().__init__()
        self.core, self.text = core, text
        self.never, self.never_first = list(never), list(never_first)
        self.end = text.token_to_id("<|endoftext|>")
        languages = core.config.vocab_size > 51864  # the English models know no others
        names = ("startoftranscript", *(("en", "transcribe") if languages else ()), "notimestamps")
        self.start = [text.token_to_id(f"<|{name}|>") for name in names]

    @property
    def name(self):
        """whisper-tiny.en and the like, by its sizes."""
        c = self.core.config
        size = NAMES.get((c.d_model, c.encoder_layers), f"{c.encoder_layers}x{c.d_model}")
        return f"whisper-{size}{'' if len(self.start) > 2 else '.en'}"

    @property
    def encoder(self):
        """transformers' `WhisperEncoder`."""
        return self.core.model.encoder

    def front(self, mel):
        """Log-mel (B, M, 3000 n) -> what enters layer 0, (B, 1500 n, D); positions start anew in every chunk."""
        x = functional.gelu(self.encoder.conv2(functional.gelu(self.encoder.conv1(mel)))).transpose(1, 2)
        places = self.encoder.embed_positions.weight
        return x + places.repeat(x.shape[1] // len(places), 1)

    def encode(self, x, first=None):
        """Log-mel, or what enters layer `first` (B, T, D) -> the encoder's answer (B, T, D)."""
        x = self.front(x) if first is None else x
        for layer in self.encoder.layers[first or 0:]:
            x = layer(x, None)
            x = x[0] if isinstance(x, tuple) else x
        return self.encoder.layer_norm(x)

    def forward(self, values, attention_mask=None):
        """`values`: (log-mel or frames, tokens (B, L), first layer or None) -> `.logits` (B, L, V) of the decoder."""
        x, tokens, first = values
        heard = self.core.model.decoder(input_ids=tokens, encoder_hidden_states=self.encode(x, first)).last_hidden_state
        return SimpleNamespace(logits=self.core.proj_out(heard))

    @torch.no_grad()
    def decode(self, frames, most=MOST):
        """The encoder's answers (B, T, D) -> lists of tokens, greedily, the start's and the end's left out."""
        said = [[] for _ in frames]
        package, tokens = transformers(), torch.tensor([self.start] * len(frames))
        past = package.EncoderDecoderCache(*(package.DynamicCache(config=self.core.config) for _ in range(2)))
        for step in range(most):
            # in its place, since its name differs between releases; the decoder fills it
            out = self.core.model.decoder(tokens, None, frames, past, use_cache=True)
            logits = self.core.proj_out(out.last_hidden_state[:, -1])
            logits[:, self.never + (self.never_first if not step else [])] = float("-inf")
            best = logits.argmax(-1)
            for one, token in zip(said, best.tolist(), strict=True):
                if not one or one[-1] != self.end:
                    one.append(token)
            if all(one[-1] == self.end for one in said):
                break
            tokens = best.unsqueeze(1)
        return [[t for t in one if t != self.end] for one in said]

    def words(self, tokens):
        """Tokens -> text."""
        return self.text.decode(tokens, skip_special_tokens=True)


def is_whisper(name):
    """True for a folder or hub name that says it holds Whisper."""
    config = Path(name) / "config.json"
    told = config.read_text(errors="replace") if config.is_file() else str(name)
    return (Path(name) / "model.bin").is_file() or "whisper" in told.lower()


def load(name):
    """The `Listener` of a folder or of a hub name; raises `EncoderError` in one line."""
    package, folder = transformers(), Path(name)
    try:
        if (folder / "model.bin").is_file():
            core, never = from_arrays(ctranslate.arrays(folder / "model.bin")), ctranslate.suppressed(folder)
        else:
            core = package.WhisperForConditionalGeneration.from_pretrained(name, local_files_only=folder.is_dir())
            kept = core.generation_config
            never = kept.suppress_tokens or [], kept.begin_suppress_tokens or []
        from tokenizers import Tokenizer
        file = folder / "tokenizer.json"
        text = Tokenizer.from_file(str(file)) if folder.is_dir() else Tokenizer.from_pretrained(name)
    except Exception as error:  # the hub's client and the tokenizers raise many kinds
        raise EncoderError(f"{name}: not a Whisper with its tokenizer.json: {str(error).strip().splitlines()[0][:160]}"
                           ) from None
    return Listener(core, text, *never).eval()


def from_arrays(found):
    """A WhisperForConditionalGeneration of the arrays that `ctranslate.arrays` reads; raises `ReadError`."""
    package = transformers()
    try:
        model = package.WhisperForConditionalGeneration(package.WhisperConfig(
            **ctranslate.numbers(found), pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0))
        model.load_state_dict(ctranslate.state(found))
    except KeyError as error:
        raise ctranslate.ReadError(f"not Whisper's arrays: {error} is missing") from None
    except RuntimeError as error:
        raise ctranslate.ReadError(f"not Whisper's arrays: {str(error).strip().splitlines()[-1].strip()}") from None
    return model.eval()
