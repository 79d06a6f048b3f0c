"""What makes the phone recogniser better: ideas beside their base, on speakers that no table scores.

    sottovoce phone-ideas --teacher build/runs/develop/teacher --publish

Trains every idea on the aligned and synthetic speech without the development part (`sottovoce train --develop`), scores
it there, and writes the rows with task "phones" into ideas.json; other tasks' rows stay. Networks are trained in
floats, all for as many steps, except where a row says 4 bits. Runs are kept, and resume.
"""

import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from hw import config as hw_config
from hw import store
from sw import options
from sw.models.rsnn import Rsnn
from sw.phones import corpus, phone_task, recognise, stages, teaching
from sw.phones.scored_set import ScoredSet

SYNTHETIC = "../shared/data/phones_synthetic"
MATCH = 0.59  # share of an epoch's steps that is real speech: without synthetic speech, epochs are so much shorter


@dataclass(frozen=True)
class Idea:
    """A row: what is trained and what it is set beside. `neurons`: of every layer; `layers`: so many of the first."""

    name: str
    base: str | None
    config: str = "phone"
    sizes: dict = field(default_factory=dict)
    hardware: str = ""
    neurons: int = 0
    layers: int = 0
    time_steps: int = 1
    synthetic: bool = True
    teacher: bool = True
    delay: int = 10  # frames
    average: float = 0.0
    rate: float = 1.4e-2
    start: str = ""  # the idea whose network goes on in 4 bits

    @property
    def slug(self):
        """A folder's name."""
        return "".join(c if c.isalnum() else "-" for c in self.name.lower())


TWO = dict(time_steps=2)
GRU = dict(sizes=dict(kind="gru"), rate=1e-2)
LATE, TABLES = "shift registers of a layer's spikes, {} bits a neuron", "a threshold and a bias a neuron"

NORMS = dict(norm=0.6, steps="neuron")


def ways(longest, layers=4):
    """Delays of a feed-forward network: 0 to `longest` frames from each layer to the next."""
    return {f"forward{i}": longest for i in range(1, layers)}


def four(longest, **more):
    """Four feed-forward layers under norms, with delays."""
    return dict(sizes={**NORMS, "delays": ways(longest)},
                hardware=f"four layers, {LATE.format(longest)}, {TABLES}", layers=4, **more)


BASE, TAUGHT = "two recurrent layers, two time steps (`phone`)", "… and a teacher"
SHORT = "four feed-forward layers, delays 0 to 5, norms, one time step"
LONG = "four feed-forward layers, delays 0 to 15, norms, one time step"
IDEAS = {i.name: i for i in (
    Idea(TAUGHT, "… and synthetic speech", **TWO),
    Idea(SHORT, TAUGHT, **four(5)),
    Idea(LONG, TAUGHT, **four(15)),
    Idea("… norms", TAUGHT, **TWO, sizes=dict(norm=0.6, steps="neuron"), hardware=TABLES),
    Idea("… delays 0 to 5", TAUGHT, **TWO, sizes=dict(delays=ways(5, 2)), hardware=LATE.format(5)),
    Idea("… delays 0 to 5, also into the readout", TAUGHT, **TWO, sizes=dict(delays=ways(5, 2) | {"readout": 5}),
         hardware=LATE.format(5)),
    Idea("… the same in one time step", "… delays 0 to 5, also into the readout",
         sizes=dict(delays=ways(5, 2) | {"readout": 5}), hardware=LATE.format(5)),
    Idea("… 0 to 10 into the readout", "… delays 0 to 5, also into the readout", **TWO,
         sizes=dict(delays=ways(5, 2) | {"readout": 10}), hardware=LATE.format("5 and 10")),
    Idea("… also into the recurrence", "… delays 0 to 5, also into the readout", **TWO,
         sizes=dict(delays=ways(5, 2) | {"readout": 5, "recurrent0": 5, "recurrent1": 5}), hardware=LATE.format(5)),
    Idea("… three layers, delays 0 to 5", "… delays 0 to 5", **TWO, layers=3, sizes=dict(delays=ways(5, 3)),
         hardware=f"three layers, {LATE.format(5)}"),
    Idea("… delays 0 to 5 and norms", TAUGHT, **TWO, sizes=dict(delays=ways(5, 2), norm=0.6, steps="neuron"),
         hardware=f"{LATE.format(5)}, {TABLES}"),
    Idea("… four layers, two time steps", SHORT, **four(5, time_steps=2)),
    Idea("GRU, 2 × 102", None, **GRU),
    Idea(BASE, None, **TWO, synthetic=False, teacher=False),
    Idea("… and synthetic speech", BASE, **TWO, teacher=False),
    Idea("… delays 0 to 15", TAUGHT, **TWO, sizes=dict(delays=ways(15, 2)), hardware=LATE.format(15)),
    Idea("… answers 5 frames late", SHORT, **four(5, delay=5)),
    Idea("… four layers, no delays", SHORT, **four(0)),
    Idea("… 192 neurons", SHORT, **four(5, neurons=192)),
    Idea("… a running mean of weights", SHORT, **four(5, average=0.98)),
    Idea("… 4 bits, a learnt step a neuron", SHORT, **four(5, start=SHORT, rate=5e-3)),
    Idea("… 4 bits, a step a layer", SHORT, sizes={**NORMS, "delays": ways(5), "steps": "layer"}, layers=4,
         hardware=f"four layers, {LATE.format(5)}, a bias a neuron", start=SHORT, rate=5e-3),
)}


class Development:
    """Training speech with and without the synthetic part, for each delay and teacher; made when first asked for."""

    def __init__(self, args):
        self.args, self.works = args, {}
        self.found = phone_task.find(args.data)
        self.more = phone_task.find([args.also])
        self.noise = corpus.noises(args.noise, ["train"]) if args.noise else None
        self.teacher = teaching.Teacher(args.teacher)
        self.layout = phone_task.phone_layout(hw_config.load("phone"))

    def work(self, idea):
        """The `PhoneTask` that an idea trains on."""
        key = idea.synthetic, idea.teacher, idea.delay
        if key not in self.works:
            parts = phone_task.split(self.found + self.more, develop=True)
            if not idea.synthetic:
                parts = replace(parts, train=[u for u in parts.train if u not in set(self.more)],
                                unused=(*parts.unused, *self.more))
            self.works = {key: phone_task.PhoneTask(parts, self.layout, self.noise, delay=idea.delay, quiet=True,
                                                    teacher=self.teacher if idea.teacher else None)}
        return self.works[key]

    def run(self, idea, seed):
        """Train an idea (or go on from its folder) and score it on the development part: figures, plain values."""
        work, config, args = self.work(idea), configured(idea), self.args
        epochs = args.epochs if idea.synthetic else round(args.epochs / MATCH)
        stage = stages.Stage(idea.slug, None, epochs, idea.rate, time_steps=idea.time_steps, sizes=idea.sizes,
                             average=idea.average, bits=4 if idea.start else 0)
        folder, before = Path(args.out) / f"{idea.slug}-{args.epochs}-{seed}", None
        if idea.start:
            begun = stages.restore(Path(args.out) / f"{IDEAS[idea.start].slug}-{args.epochs}-{seed}")
            before = Rsnn(**{**begun.sizes, "steps": idea.sizes["steps"]})
            before.load_state_dict(begun.state_dict(), strict=False)  # learnt steps begin at none
        model = stages.train(stage, config, work, folder, before, seed=seed, quiet=args.quiet,
                             data=[Path(d).name for d in (*args.data, args.also)][:None if idea.synthetic else -1],
                             teacher=args.teacher if idea.teacher else "")
        held = ScoredSet(work.split.test, work.normalisation, quiet=True)
        figures = held.score(recognise.of_network(model, held.xs, config, work.delay), work.decoder, config)
        return {"error": figures["per"], "frames": figures["frame_accuracy"], "phones": figures["errors"]["reference"],
                "bytes": model.size_bytes() * 4 // (int(getattr(model, "bits", 0)) or 32) if "kind" not in idea.sizes
                else model.size_bytes(), "cycles": figures.get("cycles_per_frame"), "epochs": epochs}


def configured(idea):
    """The accelerator of an idea: its named configuration, with other layers where it says so."""
    config = hw_config.load(idea.config)
    if idea.layers:
        layer = replace(config.layers[0], recurrent="norm" not in idea.sizes)
        config = replace(config, layers=(layer,) * idea.layers)
    return config.with_layers(neurons=idea.neurons) if idea.neurons else config


def row_of(idea, runs):
    """The row of an idea: means over its runs, one a seed."""
    def mean(key):
        values = [r[key] for r in runs]
        return None if None in values else round(statistics.mean(values), 2)
    return {"idea": idea.name, "task": "phones", "base": idea.base, "error": mean("error"), "delta": None,
            "frames": mean("frames"), "seeds": len(runs), "epochs": runs[0]["epochs"],
            "phones": runs[0]["phones"], "bytes": runs[0]["bytes"],
            "cycles": mean("cycles"), "late_frames": idea.delay, "hardware": idea.hardware}


def with_deltas(rows):
    """Rows, each with its error less that of its base (negative: fewer errors); None where that has not been run."""
    errors = {r["idea"]: r["error"] for r in rows}
    return [{**r, "delta": round(r["error"] - errors[r["base"]], 2) if r["base"] in errors else None} for r in rows]


def add_arguments(parser):
    """Options of the command."""
    options.add_phones(parser)
    parser.add_argument("--also", default=SYNTHETIC, help="folder of synthetic speech")
    parser.add_argument("--teacher", required=True, help="run folder of `sottovoce train teacher --develop`")
    parser.add_argument("--epochs", type=options.whole, default=2, help="of each training")
    parser.add_argument("--seeds", type=options.whole, default=1, help="how many trainings an idea has")
    parser.add_argument("--only", nargs="+", metavar="IDEA", help=f"some of: {'; '.join(IDEAS)}")
    parser.add_argument("--out", default="build/runs/ideas", help="folder of the runs")
    options.add_run(parser)
    store.add_publish(parser)


def run(args):
    """Train and score the ideas; print and write a row of each."""
    options.begin(args)
    if unknown := [n for n in args.only or () if n not in IDEAS]:
        raise ValueError(f"--only {unknown[0]!r}: wanted some of {'; '.join(IDEAS)}")
    path = store.writable(store.results("ideas.json", args.publish))
    torch.set_num_threads(args.threads)
    development = Development(args)
    for name in args.only or IDEAS:
        runs = [development.run(IDEAS[name], seed) for seed in range(args.seed, args.seed + args.seeds)]
        stored = store.read_json(path)
        rows = {r["idea"]: r for r in stored.get("rows", ()) if r["task"] == "phones"}
        rows[name] = row_of(IDEAS[name], runs)
        recipe = store.recipe(args.command, config="phone-delays", data=[*args.data, args.also], seed=args.seed)
        kept = [r for r in stored.get("rows", ()) if r["task"] != "phones"]
        store.write_json(path, {**stored, "recipes": {**stored.get("recipes", {}), "phones": recipe},
                                "rows": kept + with_deltas([rows[n] for n in IDEAS if n in rows])})
        print(f"{name:60} {rows[name]['error']:6.2f} %  frames {rows[name]['frames']:.2f} %", flush=True)
    print(f"figures: {path}")
    return 0
