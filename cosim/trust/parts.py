"""What scenarios are made of: features, models of chosen weights, words that lead nowhere."""

import torch

from cosim.bench.networks import random_frames
from hw.interface import Buffer, Register
from hw.load_port import load_targets
from hw.types import load_layout
from sw.integers import integer_model
from sw.integers.integer_model import IntegerModel


def frames(config, count, g):
    """Random features (T, F), numpy."""
    return random_frames(config, count, g).numpy()


def nowhere(config):
    """Words of the load port that lead nowhere: the first and last row and slice that there are not, and the rest."""
    layout, targets = load_layout(config), load_targets(config)
    top_row, top_slice = ((1 << layout[name].width) - 1 for name in ("row", "slice"))
    register = Buffer.REGISTER.value
    found = [(b, 0, 0, 3) for b in range(1 << layout["buffer"].width) if b not in targets and b != register]
    for buffer, (rows, slices) in targets.items():
        found += [(buffer, row, 0, 3) for row in sorted({rows, top_row}) if rows <= row <= top_row]
        found += [(buffer, 0, part, 3) for part in sorted({slices, top_slice}) if slices <= part <= top_slice]
    known = {Register.MODE.value, Register.CLEAR.value}
    known |= {Register[f"THRESHOLD{k}"].value for k, x in enumerate(config.layers) if x.threshold == "layer"}
    found += [(register, row, 0, 3) for row in range(top_row + 1) if row not in known]
    return found + [(register, row, part, 3) for row in known for part in range(1, top_slice + 1)]


def of_weights(config, matrices, threshold, g):
    """A model of one threshold for all; tables of neurons random, except thresholds. Packed FC weights are two of four.
    """
    tables = {}
    if config.fc_two_of_four:
        matrices = matrices | {"fc": integer_model.two_of_four(matrices["fc"])}
    for name, (count, least, most) in config.neuron_tables().items():
        tables[name] = torch.full((count,), threshold, dtype=torch.int32) if name.startswith("thresholds") else \
            torch.randint(least, most + 1, (count,), generator=g, dtype=torch.int64).to(torch.int32)
    own = torch.tensor([layer.threshold == "neuron" for layer in config.layers])
    return IntegerModel(config, matrices, torch.full((len(config.layers),), threshold).masked_fill(own, 0), tables)


def eager(model):
    """A model whose neurons, where they have tables, add the most that they can in every step."""
    tables = {name: torch.full_like(table, {"biases": model.config.neuron_tables()[name][2], "leaks": 0}[kind])
              if (kind := name.rstrip("0123456789")) in ("biases", "leaks") else table
              for name, table in model.neurons.items()}
    return IntegerModel(model.config, model.matrices, model.thresholds, tables)
