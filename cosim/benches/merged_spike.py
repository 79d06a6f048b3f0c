"""Type C: one FC visit for both time steps, the weight doubled where both fired, gives the same logits."""

import cocotb

from cosim.bench.frames import each_mode
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, fc_weights, random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, Phase

SEPARATE, MERGED = "t2_unmerged", "t2_merged"


async def run_both(board, dut, config, model, x):
    """Logits (T, O) and FC cycles of both modes, each checked against golden."""
    machine = await Machine.power_up(dut, config)
    await machine.load(model, MODES[SEPARATE])
    logits, fc_cycles = [], []
    runs = each_mode(board, machine, model, x, (SEPARATE, MERGED), ("spike", "logit"))
    async for _, observed, _, (cycles, _) in runs:
        logits.append(observed.logits)
        fc_cycles.append(cycles[Phase.FC.value])
    board.check("merged logit", logits[0], logits[1], axes=("frame", "output"))
    return logits[1], fc_cycles


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def boundaries(dut):
    """With the most negative weight everywhere a logit is that weight times the spikes of both steps."""
    c = configuration()
    steered = Steered(c, fc_weights(c, generator(), -c.weight_limit))
    names, x, spikes = steered.utterance()
    with scoreboard("boundaries") as board:
        logits, _ = await run_both(board, dut, c, steered.model, x)
        for index, name in enumerate(names):
            expected = [-c.weight_limit * int(spikes[index, -1, :, :c.last.neurons].sum())] * c.outputs
            board.check("logit by hand", expected, logits[index], axes=("output",), frame=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def random_network(dut):
    """Random networks give the same logits merged and unmerged, and merging never costs an FC cycle."""
    c, g = configuration(), generator()
    with scoreboard("random_network") as board:
        model, x = random_model(c, g), random_frames(c, 6, g)
        _, (separate, merged) = await run_both(board, dut, c, model, x)
        if c.mechanisms.merged_spikes:
            board.check("merged FC is not slower", 1, int(merged <= separate))
            board.report(fc_cycles_unmerged=int(separate), fc_cycles_merged=int(merged),
                         fc_cycles_saved=f"{100 * (1 - merged / separate):.1f} %")
