"""Utterances with their references and features under one normalisation, ready to score any network."""

import numpy as np

from sw.phones import corpus, figures


class ScoredSet:
    """`xs` int8 features, `labels` of frames, `references` (phones, closures) of every utterance, in order.

    `noise` (name -> wave) and `snr` in dB mix noise in; without them the recordings are taken as they are.
    """

    def __init__(self, utterances, normalisation, noise=None, snr=None, cache="build/cache", quiet=False):
        variant = "plain" if snr is None else "noisy"
        items = corpus.prepare(utterances, [variant], noise, cache, snr, quiet=quiet)[variant]
        self.xs = [normalisation(i.logmel.astype(np.float32)) for i in items]
        self.labels = [i.labels for i in items]
        self.references = [([s.phone for s in u.segments()], u.hand) for u in utterances]

    def score(self, answers, viterbi, config, progress=None):
        """Figures of `answers` (an iterable of `recognise.Answer`), see `sw.phones.figures.measure`."""
        answers = progress(answers, total=len(self.xs)) if progress else answers
        return figures.measure(answers, self.references, self.labels, self.xs, viterbi, config)
