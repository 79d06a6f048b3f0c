"""Neighbours that pause: late features and a slow reader of logits change when, never what."""

import cocotb

from cosim.bench import configuration, generator, scoreboard, seed
from cosim.frames import check_counters, check_run, reference
from cosim.machine import Machine
from cosim.models import random_frames, random_model
from cosim.streams import alternate, bursts, never, sometimes
from hw.interface import MODES, Phase

CASES = {  # pauses of the features, of the reader of logits
    "features_every_other_cycle": (alternate, never),
    "features_rare": (lambda: sometimes(seed(), 0.9), never),
    "reader_every_other_cycle": (never, alternate),
    "reader_rare": (never, lambda: sometimes(seed(), 0.9)),
    "both_at_random": (lambda: sometimes(seed()), lambda: sometimes(seed() + 1)),
    "reader_in_long_bursts": (lambda: bursts(seed()), lambda: bursts(seed() + 1, 900)),
    "features_in_long_bursts": (lambda: bursts(seed(), 900), lambda: bursts(seed() + 1)),
}
# The other phases may wait: for features, and for logits of the pass before to leave.
SETTLED = [phase for phase in Phase if phase not in (Phase.INPUT, Phase.FC, Phase.FINAL)]


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(case=list(CASES))
async def pauses(dut, case):
    """Whatever the neighbours' pauses, all signals and row reads are golden's, and no waiting beat changes."""
    c, g = configuration(), generator()
    idle, stall = CASES[case]
    machine = await Machine.power_up(dut, c, idle(), stall())
    model = random_model(c, g)
    with scoreboard(f"pauses/case={case}") as board:
        await machine.load(model, MODES["t1"])
        for name in ("t1", "t2_unmerged", "t2_union"):
            mode = MODES[name]
            x = random_frames(c, 3, g)
            await machine.select(mode)
            observed = await machine.run(x)
            trace = reference(model, mode, x)
            check_run(board, trace, observed, run=name)
            check_counters(board, c, mode, x, trace, machine.counters(), only=SETTLED, run=name)
