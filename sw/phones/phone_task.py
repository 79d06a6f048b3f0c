"""The phone recognition task: which utterances are trained and scored on, their features, targets and grammar."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from sw.data import librispeech, manifest, timit
from sw.data.utterance import DataError, folds
from sw.features.causal import Normalisation
from sw.integers import export
from sw.phones import batches, corpus
from sw.phones.ctc import CtcLoss
from sw.phones.decode import SCALES, Grammar, search
from sw.phones.objective import FrameLoss, log_prior, silent_surplus
from sw.phones.targets import CONTEXTS, KINDS, Layout

HAND_WEIGHT, ALIGNED_WEIGHT = 4.0, 0.6  # visits an epoch: few utterances are labelled by hand, and those are scored
DELAY = 5  # frames that targets come late


@dataclass(frozen=True, eq=False)
class Split:
    """Utterances for training and for scoring, speaker-disjoint; `unused` ones only share the cache of features."""

    train: list
    test: list
    name: str
    unused: tuple = ()


def split(utterances, fold=0, count=3, everything=False, develop=False):
    """Part hand-labelled speakers into `count` folds and score on fold `fold`; all else trains.

    Where no utterance is labelled by hand, the `train` split trains and `dev` is scored. `everything` trains on all of
    them and scores nothing. `develop` is for choices: no speaker labelled by hand trains or is scored, since in some
    fold each is held out; a part of the aligned speakers is scored instead. The sa sentences never train and are never
    scored. Raises `DataError` for a fold that is not of `count`, whatever the data.
    """
    check_fold(fold, count)
    hand = [u for u in utterances if u.hand and not u.sa]
    aligned = [u for u in utterances if not u.hand]
    if develop:
        return Split([u for u in aligned if not developing(u)], [u for u in aligned if developing(u)], "development",
                     tuple(hand))
    if everything:
        return Split(hand + aligned, [], "everything")
    if not hand:
        return Split([u for u in aligned if u.split == "train"], [u for u in aligned if u.split == "dev"], "train/dev")
    if any(u.split == "test" for u in hand):  # whole TIMIT: its own test set
        return Split([u for u in hand if u.split == "train"] + aligned, [u for u in hand if u.split == "test"],
                     "core test")
    held = folds(hand, count)[fold]
    return Split([u for u in hand if u.speaker not in held] + aligned, [u for u in hand if u.speaker in held],
                 f"fold {fold} of {count}")


def check_fold(fold, count):
    """Raise `DataError` for a fold that is not of `count`."""
    if not 0 <= fold < count:
        raise DataError(f"fold={fold}: wanted 0 to {count - 1}, one of {count} folds")


def developing(utterance, share=0.12):
    """Whether an utterance's speaker belongs to the development part: a fixed share of the speakers of real speech."""
    number = int(hashlib.md5(f"nested-1{utterance.speaker}".encode()).hexdigest(), 16)
    return not utterance.corpus.startswith("synthetic") and number % 1000 < 1000 * share


class PhoneTask:
    """Features of a `Split`, ready to train on. `variants` as in `sw.phones.corpus`; `teacher`: `teaching.Teacher`."""

    def __init__(self, parts, layout, noise=None, variants=corpus.VARIANTS, cache="build/cache", delay=DELAY,
                 quiet=False, teacher=None):
        if not parts.train:
            raise DataError("no utterance to train on: check the data folders and their splits")
        self.layout, self.delay, self.split, self.taught = layout, delay, parts, None
        variants = [v for v in variants if v != "noisy" or noise]
        # all utterances are cached together, whatever the fold
        whole = sorted({*parts.train, *parts.test, *parts.unused}, key=lambda u: str(u.audio))
        cached = corpus.prepare(whole, variants, noise, cache, quiet=quiet)
        index = {u: i for i, u in enumerate(whole)}
        chosen = {v: [items[index[u]] for u in parts.train] for v, items in cached.items()}
        plain = chosen["plain"]
        self.normalisation = Normalisation.of([i.logmel.astype(np.float32) for i in plain])
        self.x = [[self.normalisation(i.logmel.astype(np.float32)) for i in items] for items in chosen.values()]
        self.targets = [[layout.of(i.labels) for i in items] for items in chosen.values()]
        if teacher:
            labels = [i.labels for i in plain]
            told = {v: teacher.posteriors(xs, labels, cache, quiet) for v, xs in zip(chosen, self.x, strict=True)
                    if v != "noisy"}
            self.taught = [told["plain" if v == "noisy" else v] for v in chosen]  # frame by frame the same speech
        self.weights = [HAND_WEIGHT if u.hand else ALIGNED_WEIGHT for u in parts.train]
        if not any(u.hand for u in parts.train):
            self.weights = [1.0] * len(parts.train)
        self.log_prior = silent_surplus(layout) if layout.kind == "ctc" else log_prior(self.targets[0], layout)
        # the bigram counts hand labels in full, aligned ones little: their closures are a guess
        self.grammar = Grammar.of([i.labels for i in plain], [w / HAND_WEIGHT for w in self.weights])

    def loss(self, **options):
        """The `FrameLoss` of this task, or its `CtcLoss`."""
        if self.layout.kind == "ctc":
            return CtcLoss(self.log_prior, **options)
        if self.layout.kind == "mono":  # a readout this small need not be spared
            options.setdefault("share", 1.0)
        return FrameLoss(self.log_prior, contexts=CONTEXTS if self.layout.kind == "context" else 1, **options)

    def decoder(self, scales=None):
        """What turns a network's logits into phones."""
        return search(self.grammar, self.layout, self.log_prior, scales, self.delay)

    def batches(self, seed, frames=3200, chunk=160):
        """A function of the epoch for `sw.training.trainer.fit`."""
        def of(epoch):
            rng = np.random.default_rng([seed, epoch])
            return batches.epoch(self.x, self.targets, self.weights, rng, chunk, frames, self.delay,
                                 taught=self.taught)
        return of


    def export(self, network, config, recipe, scales=None):
        """The trained, quantised `Rsnn` as an `IntegerModel` with all that its decoder needs (`scales`: its own)."""
        train = self.split.train
        tables = {"feature_mean": self.normalisation.mean, "feature_deviation": self.normalisation.deviation,
                  "bigram": self.grammar.bigram, "stay": self.grammar.stay}
        return export.integer_model(
            network, config, name="rsnn",
            recipe={"split": self.split.name, "train_utterances": len(train), **recipe},
            tables={**{name: torch.from_numpy(table) for name, table in tables.items()}, "log_prior": self.log_prior},
            corpora=sorted({u.corpus for u in train}), licence_note=licence_note(train),
            targets={"kind": self.layout.kind, "delay": self.delay}, decoder=asdict(scales or SCALES[self.layout.kind]))


def licence_note(utterances):
    """What must be said of weights trained on these utterances."""
    if any(u.corpus == "timit_sample" for u in utterances):
        return "trained in part on the TIMIT sample that NLTK distributes, whose licence is CC BY-NC-SA"
    return ""


def phone_layout(config, kind=None):
    """Targets of `kind` on a configuration's outputs; by default the richest that they can hold."""
    return Layout(kind or ("context" if config.outputs >= KINDS["context"] else "mono"), config.outputs)


def find(folders):
    """Utterances of data folders, see `sw.data.manifest.find`; TIMIT and LibriSpeech layouts are recognised."""
    found = []
    for folder in map(Path, folders):
        names = {p.name.lower() for p in folder.iterdir() if p.is_dir()} if folder.is_dir() else set()
        if names & {"train", "test", "timit"} and not (folder / "manifest.csv").is_file():
            found += timit.load(folder)
        elif any(n.startswith(("train-", "dev-", "test-")) for n in names):
            found += librispeech.load(folder)
        else:
            found += manifest.find([folder])
    return found
