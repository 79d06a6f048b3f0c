"""Watches a running accelerator: what each layer adds, keeps and fires, in the shapes of `golden.Trace`."""

from dataclasses import dataclass

import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge

from cosim.bench.packing import unpack

INPUT = ("low", "high", "current")
LIF = ("currents", "potentials", "spikes")


@dataclass
class Observed:
    """T frames, K time steps, L layers; N is the widest layer, others end in zeros.

    low, high, current (T, N_0); currents, potentials, spikes (T, L, K, N); logits (T, O).
    """

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
        self._restart()

    def forget(self):
        """What was recorded of frames that nobody will ask for."""
        self._restart()

    def _restart(self):
        self.input = {name: [] for name in INPUT}                # a row of lanes each group of layer 0
        self.lif = {name: {} for name in LIF}                    # (word, time step) -> rows of lanes, a frame each

    def take(self, frames, time_steps):
        """What was recorded since the last take; a wrong number of events keeps its wrong shape."""
        c = self.config
        first = c.layers[0].neurons
        taken = {name: _shaped(rows, (frames, c.groups_of(0) * c.lanes))[..., :first]
                 for name, rows in self.input.items()}
        for name, words in self.lif.items():
            whole = np.zeros((frames, len(c.layers), time_steps, c.widest), np.int64)
            for k, layer in enumerate(c.layers):
                rows = [[words.get((c.first_word(k) + i, step), []) for i in range(c.words_of(k))]
                        for step in range(time_steps)]
                counts = {len(row) for step in rows for row in step}
                if counts != {frames}:
                    whole = np.zeros(sorted(counts))  # the scoreboard names the shape
                    break
                of = np.array(rows, np.int64).reshape(time_steps, c.words_of(k), frames, c.lif_lanes)
                whole[:, k, :, :layer.neurons] = of.transpose(2, 0, 1, 3).reshape(
                    frames, time_steps, -1)[..., :layer.neurons]
            taken[name] = whole
        self._restart()
        return taken

    def _accumulators(self, k):
        c = self.config
        return unpack(int(getattr(self.dut, f"pe_set{k}").accumulators.value), c.accumulator_bits, c.lanes)

    async def watch_input(self):
        """Group sums and input current, in the cycle in which PE set 0 takes the current."""
        if self.config.serial_combine:
            return await self._watch_words()
        c, load = self.config, self.dut.pe_set0.load
        while True:
            await RisingEdge(load)
            await FallingEdge(self.dut.clk)
            self.input["low"].append(self._accumulators(0))
            self.input["high"].append(self._accumulators(1))
            self.input["current"].append(unpack(int(self.dut.combine.current.value), c.accumulator_bits, c.lanes))

    async def _watch_words(self):
        """The same where input currents are made a word of neurons at a time."""
        c, made = self.config, self.dut.kept_sums.combine
        while True:
            await RisingEdge(made)
            await FallingEdge(self.dut.clk)
            self.input["low"].append(self._accumulators(0))
            self.input["high"].append(self._accumulators(1))
            row = []
            while int(made.value):
                word = int(self.dut.kept_sums.current__data.value)
                row.append(unpack(word & (1 << c.lif_lanes * c.accumulator_bits) - 1, c.accumulator_bits, c.lif_lanes))
                await FallingEdge(self.dut.clk)
            row = np.concatenate(row)
            self.input["current"].append(np.pad(row, (0, c.lanes - len(row))))

    async def watch_lif(self):
        """Sums, potentials and spikes of each word, in the cycle in which its new state is about to be kept."""
        c, lif = self.config, self.dut.lif
        fields = {"currents": (lif.seen_currents, len(lif.seen_currents) // c.lif_lanes, True),
                  "potentials": (lif.seen_potentials, c.potential_bits, True), "spikes": (lif.seen_spikes, 1, False)}
        while True:
            await RisingEdge(lif.seen)
            await FallingEdge(self.dut.clk)
            while int(lif.seen.value):
                key = int(lif.seen_word.value) if c.words > 1 else 0, int(lif.seen_step.value)
                for name, (signal, width, signed) in fields.items():
                    row = unpack(int(signal.value), width, c.lif_lanes, signed)
                    self.lif[name].setdefault(key, []).append(row)
                await FallingEdge(self.dut.clk)


def _shaped(events, shape):
    array = np.array(events, dtype=np.int64)
    return array.reshape(shape) if array.size == np.prod(shape) else array
