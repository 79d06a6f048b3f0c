"""LIF unit: spikes and potentials of every word and time step, against `golden.lif`."""

import cocotb
import torch
from cocotb.triggers import FallingEdge, ReadOnly

from cosim.bench.packing import Ports, pack, unpack
from cosim.bench.setup import configuration, generator, scoreboard, start
from sw import golden

FRAMES = 60
PLAIN_LEAK = 2  # of neurons with a leak of their own, where a test is not about it


class Neurons:
    """Runs whole layers for a frame, and is the memory of the unit where its state lives outside."""

    def __init__(self, dut, config):
        self.dut, self.config, self.stored = dut, config, Ports(dut, "stored")
        self.memory = [0] * config.words
        dut.enable.value = dut.clear.value = 0
        if config.lif_in_memory:
            dut.store.value = 0

    async def clear(self):
        self.dut.clear.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.clear.value = 0

    async def frame(self, layer, sums, own, two_steps=False):
        """One frame of a layer: `sums` (2, N), of the two PE sets; `own`: threshold, leak, bias -> (N,) each.

        Returns potentials (K, N) after each time step, and spikes (K, N).
        """
        dut, c = self.dut, self.config
        neurons, steps = c.layers[layer].neurons, 1 + two_steps
        dut.layer.value, dut.two_steps.value = layer, int(two_steps)
        for k in range(len(c.layers)):
            getattr(dut, f"thresholds__{k}").value = int(own["threshold"][0])
        seen = [[] for _ in range(steps)]
        for index in range(c.words_of(layer)):
            first = index * c.lif_lanes
            group = first // c.lanes * c.lanes
            dut.word.value, dut.chunk.value = c.first_word(layer) + index, (first - group) // c.lif_lanes
            for k in range(2):
                lanes = [int(v) for v in sums[k][group:group + c.lanes]]
                getattr(dut, f"accumulators__{k}").value = pack(lanes + [0] * (c.lanes - len(lanes)),
                                                                c.accumulator_bits)
            if c.neuron_bits:
                dut.fields.value = self._table(own, slice(first, first + c.lif_lanes))
            for step in range(2 if c.lif_in_memory else steps):
                await self._slot(index, layer, step, step < steps, seen)
        if c.lif_in_memory:
            await self._quiet()
        fired = [unpack(int(getattr(dut, f"spikes__{2 * layer + step}").value), 1, c.widest, signed=False)[:neurons]
                 for step in range(2)]
        return torch.tensor(seen).reshape(steps, -1)[:, :neurons], torch.tensor(fired)

    async def _slot(self, index, layer, step, enable, seen):
        dut, c = self.dut, self.config
        dut.enable.value, dut.step.value = int(enable), step
        if c.lif_in_memory:
            dut.store.value, dut.fetched.value = step, self.memory[c.first_word(layer) + index]
        await ReadOnly()
        if enable:
            seen[step].append(unpack(int(dut.seen_potentials.value), c.potential_bits, c.lif_lanes).tolist())
        await self._edge()
        dut.enable.value = 0

    async def _edge(self):
        await FallingEdge(self.dut.clk)
        if self.config.lif_in_memory and int(self.stored.enable.value):
            self.memory[int(self.stored.row.value)] = int(self.stored.data.value)

    async def _quiet(self):
        """What was stored last arrives."""
        self.dut.store.value = 0
        for _ in range(2):
            await self._edge()

    def _table(self, own, part):
        """The word of the table of neurons, from the values of its neurons."""
        code, at = 0, 0
        for i in range(*part.indices(len(own["threshold"]))):
            for name, width in self.config.neuron_fields().items():
                code |= (int(own[name][i]) & (1 << width) - 1) << at
                at += width
        return code

    def potential(self, layer):
        """Potentials (N,) that are kept for the next frame."""
        c, count = self.config, self.config.layers[layer].neurons
        if not c.lif_in_memory:
            return unpack(int(getattr(self.dut, f"potentials__{layer}").value), c.potential_bits, c.widest)[:count]
        words, bits = self.memory[c.first_word(layer):][:c.words_of(layer)], c.lif_lanes * c.potential_bits
        lanes = [unpack(word & (1 << bits) - 1, c.potential_bits, c.lif_lanes).tolist() for word in words]
        return sum(lanes, [])[:count]


def own_of(config, layer, threshold, bias=0):
    """Threshold, leak and bias of each neuron where all are alike; the leak is the layer's where it has one."""
    count, shift = config.layers[layer].neurons, config.layers[layer].leak_shift
    values = {"threshold": threshold, "leak": PLAIN_LEAK if shift == "neuron" else shift, "bias": bias}
    return {name: torch.full((count,), value, dtype=torch.int64) for name, value in values.items()}


def leaked(u, shift):
    return u - (u >> shift) if shift else u


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def boundaries(dut):
    """At the threshold it fires, one below it does not; leak rounds down; both ends saturate; clear zeroes."""
    c = configuration()
    await start(dut)
    unit = 1 << c.potential_fraction
    top = (1 << (c.potential_bits - 1)) - 1
    bottom_current = -(1 << (c.accumulator_bits - 1))
    neurons = Neurons(dut, c)
    with scoreboard("boundaries") as board:
        for layer, of in enumerate(c.layers):
            n, shift = of.neurons, int(own_of(c, layer, 1)["leak"][0])
            if of.synapse_shift:
                continue  # the current of a frame is not its own: `random_frames` has these

            async def expect(case, current, threshold, potential, spike, layer=layer, n=n):
                sums = torch.tensor([[current] * n, [0] * n])
                u, s = await neurons.frame(layer, sums, own_of(c, layer, threshold))
                board.check("spike", [spike] * n, s[0], layer=layer, case=case)
                board.check("potential", [potential] * n, u[0], layer=layer, case=case)

            def kept(u, of=of):
                return u if of.persist else 0

            await neurons.clear()
            await expect("at threshold", 10, 10 * unit, 0, 1)
            await neurons.clear()
            await expect("one below", 10, 10 * unit + 1, 10 * unit, 0)
            await neurons.clear()
            await expect("one above", 10, 10 * unit - 1, int(of.reset == "subtract"), 1)
            await neurons.clear()
            await expect("negative current", -1, 1, -unit, 0)
            await expect("leak of a negative potential", 0, 1, leaked(kept(-unit), shift), 0)
            await neurons.clear()
            await expect("leak of -1 is -1", -1, 1, -unit, 0)
            u = -unit
            for _ in range(64):
                await neurons.frame(layer, torch.zeros(2, n, dtype=torch.int64), own_of(c, layer, 1))
                u = leaked(kept(u), shift)
            board.check("potential", [u] * n, neurons.potential(layer), layer=layer, case="after 64 silent frames")

            # saturation: the largest currents drive the potential to both ends
            u = 0
            await neurons.clear()
            for index in range(12):
                u = max(-top - 1, leaked(kept(u), shift) + (bottom_current << c.potential_fraction))
                await expect(f"down {index}", bottom_current, top, u, 0)
            u = 0
            await neurons.clear()
            for index in range(12):
                exact = leaked(kept(u), shift) + (-bottom_current - 1 << c.potential_fraction)
                u = 0 if exact >= top else exact
                await expect(f"up {index}", -bottom_current - 1, top, u, int(exact >= top))

        for layer, of in enumerate(c.layers):
            sums = torch.full((2, of.neurons), 5)
            await neurons.frame(layer, sums, own_of(c, layer, 60 * unit))
        await neurons.clear()
        for layer, of in enumerate(c.layers):
            silent = torch.zeros(2, of.neurons, dtype=torch.int64)
            for step in range(2):
                spikes = int(getattr(dut, f"spikes__{2 * layer + step}").value)
                board.check("spike", 0, spikes, layer=layer, time_step=step, case="clear")
            u, _ = await neurons.frame(layer, silent, own_of(c, layer, 60 * unit))
            board.check("potential", [0] * of.neurons, u[0], layer=layer, case="clear")


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(time_steps=[1, 2])
async def random_frames(dut, time_steps):
    """Random currents over many frames leave golden's potentials and spikes in all layers, step by step."""
    c, g = configuration(), generator(time_steps)
    await start(dut)
    neurons = Neurons(dut, c)
    await neurons.clear()
    limit, top = 1 << (c.accumulator_bits - 2), 1 << (c.potential_bits - 2)
    u, i = ([torch.zeros(layer.neurons, dtype=torch.int32) for layer in c.layers] for _ in range(2))
    with scoreboard(f"random_frames/time_steps={time_steps}") as board:
        for frame in range(FRAMES):
            for k, layer in enumerate(c.layers):
                n, scale = layer.neurons, max(2, limit >> frame % 6)
                own = own_of(c, k, int(torch.randint(1, top, (), generator=g)))
                if layer.threshold == "neuron":
                    own["threshold"] = torch.randint(1, top, (n,), generator=g)
                if layer.leak_shift == "neuron":
                    own["leak"] = torch.randint(0, 8, (n,), generator=g)
                if layer.bias:
                    own["bias"] = torch.randint(-top, top, (n,), generator=g) >> 4
                sums = torch.randint(-scale, scale, (2, n), generator=g, dtype=torch.int32)
                if not layer.persist:
                    u[k], i[k] = torch.zeros_like(u[k]), torch.zeros_like(i[k])
                potentials, spikes = await neurons.frame(k, sums, own, time_steps == 2)
                for step in range(time_steps):
                    added = (sums[step] if time_steps == 2 else sums.sum(0)).long() << c.potential_fraction
                    if layer.synapse_shift:
                        i[k] = added = golden.synapse(i[k], added, layer.synapse_shift, c)
                    u[k], fired, _ = golden.lif(u[k], added, own["threshold"], own["leak"], c, bias=own["bias"],
                                                reset=layer.reset, scaled=True)
                    place = {"frame": frame, "time_step": step, "layer": k}
                    board.check("potential", u[k], potentials[step], **place)
                    board.check("spike", fired, spikes[step], **place)
                if time_steps == 1:
                    board.check("spike", [0] * n, spikes[1], frame=frame, time_step=1, layer=k)
            for k in range(len(c.layers)):
                board.check("potential", u[k], neurons.potential(k), frame=frame, layer=k, at="the frame's end")
