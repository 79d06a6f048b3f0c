"""What could make the spiking spotter better, each idea beside its base: choices on speakers cut from the training set.

A row's network is trained once a seed, in floats, on clips disturbed as in `sw.keywords.disturb` and on synthetic ones,
without the development part of `sw.keywords.teaching`, and scored on that part: as it is, in six disturbed versions
(`error_disturbed`: six times as many clips, so the surer comparison), and spoken clips in real noise of the dev split.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sw import pictures
from sw.data.speech_commands import SILENCE
from sw.keywords import cost, evaluate, noise, recipes, score, spotter, teaching, train

ALSO = "../shared/data/keywords_synthetic"
ROWS = 6  # disturbed versions that score


def _deep(widths, recurrent, **more):
    return dict(neurons=widths, recurrent=recurrent, delays={f"forward{i}": 15 for i in range(1, len(widths))}, **more)


TWO = dict(neurons=[128] * 2, recurrent=[True] * 2, time_steps=1)
LATE = {**TWO, "delays": {"forward1": 15}}
FOUR = dict(_deep([128] * 4, [False] * 4), time_steps=1, norm=0.6)
MILDER = recipes.find("rsnn-delays").mix
SHIFTS = "15-bit shift registers of the layer's spikes"
# idea: (base's idea, sizes, recipe's changes, teacher, hardware)
IDEAS = {
    "two recurrent layers, one time step": (None, TWO, {}, False, ""),
    "no synthetic clips": ("two recurrent layers, one time step", TWO, dict(also=False), False, ""),
    "delays 0 to 15": ("two recurrent layers, one time step", LATE, {}, False, SHIFTS),
    "leaks a neuron, shifts 1 to 5": ("delays 0 to 15", {**LATE, "leak_shift": [[1, 5]] * 2}, {}, False,
                                      "a leak shift a neuron"),
    "norms that fold": ("delays 0 to 15", {**LATE, "norm": 0.6}, {}, False, "a threshold and a bias a neuron"),
    "a teacher (BC-ResNet-1.5)": ("delays 0 to 15", LATE, {}, True, ""),
    "three layers, the last recurrent": (
        "delays 0 to 15", dict(_deep([128] * 3, [False, False, True]), time_steps=1), {}, False,
        "layers of any number, delays"),
    "three layers, the first recurrent, norms": (
        "delays 0 to 15", dict(_deep([128] * 3, [True, False, False]), time_steps=1, norm=0.6), {}, False,
        "layers of any number, delays, a threshold and a bias a neuron"),
    "four feed-forward layers, norms": ("delays 0 to 15", FOUR, {}, False,
                                        "layers of any number, delays, a threshold and a bias a neuron"),
    "four layers, norms, a teacher": ("four feed-forward layers, norms", FOUR, {}, True, "as before"),
    "five layers of 112, norms, a teacher": (
        "four layers, norms, a teacher", dict(_deep([112] * 5, [False] * 5), time_steps=1, norm=0.6), {}, True,
        "as before"),
    "… and a running mean of weights": ("four layers, norms, a teacher", FOUR, dict(average=0.998), True, ""),
    "… and a milder mix of versions": (
        "… and a running mean of weights", FOUR, dict(average=0.998, mix=MILDER), True, ""),
    "… and running speech, unknown": (
        "… and a milder mix of versions", FOUR, dict(average=0.998, mix=MILDER, talk=400), True, ""),
}


class Nested:
    """Training clips with the synthetic ones, the development part, and what a teacher says of them."""

    def __init__(self, args):
        found, self.labels = train.gather(args.data, quiet=True)
        hear = found.of("train")
        chosen = np.array(teaching.chosen_on(hear.clips))
        self.dev, self.real = hear.rows(np.flatnonzero(chosen)), np.flatnonzero(~chosen)
        self.waves = hear.joined(train.gather(args.also, quiet=True)[0])
        self.all = np.concatenate([self.real, np.arange(len(hear.clips), len(self.waves.clips))])
        self.sources, self.talkers = train.noise_sources(args.noise), train.babblers(args.speech)
        self.teacher = spotter.load(args.teacher) if args.teacher else None
        self.talk = train.talk_of(args.talk, True) if args.talk else None
        self.noise = noise.recordings(args.noise, ("dev",))
        self.args = args

    def run(self, name, seed):
        """The row of an idea and seed, and the trained `Spotter`."""
        base, sizes, changes, taught, hardware = IDEAS[name]
        also = changes.get("also", True)
        recipe = replace(recipes.find("rsnn-delays"), epochs=self.args.epochs, again=0, quantised=0, sizes=sizes,
                         average=changes.get("average", 0.0), mix=changes.get("mix", ()), talk=changes.get("talk", 0))
        folder = Path("build/studies/ideas") / f"{list(IDEAS).index(name)}-{self.args.epochs}-{seed}"
        model = train.train(recipe, self.waves, self.labels, folder, seed=seed, sources=self.sources,
                            talkers=self.talkers, data=Path(self.args.data).name, quiet=self.args.quiet,
                            rows=self.all if also else self.real, teacher=self.teacher if taught else None,
                            talk=self.talk if recipe.talk else None)
        weights = sum(cost.synapses(model.network))  # what they would take at 4 bits
        return {"idea": name, "task": "keywords", "base": base, "seed": seed, **self.measure(model),
                "bytes": weights // 2, "hardware": hardware}, model

    def measure(self, model):
        """Errors in percent on the development part, estimated cycles a frame."""
        spoken = [i for i, c in enumerate(self.dev.clips) if c.label != SILENCE]

        def error(waves, rows):
            return 100 - score.measure(model.logits(waves), [self.dev.clips[i] for i in rows], model.labels)["accuracy"]
        loud = evaluate.under_noise(model, self.dev, "real", 5, lambda n, rng: noise.stretch(self.noise, n, rng))
        clean = self.dev.floats()
        versions = [torch.from_numpy(np.stack([
            train.keyword_task.frontends.disturbed(w, v, 1, i, self.sources, self.talkers, True)
            for i, w in enumerate(clean.numpy())])) for v in range(1, ROWS + 1)]
        every = range(len(self.dev.clips))
        return {"error": error(clean, every), "error_5db": 100 - loud, "clips": len(self.dev.clips),
                "spoken": len(spoken), "error_disturbed": sum(error(v, every) for v in versions) / ROWS,
                "cycles": cost.sparsity(model, clean)["cycles_a_frame_estimated"]}


def study(args):
    """A row an idea, averaged over seeds, with `delta` against its base (negative: fewer errors)."""
    nested, rows = Nested(args), []
    for name in IDEAS:
        runs = [nested.run(name, seed)[0] for seed in range(args.seeds)]
        keys = ("error", "error_5db", "error_disturbed", "cycles")
        rows.append({**runs[0], "seed": None, "seeds": len(runs), "epochs": args.epochs,
                     **{k: round(sum(r[k] for r in runs) / len(runs), 2) for k in keys}})
        base = next((r for r in rows if r["idea"] == rows[-1]["base"]), None)
        rows[-1]["delta"] = round(rows[-1]["error"] - base["error"], 2) if base else None
    return rows


def draw(rows, path, title):
    """Errors of each idea as bars: of the clips as they are, and disturbed."""
    figure, axes = pictures.pyplot().subplots(figsize=(8, 0.45 * len(rows) + 1.5))
    for shift, key, label in ((-0.2, "error", "as they are"), (0.2, "error_disturbed", "disturbed")):
        axes.barh([i + shift for i in range(len(rows))], [r[key] for r in rows], 0.4, label=label)
    axes.set(yticks=range(len(rows)), xlabel=f"error, % of {rows[0]['clips']} clips", title=title)
    axes.set_yticklabels([r["idea"] for r in rows])
    axes.invert_yaxis()
    axes.legend()
    pictures.save(figure, path, 90)
