"""The compression chain: float, structured pruning, 8 and 4 bit, FC pruning; each stage starts from the one before.

    float256 -> prune128 -> q8 -> q4 -> fcprune -> final     source: arXiv 2503.21337, section II

`fcprune` is the published 40 % without structure, whose mask costs what it saves; `final` keeps 2 of every 4
neighbouring outputs. `t1`, `t1q4` leave the chain after the pruning, for one time step; `gru` and `lstm` stand beside
it. `delays` and `delays4` are the chain of `phone-delays`, whose spikes come 0 to 5 frames late into layer 1 and into
the readout (docs/training.md); `adapt`, `adapt4` and `gru-adapt` go on with networks that heard aligned speech alone
(`--develop`), on a fold's data. `teacher` hears both ways and never runs on the machine. A stage is a run with its own
checkpoint.
"""

import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import torch

from sw.models import prune
from sw.models.gated import Gated
from sw.models.rsnn import Rsnn
from sw.training import optimise, trainer

SURROGATE = "triangle"


@dataclass(frozen=True)
class Stage:
    """What a stage changes, and how long it trains. `neurons` None: the configuration's.

    `sizes`: what the configuration does not say of the network that is built. `average`: see `trainer.fit`.
    """

    name: str
    before: str | None
    epochs: int
    rate: float
    neurons: int | None = None
    bits: int = 0
    fc_pruned: float = 0.0
    balanced: bool = False
    time_steps: int = 2
    sizes: dict = field(default_factory=dict)
    average: float = 0.0
    frames: int = 3200  # of a batch


DELAYS = dict(delays={"forward1": 5, "readout": 5}, steps="neuron")
STAGES = {s.name: s for s in (
    Stage("float256", None, 8, 1.6e-2, neurons=256),
    Stage("prune128", "float256", 24, 1.4e-2),
    Stage("q8", "prune128", 1, 4e-3, bits=8),
    Stage("q4", "q8", 6, 6e-3, bits=4),
    Stage("fcprune", "q4", 3, 4e-3, bits=4, fc_pruned=0.4),
    Stage("final", "fcprune", 20, 8e-3, bits=4, balanced=True),
    Stage("t1", "prune128", 6, 1e-2, time_steps=1),
    Stage("t1q4", "t1", 6, 8e-3, bits=4, time_steps=1),
    Stage("delays", None, 8, 1.4e-2, sizes=DELAYS),
    Stage("delays4", "delays", 3, 5e-3, bits=4),
    Stage("adapt", "delays", 4, 8e-3),
    Stage("adapt4", "adapt", 3, 4e-3, bits=4),
    Stage("gru", None, 12, 1e-2, sizes=dict(kind="gru")),
    Stage("gru-adapt", "gru", 7, 6e-3),
    Stage("lstm", None, 12, 1e-2, sizes=dict(kind="lstm")),
    Stage("teacher", None, 8, 8e-3, sizes=dict(kind="gru", neurons=96, both_ways=True, dropout=0.2),
          frames=6400),
)}


def build(stage, config, previous, task, *, seed=0, surrogate=SURROGATE):
    """The network a stage starts training with. `previous` is the model of the stage before, or None."""
    torch.manual_seed(seed)
    if previous is None and "kind" in stage.sizes:
        return Gated(features=config.features, outputs=config.outputs, **stage.sizes)
    if previous is None:
        layers = config.layers
        widths = [stage.neurons or layer.neurons for layer in layers]
        return Rsnn(features=config.features, neurons=widths[0] if len(set(widths)) < len(widths) == 2 else widths,
                    outputs=config.outputs, time_steps=stage.time_steps, input_shift=config.input_shift,
                    recurrent=[layer.recurrent for layer in layers],
                    leak_shift=[layer.leak_shift for layer in layers],
                    surrogate=surrogate, potential_fraction=config.potential_fraction,
                    potential_bits=config.potential_bits, reset=layers[0].reset, **stage.sizes)
    if isinstance(previous, Gated):
        return previous
    model, neurons = previous, stage.neurons or max(layer.neurons for layer in config.layers)
    if previous.outputs != config.outputs:
        model = prune.other_outputs(previous, config.outputs)
    if stage.time_steps < model.time_steps:
        model = prune.one_time_step(model)
    if neurons < max(model.widths):
        scores = prune.importance(model, islice(task.batches(seed)(0), 8))
        model = prune.keep_neurons(model, scores, neurons)
    if stage.fc_pruned:
        prune.prune_fc(model, stage.fc_pruned)
    if stage.balanced:
        prune.balance_fc(model)
    if stage.bits and int(model.bits) != stage.bits:
        model.calibrate(stage.bits)
    return model


def restore(folder):
    """The trained model of a run's folder, whatever its kind."""
    stored = trainer.load(folder)
    sizes = json.loads((Path(folder) / "manifest.json").read_text())["sizes"]
    model = Gated(**sizes) if "kind" in sizes else Rsnn(**sizes)
    model.load_state_dict(stored.get("mean") or stored["model"])
    return model.eval()


def train(stage, config, task, folder, previous=None, *, seed=0, surrogate=SURROGATE, epochs=None,
          data=(), quiet=False, teacher="", **loss):
    """Train one stage in `folder` (resumes there) and return the model."""
    model = build(stage, config, previous, task, seed=seed, surrogate=surrogate)
    epochs = stage.epochs if epochs is None else epochs
    recipe = {"stage": stage.name, "config": config.name, "seed": seed, "time_steps": stage.time_steps,
              "surrogate": surrogate, "targets": task.layout.kind, "epochs": epochs,
              "rate": stage.rate, "data": list(data), "split": task.split.name, "delay": task.delay,
              "loss": loss, "teacher": teacher}
    trainer.fit(model, task.batches(seed, stage.frames), task.loss(**loss), folder, epochs=epochs, rate=stage.rate,
                seed=seed, recipe=recipe, quiet=quiet, average=stage.average,
                optimise=optimise.adamw if isinstance(model, Gated) else optimise.muon)  # else gated ones diverge
    return model.eval()


def rates_of(folder):
    """Firing rates of a run's layers in its last epoch, or () where nothing spikes."""
    metrics = json.loads((Path(folder) / "manifest.json").read_text())["metrics"]
    return tuple(v for k, v in sorted(metrics.items()) if k.startswith("rate"))
