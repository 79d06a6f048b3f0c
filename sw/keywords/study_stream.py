"""Trained models listening to long recordings: words at known times in noise, and speech without any of the ten words.

See `sw.keywords.studies`. Hits are counted in the first (clips of held-out speakers, three seconds apart, real noise at
20 dB under them), false alarms an hour in both: the second is LibriSpeech whose transcripts hold none of the words.
"""

import csv
import re

import numpy as np
import torch
from tqdm import tqdm

from sw.data import audio
from sw.data.speech_commands import WORDS
from sw.data.utterance import must_be_folder
from sw.keywords import noise, spotter, stream, train

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
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
    """Recordings, joined, of a folder with transcripts, none of which holds a word of the ten: float32 wave."""
    folder = must_be_folder(folder, "speech with transcripts")
    with (folder / "manifest.csv").open(newline="") as source:
        rows = [r for r in csv.DictReader(source)
                if r["transcript"] and not set(re.findall("[a-z']+", r["transcript"].lower())) & set(WORDS)]
    waves, total = [], 0.0
    for row in rows:
        if total >= seconds:
            break
        waves.append(audio.read(folder / row["path"]))
        total += len(waves[-1]) / audio.RATE
    if not waves:
        raise ValueError(f"{folder}: no transcript without {', '.join(WORDS)}")
    return np.concatenate(waves)


def study(args):
    """Hits and false alarms an hour by model and threshold."""
    found, _ = train.gather(args.data, quiet=True)
    words, truth = spoken_words(found.of("held"), noise.recordings(args.noise, ("test",)), args.words)
    speech = without_words(args.speech, 60 * args.minutes)
    result = []
    for name in tqdm(args.models, desc="stream", disable=args.quiet):
        model = spotter.load(name)
        heard = {part: posteriors(model, wave) for part, wave in (("words", words), ("speech", speech))}
        for threshold in THRESHOLDS:
            hits = stream.rate(decide(model, heard["words"], threshold), truth, len(words) / audio.RATE)
            alarms = stream.rate(decide(model, heard["speech"], threshold), [], len(speech) / audio.RATE)
            result.append({"model": name, "threshold": threshold, "words": hits["words"], "hit_rate": hits["hit_rate"],
                           "alarms_per_hour_between_words": hits["false_alarms_per_hour"],
                           "alarms_per_hour_speech": alarms["false_alarms_per_hour"],
                           "speech_s": alarms["seconds"]})
    return result


class _Replay:
    """A spotter that gives posteriors that were computed before, window after window."""

    def __init__(self, labels, rows):
        self.labels, self.rows, self.at = labels, rows, 0

    def posteriors(self, waves):
        self.at += len(waves)
        return self.rows[self.at - len(waves):self.at]


def posteriors(model, wave):
    """Posteriors of every window of a recording (windows, classes), as `stream.Detector` takes them."""
    windows = np.lib.stride_tricks.sliding_window_view(wave, audio.RATE)[::stream.HOP]
    return torch.cat([model.posteriors(torch.from_numpy(windows[i:i + 64].copy())) for i in range(0, len(windows), 64)])


def decide(model, rows, threshold):
    """Detections from posteriors: windows are one hop apart, so any recording of that many windows replays them."""
    detector = stream.Detector(_Replay(model.labels, rows), threshold=threshold)
    return detector.push(np.zeros(audio.RATE + (len(rows) - 1) * stream.HOP, np.float32))


def draw(rows, path, title):
    """False alarms an hour against hits, a line a model."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for model in dict.fromkeys(r["model"] for r in rows):
        line = [(r["hit_rate"], r["alarms_per_hour_speech"]) for r in rows if r["model"] == model]
        axes.plot(*zip(*line, strict=True), marker="o", markersize=3, label=model)
    axes.set(xlabel="words found, %", ylabel="false alarms an hour in other speech", title=title, yscale="symlog")
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
