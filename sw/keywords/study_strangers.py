"""Trained models on voices that are in none of the packs: espeak-ng's, a synthesiser of another kind than the packs'.

Ten words and ten others (`_unknown_`), each said by every voice at two speeds, in the middle of a second. They are
machines' voices: a model may know people better or worse. What they show is how much of a score is the pack's own.
"""

import numpy as np
import torch
from tqdm import tqdm

from sw import pictures
from sw.data import espeak
from sw.data.speech_commands import UNKNOWN, WORDS, Clip
from sw.keywords import score, spotter, waves

OTHERS = ("bed", "bird", "cat", "dog", "happy", "house", "marvin", "sheila", "tree", "wow")
VOICES = ("en-us", *(f"en-us+{kind}{number}" for kind, most in (("m", 7), ("f", 5)) for number in range(1, most + 1)))
SPEEDS = (125, 160)        # words a minute
PEAK, HISS = 0.3, 3e-4     # of a clip; without any noise the features of its silences would be a constant


def clips(voices=VOICES):
    """`Waves`: every word by every voice at every speed."""
    found, samples, rng = [], [], np.random.default_rng(0)
    for voice in voices:
        for speed in SPEEDS:
            for word in (*WORDS, *OTHERS):
                said, _ = espeak.speak(word, voice, speed=speed)
                loud = np.abs(said) > 0.02 * np.abs(said).max()
                first, last = np.flatnonzero(loud)[[0, -1]]
                wave = waves.one_second(said[first:last + 1] * (PEAK / np.abs(said).max()))
                wave = wave + rng.normal(0, HISS, len(wave))
                found.append(Clip(None, word if word in WORDS else UNKNOWN, word, voice, "test"))
                samples.append(np.round(wave * 32767).astype(np.int16))
    return waves.Waves(found, torch.from_numpy(np.stack(samples)), [])


def study(args):
    """Accuracy of all clips and of the ten words, by model."""
    found, rows = clips(), []
    words = [i for i, c in enumerate(found.clips) if c.label in WORDS]
    for name in tqdm(args.models, desc="strangers", disable=args.quiet):
        model = spotter.load(name)
        logits = model.logits(found.floats())
        rows.append({"model": model.name, "voices": len(VOICES), "clips": len(found.clips),
                     "accuracy": score.measure(logits, found.clips, model.labels)["accuracy"],
                     "accuracy_words": score.measure(logits[words], [found.clips[i] for i in words],
                                                     model.labels)["accuracy"]})
    return rows


def draw(rows, path, title):
    """A bar a model."""
    figure, axes = pictures.pyplot().subplots(figsize=(7, 0.4 * len(rows) + 1.2))
    axes.barh(range(len(rows)), [r["accuracy"] for r in rows])
    axes.set(yticks=range(len(rows)), xlim=(0, 100), xlabel=f"% of {rows[0]['clips']} clips", title=title)
    axes.set_yticklabels([r["model"] for r in rows])
    axes.invert_yaxis()
    pictures.save(figure, path, 80)
