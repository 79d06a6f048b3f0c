"""SparkNet's classifier head in the machine: binary gates enter as spikes, and only open ones cost a visit."""

import cocotb
import torch

from cosim.bench.frames import check_counters, check_run, reference
from cosim.bench.machine import Machine
from cosim.bench.networks import weights
from cosim.bench.setup import configuration, generator, patience, scoreboard
from hw.interface import MODES, Phase
from sw import registry
from sw.data import audio
from sw.keywords import head as heads
from sw.keywords import spotter, waves

CLIP = registry.WEIGHTS.parent / "clips" / "sense_and_sensibility.flac"


def drawn(c, g):
    """A head with random weights over the whole range, as large as the machine holds."""
    gates = min(c.features, c.neurons)
    return heads.IntegerHead(weights(c, gates, c.outputs, g), torch.arange(c.outputs, dtype=torch.int32), 1.0, 0)


def steps_of(name):
    return MODES[name].time_steps


def mode_for(c, name):
    """The mode to run: with reset by subtraction only one time step leaves nothing to the next frame."""
    return name if c.reset == "zero" else "t1"


async def run(machine, head, gates, name):
    """Gates (gates, frames) through the machine in mode `name`: (what was observed, features, model)."""
    model = heads.integer_model(head, machine.config, steps_of(name))
    x = heads.features(gates, machine.config, steps_of(name))
    await machine.load(model, MODES[name])
    return await machine.run(x), x, model


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(case=["t1", "t2_merged", "t2_union"])
async def named_gates(dut, case):
    """No gate, all, the first, the last, one in one frame of a pair: logits are the rows of the open gates."""
    c, g = configuration(), generator()
    name, head = mode_for(c, case), drawn(c, g)
    gates = torch.zeros(len(head.weight), 10, dtype=torch.int32)
    gates[:, 2:4] = 1            # all, both frames of a pair
    gates[0, 4], gates[-1, 7] = 1, 1
    gates[:, 8] = 1              # all, one frame of a pair
    machine = await Machine.power_up(dut, c)
    with scoreboard(f"named_gates/case={case}") as board:
        observed, x, model = await run(machine, head, gates, name)
        rows = head.weight
        by_hand = [rows[0] * 0, rows[0] * 0, rows.sum(0), rows.sum(0), rows[0], rows[0] * 0, rows[0] * 0, rows[-1],
                   rows.sum(0), rows[0] * 0]
        if steps_of(name) == 2:
            by_hand = [a + b for a, b in zip(by_hand[::2], by_hand[1::2], strict=True)]
        board.check("logit by hand", torch.stack(by_hand), observed.logits, axes=("frame", "output"), run=name)
        check_run(board, reference(model, MODES[name], x), observed, ("spike", "logit"), run=name)


@cocotb.test(timeout_time=patience(), timeout_unit="us")
@cocotb.parametrize(case=["t1", "t2_merged", "t2_union"])
async def speech(dut, case):
    """The trained head (random weights where the machine is too small) on a recording's gates, bit for bit."""
    c, g = configuration(), generator(1)
    name, head = mode_for(c, case), drawn(c, g)
    gates = (torch.rand(min(c.features, c.neurons), 24, generator=g) < 0.4).int()
    if c.features >= 32 and c.outputs >= 12:
        model = spotter.load("sparknet-32")
        x = model.hear(torch.from_numpy(waves.one_second(audio.read(CLIP)))[None])
        with torch.no_grad():
            gates = model.network.gates_of(model.network.mu(x))[0].int()
        head = heads.of_network(model.network, gates.shape[1], bits=c.weight_bits)
        gates = gates[:, :48]
    machine = await Machine.power_up(dut, c)
    with scoreboard(f"speech/case={case}") as board:
        observed, x, model = await run(machine, head, gates, name)
        trace = reference(model, MODES[name], x)
        check_run(board, trace, observed, ("spike", "logit"), run=name)
        classes = head.weight.shape[1]
        summed = torch.as_tensor(observed.logits).sum(0)[:classes] + head.bias
        board.check("summed logit", head.logits(gates[None])[0], summed, axes=("class",), run=name)
        counters = machine.counters()
        check_counters(board, c, MODES[name], x, trace, counters, run=name)
        spent = int(counters[0][Phase.FC.value]) / gates.shape[1]
        board.report(**{f"head_fc_cycles_a_frame_of_gates_{name}": round(spent, 2),
                        f"head_open_gates_a_frame_{name}": round(float(gates.sum(0).float().mean()), 2)})
