"""Type D: one row read serves both time steps. Reads are those of the machine's own counters."""

import cocotb

from cosim.bench.frames import each_mode
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, fc_weights, random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES

RECURRENT = slice(1, 3)  # of the row reads: recurrent0 and recurrent1
RUNS = ("t2_sequential", "t2_merged", "t2_union")


async def run_all(board, dut, config, model, x):
    """Row reads of the recurrent buffers in sequential, parallel and union mode, all signals checked against golden."""
    machine = await Machine.power_up(dut, config)
    await machine.load(model, MODES["t2_merged"])
    reads, spikes = [], []
    signals = ("current", "potential", "spike", "logit")
    async for _, observed, _, (_, rows) in each_mode(board, machine, model, x, RUNS, signals):
        reads.append(int(rows[RECURRENT].sum()))
        spikes.append(observed.spikes)
    for name, other in zip(RUNS[1:], spikes[1:], strict=True):
        board.check("spike of the sequential run", spikes[0], other, run=name,
                    axes=("frame", "layer", "time step", "neuron"))
    return reads


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def boundaries(dut):
    """Empty, full, half and single-neuron rows, alike and different in the two time steps, fire the neurons named."""
    c = configuration()
    steered = Steered(c, fc_weights(c, generator()))
    _, x, _ = steered.utterance()
    with scoreboard("boundaries") as board:
        await run_all(board, dut, c, steered.model, x)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def row_reads_halved(dut):
    """Parallel time steps halve the row reads of the recurrent layers exactly; the union skip never reads more."""
    c, g = configuration(), generator()
    with scoreboard("row_reads_halved") as board:
        sequential, parallel, union = await run_all(board, dut, c, random_model(c, g), random_frames(c, 5, g))
        board.report(recurrent_row_reads_sequential=sequential, recurrent_row_reads_parallel=parallel,
                     recurrent_row_reads_union=union)
        if c.mechanisms.parallel_time_steps:
            board.check("row reads, twice parallel", sequential, 2 * parallel)
            board.check("union reads no more", 1, int(union <= parallel))
