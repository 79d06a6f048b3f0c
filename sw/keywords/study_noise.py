"""Trained models under white, pink, babble and real noise, from 20 to 0 dB. See `sw.keywords.studies`."""

import numpy as np
import torch
from tqdm import tqdm

from sw import pictures
from sw.data.speech_commands import SILENCE
from sw.keywords import noise, score, spotter, train

SNRS = (20, 15, 10, 5, 0)


def study(args):
    """Accuracy of the spoken clips (no `_silence_`: an SNR says nothing of them) by model, kind and SNR."""
    found, _ = train.gather(args.data, quiet=True)
    held = found.of("held")
    spoken = [i for i, c in enumerate(held.clips) if c.label != SILENCE]
    rows = np.random.default_rng(0).permutation(spoken)[:args.clips]
    clips, waves = [held.clips[i] for i in rows], held.floats(rows).numpy()
    models = [spotter.load(name) for name in args.models]
    conditions = [("none", None)] + [(kind, snr) for kind in noise.KINDS for snr in SNRS]
    result = []
    for kind, snr in tqdm(conditions, desc="noise", disable=args.quiet):
        mixed = waves if snr is None else noise.noisy(waves, noise.source(kind, args.noise, args.speech), snr, 0)
        for model in models:
            figures = score.measure(model.logits(torch.from_numpy(mixed)), clips, model.labels)
            result.append({"model": model.name, "noise": kind, "snr_db": snr, "clips": len(clips),
                           "accuracy": figures["accuracy"], "macro_f1": figures["macro_f1"]})
    return result


def draw(rows, path, title):
    """A panel a kind of noise, a line a model."""
    figure, panels = pictures.pyplot().subplots(1, len(noise.KINDS), figsize=(14, 3.8), sharey=True)
    clean = {r["model"]: r["accuracy"] for r in rows if r["noise"] == "none"}
    for axes, kind in zip(panels, noise.KINDS, strict=True):
        for model, quiet in clean.items():
            line = [(r["snr_db"], r["accuracy"]) for r in rows if r["model"] == model and r["noise"] == kind]
            axes.plot(*zip((25, quiet), *line, strict=True), marker="o", markersize=3, label=model)
        axes.set(title=kind, xlabel="SNR dB (25: no noise)", ylim=(0, 100))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("accuracy of spoken clips, %")
    panels[-1].legend(fontsize=7)
    figure.suptitle(title)
    pictures.save(figure, path, 80)
