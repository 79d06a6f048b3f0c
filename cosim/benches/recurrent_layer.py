"""The two recurrent layers in the machine: currents, potentials and spikes of every frame, layer and time step."""

import cocotb
import torch

from cosim.bench.frames import STEPS, each_mode
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, random_frames, weights
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES

SIGNALS = ("current", "potential", "spike")


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def named_neurons(dut):
    """The neurons that the features name fire, in L0 and, one forward weight exactly at the threshold, in L1."""
    c = configuration()
    steered = Steered(c, weights(c, c.neurons, c.outputs, generator()))
    _, x, spikes = steered.utterance()
    expected = torch.stack([spikes, spikes], 1)  # (T, 2, K, N)
    machine = await Machine.power_up(dut, c)
    with scoreboard("named_neurons") as board:
        await machine.load(steered.model, MODES["t2_union"])
        names = ("t2_sequential", "t2_merged", "t2_union")
        async for name, observed, *_ in each_mode(board, machine, steered.model, x, names, SIGNALS, cost=False):
            board.check("spike by hand", expected, observed.spikes, axes=STEPS, run=name)


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
        names = ("t1", "t2_merged", "t2_union")
        async for name, observed, *_ in each_mode(board, machine, steered.model, x, names, SIGNALS, cost=False):
            drop = observed.currents[1, 0, 0] - observed.currents[0, 0, 0]
            board.check("current by hand", [-c.weight_limit * c.neurons] * c.neurons, drop, run=name, frame=1)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def random_networks(dut):
    """Random recurrence gives golden's currents, potentials, spikes, cycles and row reads in every mode."""
    c, g, machine, model = await Machine.with_random_model(dut, 1)
    with scoreboard("random_networks") as board:
        async for _ in each_mode(board, machine, model, lambda: random_frames(c, 8, g), MODES, SIGNALS):
            pass
