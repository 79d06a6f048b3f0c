"""Easy frames: skipped, every other one, or run in one time step, by a rule; what that costs in error and energy.

    sottovoce frames --data FOLDER       the keyword spotter on held-out clips (default: the data beside a checkout)

Rules look at nothing but features, as hardware could: how far those of a frame are from those of the last frame that
was run (sum of absolute differences). Below the threshold a frame is `skipped`, its logits are those of the frame
before again, or is run in `one step`; `quiet` skips by the frame's level, the sum of its features. Weights stay as they
were trained, for two steps in every frame. Thresholds are chosen on one half of the speakers, the largest saving that
costs at most 0.3 points there, and scored on the other half, and the other way round.

Energy: cycles and row reads are the golden model's, which the RTL's counters equal, of the frames that run; energy of a
cycle, of an access and leakage are those of `--row` of docs/results/energy.json. The rule's own hardware is not in it.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from cosim import models
from cosim.explore import estimate
from cosim.gates import record, ways
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories
from hw.interface import ALL_MODES, WEIGHT_BUFFERS
from sw import golden, options
from sw.keywords import evaluate, spotter, waves

ALLOWED = 0.3  # points of error
QUANTILES = (0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)  # thresholds: so many of the frames are below
KINDS = ("skipped", "quiet", "one step")


class Played(NamedTuple):
    """Of B clips of T frames: logits (B, T, O), cycles (B, T) and row reads (B, T, 5), which are 0 where a frame is
    skipped, and whether it ran (B, T)."""

    logits: torch.Tensor
    cycles: torch.Tensor
    reads: torch.Tensor
    ran: torch.Tensor


def play(model, x, kind="all", threshold=0, mode="t2_union"):
    """Run x (B, T, F) frame by frame by a rule: `all`, `alternate` (every other frame), or one of `KINDS`."""
    c, (batch, frames, _) = model.config, x.shape
    state, last = golden.State.zero(c, batch, 2), torch.full_like(x[:, 0], 1 << 10)
    held = torch.zeros(batch, c.outputs, dtype=torch.int32)
    found = [[], [], [], []]
    for t in range(frames):
        far = (x[:, t].sum(-1) if kind == "quiet" else (x[:, t] - last).abs().sum(-1)) >= threshold  # (B,)
        run = torch.full_like(far, t % 2 == 0) if kind == "alternate" else far | (kind in ("all", "one step"))
        two = far if kind == "one step" else run
        logits, cost, after = _step(model, x[:, t:t + 1], state, ALL_MODES[mode])
        if not bool(two[run].all()):
            single = _step(model, x[:, t:t + 1], state, ALL_MODES["t1"])
            logits, cost, after = (_choose(two, a, b) for a, b in zip((logits, cost, after), single, strict=True))
        state, last = _choose(run, after, state), torch.where(run[:, None], x[:, t], last)
        held = torch.where(run[:, None], logits, held)
        for kept, value in zip(found, (held, cost[:, 0] * run, cost[:, 1:] * run[:, None], run), strict=True):
            kept.append(value)
    return Played(*(torch.stack(kept, 1) for kept in found))


def _step(model, x, state, mode):
    """One frame x (B, 1, F): logits (B, O), cost (B, 1 + 5): cycles and reads, state of two time steps."""
    two = mode.two_steps
    before = state if two else golden.State(state.potentials, state.synapses, [s[:, :, :1] for s in state.spikes])
    trace = golden.run(model, x, mode.time_steps, before)
    cost = golden.cycles(model.config, mode, x, trace)
    after = trace.state
    if not two:  # of a frame of one time step, step 1 has no spikes
        after = golden.State(after.potentials, after.synapses,
                             [torch.nn.functional.pad(s, (0, 0, 0, 1)) for s in after.spikes])
    return trace.logits[:, 0], torch.cat([cost.latency, cost.reads[:, 0]], 1), after


def _choose(which, yes, no):
    """For each of B: of two tensors (B, ...), or of two states."""
    if isinstance(yes, golden.State):
        pairs = zip((yes.potentials, yes.synapses, yes.spikes), (no.potentials, no.synapses, no.spikes), strict=True)
        return golden.State(*([_choose(which, a, b) for a, b in zip(*pair, strict=True)] for pair in pairs))
    return torch.where(which.reshape(-1, *[1] * (yes.dim() - 1)), yes, no)


def halves(clips):
    """(B,) bool: one half of the speakers, by a hash; a clip without a speaker by its file's."""
    return torch.tensor([hashlib.sha256((c.speaker or c.path.name).encode()).digest()[0] & 1 for c in clips]).bool()


class Costs:
    """nJ of frames on the machine of a row of the energy table."""

    def __init__(self, row, library):
        self.row, (self.config, way) = row, ways.machine(row["config"], row["row"])
        self.buffers = memories.compose(self.config, library, way.macros)
        self.macros = record.macro_leakage_nj(self.config, library, {"prefer": way.macros})

    def of(self, played, clips):
        """(nJ a frame of 10 ms, the same after layout) over some clips, a mask (B,)."""
        share = float(played.ran[clips].float().mean())
        reads = played.reads[clips].double().mean((0, 1)) / max(share, 1e-9)
        rows = dict(zip(WEIGHT_BUFFERS, reads.tolist(), strict=True))
        sram, _ = estimate.memory_nj(self.config, self.buffers, rows)
        logic = float(played.cycles[clips].double().mean()) * self.row["pj_a_cycle_in_logic"] * 1e-3
        leakage = self.row["parts_nj"]["leakage_nj"]
        after = record.after_layout({"logic_nj": logic, "sram_nj": sram * share, "leakage_nj": leakage}, self.macros)
        return logic + sram * share + leakage, after.get("energy_per_frame_nj")


def wrong(played, targets):
    """(B,) bool: the summed logits give another class than `targets`; only the classes that targets has count."""
    return played.logits.sum(1)[:, :int(targets.max()) + 1].argmax(1) != targets


def chosen(kind, model, x, targets, costs, half, base):
    """What a rule's thresholds give: thresholds of the halves, errors (B,) bool, share that ran, (nJ, after layout),
    and all that was tried.
    """
    steps = (x.sum(-1) if kind == "quiet" else (x[:, 1:] - x[:, :-1]).abs().sum(-1)).flatten().double()
    tried = []
    for threshold in torch.quantile(steps[::7], torch.tensor(QUANTILES, dtype=torch.double)).round().tolist():
        played = play(model, x, kind, threshold)
        tried.append((threshold, played, wrong(played, targets)))
    errors, thresholds, shares, energy = base.clone(), [], [], []
    for part in (half, ~half):
        good = [(t, p, e) for t, p, e in tried
                if 100 * float(e[part].float().mean() - base[part].float().mean()) <= ALLOWED]
        other, best = ~part, max(good, key=lambda found: found[0], default=None)
        thresholds.append(best and best[0])
        played = best[1] if best else play(model, x)
        errors[other] = best[2][other] if best else base[other]
        shares.append(float(played.ran[other].float().mean()))
        energy.append(costs.of(played, other))
    weights = [float((~half).float().mean()), float(half.float().mean())]
    curve = [{"threshold": t, "ran": round(float(p.ran.float().mean()), 4),
              "error_percent": round(100 * float(e.float().mean()), 2),
              "energy_per_frame_nj": round(costs.of(p, torch.ones_like(half))[0], 2)} for t, p, e in tried]
    nj = [np.dot(values, weights) for values in zip(*energy, strict=True)]
    return thresholds, errors, np.dot(shares, weights), nj, curve


def add_arguments(parser):
    """Options of the command."""
    libraries.arguments(parser, config=False)
    options.add_keywords(parser, "a folder with manifest.csv, or Speech Commands")
    parser.add_argument("--row", default="32 lanes, lean", help="of the energy table (default: %(default)s)")
    parser.add_argument("--clips", type=options.whole, default=10 ** 6, help="at most so many (default: all)")
    store.add_publish(parser)


def run(args):
    """Score every rule and print the table."""
    torch.set_num_threads(1)  # products of 128 x 128: more threads only wait for each other
    library = libraries.load(args.lib, args.pdk)
    known = {(r["config"], r["row"]): r for r in store.read_json(store.results("energy.json", True))["rows"]}
    if ("keywords", args.row) not in known:
        raise ValueError(f"--row {args.row!r}: no such row of keywords; there are "
                         f"{', '.join(repr(r) for c, r in known if c == 'keywords')}")
    costs = Costs(known["keywords", args.row], library)
    model = spotter.load("rsnn-keywords")
    clips, _, _ = evaluate.clips_for(model, args.data, "held")
    found = waves.gather(clips[:args.clips])
    x = model.hear(found.floats()).transpose(1, 2).to(torch.int32)  # (B, T, F)
    targets = torch.tensor([model.labels.index(c.label) for c in found.clips])
    half, everything = halves(found.clips), torch.ones(len(x), dtype=torch.bool)
    rows, integers = [], models.on(model.network.integers, costs.config)
    base = play(integers, x)
    for kind, played in (("all", base), ("alternate", play(integers, x, "alternate"))):
        nj, after = costs.of(played, everything)
        rows.append(_row(kind, None, wrong(played, targets), float(played.ran.float().mean()), nj, after, None))
    rows[0]["cycles_worst"] = int(base.cycles.max())
    for kind in KINDS:
        thresholds, errors, share, (nj, after), curve = chosen(kind, integers, x, targets, costs, half,
                                                               wrong(base, targets))
        rows.append(_row(kind, thresholds, errors, share, nj, after, curve))
    target = store.results("frames.json", args.publish)
    store.write_json(target, {"recipe": store.recipe(
        args.command, config=f"keywords, {args.row}", data=f"{len(x)} held-out clips of {Path(args.data).name}",
        note="thresholds of each half of the speakers chosen on the other"), "rows": rows})
    for r in rows:
        print(f"{r['rule']:10} thresholds {r['thresholds']}  ran {100 * r['ran']:5.1f} %  "
              f"error {r['error_percent']:5.2f} %  {r['energy_per_frame_nj']:6.1f} nJ a frame, "
              f"{r['after_layout_nj']} after layout (factors)")
    print(f"figures: {target}")


def _row(kind, thresholds, errors, share, nj, after, curve):
    return {"rule": kind, "thresholds": thresholds, "ran": round(float(share), 4),
            "error_percent": round(100 * float(errors.float().mean()), 2), "clips": len(errors),
            "energy_per_frame_nj": round(float(nj), 2), "after_layout_nj": after and round(float(after), 2),
            "every_threshold": curve}
