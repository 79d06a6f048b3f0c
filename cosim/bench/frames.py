"""Compares what a run showed with golden's trace and cost, signal by signal."""

import torch

from hw.interface import ALL_MODES, WEIGHT_BUFFERS, phases
from sw import golden

LANES = ("frame", "neuron")
STEPS = ("frame", "layer", "time step", "neuron")
SIGNALS = {  # name on a difference -> field of Trace and Observed, axes
    "low group sum": ("low", LANES),
    "high group sum": ("high", LANES),
    "input current": ("current", LANES),
    "current": ("currents", STEPS),
    "potential": ("potentials", STEPS),
    "spike": ("spikes", STEPS),
    "logit": ("logits", ("frame", "output")),
}


def reference(model, mode, x, state=None):
    """Golden's trace of one utterance x (T, F)."""
    return golden.run(model, torch.as_tensor(x)[None], mode.time_steps, state)


def check_run(board, trace, observed, signals=tuple(SIGNALS), **where):
    """Every named signal of every frame."""
    for name in signals:
        field, axes = SIGNALS[name]
        wanted = trace.results if name == "logit" else getattr(trace, field)
        board.check(name, wanted[0], getattr(observed, field), axes=axes, **where)


async def each_mode(board, machine, model, frames, names, signals=tuple(SIGNALS), cost=True):
    """In one mode after another, each from cleared state: an utterance through the machine, held to golden.

    `frames` is x (T, F), or a function that draws it anew for each mode; `cost`: cycles and row reads too. Yields
    (name, what was `Observed`, golden's trace, counters).
    """
    for name in names:
        mode, x = ALL_MODES[name], frames() if callable(frames) else frames
        await machine.select(mode)
        observed = await machine.run(x)
        trace, counters = reference(model, mode, x), machine.counters()
        check_run(board, trace, observed, signals, run=name)
        if cost:
            check_counters(board, machine.config, mode, x, trace, counters, run=name)
        yield name, observed, trace, counters


def check_counters(board, config, mode, x, trace, counters, *, at=None, only=None, **where):
    """Cycles by phase and row reads by buffer, exactly, of one frame or of all.

    `only` names the phases whose cycles do not depend on the neighbours, for runs that pause or stall.
    """
    cost = golden.cycles(config, mode, torch.as_tensor(x)[None], trace)
    chosen = slice(None) if at is None else slice(at, at + 1)
    spent, rows = cost.phases[0, chosen].sum(0).tolist(), cost.reads[0, chosen].sum(0).tolist()
    cycles, reads = counters
    for phase in only or phases(config):
        board.check("cycles", spent[phase.value], cycles[phase.value], phase=phase.name, **where)
    for index, name in enumerate(WEIGHT_BUFFERS):
        board.check("row reads", rows[index], reads[index], buffer=name, **where)
