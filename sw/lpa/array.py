"""One pulse's gated accumulation as a program of the accelerator's PE array: hard gates are spikes, values are rows.

    sums[t] = sum_s w[t, s] row[s]        w >= 0 integers (hard windows times keys), rows int4, one lane a channel

The array adds or leaves a row in one cycle. A window that moves from frame to frame is not summed anew: the
accumulators keep it, rows that enter are added and rows that leave are subtracted (`negate`), so a frame costs as many
cycles as its window's edges move; where starting from zero (`clear`) is cheaper, that is done. A gate of 2 or 4, where
windows of a pulse overlap, is a `shift`. The last lane holds 1 in every row and so counts what the mean is divided by;
the division itself is not the array's (docs/lpa.md).
"""

from dataclasses import dataclass

import torch

from sw import golden
from sw.models.lpa import PULSES
from sw.models.lpa_reference import gates_of

SHIFTS = 4  # 0 to 3


class ProgramError(ValueError):
    """An accumulation that the array cannot hold; the message quotes the value."""


@dataclass(frozen=True)
class Visit:
    """One cycle: accumulators = (clear ? 0 : accumulators) ± (row << shift); without `row`, only cleared."""

    row: int | None
    shift: int = 0
    negate: bool = False
    clear: bool = False


def hard_weights(module, x):
    """What a `PulseAccumulator` with hard gates multiplies each value by: frames (T, D) -> int64 (P, T, T)."""
    if module.mix is not None or module.keys != "binary":
        raise ProgramError(f"{module}: the array adds rows or leaves them: no shares of windows, no weighted keys")
    before, module.hard = module.hard, True
    try:
        with torch.no_grad():
            gates = gates_of(module, x[None], torch.tensor([len(x)]))
    finally:
        module.hard = before
    return gates.weights[0].round().long()


def rows_of(values, config):
    """Values (T, C) -> int32 rows (T, lanes) and the power of two that one step stands for.

    The largest value just fits in `weight_bits`; the last lane is 1, lanes without a channel are 0.
    Raises `ProgramError` if there are more channels than lanes to hold them.
    """
    if values.shape[1] >= config.lanes:
        raise ProgramError(f"channels={values.shape[1]}: wanted fewer than the {config.lanes} lanes, one counts")
    top = config.weight_limit - 1
    step = 2.0 ** torch.ceil(torch.log2(values.abs().max().clamp_min(1e-9) / top)).item()
    rows = torch.zeros(len(values), config.lanes, dtype=torch.int32)
    rows[:, :values.shape[1]] = (values / step).round().clamp(-top - 1, top).int()
    rows[:, -1] = 1
    return rows, step


def changes(difference):
    """Visits that add integers `difference` (S,) times their rows: one for each set bit of each magnitude."""
    visits = []
    for row in difference.nonzero().flatten().tolist():
        amount = int(difference[row])
        for shift in range(SHIFTS):
            if abs(amount) >> shift & 1:
                visits.append(Visit(row, shift, amount < 0))
    return visits


def program(weights, config, sliding=True):
    """Weights (T, S) -> visits of each frame [[Visit]]; the accumulators hold that frame's sums after its visits.

    `sliding=False` sums every window anew. Raises `ProgramError` if a window might leave the accumulators' bits.
    """
    most, top = int(weights.sum(1).max()), (1 << (config.accumulator_bits - 1)) - 1
    if most * config.weight_limit > top:
        raise ProgramError(f"window of {most} rows: {config.accumulator_bits}-bit accumulators hold "
                           f"{top // config.weight_limit} for any values")
    if int(weights.max()) >= 1 << SHIFTS:
        raise ProgramError(f"gate={int(weights.max())}: wanted less than {1 << SHIFTS}, the shifts end there")
    frames, held = [], torch.zeros_like(weights[0])
    for t, wanted in enumerate(weights):
        anew = changes(wanted)
        anew[:1] = [Visit(anew[0].row, anew[0].shift, clear=True)] if anew else [Visit(None, clear=True)]
        moved = changes(wanted - held)
        frames.append(moved if t and sliding and len(moved) < len(anew) else anew)
        held = wanted
    return frames


def cycles(frames):
    """Cycles of a program: one a visit."""
    return sum(map(len, frames))


def execute(frames, rows):
    """The golden model's accumulators after each visit [(lanes,)] and after each frame (T, lanes)."""
    accumulators, each, sums = torch.zeros_like(rows[0]), [], []
    for visits in frames:
        for v in visits:
            row = rows[0] if v.row is None else rows[v.row]
            accumulators = golden.pe_array(accumulators, row, *(torch.tensor(int(k)) for k in
                                                                (v.row is not None, v.shift, v.negate, v.clear)))
            each.append(accumulators)
        sums.append(accumulators)
    return each, torch.stack(sums)


def cost(module, x, config):
    """Cycles of a module's pulses on frames (T, D), by kind: {kind: {pulses, frames, rows, anew, sliding}}.

    `rows`: gates that are open, in all; `anew` and `sliding`: cycles of both programs, every pulse by itself.
    """
    weights, found, first = hard_weights(module, x), {}, 0
    for kind in PULSES:
        count = getattr(module, kind)
        part = weights[first:first + count]
        first += count
        if count:
            found[kind] = {"pulses": count, "frames": count * len(x), "rows": int((part > 0).sum()),
                           "anew": sum(cycles(program(w, config, sliding=False)) for w in part),
                           "sliding": sum(cycles(program(w, config)) for w in part)}
    return found
