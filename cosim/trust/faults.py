"""Bits that flip: keyword accuracy, or phone error, against the rate of upsets, by place, layer and bit; stuck parts.

    sottovoce faults --data FOLDER                     `rsnn-keywords` on 400 held-out clips (ten minutes on one core)
    sottovoce faults --model rsnn --data FOLDER        a phone recogniser on utterances of the test split
    sottovoce faults --clips 60 --draws 1              a quick look

Both stand in the same figures and in one picture; a run replaces its own task's.

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
from sw.features import causal
from sw.integers import integer_model
from sw.keywords import score, spotter, train, waves
from sw.phones import decode, evaluate, phone_task
from sw.phones import score as phone_score
from sw.phones.scored_set import ScoredSet

RATES = (1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
BIT_RATE = {"weights": 1e-2, "potentials": 1e-3}  # at which single bit positions are compared
PICTURE = "faults.png"


class Bench:
    """A network, what it hears, and how its answers are judged: `measure` names the figure, in per cent.

    `x` int8 features (B, T, F); `model` an `IntegerModel`.
    """

    def value(self, model=None, upset=None):
        """The figure, of a changed model, or with `upset(state)` at the end of each frame."""
        model = model or self.model
        if upset is None:
            return self.judged(golden.run(model, self.x).logits)
        state, logits = None, []
        for t in range(self.x.shape[1]):
            trace = golden.run(model, self.x[:, t:t + 1], None, state)
            state = trace.state
            logits.append(trace.logits)
            upset(state)
        return self.judged(torch.cat(logits, 1))


class Keywords(Bench):
    """Keyword clips that were held out of training."""

    measure, worst = "accuracy", min

    def __init__(self, name, data, count):
        held = train.gather(data, quiet=True)[0].of("held")
        chosen = np.random.default_rng(0).permutation(len(held.clips))[:count]
        self.spotter = spotter.load(name)
        self.clips, self.model = [held.clips[i] for i in chosen], self.spotter.network.integers
        self.x = self.spotter.hear(waves.Waves(self.clips, held.samples[chosen], []).floats()).transpose(1, 2)
        self.x = self.x.to(torch.int8)

    def judged(self, logits):
        """Accuracy of logits (B, T, O)."""
        summed = logits.sum(1)[:, :len(self.spotter.labels)].float()
        return score.measure(summed, self.clips, self.spotter.labels)["accuracy"]


class Phones(Bench):
    """Utterances of a corpus's test split, heard side by side, shorter ones with silence behind."""

    measure, worst = "phone_error", max

    def __init__(self, name, data, count):
        self.model = integer_model.load(name)
        self.clips = evaluate.selected(phone_task.find([data]), "test")[:count]
        heard = ScoredSet(self.clips, causal.normalisation_of(self.model), quiet=True)
        self.references, delay = heard.references, self.model.entry("targets", "delay")
        self.lengths = [len(x) + delay for x in heard.xs]
        self.x = torch.zeros(len(heard.xs), max(self.lengths), self.model.config.features, dtype=torch.int8)
        for row, x in zip(self.x, heard.xs, strict=True):
            row[:len(x)] = torch.as_tensor(x)

    def judged(self, logits):
        """Phone error of logits (B, T, O)."""
        errors, step = phone_score.Errors(), self.model.entry("logit_step")
        for answer, length, (phones, closures) in zip(logits, self.lengths, self.references, strict=True):
            decoder = decode.of(self.model)
            decoder.push((answer[:length].float() * step).numpy())
            heard = phone_score.folded([phone for phone, *_ in decoder.trace()], closures)
            errors += phone_score.align(phone_score.folded(phones, closures), heard)
        return errors.rate


def bench_of(name, data, count):
    """The bench that a model's task wants: one with labels hears keywords."""
    if "labels" in integer_model.load(name).manifest:
        return Keywords(name, data or options.KEYWORDS, count)
    return Phones(name, data or options.PHONES[0], count)


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
    return bench.value(replace(bench.model, matrices={**bench.model.matrices, name: changed}))


def in_potentials(bench, layer, rate, g, only=None):
    """Accuracy with bits of one layer's membranes flipped after every frame."""
    bits = bench.model.config.potential_bits

    def upset(state):
        u = state.potentials[layer]
        state.potentials[layer] = signed(u ^ flips(u.shape, bits, rate, g, only), bits)
    return bench.value(upset=upset)


def in_spikes(bench, layer, rate, g):
    """Accuracy with spikes of the last frame, as one layer's recurrent connections read them, flipped."""
    def upset(state):
        newest = state.spikes[layer]
        state.spikes[layer] = newest ^ (torch.rand(newest.shape, generator=g) < rate)
    return bench.value(upset=upset)


def stuck_lane(bench, lane):
    """Accuracy with the sums of one lane held at 0, in both PE sets: of every group's neuron, and output, there."""
    lanes, changed = bench.model.config.lanes, {}
    for name, matrix in bench.model.matrices.items():
        changed[name] = matrix.clone()
        changed[name][:, lane::lanes] = 0
    return bench.value(replace(bench.model, matrices=changed))


def stuck_buffer(bench, name):
    """Accuracy with a matrix that reads 0."""
    none = torch.zeros_like(bench.model.matrices[name])
    return bench.value(replace(bench.model, matrices={**bench.model.matrices, name: none}))


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
    """Rows {place, layer, rate, bit, accuracy or phone_error (mean), worst} of all runs."""
    found, runs = {}, list(plan(bench, draws))
    for number, (place, where, rate, bit, _, test) in enumerate(tqdm(runs, unit="run", file=sys.stderr, disable=None)):
        g = torch.Generator().manual_seed(1000 * seed + number)
        value = test(bench, where, rate, g) if bit is None else test(bench, where, rate, g, bit)
        found.setdefault((place, where, rate, bit), []).append(value)
    return [{"place": place, "layer": str(where), "rate": rate, "bit": "all" if bit is None else bit,
             bench.measure: round(float(np.mean(values)), 2), "worst": round(bench.worst(values), 2)}
            for (place, where, rate, bit), values in found.items()]


def picture(rows, clean, path):
    """A row a task: weights, potentials and spikes over the rate, and single bit positions of each layer beside.

    `clean`: measure -> its value without faults.
    """
    plots = pictures.pyplot()
    figure, axes = plots.subplots(len(clean), 4, figsize=(16, 3.9 * len(clean)), squeeze=False)
    for line, (measure, without) in zip(axes, clean.items(), strict=True):
        found = [r for r in rows if measure in r]
        for axis, place in zip(line, ("weights", "potentials", "spikes"), strict=False):
            for where in dict.fromkeys(r["layer"] for r in found if r["place"] == place):
                some = [r for r in found if (r["place"], r["layer"], r["bit"]) == (place, where, "all")]
                axis.semilogx([r["rate"] for r in some], [r[measure] for r in some], "o-", ms=3, label=_label(some[0]))
            axis.set(title=f"bits of {place} that flip", xlabel="chance of a bit" + " a frame" * (place != "weights"))
        for place, style in (("weights", "o-"), ("potentials", ".--")):
            for where in dict.fromkeys(r["layer"] for r in found if r["place"] == place):
                some = [r for r in found if (r["place"], r["layer"]) == (place, where) and r["bit"] != "all"]
                line[3].plot([r["bit"] for r in some], [r[measure] for r in some], style, ms=4, lw=1,
                             label=f"{place}, {_label(some[0])}")
        rates = ", ".join(f"{rate:g} of {place}" for place, rate in BIT_RATE.items())
        line[3].set(title="one bit position alone", xlabel=f"bit, the last is the sign\n(rates {rates})")
        line[3].xaxis.get_major_locator().set_params(integer=True)
        for axis in line[:3]:  # one scale: what is a wobble looks like one
            axis.set_ylim(0, 110 if measure == "phone_error" else 100)
        for axis in line:
            axis.axhline(without, color="grey", lw=0.8, ls="--")
            axis.legend(fontsize=7)
            axis.set_ylabel({"accuracy": "keyword accuracy, %", "phone_error": "phone error, %"}[measure])
    pictures.save(figure, path, 90)


def _label(row):
    return row["layer"] if row["place"] == "weights" else f"layer {row['layer']}"


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="rsnn-keywords",
                        help="a spiking keyword network, or a phone recogniser, by name or folder")
    parser.add_argument("--data", help="keyword clips, or utterances: a folder with a manifest")
    parser.add_argument("--clips", type=options.whole, default=400,
                        help="held-out clips, drawn with a fixed seed; or utterances, the first so many")
    parser.add_argument("--draws", type=options.whole, default=2, help="random sets of flips a point")
    parser.add_argument("--seed", type=options.from_zero, default=1, help="of the flips")
    store.add_publish(parser)


def run(args):
    """Sweep, print, draw, keep."""
    torch.set_num_threads(1)
    bench = bench_of(args.model, args.data, args.clips)
    clean, measure = bench.value(), bench.measure
    rows = measured(bench, args.draws, args.seed)
    lanes = {lane: stuck_lane(bench, lane) for lane in range(0, bench.model.config.lanes, 8)}
    buffers = {name: stuck_buffer(bench, name) for name in bench.model.matrices}
    shown = {}
    for r in rows:
        if r["bit"] == "all":
            shown.setdefault(f"{r['place']}, {r['layer']}", []).append(f"{r[measure]:.1f}")
    print(f"{args.model}: {clean:.2f} % {measure.replace('_', ' ')} of {len(bench.clips)} without faults")
    print(results.plain_table(("flips in", *(f"{rate:g}" for rate in RATES)), [(k, *v) for k, v in shown.items()]))
    print(f"a stuck lane: {min(lanes.values()):.2f} to {max(lanes.values()):.2f} % over {len(lanes)} lanes")
    print("a weight buffer that reads 0: " + ", ".join(f"{k} {v:.2f} %" for k, v in buffers.items()))
    known = store.read_json(store.results("trust.json", args.publish))
    others = [r for r in known.get("fault_curve", []) if measure not in r]
    without = {name: known[f"fault_clean_{name}"] for name in ("accuracy", "phone_error")
               if any(name in r for r in others)} | {measure: clean}
    target = store.results(PICTURE, args.publish)
    picture(others + rows, dict(sorted(without.items())), target)
    kind = "" if measure == "accuracy" else "_phones"
    figures = {"fault_curve": others + rows, f"fault_clean_{measure}": clean, f"fault_clips{kind}": len(bench.clips),
               f"fault_stuck_lanes{kind}": [{"lane": lane, measure: value} for lane, value in lanes.items()],
               f"fault_stuck_buffers{kind}": [{"buffer": name, measure: value} for name, value in buffers.items()]}
    path = results.update(figures, f"faults{kind.replace('_', ', ')}",
                          {"command": args.command, "config": bench.model.config.name,
                           "data": args.data or (options.KEYWORDS if not kind else options.PHONES[0])}, args.publish,
                          "trust.json")
    print(f"picture: {target}\nfigures: {path}")
