"""Type C: one FC visit for both time steps, the weight doubled where both fired, gives the same logits."""

import cocotb
import torch

from cosim.bench.frames import check_counters, check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, Phase

SEPARATE, MERGED = (MODES[f"t2_{name}"] for name in ("unmerged", "merged"))


async def run_both(board, dut, config, model, x):
    """Logits (T, O) and FC cycles of both modes, each checked against golden."""
    machine = await Machine.power_up(dut, config)
    await machine.load(model, SEPARATE)
    logits, fc_cycles = [], []
    for name, mode in (("unmerged", SEPARATE), ("merged", MERGED)):
        await machine.select(mode)
        observed = await machine.run(x)
        trace = reference(model, mode, x)
        check_run(board, trace, observed, ("spike", "logit"), run=name)
        check_counters(board, config, mode, x, trace, machine.counters(), run=name)
        logits.append(observed.logits)
        fc_cycles.append(machine.counters()[0][Phase.FC.value])
    board.check("merged logit", logits[0], logits[1], axes=("frame", "output"))
    return logits[1], fc_cycles


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def boundaries(dut):
    """With the most negative weight everywhere a logit is that weight times the spikes of both steps."""
    c = configuration()
    steered = Steered(c, torch.full((c.neurons, c.outputs), -c.weight_limit, dtype=torch.int32))
    frames = steered.patterns()
    x = torch.stack([features for features, _ in frames.values()])
    with scoreboard("boundaries") as board:
        logits, _ = await run_both(board, dut, c, steered.model, x)
        for index, (name, (_, spikes)) in enumerate(frames.items()):
            expected = [-c.weight_limit * int(spikes.sum())] * c.outputs
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
