"""The output layer in the machine: every logit of every pass, the shared last group included."""

import cocotb

from cosim.bench.frames import check_run, each_mode, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import Steered, fc_weights, random_frames, random_model
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, modes_of


def last_layer(config, spikes):
    """Spikes (T, L, K, N) -> (T, K, N_last)."""
    return spikes[:, -1, :, :config.last.neurons]


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def named_neurons(dut):
    """Logits are the FC rows of the neurons that fired, once for each time step: first, last, a half, all, none."""
    c = configuration()
    fc = fc_weights(c, generator())
    steered = Steered(c, fc)
    _, x, spikes = steered.utterance()
    expected = last_layer(c, spikes).sum(1) @ fc.long()  # (T, 2, N) -> (T, O)
    machine = await Machine.power_up(dut, c)
    with scoreboard("named_neurons") as board:
        await machine.load(steered.model, MODES["t2_union"])
        names = ("t2_unmerged", "t2_merged", "t2_union")
        async for name, observed, *_ in each_mode(board, machine, steered.model, x, names, ("spike", "logit"), False):
            board.check("logit by hand", expected, observed.logits, axes=("frame", "output"), run=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
async def one_time_step(dut):
    """At one time step a logit is the FC row of each neuron that fired, counted once."""
    c = configuration()
    fc = fc_weights(c, generator(1))
    steered = Steered(c, fc)
    names, x, spikes = steered.utterance()
    once = [i for i, name in enumerate(names) if "late" not in name]
    x, expected = x[once], last_layer(c, spikes[once])[:, 0].long() @ fc.long()
    machine = await Machine.power_up(dut, c)
    with scoreboard("one_time_step") as board:
        await machine.load(steered.model, MODES["t1"])
        observed = await machine.run(x)
        board.check("logit by hand", expected, observed.logits, axes=("frame", "output"))
        check_run(board, reference(steered.model, MODES["t1"], x), observed, ("spike", "logit"))


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(weight=["lowest", "highest", "random"])
async def utterance(dut, weight):
    """Random spikes on extreme and random weights give golden's logits, cycles and row reads in every mode."""
    c, g = configuration(), generator(2)
    model = random_model(c, g)
    if weight != "random":
        model.fc.copy_(fc_weights(c, g, -c.weight_limit if weight == "lowest" else c.weight_limit - 1))
    machine = await Machine.power_up(dut, c)
    with scoreboard(f"utterance/weight={weight}") as board:
        await machine.load(model, MODES["t1"])
        async for _ in each_mode(board, machine, model, lambda: random_frames(c, 3, g), modes_of(c), ("logit",)):
            pass
