"""Connectionist temporal classification: its loss for the spiking network, and decoding.

Outputs are the 40 trained phones and, last, the blank (Graves et al., ICML 2006). The beam is a prefix search whose
scores add a phone bigram and a constant a phone, as the frame-synchronous decoder's do (`sw.phones.decode`).
"""

import numpy as np
import torch
from torch.nn import functional

from sw.data.phones import INDEX, PHONES
from sw.phones.batches import IGNORE
from sw.phones.targets import THIRDS

BLANK = len(PHONES)
CLASSES = BLANK + 1
NEVER = -1e30
RARE = 1e-3  # a phone less probable than this in a frame is not tried


class CtcLoss:
    """Callable (model, batch) -> (loss, metrics), like `sw.phones.objective.FrameLoss`.

    Targets are the frames' phone thirds. `log_prior` (O,) is zero for the classes and keeps the surplus outputs silent.
    The loss is a mean over phones.
    """

    def __init__(self, log_prior, rate_target=0.35, rate_weight=20.0):
        self.log_prior, self.rate_target, self.rate_weight = log_prior, rate_target, rate_weight

    def __call__(self, model, batch):
        x, target = batch
        hidden, spikes = model.encode(x)
        scores = (model.readout(hidden) + self.log_prior)[..., :CLASSES].log_softmax(-1)  # (F, B, 41)
        heard, strings = target != IGNORE, [phones_of(t[t != IGNORE].numpy()) for t in target.T]
        lengths = heard.flip(0).int().argmax(0).neg() + len(x)  # up to the last frame that has a target
        loss = functional.ctc_loss(scores, torch.from_numpy(np.concatenate(strings)), lengths,
                                   torch.tensor([len(s) for s in strings]), blank=BLANK, zero_infinity=True)
        metrics = {}
        for i, s in enumerate(spikes):
            rate = s.mean()
            loss = loss + self.rate_weight * (rate - self.rate_target).clamp_min(0).square()
            metrics[f"rate{i}"] = rate.item()
        return loss, metrics


def phones_of(states):
    """Phones (P,) of frame states `phone * 3 + third` (frames,): new where the phone changes or thirds restart."""
    phone, third = np.asarray(states) // THIRDS, np.asarray(states) % THIRDS
    return phone[np.diff(phone, prepend=-1).astype(bool) | (np.diff(third, prepend=0) < 0)]


class Beam:
    """Prefix search: the `width` best phone strings, each with the probability of all its alignments.

    Scores arrive by `push`; times are frames of the audio.
    """

    def __init__(self, bigram, layout, log_prior, *, language=0.5, bonus=1.0, width=12, delay=0):
        self.layout, self.delay, self.frames = layout, delay, 0
        self.log_prior = np.asarray(log_prior)
        self.language, self.width = language * np.asarray(bigram) + bonus, width
        # string -> (log p ending in blank, log p ending in its phone, language score, frames of its phones)
        self.strings = {(): (0.0, NEVER, 0.0, ())}

    def push(self, logits):
        """Take logits (frames, outputs), scaled as in training."""
        if len(logits):
            joint = torch.from_numpy(np.asarray(logits, np.float32) + self.log_prior)[:, :CLASSES]
            for frame in joint.log_softmax(-1).numpy():
                self._frame(frame)
                self.frames += 1

    def _path(self, phones, starts):
        """Phones and the frames they were heard in -> [(phone, start, end)], contiguous, the delay taken off."""
        begins = [max(0, s - self.delay) for s in starts]
        ends = [*begins[1:], max(0, self.frames - self.delay)][:len(begins)]
        return [(PHONES[p], a, b) for p, a, b in zip(phones, begins, ends, strict=True)]

    def _frame(self, scores):
        found = {}
        phones = [p for p in np.flatnonzero(scores > np.log(RARE)).tolist() if p != BLANK]

        def add(string, blank, phone, language, starts):
            if max(blank, phone) < NEVER / 2:
                return  # a repeat without a blank between
            if string in found:
                before = found[string]
                blank, phone = np.logaddexp(before[0], blank), np.logaddexp(before[1], phone)
                language, starts = before[2:]
            found[string] = (blank, phone, language, starts)

        for string, (blank, phone, language, starts) in self.strings.items():
            whole = np.logaddexp(blank, phone)
            last = string[-1] if string else None
            held = phone + scores[last] if string else NEVER
            add(string, whole + scores[BLANK], held, language, starts)
            for p in phones:
                before = self.language[INDEX["sil"] if last is None else last, p]
                way = (blank if p == last else whole) + scores[p]
                add((*string, p), NEVER, way, language + before, (*starts, self.frames))
        best = sorted(found.items(), key=lambda item: self._score(item[1]), reverse=True)[:self.width]
        self.strings = dict(best)

    @staticmethod
    def _score(state):
        return np.logaddexp(state[0], state[1]) + state[2]

    def trace(self, final=True):
        """[(phone, start frame, end frame)] of the best string so far; `final` changes nothing here."""
        string, state = max(self.strings.items(), key=lambda item: self._score(item[1]))
        return self._path(string, state[3])
