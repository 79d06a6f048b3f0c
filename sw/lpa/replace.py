"""Replace attention by pulses in k layers.

    sottovoce lpa-train --layers 8 --order easiest

The layers' accumulators start from the sweep's, and learn together to give the original's frames and posteriors while
their gates cool until they are near binary; the feed-forward parts of those layers adapt along. Nothing is labelled:
the original is the teacher. `--table` runs every row of docs/lpa.md; finished rows are kept, a row cut off resumes.
"""

import json
import random
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from hw import config as hw_config
from hw import store
from sw import options
from sw.lpa import encoder, kinds
from sw.lpa.mixing import (
    WARMEST,
    accumulators,
    array_cycles,
    binary_shares,
    divergence,
    heard_of,
    relative_error,
    set_gates,
    states,
    taught_by,
    temperature_at,
    timed,
)
from sw.lpa.sweep import SWEEP, add_encoder_option, finished, folder_of, name_of, original, yardstick_of
from sw.training import trainer

ORDERS = ("easiest", "hardest", "random")
RUNS = "build/runs/lpa"
ORIGINAL = "original.json"  # in the folder of the runs: what a pretrained encoder scores as it is


@dataclass(frozen=True)
class Row:
    """One experiment: how many layers, in which order, and what is done about it."""

    layers: int
    order: str = "easiest"
    anneal: bool = True
    adapt: bool = True
    mixer: str = "pulses"  # or another of sw.lpa.kinds, as the sweep's; "nothing": attention is left out

    @property
    def name(self):
        marks = [] if self.anneal else ["not-annealed"]
        marks += [] if self.adapt else ["not-adapted"]
        return "-".join([f"{self.layers:02}", self.order, *([] if self.mixer == "pulses" else [self.mixer]), *marks])


TABLE = (Row(8), Row(4), Row(12), Row(8, "hardest"), Row(8, anneal=False), Row(8, adapt=False),
         Row(12, mixer="nothing"), Row(4, "hardest"), Row(8, "random"), Row(4, "random"), Row(8, mixer="nothing"))


def table_of(depth, kind):
    """The rows of docs/lpa.md for an encoder of `depth` layers: `TABLE` for the small one, else by halves."""
    if depth == TABLE[2].layers and kind == "pulses":
        return TABLE
    half = depth // 2
    controls = [Row(n, mixer=m) for n in (depth, half) for m in ("nothing", *kinds.FIXED)]
    return (Row(depth, mixer=kind), Row(half, mixer=kind), controls[1], controls[0], Row(half, "hardest", mixer=kind),
            controls[4], controls[3], Row(1, mixer=kind), Row(depth - 1, mixer=kind), Row(half, "random", mixer=kind),
            Row(depth, adapt=False, mixer=kind), Row(depth, anneal=False, mixer=kind), controls[2], controls[5],
            *([Row(depth)] if kind != "pulses" else []))


def chosen(order, kind, count, seed=0):
    """Indices of the `count` layers that are replaced, from the sweep's `order`, easiest first."""
    if not 0 <= count <= len(order):
        raise encoder.EncoderError(f"layers={count}: the encoder has {len(order)}")
    by = {"easiest": order, "hardest": order[::-1], "random": random.Random(seed).sample(order, len(order))}
    return sorted(by[kind][:count])


class Trainee(torch.nn.Module):
    """An encoder with `replaced` layers' attention swapped; its parameters are those that train, and no others."""

    def __init__(self, teacher, replaced, row, weights):
        super().__init__()
        self.core = [deepcopy(teacher)]
        self.replaced, trained = replaced, []
        for i in replaced:
            layer = encoder.layers_of(self.model)[i]
            mixer, start = kinds.build(row.mixer, encoder.attention_of(layer)), f"mixers.{i}."
            if row.mixer != "nothing":
                mixer.load_state_dict({name.removeprefix(start): w for name, w in weights.items()
                                       if name.startswith(start)})
            encoder.put(layer, mixer)
            trained += [mixer, *(encoder.rest_of(layer) if row.adapt else [])]
        self.trained = torch.nn.ModuleList(trained).requires_grad_(True)
        self.sizes = {"replaced": replaced, "parameters": sum(p.numel() for p in self.parameters())}

    @property
    def model(self):
        """The Wav2Vec2ForCTC or the Listener itself."""
        return self.core[0]


class Distillation:
    """Callable (trainee, batch) -> (loss, metrics): KL from the teacher's posteriors, error of replaced layers.

    `cold`: the gates cooled in the sweep already, and stay so.
    """

    def __init__(self, teacher, anneal=True, cold=False):
        self.teacher, self.anneal, self.cold = teacher, anneal, cold

    def __call__(self, trainee, batch):
        temperature = temperature_at(1.0 if self.cold else batch.progress) if self.anneal else WARMEST
        set_gates(trainee.model, temperature, hard=False)
        taught, answer = taught_by(self.teacher, batch)
        batch.first = min(trainee.replaced, default=0)  # what comes before is the teacher's own
        got, logits = states(trainee.model, *batch.stream)
        kl = divergence(logits, answer, batch.valid)
        heard = heard_of(batch)
        error = torch.stack([relative_error(got[i], taught[i], heard) for i in trainee.replaced]).mean()
        return kl + error, {"kl": kl.item(), "error": error.item(), "temperature": temperature}


def batches(work, seed, steps, epochs, frames):
    """A function of the epoch for `sw.trainer.fit`, whose batches know how far the training has come."""
    return timed(work.batches(seed, frames=frames), steps, epochs)


def figures_of(trainee, yardstick, array=False):
    """Error with soft and hard gates, divergence from the teacher, shares of near-binary gates, cycles of the array."""
    model = trainee.model.eval()
    if not accumulators(model):
        return {**dict(zip(("error", "kl"), yardstick.measure(model), strict=True)), **yardstick.details()}
    set_gates(model, hard=False)
    soft = yardstick.measure(model, quick=True)
    shares = binary_shares(model, yardstick.work)
    set_gates(model, hard=True)
    hard = yardstick.measure(model)
    cycles = {"array_cycles": array_cycles(model, yardstick.work, hw_config.load("paper"))} if array else {}
    return {"error": hard[0], "kl": hard[1], "soft_error": soft[0], "soft_kl": soft[1], "hard_error": hard[0],
            "near_binary_share": round(shares.pop("all"), 5),
            "near_binary": {name: round(s, 5) for name, s in shares.items()}, **cycles, **yardstick.details()}


def experiment(row, args, teacher, yardstick):
    """Run one row to its `result.json`, or read it where it is finished; returns its figures."""
    folder = Path(args.out) / row.name
    if (folder / "result.json").is_file():
        return json.loads((folder / "result.json").read_text())
    work = yardstick.work
    swept = finished(folder_of(args.sweep, args.kind))[0]
    own, weights = ({}, {}) if row.mixer == "nothing" else finished(folder_of(args.sweep, row.mixer))
    cold = row.anneal and own.get("anneal", False)
    replaced = chosen(swept["order"], row.order, row.layers, args.seed)
    recipe = {**asdict(row), "replaced": replaced, "seed": args.seed, "rate": args.rate, "epochs": args.epochs,
              "steps": args.steps, "frames": args.frames, "split": work.split.name,
              "encoder": name_of(teacher, args), "control": row.mixer in ("nothing", *kinds.FIXED)}
    trainee = Trainee(teacher, replaced, row, weights)
    start = {}
    if accumulators(trainee.model):
        set_gates(trainee.model.eval(), temperature_at(1.0) if cold else WARMEST, hard=cold)
        start = dict(zip(("untrained_error", "untrained_kl"), yardstick.measure(trainee.model, quick=True),
                         strict=True))
    if sum(p.numel() for p in trainee.parameters()):
        trainer.fit(trainee, batches(work, args.seed, args.steps, args.epochs, args.frames),
                    Distillation(teacher, row.anneal, cold), folder, epochs=args.epochs, rate=args.rate, seed=args.seed,
                    recipe=recipe, decay=0.0, quiet=args.quiet)
    if accumulators(trainee.model):
        set_gates(trainee.model, temperature_at(1.0) if row.anneal else WARMEST)
    result = {**recipe, **figures_of(trainee, yardstick, args.array), **start,
              **store.recipe(args.command, data=args.data)}
    folder.mkdir(parents=True, exist_ok=True)
    store.write_json(folder / "result.json", result)
    return result


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--layers", type=options.whole, default=8, help="how many layers to replace")
    parser.add_argument("--order", choices=ORDERS, default="easiest", help="which layers first, by the sweep")
    parser.add_argument("--no-anneal", action="store_true", help="keep the gates at their warmest")
    parser.add_argument("--no-adapt", action="store_true", help="keep the feed-forward parts as they are")
    parser.add_argument("--nothing", action="store_true", help="leave attention out instead: the control")
    parser.add_argument("--table", action="store_true",
                        help="all rows of docs/lpa.md, one after the other")
    parser.add_argument("--rows", nargs="+", help="rows of the table by name")
    parser.add_argument("--array", action="store_true", help="count the cycles of the pulses on the PE array too")
    options.add_phones(parser)
    add_encoder_option(parser)
    parser.add_argument("--sweep", default=SWEEP, help="folder of the sweep")
    parser.add_argument("--out", default=f"{RUNS}/replaced", help="folder of the runs, one a row")
    parser.add_argument("--epochs", type=options.from_zero, default=4,
                        help="checkpoints of a run; 0 leaves the sweep's pulses untrained")
    parser.add_argument("--steps", type=options.whole, default=30, help="batches an epoch")
    parser.add_argument("--frames", type=options.whole, default=3200, help="feature frames a batch")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    options.add_run(parser)


def run(args):
    """Run the row that the options name, or the table."""
    options.begin(args)
    teacher, work = original(args)
    yardstick = yardstick_of(teacher, work, args)
    table = table_of(len(encoder.layers_of(teacher)), args.kind)
    if unknown := set(args.rows or ()) - {row.name for row in table}:
        raise encoder.EncoderError(f"rows={sorted(unknown)}: wanted some of {' '.join(row.name for row in table)}")
    named = [row for row in table if args.table or row.name in (args.rows or ())]
    rows = named or [Row(args.layers, args.order, not args.no_anneal, not args.no_adapt,
                          "nothing" if args.nothing else args.kind)]
    if whole := yardstick.details():
        store.write_json(Path(args.out) / ORIGINAL, {
            "layers": 0, "order": "none", "mixer": "attention", "control": False, "error": yardstick.original,
            "kl": 0.0, "encoder": name_of(teacher, args), **whole, **store.recipe(args.command, data=args.data)})
    print("layers order    annealed adapted mixer    error %  soft %   KL to the original  near-binary")
    for row in rows:
        r = experiment(row, args, teacher, yardstick)
        print(f"{r['layers']:6} {r['order']:8} {str(r['anneal']):8} {str(r['adapt']):7} {r['mixer']:8} "
              f"{r['error']:7.2f} {r.get('soft_error') or float('nan'):7.2f} {r['kl']:20.4f}  "
              f"{r.get('near_binary_share', float('nan')):10.2%}", flush=True)
    return 0
