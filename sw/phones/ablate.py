"""What helps the spiking network learn: `python -m sw.phones.ablate` trains each choice for some hundred steps from scratch.

Loss and accuracy of the phone thirds, mean of the last 50 steps, written beside the recipe into
docs/results/training.json. Same batches, same seed for all; an optimiser's rate is its own.
"""

import argparse
import json
import math
import shlex
import sys
from itertools import chain, count
from pathlib import Path

import torch
from tqdm import tqdm

from hw import config as hw_config
from hw import store
from sw.models.gated import Gated
from sw.models.rsnn import Rsnn
from sw.phones import corpus, phone_task
from sw.training import optimise
from sw.training.trainer import cosine

TAIL = 50
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


def learn(work, config, optimiser, rate, options, steps, seed, progress=iter):
    """Train one choice; returns (loss, accuracy, firing rates) over the last `TAIL` steps."""
    torch.manual_seed(seed)
    sizes = {"features": config.features, "outputs": config.outputs, **options}
    model = Gated(**sizes) if "kind" in options else Rsnn(**{"neurons": config.neurons, **sizes})
    loss, tail = work.loss(share=1.0), []
    best = getattr(optimise, optimiser)(model, rate, 1e-2)
    batches = chain.from_iterable(work.batches(seed)(epoch) for epoch in count())
    for i, batch in zip(progress(range(steps)), batches, strict=False):
        for group in best.param_groups:
            group["lr"] = rate * group.get("share", 1.0) * min(1.0, 20 * i / steps + 1e-3) * cosine(i / steps)
        best.zero_grad()
        value, parts = loss(model, batch)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        best.step()
        tail = [*tail, (value.item(), *parts.values())][-TAIL:]
    means = [round(sum(column) / len(tail), 4) for column in zip(*tail, strict=True)]
    return means[0], means[1], means[2:]


def main(argv=None):
    """Train every choice; returns the exit status."""
    p = argparse.ArgumentParser(prog="python -m sw.phones.ablate", description=__doc__.split("\n\n")[0],
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--data", nargs="+", default=["../shared/data/phones", "../shared/data/librispeech_251spk"])
    p.add_argument("--noise", default="../shared/data/noise", help="folder of noise with manifest.csv; '' for none")
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--only", nargs="+", help=f"some of: {'; '.join(CHOICES)}")
    p.add_argument("--json", default="docs/results/training.json", help="file to add the rows to")
    args = p.parse_args(argv)
    torch.set_num_threads(1)
    try:
        if unknown := [n for n in args.only or () if n not in CHOICES]:
            raise ValueError(f"{unknown[0]!r}: wanted some of {'; '.join(CHOICES)}")
        config = hw_config.load("phone")
        noise = corpus.noises(args.noise, ["train"]) if args.noise else None
        work = phone_task.PhoneTask(phone_task.split(phone_task.find(args.data)), phone_task.phone_layout(config), noise)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rows = []
    for name in args.only or CHOICES:
        loss, accuracy, rates = learn(work, config, *CHOICES[name], args.steps, args.seed,
                                      lambda steps, name=name: tqdm(steps, desc=name, unit="step", mininterval=5))
        rows.append({"choice": name, "loss": loss, "accuracy": accuracy, "rates": rates})
        print(f"{name:34} loss {loss:.3f}  accuracy {accuracy:.3f}  rates {' / '.join(f'{r:.2f}' for r in rates)}",
              flush=True)
        if not math.isfinite(loss):
            print(f"{name}: diverged", flush=True)
    path = Path(args.json)
    stored = json.loads(path.read_text()) if path.is_file() else {}
    stored["ablation"] = {"command": f"python -m sw.phones.ablate {shlex.join(argv or sys.argv[1:])}".strip(),
                          "steps": args.steps, "seed": args.seed, "config": config.name, "rows": rows}
    store.write_json(path, stored)
    return 0


if __name__ == "__main__":
    sys.exit(main())
