"""The two recurrent layers in the machine: currents, potentials and spikes of every frame, layer and time step."""

import cocotb
import torch

from cosim.bench.frames import STEPS, check_counters, check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, random_frames, random_model, weights
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES

SIGNALS = ("current", "potential", "spike")


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def named_neurons(dut):
    """The neurons that the features name fire, in L0 and, one forward weight exactly at the threshold, in L1."""
    c = configuration()
    steered = Steered(c, weights(c, c.neurons, c.outputs, generator()))
    frames = steered.patterns()
    x = torch.stack([features for features, _ in frames.values()])
    expected = torch.stack([torch.stack([spikes, spikes]) for _, spikes in frames.values()])  # (T, 2, K, N)
    machine = await Machine.power_up(dut, c)
    with scoreboard("named_neurons") as board:
        await machine.load(steered.model, MODES["t2_union"])
        for name in ("t2_sequential", "t2_merged", "t2_union"):
            await machine.select(MODES[name])
            observed = await machine.run(x)
            board.check("spike by hand", expected, observed.spikes, axes=STEPS, run=name)
            check_run(board, reference(steered.model, MODES[name], x), observed, SIGNALS, run=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def most_negative_weights(dut):
    """When all neurons have fired, every recurrent weight at its minimum pulls L0 down by neurons x weight."""
    c = configuration()
    steered = Steered(c, weights(c, c.neurons, c.outputs, generator()))
    steered.model.recurrent0.fill_(-c.weight_limit)
    steered.model.recurrent1.fill_(-c.weight_limit)
    x = torch.stack([steered.frame(low=127, high=127)] * 6)
    machine = await Machine.power_up(dut, c)
    with scoreboard("most_negative_weights") as board:
        await machine.load(steered.model, MODES["t2_union"])
        for name in ("t1", "t2_merged", "t2_union"):
            await machine.select(MODES[name])
            observed = await machine.run(x)
            drop = observed.currents[1, 0, 0] - observed.currents[0, 0, 0]
            board.check("current by hand", [-c.weight_limit * c.neurons] * c.neurons, drop, run=name, frame=1)
            check_run(board, reference(steered.model, MODES[name], x), observed, SIGNALS, run=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def random_networks(dut):
    """Random recurrence gives golden's currents, potentials, spikes, cycles and row reads in every mode."""
    c, g = configuration(), generator(1)
    machine = await Machine.power_up(dut, c)
    model = random_model(c, g)
    with scoreboard("random_networks") as board:
        await machine.load(model, MODES["t1"])
        for name, mode in MODES.items():
            x = random_frames(c, 8, g)
            await machine.select(mode)
            observed = await machine.run(x)
            trace = reference(model, mode, x)
            check_run(board, trace, observed, SIGNALS, run=name)
            check_counters(board, c, mode, x, trace, machine.counters(), run=name)
