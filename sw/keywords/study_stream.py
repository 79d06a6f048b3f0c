"""Trained models listening to long recordings: words at known times in noise, and speech without any of the ten words.

See `sw.keywords.studies`. Hits are counted in the first (clips of held-out speakers, three seconds apart, real noise at
20 dB under them), false alarms in both: the second is LibriSpeech whose transcripts hold none of the words. Words three
seconds apart leave little room between them: most false alarms of the first are wrong words or doubles of a spoken one.
"""

import re

import numpy as np
from tqdm import tqdm

from sw import pictures
from sw.data import audio, manifest
from sw.data.speech_commands import WORDS
from sw.data.utterance import DataError, must_be_folder
from sw.keywords import noise, spotter, stream, train

THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99)
APART_S = 3.0


def spoken_words(held, sources, count, seed=0, snr_db=20.0):
    """A recording of `count` held-out words, `APART_S` apart in noise: float32 wave, list of (start, end, label)."""
    rng = np.random.default_rng(seed)
    rows = [i for i, c in enumerate(held.clips) if c.label in WORDS]
    rows = rng.permutation(rows)[:count]
    wave = np.zeros(int((len(rows) + 1) * APART_S * audio.RATE), np.float32)
    truth = []
    for n, clip in enumerate(held.floats(rows).numpy()):
        start = (n + 0.5 + 0.4 * rng.random()) * APART_S
        at = int(start * audio.RATE)
        wave[at:at + len(clip)] += clip
        truth.append((start, start + 1, held.clips[rows[n]].label))
    level = np.sqrt(np.mean(np.square(held.floats(rows).numpy())))
    pieces = len(wave) // (10 * audio.RATE) + 1
    hum = np.concatenate([noise.stretch(sources, 10 * audio.RATE, rng) for _ in range(pieces)])
    return np.clip(wave + hum[:len(wave)] * level / 10 ** (snr_db / 20), -1, 1).astype(np.float32), truth


def without_words(folder, seconds):
    """Recordings, joined, of a folder with transcripts, none of which holds a word of the ten: float32 wave.

    Raises `DataError` naming the file where the manifest is missing, not readable or without a needed column.
    """
    folder = must_be_folder(folder, "speech with transcripts")
    rows = [r for r in manifest.rows(folder / "manifest.csv", ("path", "transcript"))
            if r["transcript"] and not set(re.findall("[a-z']+", r["transcript"].lower())) & set(WORDS)]
    waves, total = [], 0.0
    for row in rows:
        if total >= seconds:
            break
        waves.append(audio.read(manifest.inside(folder, row["path"], folder)))
        total += len(waves[-1]) / audio.RATE
    if not waves:
        raise DataError(f"{folder / 'manifest.csv'}: no transcript without {', '.join(WORDS)}, or no time to hear one")
    return np.concatenate(waves)


def study(args):
    """Hits and false alarms by model and threshold: those of the words as `stream.rate` counts them, `speech_` ones."""
    models = [spotter.load(name) for name in args.models]  # a missing one is to be known before hours of work
    speech = without_words(args.speech, 60 * args.minutes)
    found, _ = train.gather(args.data, quiet=True)
    words, truth = spoken_words(found.of("held"), noise.recordings(args.noise, ("test",)), args.words)
    return [row for name, model in zip(args.models, tqdm(models, desc="stream", disable=args.quiet), strict=True)
            for row in rows_of(name, model, words, truth, speech)]


def rows_of(name, model, words, truth, speech):
    """A model's row at each threshold; `words` (float32 wave) holds those of `truth`, `speech` none of the ten."""
    heard = [(stream.posteriors(model, wave), len(wave) / audio.RATE) for wave in (words, speech)]
    rows = []
    for threshold in THRESHOLDS:
        spoken, other = (stream.rate(stream.Detector(model, threshold=threshold).decide(posteriors, seconds), there,
                                     seconds) for (posteriors, seconds), there in zip(heard, (truth, []), strict=True))
        rows.append({"model": name, "threshold": threshold, **spoken,
                     **{f"speech_{k}": other[k] for k in ("false_alarms", "seconds", "false_alarms_per_hour")}})
    return rows


def draw(rows, path, title):
    """False alarms an hour in speech without words against hits, a line a model; the counts behind them on the axes."""
    figure, axes = pictures.pyplot().subplots(figsize=(6, 4))
    for model in dict.fromkeys(r["model"] for r in rows):
        line = [(r["hit_rate"], r["speech_false_alarms_per_hour"]) for r in rows if r["model"] == model]
        axes.plot(*zip(*line, strict=True), marker="o", markersize=3, label=model)
    axes.set(xlabel=f"words found, % of {rows[0]['words']}", title=title, yscale="symlog",
             ylabel=f"false alarms an hour, of {rows[0]['speech_seconds'] / 60:.0f} min of other speech")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
    pictures.save(figure, path, 80)
