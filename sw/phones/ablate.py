"""What helps the spiking network learn: optimisers, leaks, surrogate gradients, each trained from scratch for a while.

    sottovoce optimisers --steps 300 --only Muon AdamW

Loss, accuracy of the phone thirds and firing rates over the last 50 steps, written beside the recipe into
training.json. Same batches, same seed for all; an optimiser's rate is its own. Runs are kept, and resume.
"""

import functools
from itertools import chain, count, islice
from pathlib import Path

import torch

from hw import config as hw_config
from hw import store
from sw import options
from sw.models.gated import Gated
from sw.models.rsnn import Rsnn
from sw.phones import corpus, phone_task
from sw.training import optimise, trainer

TAIL = 50  # steps that the figures are means over
DECAY, WARM = 1e-2, 0.05
CHOICES = {  # name -> (optimiser, rate, options of the network)
    "AdamW": ("adamw", 1e-2, {}), "AdamW, rate 2e-2": ("adamw", 2e-2, {}),
    "AdamW, leak 1, 1": ("adamw", 1e-2, {"leak_shift": (1, 1)}),
    "AdamW, leak 3, 3": ("adamw", 1e-2, {"leak_shift": (3, 3)}),
    "AdamW, reset by subtraction": ("adamw", 1e-2, {"reset": "subtract"}),
    "Muon": ("muon", 2e-2, {}), "Muon, rate 1e-2": ("muon", 1e-2, {}), "Muon, rate 4e-2": ("muon", 4e-2, {}),
    "Muon, damping 1": ("muon", 2e-2, {"damping": 1.0}),
    "Muon, arctan, damping 0.5": ("muon", 2e-2, {"surrogate": "arctan", "damping": 0.5}),
    "Muon, fast sigmoid, damping 0.7": ("muon", 2e-2, {"surrogate": "fast_sigmoid", "damping": 0.7}),
    "Muon, rectangle": ("muon", 2e-2, {"surrogate": "rectangle"}),
    "Muon, one time step": ("muon", 2e-2, {"time_steps": 1}),
    "Muon, 256 neurons": ("muon", 2e-2, {"neurons": 256}),
    "GRU, AdamW": ("adamw", 1e-2, {"kind": "gru"}), "LSTM, AdamW": ("adamw", 1e-2, {"kind": "lstm"})}


def learn(work, config, choice, folder, steps, seed, quiet=False):
    """Train one choice with the trainer, in epochs of `TAIL` steps; returns the metrics of the last."""
    optimiser, rate, given = CHOICES[choice]
    torch.manual_seed(seed)
    sizes = {"features": config.features, "outputs": config.outputs, **given}
    model = Gated(**sizes) if "kind" in sizes else Rsnn(**{"neurons": config.neurons, **sizes})
    recipe = {"choice": choice, "optimiser": optimiser, "rate": rate, **given, "steps": steps, "seed": seed,
              "config": config.name, "split": work.split.name}
    stream = functools.partial(drawn, work, seed)
    return trainer.fit(model, stream, work.loss(share=1.0), folder, epochs=steps // TAIL, rate=rate, seed=seed,
                       recipe=recipe, decay=DECAY, warm=WARM, optimise=getattr(optimise, optimiser), quiet=quiet)


def drawn(work, seed, number):
    """The `TAIL` batches of part `number`, of an endless row of epochs."""
    endless = chain.from_iterable(work.batches(seed)(epoch) for epoch in count())
    return islice(endless, number * TAIL, (number + 1) * TAIL)


def add_arguments(parser):
    """Options of the command."""
    options.add_phones(parser)
    parser.add_argument("--steps", type=options.whole, default=300, help=f"of each training, a multiple of {TAIL}")
    parser.add_argument("--only", nargs="+", metavar="CHOICE", help=f"some of: {'; '.join(CHOICES)}")
    parser.add_argument("--out", default="build/runs/optimisers", help="folder of the runs")
    options.add_run(parser)
    store.add_publish(parser)


def run(args):
    """Train every choice, print and write a row of each."""
    options.begin(args)
    if unknown := [n for n in args.only or () if n not in CHOICES]:
        raise ValueError(f"--only {unknown[0]!r}: wanted some of {'; '.join(CHOICES)}")
    if args.steps % TAIL:
        raise ValueError(f"--steps {args.steps}: wanted a multiple of {TAIL}, over which the figures are means")
    path = store.writable(store.results("training.json", args.publish))
    config = hw_config.load("phone")
    noise = corpus.noises(args.noise, ["train"]) if args.noise else None
    parts = phone_task.split(phone_task.find(args.data), args.fold, args.folds)
    work, rows = phone_task.PhoneTask(parts, phone_task.phone_layout(config), noise, quiet=args.quiet), []
    for name in args.only or CHOICES:
        folder = Path(args.out) / name.lower().replace(", ", "-").replace(" ", "-")
        found = learn(work, config, name, folder, args.steps, args.seed, args.quiet)
        rates = [round(v, 4) for k, v in sorted(found.items()) if k.startswith("rate")]
        rows.append({"choice": name, "loss": round(found["loss"], 4), "accuracy": round(found["frame_accuracy"], 4),
                     "rates": rates})
        print(f"{name:34} loss {found['loss']:.3f}  accuracy {found['frame_accuracy']:.3f}  rates "
              f"{' / '.join(f'{r:.2f}' for r in rates)}", flush=True)
    recipe = store.recipe(args.command, config=config.name, data=args.data, steps=args.steps, seed=args.seed)
    store.write_json(path, {**store.read_json(path), "ablation": {**recipe, "rows": rows}})
    print(f"figures: {path}")
    return 0
