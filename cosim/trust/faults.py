"""Bits that flip: keyword accuracy against the rate of upsets, by place, layer and bit; and parts that are stuck.

    sottovoce faults --data FOLDER             `rsnn-keywords` on 400 held-out clips (ten minutes on one core)
    sottovoce faults --clips 60 --draws 1      a quick look

Weights: each stored bit is flipped once with the given probability, before the first clip, and stays so. Potentials and
spikes: each bit is flipped with that probability at the end of every frame; spikes are those that the next frame's
recurrent connections read. The network is the golden model, which the RTL equals bit for bit; nothing is protected, and
no network was trained for faults. Stuck: a lane whose sums stay 0, a weight buffer that reads 0 everywhere.
"""

import sys
from dataclasses import replace

import numpy as np
import torch
from tqdm import tqdm

from cosim import results
from hw import store
from sw import golden, options, pictures
from sw.keywords import score, spotter, train, waves

RATES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
BIT_RATE = {"weights": 1e-2, "potentials": 1e-3}  # at which single bit positions are compared
PICTURE = "faults.png"


class Bench:
    """A keyword network and the clips that it is scored on."""

    def __init__(self, name, data, count):
        held = train.gather(data, quiet=True)[0].of("held")
        chosen = np.random.default_rng(0).permutation(len(held.clips))[:count]
        self.spotter = spotter.load(name)
        if not isinstance(self.spotter.network, spotter.GoldenSpotter):
            raise ValueError(f"--model {name}: wanted a spiking keyword network of integers, such as rsnn-keywords")
        self.clips, self.model = [held.clips[i] for i in chosen], self.spotter.network.integers
        self.x = self.spotter.hear(waves.Waves(self.clips, held.samples[chosen], []).floats()).transpose(1, 2)
        self.x = self.x.to(torch.int8)  # (B, T, F)

    def accuracy(self, model=None, upset=None):
        """Per cent of the clips, of a changed model, or with `upset(state)` at the end of each frame."""
        model = model or self.model
        if upset is None:
            summed = golden.run(model, self.x).logits.sum(1)
        else:
            state, summed = None, 0
            for t in range(self.x.shape[1]):
                trace = golden.run(model, self.x[:, t:t + 1], None, state)
                state, summed = trace.state, summed + trace.logits[:, 0]
                upset(state)
        logits = summed[:, :len(self.spotter.labels)].float()
        return score.measure(logits, self.clips, self.spotter.labels)["accuracy"]


def flips(shape, bits, rate, g, only=None):
    """int32 masks: each of `bits` bits (or bit `only` alone) is set with probability `rate`."""
    mask = torch.zeros(shape, dtype=torch.int32)
    for bit in range(bits) if only is None else [only]:
        mask |= (torch.rand(shape, generator=g) < rate).to(torch.int32) << bit
    return mask


def signed(values, bits):
    """The low `bits` bits of int32 values as a two's complement number."""
    top = 1 << bits - 1
    return ((values.to(torch.int64) & (1 << bits) - 1 ^ top) - top).to(torch.int32)


def in_weights(bench, name, rate, g, only=None):
    """Accuracy with flipped bits in one matrix."""
    bits, matrix = bench.model.config.weight_bits, bench.model.matrices[name]
    changed = signed(matrix ^ flips(matrix.shape, bits, rate, g, only), bits)
    return bench.accuracy(replace(bench.model, matrices={**bench.model.matrices, name: changed}))


def in_potentials(bench, layer, rate, g, only=None):
    """Accuracy with bits of one layer's membranes flipped after every frame."""
    bits = bench.model.config.potential_bits

    def upset(state):
        u = state.potentials[layer]
        state.potentials[layer] = signed(u ^ flips(u.shape, bits, rate, g, only), bits)
    return bench.accuracy(upset=upset)


def in_spikes(bench, layer, rate, g):
    """Accuracy with spikes of the last frame, as one layer's recurrent connections read them, flipped."""
    def upset(state):
        newest = state.spikes[layer]
        state.spikes[layer] = newest ^ (torch.rand(newest.shape, generator=g) < rate)
    return bench.accuracy(upset=upset)


def stuck_lane(bench, lane):
    """Accuracy with the sums of one lane held at 0, in both PE sets: of every group's neuron, and output, there."""
    lanes, changed = bench.model.config.lanes, {}
    for name, matrix in bench.model.matrices.items():
        changed[name] = matrix.clone()
        changed[name][:, lane::lanes] = 0
    return bench.accuracy(replace(bench.model, matrices=changed))


def stuck_buffer(bench, name):
    """Accuracy with a matrix that reads 0."""
    none = torch.zeros_like(bench.model.matrices[name])
    return bench.accuracy(replace(bench.model, matrices={**bench.model.matrices, name: none}))


def plan(bench, draws):
    """(place, layer or matrix, rate, bit or None, draw, function) of every run."""
    c = bench.model.config
    recurrent = [k for k, layer in enumerate(c.layers) if layer.recurrent]
    places = [("weights", name, in_weights, c.weight_bits) for name in bench.model.matrices]
    places += [("potentials", k, in_potentials, c.potential_bits) for k in range(len(c.layers))]
    places += [("spikes", k, in_spikes, 0) for k in recurrent]
    for place, where, test, bits in places:
        for draw in range(draws):
            yield from ((place, where, rate, None, draw, test) for rate in RATES)
            yield from ((place, where, BIT_RATE[place], bit, draw, test) for bit in range(bits))


def measured(bench, draws, seed):
    """Rows {place, layer, rate, bit, accuracy (mean), worst} of all runs."""
    found, runs = {}, list(plan(bench, draws))
    for number, (place, where, rate, bit, _, test) in enumerate(tqdm(runs, unit="run", file=sys.stderr, disable=None)):
        g = torch.Generator().manual_seed(1000 * seed + number)
        value = test(bench, where, rate, g) if bit is None else test(bench, where, rate, g, bit)
        found.setdefault((place, where, rate, bit), []).append(value)
    return [{"place": place, "layer": str(where), "rate": rate, "bit": "all" if bit is None else bit,
             "accuracy": round(float(np.mean(values)), 2), "worst": min(values)}
            for (place, where, rate, bit), values in found.items()]


def picture(rows, clean, path):
    """Three curves over the rate, and the bit positions beside."""
    plots = pictures.pyplot()
    figure, axes = plots.subplots(2, 2, figsize=(10, 7.5))
    for axis, place in zip(axes.flat, ("weights", "potentials", "spikes"), strict=False):
        for where in dict.fromkeys(r["layer"] for r in rows if r["place"] == place):
            line = [r for r in rows if (r["place"], r["layer"], r["bit"]) == (place, where, "all")]
            axis.semilogx([r["rate"] for r in line], [r["accuracy"] for r in line], "o-", ms=3,
                          label=where if place == "weights" else f"layer {where}")
        axis.axhline(clean, color="grey", lw=0.8, ls="--")
        axis.set(title=f"{place}, bit flips", xlabel="chance of a bit" + ("" if place == "weights" else " a frame"),
                 ylabel="accuracy, %", ylim=(0, 100))
        axis.legend(fontsize=8)
    axis = axes[1, 1]
    for place in BIT_RATE:
        bits = sorted({r["bit"] for r in rows if r["place"] == place and r["bit"] != "all"})
        mean = [np.mean([r["accuracy"] for r in rows if (r["place"], r["bit"]) == (place, bit)]) for bit in bits]
        axis.plot(bits, mean, "o-", ms=3, label=f"{place}, rate {BIT_RATE[place]:g}")
    axis.axhline(clean, color="grey", lw=0.8, ls="--")
    axis.set(title="one bit position alone", xlabel="bit (0: least)", ylabel="accuracy, mean of layers, %",
             ylim=(0, 100))
    axis.legend(fontsize=8)
    pictures.save(figure, path, 90)


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="rsnn-keywords", help="a spiking keyword network, by name or folder")
    parser.add_argument("--data", default=options.KEYWORDS, help="keyword clips, a folder with a manifest")
    parser.add_argument("--clips", type=options.whole, default=400, help="held-out clips, drawn with a fixed seed")
    parser.add_argument("--draws", type=options.whole, default=2, help="random sets of flips a point")
    parser.add_argument("--seed", type=options.from_zero, default=1, help="of the flips")
    store.add_publish(parser)


def run(args):
    """Sweep, print, draw, keep."""
    torch.set_num_threads(1)
    bench = Bench(args.model, args.data, args.clips)
    clean = bench.accuracy()
    rows = measured(bench, args.draws, args.seed)
    lanes = {lane: stuck_lane(bench, lane) for lane in range(0, bench.model.config.lanes, 8)}
    buffers = {name: stuck_buffer(bench, name) for name in bench.model.matrices}
    shown = {}
    for r in rows:
        if r["bit"] == "all":
            shown.setdefault(f"{r['place']}, {r['layer']}", []).append(f"{r['accuracy']:.1f}")
    print(f"{args.model}: {clean:.2f} % of {len(bench.clips)} clips without faults")
    print(results.plain_table(("flips in", *(f"{rate:g}" for rate in RATES)), [(k, *v) for k, v in shown.items()]))
    print(f"a stuck lane: {min(lanes.values()):.2f} to {max(lanes.values()):.2f} % over {len(lanes)} lanes")
    print("a weight buffer that reads 0: " + ", ".join(f"{k} {v:.2f} %" for k, v in buffers.items()))
    target = store.results(PICTURE, args.publish)
    picture(rows, clean, target)
    figures = {"fault_curve": rows, "fault_clean_accuracy": clean, "fault_clips": len(bench.clips),
               "fault_stuck_lanes": [{"lane": lane, "accuracy": value} for lane, value in lanes.items()],
               "fault_stuck_buffers": [{"buffer": name, "accuracy": value} for name, value in buffers.items()]}
    path = results.update(figures, "faults", {"command": args.command, "config": bench.model.config.name,
                                              "data": args.data}, args.publish, "trust.json")
    print(f"picture: {target}\nfigures: {path}")
