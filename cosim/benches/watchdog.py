"""An upset, anywhere in what runs a frame: the machine is idle again within the bound, says so, and is right again."""

import random

import cocotb
from cocotb.triggers import FallingEdge

from cosim.bench.frames import check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import random_frames
from cosim.bench.setup import patience as time_limit
from cosim.bench.setup import scoreboard, seed
from hw.interface import MODES, Register
from hw.program import program
from hw.watchdog import patience

CONTROL = {"sequencer": ("position", "step", "spikes__start", "pass_", "chunk", "operation"),
           "input_scan": ("scan__index", "begun", "remaining_0", "remaining_1"),
           "zero_skip": ("remaining_0", "remaining_1")}


def illegal(config):
    """Positions that the program lacks."""
    steps = len(program(config))
    return range(steps, 1 << (steps - 1).bit_length())


async def until_idle(dut, most):
    """Cycles to idle, nothing on offer and the reader ready; `most` + 1 where that takes longer."""
    for cycle in range(most + 1):
        if int(dut.idle.value):
            return cycle
        await FallingEdge(dut.clk)
    return most + 1


async def is_right(board, machine, model, g, bites, run):
    """What is counted, cleared; then an utterance is golden's."""
    dut = machine.dut
    board.check("hung", int(bites > 0), int(dut.hung.value), run=run)
    board.check("bites", bites, int(dut.bites.value), run=run)
    while not machine.logits.beats.empty():
        machine.logits.beats.get_nowait()
    await machine.select(MODES["t2_union"])
    board.check("cleared", 0, int(dut.hung.value) | int(dut.bites.value), run=run)
    machine.monitor.forget()
    x = random_frames(machine.config, 2, g)
    observed = await machine.run(x)
    check_run(board, reference(model, MODES["t2_union"], x), observed, ("spike", "logit"), run=run)
    board.check("left alone", 0, int(dut.hung.value), run=run)


async def begun(machine, g, cycles):
    """Frames run, then nothing more is on offer; so many cycles into the last."""
    c = machine.config
    x = [int(v) & 0xff for v in random_frames(c, 1, g).flatten()]
    await machine.features.send(x)
    for _ in range(cycles):
        await FallingEdge(machine.dut.clk)


@cocotb.test(timeout_time=20 * time_limit(), timeout_unit="us")
async def illegal_positions(dut):
    """Every position that the program lacks, idle and in a frame: idle in the second cycle after."""
    c, g, machine, model = await Machine.with_random_model(dut)
    await machine.select(MODES["t2_union"])
    with scoreboard("illegal_positions") as board:
        for position in illegal(c):
            for cycles in (None, 0, 30):
                if cycles is not None:
                    await begun(machine, g, cycles)
                dut.sequencer.position.value = position
                await FallingEdge(dut.clk)
                await FallingEdge(dut.clk)
                run = f"position {position}, {cycles} cycles into a frame"
                board.check("cycles to idle", 0, await until_idle(dut, 3), run=run)
                await is_right(board, machine, model, g, 1, run)


@cocotb.test(timeout_time=60 * time_limit(), timeout_unit="us")
async def any_state(dut):
    """All registers of the sequencer and both scans at random: a frame ends or it bites, then all is well."""
    c, g, machine, model = await Machine.with_random_model(dut)
    await machine.select(MODES["t2_union"])
    chance, ways = random.Random(seed()), [0, 0]
    with scoreboard("any_state") as board:
        for trial in range(40):
            if trial % 2:
                await begun(machine, g, chance.randrange(60))
            for block, names in CONTROL.items():
                for name in names:
                    register = getattr(getattr(dut, block), name, None)
                    if register is not None and chance.random() < 0.7:
                        register.value = chance.getrandbits(len(register))
            await FallingEdge(dut.clk)
            await FallingEdge(dut.clk)
            most = 2 * (patience(c) + 1)
            cycles = await until_idle(dut, most)
            board.check("idle within the bound", True, cycles <= most, run=f"trial {trial}")
            bites = int(dut.bites.value)
            ways[bites > 0] += 1
            await is_right(board, machine, model, g, bites, f"trial {trial}")
        board.check("both ways back were seen", True, min(ways) > 0)


@cocotb.test(timeout_time=40 * time_limit(), timeout_unit="us")
async def neighbours_are_waited_for(dut):
    """A source that brings no more, at the first feature and at the last; a reader that takes nothing: no hang."""
    c, g, machine, model = await Machine.with_random_model(dut)
    long = 3 * (patience(c) + 1)
    with scoreboard("neighbours_are_waited_for") as board:
        await machine.set(Register.MODE, MODES["t2_union"].bits)
        for have in (1, c.features - 1):
            x = [int(v) & 0xff for v in random_frames(c, 1, g).flatten()]
            await machine.features.send(x[:have])
            for _ in range(long):
                await FallingEdge(dut.clk)
            board.check("starved", 1, int(dut.starved.value), have=have)
            await machine.features.send(x[have:])
            board.check("idle", True, await until_idle(dut, long) <= long, have=have)
        machine.logits.stall = iter(lambda: True, None)
        await begun(machine, g, long)
        board.check("a beat waits", 1, int(dut.logits__valid.value))
        machine.logits.stall = iter(lambda: False, None)
        board.check("idle after the reader came back", True, await until_idle(dut, long) <= long)
        await is_right(board, machine, model, g, 0, "after all")
