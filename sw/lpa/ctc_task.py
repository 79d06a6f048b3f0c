"""CTC over phones on the project's frames and folds: batches for training, error rate on held-out speakers.

Features, variants, split and visits are those of `sw.phones.phone_task.PhoneTask`; the phone string of a stretch comes
from its frame labels, so that recordings can be cut anywhere.
Scored by `sw.phones.score` on the label files' own strings.
"""

from itertools import groupby

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from sw.data.augment import mask
from sw.data.phones import PHONES
from sw.lpa.encoder import BLANK, KERNEL, STRIDE, answers, stream
from sw.phones import corpus, phone_task, score
from sw.phones.ctc import phones_of
from sw.phones.targets import THIRDS, Layout

CHUNK, FRAMES = 300, 4800  # feature frames (10 ms) of a stretch at most, and of a batch
IGNORE = -100
STATES = len(PHONES) * THIRDS


class Batch:
    """Padded stretches: `x` (B, F, 40), `lengths` (B,) in frames, `states` (B, A) at each answer, `phones` [(P,)]."""

    def __init__(self, stretches):
        self.lengths = torch.tensor([len(x) for x, _ in stretches])
        longest = int(self.lengths.max())
        self.x = torch.zeros(len(stretches), longest, stretches[0][0].shape[1])
        self.states = torch.full((len(stretches), answers(longest)), IGNORE)
        self.phones = []
        for b, (x, states) in enumerate(stretches):
            self.x[b, :len(x)] = torch.from_numpy(x)
            middle = states[KERNEL // 2::STRIDE][:answers(len(x))]  # the frame that an answer's window is centred on
            self.states[b, :len(middle)] = torch.from_numpy(middle)
            self.phones.append(torch.from_numpy(phones_of(states)))

    @property
    def stream(self):
        """What the small encoder takes: (values (B, 40 F), attention mask (B, 40 F))."""
        return stream(self.x, self.lengths)

    @property
    def valid(self):
        """Bool (B, A): answers that are not padding."""
        return torch.arange(self.states.shape[1])[None] < answers(self.lengths)[:, None]


class CtcTask:
    """Utterances of `sw.phones.phone_task` as CTC batches; `fold` of `folds` is held out.

    `variants` as in `sw.phones.corpus`.
    """

    def __init__(self, data, noise=None, fold=0, folds=3, variants=corpus.VARIANTS, cache="build/cache", quiet=False):
        self.split = phone_task.split(phone_task.find(data), fold, folds)
        work = phone_task.PhoneTask(self.split, Layout("mono", STATES), noise, variants, cache, quiet=quiet)
        self.x, self.targets, self.weights = work.x, work.targets, work.weights
        held = corpus.prepare(self.split.test, ["plain"], cache=cache, quiet=quiet)["plain"]
        self.held = [work.normalisation(i.logmel.astype(np.float32)).astype(np.float32) for i in held]
        self.references = [([s.phone for s in u.segments()], u.hand) for u in self.split.test]

    def batches(self, seed, frames=FRAMES, chunk=CHUNK, masking=True):
        """A function of the epoch that yields `Batch`es; like lengths together, drawn anew from (seed, epoch)."""
        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            stretches = []
            for i, weight in enumerate(self.weights):
                for _ in range(int(weight) + (rng.random() < weight % 1)):
                    variant = int(rng.integers(len(self.x)))
                    x, states = self.x[variant][i], self.targets[variant][i]
                    size = -(-len(x) // -(-len(x) // chunk))
                    for start in range(0, len(x) - size // 2, size):
                        part = x[start:start + size].astype(np.float32)
                        stretches.append((mask(part, rng) if masking else part, states[start:start + size]))
            stretches.sort(key=lambda s: len(s[0]) + rng.uniform(0, 20))
            groups, group = [], []
            for stretch in stretches:
                if group and (len(group) + 1) * len(stretch[0]) > frames:
                    groups.append(group)
                    group = []
                group.append(stretch)
            groups.append(group)
            for g in rng.permutation(len(groups)):
                yield Batch(groups[g])
        return of

    def held_batches(self, size=8):
        """The held-out recordings whole, unmasked, in order: (values, attention mask, answers (B,)) a batch."""
        for start in range(0, len(self.held), size):
            part = self.held[start:start + size]
            lengths = torch.tensor([len(x) for x in part])
            x = torch.zeros(len(part), int(lengths.max()), part[0].shape[1])
            for b, one in enumerate(part):
                x[b, :len(one)] = torch.from_numpy(one)
            yield *stream(x, lengths), answers(lengths)

    def judge(self, index, logits):
        """Phone errors of logits (A, 41) on held-out recording `index`."""
        phones, closures = self.references[index]
        return score.align(score.folded(phones, closures), score.folded(greedy(logits), closures))


class CtcLoss:
    """Callable (model, batch) -> (loss, metrics): CTC, and `hint` times the cross-entropy of each frame's third.

    The hint spares CTC its long plateau on little data. Its classifier is `model.hint`, used in training only.
    """

    def __init__(self, hint=0.5):
        self.hint = hint

    def __call__(self, model, batch):
        logits, hidden = model(*batch.stream)
        ctc = ctc_loss(logits, batch)
        chosen = batch.states != IGNORE
        thirds = model.hint(hidden[chosen])  # (answers, 120)
        wanted = batch.states[chosen]
        frame = functional.cross_entropy(thirds, wanted, label_smoothing=0.05)
        right = (thirds.argmax(-1) // THIRDS == wanted // THIRDS).float().mean().item()
        return ctc + self.hint * frame, {"ctc": ctc.item(), "frame_accuracy": right}


def ctc_loss(logits, batch):
    """CTC of logits (B, A, 41) in nats a phone, mean over stretches."""
    counts = torch.tensor([len(p) for p in batch.phones])
    log = logits.log_softmax(-1).transpose(0, 1)  # (A, B, 41)
    each = functional.ctc_loss(log, torch.cat(batch.phones), answers(batch.lengths), counts, blank=BLANK,
                               reduction="none", zero_infinity=True)
    return each.sum() / counts.sum()


def greedy(logits):
    """Logits (A, 41) -> phone names: best class of each answer, repeats merged, blanks dropped."""
    return [PHONES[k] for k, _ in groupby(logits.argmax(-1).tolist()) if k != BLANK]


@torch.no_grad()
def error_rate(answer, work, quiet=True):
    """Score `answer(values, mask) -> logits (B, A, C)` on the held-out recordings; returns `sw.phones.score.Errors`."""
    errors, index = score.Errors(), 0
    for values, attention, counts in tqdm(list(work.held_batches()), desc="scoring", unit="batch", disable=quiet):
        for logits, count in zip(answer(values, attention), counts.tolist(), strict=True):
            errors += work.judge(index, logits[:count])
            index += 1
    return errors
