"""The whole machine: every signal, every cycle and every row read of random networks in every mode."""

import cocotb

from cosim.bench.frames import STEPS, check_counters, check_run, each_mode, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import random_frames
from cosim.bench.setup import patience, scoreboard
from hw.interface import MODES, Register, modes_of

FRAMES = 5


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def every_mode(dut):
    """In each mode a streamed utterance gives golden's bits on every signal, in exactly golden's cycles and reads."""
    c, g, machine, model = await Machine.with_random_model(dut)
    with scoreboard("every_mode") as board:
        frames = each_mode(board, machine, model, lambda: random_frames(c, FRAMES, g), modes_of(c))
        async for name, _, trace, _ in frames:
            board.report(**{f"spike share, {name}": round(float(trace.spikes.float().mean()), 3)})


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def frame_by_frame(dut):
    """Frames that come one at a time, each after the last logit of the one before, cost exactly golden's cycles."""
    c, g, machine, model = await Machine.with_random_model(dut, 1)
    with scoreboard("frame_by_frame") as board:
        for name, mode in modes_of(c).items():
            x = random_frames(c, 3, g)
            trace = reference(model, mode, x)
            await machine.select(mode)
            for frame in range(len(x)):
                await machine.set(Register.CLEAR, 2)  # counters only
                observed = await machine.run(x[frame:frame + 1])
                board.check("logit", trace.results[0, frame], observed.logits[0], axes=("output",),
                            run=name, frame=frame)
                board.check("spike", trace.spikes[0, frame], observed.spikes[0], axes=STEPS[1:],
                            run=name, frame=frame)
                check_counters(board, c, mode, x, trace, machine.counters(), at=frame, run=name, frame=frame)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def two_utterances(dut):
    """Without a clear an utterance goes on where the last one ended, in another mode too; with one it starts anew."""
    c, g, machine, model = await Machine.with_random_model(dut, 2)
    with scoreboard("two_utterances") as board:
        await machine.load(model, MODES["t2_merged"])
        first, second = (random_frames(c, 3, g) for _ in range(2))
        trace = reference(model, MODES["t2_merged"], first)
        check_run(board, trace, await machine.run(first), utterance=1)
        await machine.select(MODES["t2_union"], clear=False)
        after = reference(model, MODES["t2_union"], second, trace.state)
        check_run(board, after, await machine.run(second), utterance=2)
        await machine.set(Register.CLEAR, 1)
        check_run(board, reference(model, MODES["t2_union"], first), await machine.run(first), utterance=3)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def load_waits_for_idle(dut):
    """A word on the load port is not taken while a frame runs: the frame keeps the threshold it began with."""
    c, g, machine, model = await Machine.with_random_model(dut, 3)
    mode = MODES["t2_union"]
    await machine.load(model, mode)
    with scoreboard("load_waits_for_idle") as board:
        x = random_frames(c, 2, g)
        running = cocotb.start_soon(machine.run(x))
        await machine.logits.valid.value_change
        writing = cocotb.start_soon(machine.set(Register.CLEAR, 1))
        board.check("load ready", 0, int(dut.load__ready.value))
        observed = await running
        await writing
        check_run(board, reference(model, mode, x), observed)
        again = await machine.run(x)
        check_run(board, reference(model, mode, x), again, utterance=2)
