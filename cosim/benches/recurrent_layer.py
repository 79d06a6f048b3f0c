"""The spiking layers in the machine: currents, potentials and spikes of every frame, layer and time step."""

import cocotb
import torch

from cosim.bench.frames import STEPS, each_mode
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, fc_weights, random_frames
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, modes_of

SIGNALS = ("current", "potential", "spike")


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def named_neurons(dut):
    """The neurons that the features name fire, in L0 and, one weight exactly at the threshold, in later layers."""
    c = configuration()
    steered = Steered(c, fc_weights(c, generator()))
    _, x, expected = steered.utterance()
    machine = await Machine.power_up(dut, c)
    with scoreboard("named_neurons") as board:
        await machine.load(steered.model, MODES["t2_union"])
        names = ("t2_sequential", "t2_merged", "t2_union")
        async for name, observed, *_ in each_mode(board, machine, steered.model, x, names, SIGNALS, cost=False):
            board.check("spike by hand", expected, observed.spikes, axes=STEPS, run=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def most_negative_weights(dut):
    """When all neurons have fired, every recurrent weight at its minimum pulls a layer down by neurons x weight."""
    c = configuration()
    recurrent = [k for k, layer in enumerate(c.layers) if layer.recurrent]
    steered = Steered(c, fc_weights(c, generator()))
    for k in recurrent:
        steered.model.matrices[f"recurrent{k}"].fill_(-c.weight_limit)
    x = torch.stack([steered.frame(low=127, high=127)] * 6)
    machine = await Machine.power_up(dut, c)
    with scoreboard("most_negative_weights") as board:
        await machine.load(steered.model, MODES["t2_union"])
        names = ("t1", "t2_merged", "t2_union")
        async for name, observed, *_ in each_mode(board, machine, steered.model, x, names, SIGNALS, cost=False):
            for k in recurrent[:1]:
                n, fired = c.layers[k].neurons, min(layer.neurons for layer in c.layers[:k + 1])
                drop = observed.currents[1, k, 0, :n] - observed.currents[0, k, 0, :n]
                board.check("current by hand", [-c.weight_limit * fired] * n, drop, run=name, frame=1, layer=k)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def random_networks(dut):
    """Random recurrence gives golden's currents, potentials, spikes, cycles and row reads in every mode."""
    c, g, machine, model = await Machine.with_random_model(dut, 1)
    with scoreboard("random_networks") as board:
        async for _ in each_mode(board, machine, model, lambda: random_frames(c, 8, g), modes_of(c), SIGNALS):
            pass
