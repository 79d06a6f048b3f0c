"""Watches a running accelerator: what each layer adds, keeps and fires, in the shapes of `golden.Trace`."""

from dataclasses import dataclass

import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from cosim.bench.packing import unpack


@dataclass
class Observed:
    """T frames. low, high, current (T, N); currents, potentials, spikes (T, 2, K, N); logits (T, O)."""

    low: np.ndarray
    high: np.ndarray
    current: np.ndarray
    currents: np.ndarray
    potentials: np.ndarray
    spikes: np.ndarray
    logits: np.ndarray


class Monitor:
    """Records until `take` empties it. Costs nothing in cycles in which neither unit works."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config
        self.take(0, 0)

    def take(self, frames, time_steps):
        """What was recorded since the last take; a wrong number of events keeps its wrong shape."""
        c = self.config
        layers = (frames, 2, time_steps, c.neurons)
        taken = {name: _shaped(events, (frames, c.neurons) if name in ("low", "high", "current") else layers)
                 for name, events in getattr(self, "events", {}).items()}
        self.events = {name: [] for name in ("low", "high", "current", "currents", "potentials", "spikes")}
        return taken

    def _accumulators(self, k):
        c = self.config
        return unpack(int(getattr(self.dut, f"pe_set{k}").accumulators.value), c.accumulator_bits, c.neurons)

    async def watch_input(self):
        """Group sums and input current, in the cycle in which PE set 0 takes the current."""
        c, load = self.config, self.dut.pe_set0.load
        while True:
            await RisingEdge(load)
            await FallingEdge(self.dut.clk)
            self.events["low"].append(self._accumulators(0))
            self.events["high"].append(self._accumulators(1))
            self.events["current"].append(unpack(int(self.dut.combine.current.value), c.accumulator_bits, c.neurons))

    async def watch_lif(self):
        """Currents in the cycle in which the LIF unit works, potentials and spikes in the next."""
        c, lif = self.config, self.dut.lif
        while True:
            await RisingEdge(lif.enable)
            await FallingEdge(self.dut.clk)
            while int(lif.enable.value):
                layer, step = int(lif.layer.value), int(lif.step.value)
                sets = [self._accumulators(k) for k in range(2)]
                self.events["currents"].append(sets[step] if int(lif.two_steps.value) else sets[0] + sets[1])
                await FallingEdge(self.dut.clk)
                potential, spikes = (getattr(lif, f"{name}").value for name in (
                    f"potentials__{layer}", f"spikes__{2 * layer + step}"))
                self.events["potentials"].append(unpack(int(potential), c.potential_bits, c.neurons))
                self.events["spikes"].append(unpack(int(spikes), 1, c.neurons, signed=False))


def _shaped(events, shape):
    array = np.array(events, dtype=np.int64)
    return array.reshape(shape) if array.size == np.prod(shape) else array
