"""Pretrained Wav2Vec2 encoders on recordings as they are: waves in, words out, for the sweep and the replacement.

Stands where `sw.lpa.ctc_task.CtcTask` stands, for encoders that take 16 kHz audio and bring their own vocabulary. Waves
have zero mean and unit variance, recording by recording. Scored by word error rate on the held-out transcripts.
"""

import re

import numpy as np
import torch

from sw.data.audio import RATE
from sw.lpa import encoder
from sw.phones import phone_task, score

CHUNK_S = 6.0  # seconds of a stretch that is trained on
BATCH = 4      # recordings at a time, where the encoder knows about padding


def words_of(text):
    """Text -> upper-case words, letters and apostrophes only."""
    return re.sub(r"[^A-Z' ]", " ", text.upper()).split()


class Waves:
    """Padded waves: `stream` (values (B, S), mask (B, S) or None), `valid` (B, A) answers that are not padding."""

    def __init__(self, waves, model):
        lengths = torch.tensor([len(w) for w in waves])
        values = torch.zeros(len(waves), int(lengths.max()))
        for b, wave in enumerate(waves):
            values[b, :len(wave)] = torch.from_numpy(wave)
        mask = (torch.arange(values.shape[1])[None] < lengths[:, None]).long()
        self.stream = values, mask if len(waves) > 1 else None
        self.answers = model._get_feat_extract_output_lengths(lengths)
        self.valid = torch.arange(int(self.answers.max()))[None] < self.answers[:, None]


class WaveTask:
    """Utterances of `sw.phones.phone_task` as waves for `model`; `fold` of `folds` is held out.

    `tokenizer` turns classes into text.
    Encoders whose front end normalises over time (`feat_extract_norm="group"`) get one recording at a time: padding
    would change what they hear. Raises `EncoderError` if the held-out recordings have no transcripts.
    """

    def __init__(self, data, model, tokenizer, fold=0, folds=3):
        self.split = phone_task.split(phone_task.find(data), fold, folds)
        self.model, self.tokenizer = model, tokenizer
        self.size = BATCH if model.config.feat_extract_norm == "layer" else 1
        self.held = [u for u in self.split.test if u.transcript]
        if not self.held:
            raise encoder.EncoderError(f"{self.split.name}: no transcripts, so no word error rate: name other data")

    def wave(self, utterance):
        """Float32 (samples,), zero mean, unit variance."""
        wave = utterance.wave()
        return ((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)).astype(np.float32)

    def batches(self, seed, frames=None):
        """A function of the epoch that yields `Waves`, a random stretch of each recording; `frames` is not used."""
        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            order = rng.permutation(len(self.split.train))
            for start in range(0, len(order) - self.size + 1, self.size):
                stretches = []
                for i in order[start:start + self.size]:
                    wave, most = self.wave(self.split.train[i]), int(CHUNK_S * RATE)
                    first = int(rng.integers(max(1, len(wave) - most)))
                    stretches.append(wave[first:first + most])
                yield Waves(stretches, self.model)
        return of

    def held_batches(self, size=None):
        """The held-out recordings whole, in order: (values, mask or None, answers (B,)) a batch."""
        size = min(size or self.size, self.size)
        for start in range(0, len(self.held), size):
            batch = Waves([self.wave(u) for u in self.held[start:start + size]], self.model)
            yield *batch.stream, batch.answers

    def judge(self, index, logits):
        """Word errors of logits (A, C) on held-out recording `index`."""
        heard = self.tokenizer.decode(logits.argmax(-1).tolist())  # merges repeats, drops blanks
        return score.align(words_of(self.held[index].transcript), words_of(heard))
