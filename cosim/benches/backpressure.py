"""Neighbours that pause: late features and a slow reader of logits change when, never what."""

from enum import Enum

import cocotb

from cosim.bench.frames import check_counters, check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard, seed
from cosim.bench.streams import alternate, bursts, never, sometimes
from hw.interface import ALL_MODES, BY_CHANGE, MODES, Phase


class Case(Enum):
    """Pauses of the features, of the reader of logits."""

    FEATURES_EVERY_OTHER_CYCLE = (alternate, never)
    FEATURES_RARE = (lambda: sometimes(seed(), 0.9), never)
    READER_EVERY_OTHER_CYCLE = (never, alternate)
    READER_RARE = (never, lambda: sometimes(seed(), 0.9))
    BOTH_AT_RANDOM = (lambda: sometimes(seed()), lambda: sometimes(seed() + 1))
    READER_IN_LONG_BURSTS = (lambda: bursts(seed()), lambda: bursts(seed() + 1, 900))
    FEATURES_IN_LONG_BURSTS = (lambda: bursts(seed(), 900), lambda: bursts(seed() + 1))


# The other phases may wait: for features, and for logits of the pass before to leave.
SETTLED = [phase for phase in Phase if phase not in (Phase.INPUT, Phase.FC, Phase.FINAL)]


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(case=list(Case))
async def pauses(dut, case):
    """Whatever the neighbours' pauses, all signals and row reads are golden's, and no waiting beat changes."""
    c, g = configuration(), generator()
    idle, stall = case.value
    machine = await Machine.power_up(dut, c, idle(), stall())
    model = random_model(c, g)
    with scoreboard(f"pauses/case={case.name}") as board:
        await machine.load(model, MODES["t1"])
        for name in ("t1", "t2_unmerged", "t2_union", *(BY_CHANGE if c.changes() else ())):
            mode = ALL_MODES[name]
            x = random_frames(c, 3, g)
            await machine.select(mode)
            observed = await machine.run(x)
            trace = reference(model, mode, x)
            check_run(board, trace, observed, run=name)
            check_counters(board, c, mode, x, trace, machine.counters(), only=SETTLED, run=name)
