"""LIF unit: spikes and potentials of every time step, against `golden.lif`."""

import cocotb
import torch
from cocotb.triggers import FallingEdge

from cosim.bench.packing import pack, unpack
from cosim.bench.setup import configuration, generator, scoreboard, start
from sw import golden

FRAMES = 60


class Neurons:
    """Runs single time steps and reads potentials and spikes after them."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config
        dut.enable.value = dut.clear.value = 0

    async def clear(self):
        self.dut.clear.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.clear.value = 0

    async def step(self, layer, step, currents, thresholds, two_steps=True):
        """`currents`: accumulators of both PE sets. Returns (potential, spikes) of that layer and step, (N,) each."""
        dut, c = self.dut, self.config
        for k in range(2):
            getattr(dut, f"accumulators__{k}").value = pack(currents[k], c.accumulator_bits)
            getattr(dut, f"thresholds__{k}").value = int(thresholds[k])
        dut.word.value, dut.chunk.value = layer, 0  # one word a layer
        dut.layer.value, dut.step.value, dut.two_steps.value, dut.enable.value = layer, step, int(two_steps), 1
        await FallingEdge(dut.clk)
        dut.enable.value = 0
        return self.potential(layer), self.spikes(layer, step)

    def potential(self, layer):
        value = int(getattr(self.dut, f"potentials__{layer}").value)
        return unpack(value, self.config.potential_bits, self.config.neurons)

    def spikes(self, layer, step):
        return unpack(int(getattr(self.dut, f"spikes__{2 * layer + step}").value), 1, self.config.neurons, signed=False)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def boundaries(dut):
    """At the threshold it fires, one below it does not; leak rounds down; both ends saturate; clear zeroes."""
    c = configuration()
    await start(dut)
    neurons = Neurons(dut, c)
    unit = 1 << c.potential_fraction
    subtract = c.reset == "subtract"
    with scoreboard("boundaries") as board:

        async def expect(case, current, threshold, potential, spike, layer=0):
            got = await neurons.step(layer, 0, [[current] * c.neurons] * 2, [threshold] * 2)
            board.check("spike", [spike] * c.neurons, got[1], layer=layer, case=case)
            board.check("potential", [potential] * c.neurons, got[0], layer=layer, case=case)

        for layer in range(2):
            shift = c.leak_shift[layer]
            await neurons.clear()
            await expect("at threshold", 10, 10 * unit, 0, 1, layer)
            await neurons.clear()
            await expect("one below", 10, 10 * unit + 1, 10 * unit, 0, layer)
            await neurons.clear()
            await expect("one above", 10, 10 * unit - 1, int(subtract), 1, layer)
            await neurons.clear()
            await expect("negative current", -1, 1, -unit, 0, layer)
            await expect("leak of a negative potential", 0, 1, -unit - (-unit >> shift), 0, layer)
            await neurons.clear()
            await expect("leak of -1 is -1", -1, 1, -unit, 0, layer)
            for _ in range(64):
                await neurons.step(layer, 0, [[0] * c.neurons] * 2, [1, 1])
            board.check("potential", [0] * c.neurons, neurons.potential(layer), layer=layer, case="decays to 0")

        # saturation: the largest currents drive the potential to both ends
        top = (1 << (c.potential_bits - 1)) - 1
        bottom_current = -(1 << (c.accumulator_bits - 1))
        u = 0
        await neurons.clear()
        for index in range(12):
            u = max(-top - 1, u - (u >> c.leak_shift[0]) + (bottom_current << c.potential_fraction))
            await expect(f"down {index}", bottom_current, top, u, 0)
        u = 0
        await neurons.clear()
        for index in range(12):
            exact = u - (u >> c.leak_shift[0]) + (-bottom_current - 1 << c.potential_fraction)
            u = 0 if exact >= top else exact
            await expect(f"up {index}", -bottom_current - 1, top, u, int(exact >= top))

        for layer in range(2):
            await neurons.step(layer, 0, [[5] * c.neurons] * 2, [6 * unit] * 2)
        await neurons.clear()
        for layer in range(2):
            board.check("potential", [0] * c.neurons, neurons.potential(layer), layer=layer, case="clear")
            for step in range(2):
                board.check("spike", [0] * c.neurons, neurons.spikes(layer, step), layer=layer, time_step=step,
                            case="clear")


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(time_steps=[1, 2])
async def random_frames(dut, time_steps):
    """Random currents over many frames leave golden's potentials and spikes in both layers, step by step."""
    c = configuration()
    g = generator(time_steps)
    await start(dut)
    neurons = Neurons(dut, c)
    await neurons.clear()
    limit = 1 << (c.accumulator_bits - 2)
    u = torch.zeros(2, c.neurons, dtype=torch.int32)
    with scoreboard(f"random_frames/time_steps={time_steps}") as board:
        for frame in range(FRAMES):
            thresholds = torch.randint(1, 1 << (c.potential_bits - 2), (2,), generator=g)
            for layer in range(2):
                scale = limit >> frame % 6
                sums = torch.randint(-scale, scale, (2, c.neurons), generator=g, dtype=torch.int32)
                for step in range(time_steps):
                    current = sums[step] if time_steps == 2 else sums.sum(0)
                    u[layer], spikes, _ = golden.lif(u[layer], current, thresholds[layer], c.leak_shift[layer], c)
                    got = await neurons.step(layer, step, sums.numpy(), thresholds, time_steps == 2)
                    place = {"frame": frame, "time_step": step, "layer": layer}
                    board.check("potential", u[layer], got[0], **place)
                    board.check("spike", spikes, got[1], **place)
                    other = neurons.potential(1 - layer)
                    board.check("potential", u[1 - layer], other, frame=frame, layer=1 - layer)
                if time_steps == 1:
                    silent = neurons.spikes(layer, 1)
                    board.check("spike", [0] * c.neurons, silent, frame=frame, time_step=1, layer=layer)
