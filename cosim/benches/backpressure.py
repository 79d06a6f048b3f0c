"""Neighbours that pause: late features and a slow reader of logits change when, never what."""

import cocotb

from cosim.bench import configuration, generator, scoreboard, seed
from cosim.frames import check_counters, check_run, reference
from cosim.machine import Machine
from cosim.models import random_frames, random_model
from cosim.streams import alternate, bursts, never, sometimes
from hw.interface import MODES, Phase

PATTERNS = {
    "never": never,
    "alternate": alternate,
    "sometimes": lambda: sometimes(seed()),
    "mostly": lambda: sometimes(seed() + 1, 0.9),
    "bursts": lambda: bursts(seed() + 2),
    "long bursts": lambda: bursts(seed() + 3, 900),
}
# The other phases may wait: for features, and for logits of the pass before to leave.
SETTLED = [phase for phase in Phase if phase not in (Phase.INPUT, Phase.FC, Phase.FINAL)]


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize((("idle", "stall"), [
    ("alternate", "never"), ("mostly", "never"), ("never", "alternate"), ("never", "mostly"),
    ("sometimes", "sometimes"), ("bursts", "long bursts"), ("long bursts", "bursts"),
]))
async def pauses(dut, idle, stall):
    """Whatever the neighbours' pauses, all signals and row reads are golden's, and no waiting beat changes."""
    c, g = configuration(), generator()
    machine = await Machine.power_up(dut, c, PATTERNS[idle](), PATTERNS[stall]())
    model = random_model(c, g)
    with scoreboard(f"pauses/idle={idle}/stall={stall}") as board:
        await machine.load(model, MODES["t1"])
        for name in ("t1", "t2_unmerged", "t2_union"):
            mode = MODES[name]
            x = random_frames(c, 3, g)
            await machine.select(mode)
            observed = await machine.run(x)
            trace = reference(model, mode, x)
            check_run(board, trace, observed, run=name)
            check_counters(board, c, mode, x, trace, machine.counters(), only=SETTLED, run=name)
