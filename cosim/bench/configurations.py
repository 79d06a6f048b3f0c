"""Configurations nobody ships, to hold the generator to: named ones at the corners of what it builds, random ones."""

import random
from dataclasses import fields

from hw import config as configs

SMALL = {"features": 10, "lanes": 16, "outputs": 80, "logits_per_beat": 8}
WIDE = {"features": 40, "input_rows": 48, "outputs": 128, "accumulator_bits": 14}
NEURON = {"threshold": "neuron", "leak_shift": "neuron", "bias": True}

NAMED = {  # name -> fields beside the defaults
    "three-widths": SMALL | {"layers": [{"neurons": 40}, {"neurons": 12}, {"neurons": 21}]},
    "feed-forward": SMALL | {"layers": [{"neurons": 24, "recurrent": False}, {"neurons": 16, "recurrent": False}]},
    "one-layer": SMALL | {"layers": [{"neurons": 30}]},
    "one-layer-forward": SMALL | {"layers": [{"neurons": 16, "recurrent": False}]},
    "eight-layers": SMALL | {"layers": [{"neurons": 4 + 3 * k, "recurrent": k % 2 == 0} for k in range(8)]},
    "own-thresholds-leaks": SMALL | {"layers": [{"neurons": 16, **NEURON}, {"neurons": 37, **NEURON}], "lif_lanes": 8},
    "delays": SMALL | {"layers": [{"neurons": 20, "delays": {"forward": 15, "recurrent": 3}},
                                  {"neurons": 16, "delays": {"recurrent": 15}}], "readout_delay": 7},
    "no-memory": SMALL | {"layers": [{"neurons": 20, "persist": False, "reset": "subtract"},
                                     {"neurons": 18, "persist": False, "leak_shift": 0}]},
    "synapses": SMALL | {"layers": [{"neurons": 20, "synapse_shift": 2}, {"neurons": 18, "leak_shift": 1}]},
    "on-change": SMALL | {"layers": [{"neurons": 40, "on_change": True}, {"neurons": 21, "on_change": True}],
                          "lif_lanes": 4, "serial_combine": True, "drain": "direct", "readout_on_change": True},
    "late-on-change": SMALL | {"layers": [{"neurons": 20, "on_change": True, "delays": {"forward": 7, "recurrent": 3}},
                                          {"neurons": 16, "on_change": True, "delays": {"recurrent": 2}}],
                               "lif_lanes": 4, "serial_combine": True, "drain": "direct", "readout_on_change": True,
                               "readout_delay": 3, "fc_two_of_four": True},
    "some-on-change": SMALL | {"layers": [{"neurons": 12}, {"neurons": 33, "on_change": True, **NEURON},
                                          {"neurons": 9, "recurrent": False}], "lif_lanes": 8},
    "direct-drain": SMALL | {"layers": [{"neurons": 24, "recurrent": False}, {"neurons": 16}], "drain": "direct",
                             "serial_combine": True, "lif_lanes": 4, "outputs": 96},
    "by-difference": SMALL | {"layers": [{"neurons": 40}, {"neurons": 21}], "lif_lanes": 4, "serial_combine": True,
                              "drain": "direct", "step_difference": True},
    "argmax": SMALL | {"layers": [{"neurons": 24}, {"neurons": 16}], "readout": "argmax", "readout_outputs": 69},
    "sum": SMALL | {"layers": [{"neurons": 24}, {"neurons": 16}], "readout": "sum", "readout_outputs": 50,
                    "drain": "direct"},
    "serial-lif": SMALL | {"layers": [{"neurons": 40, **NEURON}, {"neurons": 40, "reset": "subtract"}], "lif_lanes": 4},
    "guarded": SMALL | {"layers": [{"neurons": 16}, {"neurons": 16}], "watchdog": True, "parity": True,
                        "load_bits": 32},
    "packed": SMALL | {"layers": [{"neurons": 16}, {"neurons": 16}], "fc_two_of_four": True, "watchdog": True,
                       "parity": True, "load_bits": 32},
    "kept-packed-guarded": SMALL | {
        "layers": [{"neurons": 16, "on_change": True}, {"neurons": 12, "on_change": True}], "lif_lanes": 4,
        "serial_combine": True, "drain": "direct", "readout_on_change": True, "fc_two_of_four": True, "watchdog": True,
        "parity": True, "load_bits": 32},
    "64-on-128": WIDE | {"lanes": 128, "layers": [{"neurons": 64}, {"neurons": 64}]},
    "256-on-128": WIDE | {"lanes": 128, "layers": [{"neurons": 256}, {"neurons": 256}]},
    "256-on-64": WIDE | {"lanes": 64, "layers": [{"neurons": 256}, {"neurons": 256}], "lif_lanes": 16},
}


def named(name):
    """A configuration of `NAMED`."""
    return configs.from_dict({"version": 2, "name": name, **NAMED[name]})


def drawn(seed):
    """A random configuration from the whole space, small, with accumulators no wider than it needs."""
    rng = random.Random(seed)
    lanes = rng.choice((8, 12, 16, 20, 24, 32))
    bits = rng.choice([b for b in (2, 3, 4, 4, 8) if lanes * b >= 32])
    row = lanes * bits
    beat = rng.choice(_divisors(lanes))
    features = rng.randint(2, 20)
    count = rng.choice((1, 2, 2, 3, 3, 4, 6, 8))
    wide = {
        "version": 2, "name": f"drawn{seed}", "features": features, "input_rows": features + rng.randint(0, 4),
        "lanes": lanes, "layers": [_layer(rng, last=k == count - 1) for k in range(count)],
        "outputs": beat * rng.randint(1, 5 * lanes // beat), "weight_bits": bits, "logits_per_beat": beat,
        "readout_delay": _late(rng), "lif_lanes": rng.choice([d for d in _divisors(lanes) if d >= 4]),
        "input_code": rng.choice(configs.INPUT_CODES), "input_shift": rng.randint(0, 6),
        "load_bits": rng.choice([d for d in _divisors(row) if d >= 32]), "potential_fraction": rng.randint(0, 6),
        "accumulator_bits": 24, "potential_bits": 32,
        "mechanisms": {f.name: rng.random() < 0.7 for f in fields(configs.Mechanisms)}}
    narrow = configs.from_dict(wide).accumulator_bits_needed
    return configs.from_dict(wide | {"accumulator_bits": narrow, "potential_bits": narrow + rng.randint(1, 6)})


def _layer(rng, last):
    recurrent = rng.random() < 0.7
    return {"neurons": rng.randint(4, 44), "recurrent": recurrent, "reset": rng.choice(configs.RESETS),
            "persist": rng.random() < 0.8, "leak_shift": rng.choice(("neuron", *range(8))),
            "threshold": rng.choice(("layer", "neuron")), "bias": rng.random() < 0.4,
            "synapse_shift": rng.choice((0, 0, 0, 1, 3)),
            "delays": {"forward": 0 if last else _late(rng), "recurrent": _late(rng) if recurrent else 0}}


def _late(rng):
    """Most delays are none."""
    return rng.choice((0, 0, 0, 1, 4, configs.MOST_DELAY))


def _divisors(number):
    return [d for d in range(1, number + 1) if number % d == 0]
