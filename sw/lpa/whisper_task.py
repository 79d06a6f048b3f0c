"""Windows of 30 s for distilling Whisper without labels, and recordings with transcripts to count its word errors on.

Training windows hold two recordings of `librispeech_251spk`-like data, one after the other, every third one alone; what
the original makes of each (inputs and answers of its attention, its layers, the tokens it says) is computed once and
kept. Word errors are counted on LibriSpeech's test speakers with true transcripts, none of whom is trained on: jiwer
over what Whisper's own English normaliser (as transformers has it) leaves of both texts, greedy decoding, no fallback.
"""

import hashlib
import io
import json
from pathlib import Path

import jiwer
import numpy as np
import torch
from tqdm import tqdm

from hw import store
from sw.bootstrap import interval
from sw.data.audio import RATE
from sw.data.utterance import changed_ns
from sw.lpa.encoder import EncoderError, transformers
from sw.lpa.mixing import recorded
from sw.lpa.whisper import MOST, SECONDS
from sw.phones import phone_task

SCORED = ("librispeech:test-other", "librispeech:test-clean")
TRAINED = ("librispeech:train-clean-100",)
GAP_S = 0.3    # silence between two recordings in a window
TAIL = 25      # frames after the speech that still count in full
HELD = 8       # windows that are not trained on: errors and divergence are measured there
TOGETHER = 6   # recordings decoded at a time


class Window:
    """One window: `x` (1, 1500, D) entering layer 0, `tokens` (1, L), and what the original made of it.

    `seen`: inputs and outputs of each attention [{"x", "mask", "y"}]; `layers`: outputs of each layer; `speech`:
    frames that are speech. `start` (set by the replacement): the first layer that differs from the original's.
    """

    def __init__(self, kept, speech):
        self.kept, self.speech, self.first = kept, speech, 0

    @property
    def seen(self):
        depth = sum(name.startswith("y") for name in self.kept)
        return [{"x": self.kept[f"x{i}"].float(), "mask": None, "y": self.kept[f"y{i}"].float()} for i in range(depth)]

    @property
    def layers(self):
        depth = sum(name.startswith("y") for name in self.kept)
        return [self.kept[f"h{i + 1}"].float() for i in range(depth)]

    @property
    def answer(self):
        """Logits (1, L, V) of the original."""
        return self.kept["logits"].float()

    @property
    def stream(self):
        """What `whisper.Listener` takes: ((frames entering layer `first`, tokens, first), no mask)."""
        return (self.kept[f"h{self.first}"].float(), self.kept["tokens"], self.first), None

    @property
    def valid(self):
        """Bool (1, L): all tokens are the original's."""
        return torch.ones_like(self.kept["tokens"], dtype=torch.bool)

    @property
    def heard(self):
        """Bool (1, 1500): frames that count in errors: all speech, and every eighth of the silence after it."""
        frames = torch.arange(self.kept["h0"].shape[1])[None]
        return (frames < self.speech + TAIL) | (frames % 8 == 0)


class WhisperTask:
    """Windows and scored recordings for a `Listener`; `count` windows to train on.

    Raises `EncoderError` where the data have nothing to score words on.
    """

    def __init__(self, data, listener, count=40, cache="build/cache", quiet=False, seed=0):
        found = phone_task.find(data)
        self.held = [u for u in found if u.corpus in SCORED and u.transcript]
        if not self.held:
            raise EncoderError(f"{', '.join(map(str, data))}: no recordings of {' or '.join(SCORED)} with transcripts")
        scored = {u.speaker.removeprefix("ls") for u in self.held}
        packs = {u.audio.parents[1] for u in self.held}
        train = [u for u in found if u.corpus in TRAINED and u.audio.parents[1] not in packs
                 and u.speaker.removeprefix("ls") not in scored]
        voices, few = {}, []
        for u in train:  # one recording a speaker: as many voices as there are
            if voices.setdefault(u.speaker, u) is u:
                few.append(u)
        self.listener, self.quiet = listener, quiet
        self.features = transformers().WhisperFeatureExtractor(feature_size=listener.core.config.num_mel_bins)
        groups = self._groups(few, count + HELD, np.random.default_rng(seed))
        self.held_out, self.windows = groups[:HELD], groups[HELD:]
        self.split = type("split", (), {"name": f"{len(self.windows)} windows", "train": train, "test": self.held})
        mark = hashlib.md5(str([p.double().sum().item() for p in listener.parameters()]).encode())
        self.folder = _made(Path(cache) / f"whisper-{mark.hexdigest()[:12]}")  # some 25 MB a window

    def _groups(self, utterances, count, rng):
        order, groups = list(rng.permutation(len(utterances))), []
        while order and len(groups) < count:
            group = [utterances[order.pop()]]
            if len(groups) % 3 and order:
                group.append(utterances[order.pop()])
            groups.append(group)
        if len(groups) <= HELD:
            raise EncoderError(f"{len(utterances)} recordings to train on: wanted more than {HELD} windows of them")
        return groups

    def mel(self, waves):
        """Log-mel (1, M, 3000) of waves joined, and how many of the 1500 frames they fill."""
        gap = np.zeros(int(GAP_S * RATE), np.float32)
        wave = np.concatenate([part for one in waves for part in (one, gap)][:-1])[:SECONDS * RATE]
        mel = self.features(wave, sampling_rate=RATE, return_tensors="np").input_features
        return torch.from_numpy(mel), min(1500, len(wave) // (RATE // 50))

    @torch.no_grad()
    def window(self, group):
        """The `Window` of a group of recordings, from disk where it has been asked for before."""
        names = [f"{u.audio.name} {changed_ns(u.audio)}" for u in group]
        path = self.folder / f"{hashlib.md5(str(names).encode()).hexdigest()}.pt"
        if not path.is_file():
            mel, speech = self.mel([u.wave() for u in group])
            model, kept = self.listener, {}
            layers, hidden = model.encoder.layers, []
            handles = [layer.register_forward_hook(lambda module, given, out: hidden.append(
                out[0] if isinstance(out, tuple) else out)) for layer in layers]
            with recorded([layer.self_attn for layer in layers]) as seen:
                kept["h0"] = model.front(mel)
                answer = model.encode(kept["h0"], 0)
            for handle in handles:
                handle.remove()
            said = model.start + model.decode(answer)[0][:MOST]
            kept["tokens"] = torch.tensor([said])
            kept["logits"] = model((hidden[-1], kept["tokens"], len(layers))).logits
            for i, (place, out) in enumerate(zip(seen, hidden, strict=True)):
                kept.update({f"x{i}": place["x"], f"y{i}": place["y"], f"h{i + 1}": out})
            half = {name: v if name == "tokens" else v.bfloat16() if name == "logits" else v.half()
                    for name, v in kept.items()}
            buffer = io.BytesIO()
            torch.save({**half, "speech": speech}, buffer)
            store.write_atomically(path, buffer.getvalue())
        kept = torch.load(path, weights_only=True, mmap=True)
        return Window(kept, kept.pop("speech"))

    def batches(self, seed, frames=None):
        """A function of the epoch that yields `Window`s in an order drawn from (seed, epoch)."""
        def of(epoch):
            for i in np.random.default_rng([seed, epoch]).permutation(len(self.windows)):
                yield self.window(self.windows[i])
        return of

    def held_windows(self):
        """The windows that are not trained on."""
        return [self.window(group) for group in self.held_out]

    def held_batches(self, size=1):
        """Those windows as the other tasks have them: (values, no mask, frames (1,))."""
        for window in self.held_windows():
            yield *window.stream, torch.tensor([window.kept["h0"].shape[1]])


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def normaliser(folder):
    """Whisper's English normaliser; British spellings become American where the folder has `normalizer.json`."""
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer
    path = Path(folder) / "normalizer.json"
    return EnglishTextNormalizer(json.loads(path.read_text()) if path.is_file() else {})


class WordYardstick:
    """Word errors of any student on the scored recordings, and its divergence from the original on held windows."""

    def __init__(self, teacher, work, folder=""):
        self.work, self.normal = work, normaliser(folder)
        self.references = [self.normal(u.transcript) for u in work.held]
        self.mels = [work.mel([u.wave()])[0] for u in work.held]
        path = work.folder / f"said-{hashlib.md5(str(self.references).encode()).hexdigest()[:12]}.json"
        if not path.is_file():
            store.write_json(path, {"texts": self.answers(teacher)})
        self.base = self.counts = self._count(json.loads(path.read_text())["texts"])
        self.original = round(_rate(self.base), 2)

    @torch.no_grad()
    def answers(self, model):
        """What a model writes for each scored recording, normalised."""
        texts = []
        for i in tqdm(range(0, len(self.mels), TOGETHER), desc="words", unit="batch", disable=self.work.quiet):
            frames = torch.cat([model.encode(mel) for mel in self.mels[i:i + TOGETHER]])
            texts += [self.normal(model.words(t)) for t in model.decode(frames)]
        return texts

    @torch.no_grad()
    def divergence(self, model):
        """Mean KL in nats a token, of the student's answers from the original's, on the held windows."""
        total, count = 0.0, 0
        for window in self.work.held_windows():
            got = model(*window.stream).logits[0].log_softmax(-1)
            total += torch.nn.functional.kl_div(got, window.answer[0].log_softmax(-1), log_target=True,
                                                reduction="sum").item()
            count += len(got)
        return float(f"{total / count:.4g}")

    def _count(self, texts):
        """Word errors and words of each recording, (N, 2)."""
        return np.array([_errors(r, t) for r, t in zip(self.references, texts, strict=True)])

    def measure(self, model, quick=False):
        """(Word error rate in %, None if `quick`; divergence)."""
        if quick:
            return None, self.divergence(model)
        self.counts = self._count(self.answers(model))
        return round(_rate(self.counts), 2), self.divergence(model)

    def details(self):
        """Of what was measured last: rates by corpus, 95 % intervals over speakers, also of the difference."""
        speakers = [u.speaker for u in self.work.held]
        parts = {corpus.split(":")[1].replace("-", "_"):
                 round(_rate(self.counts[[u.corpus == corpus for u in self.work.held]]), 2)
                 for corpus in SCORED if any(u.corpus == corpus for u in self.work.held)}
        low, high = interval(self.counts, speakers)
        return {"wer": round(_rate(self.counts), 2), "interval": [low, high], **parts,
                "words": int(self.counts[:, 1].sum()), "recordings": len(speakers), "speakers": len(set(speakers)),
                "difference_interval": list(interval(self.counts, speakers, self.base))}


def _errors(reference, text):
    """(Word errors, words) of one recording by jiwer."""
    out = jiwer.process_words(reference, text)
    return out.substitutions + out.deletions + out.insertions, out.substitutions + out.deletions + out.hits


def _rate(counts):
    return 100 * counts[:, 0].sum() / max(1, counts[:, 1].sum())
