"""Drives the whole accelerator: loads a model, selects a mode, streams features in and logits out, reads counters."""

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge

from cosim.bench.monitor import Monitor, Observed
from cosim.bench.networks import random_model
from cosim.bench.packing import pack, unpack
from cosim.bench.setup import configuration, generator, start
from cosim.bench.streams import StreamSink, StreamSource
from hw.interface import MODES, WEIGHT_BUFFERS, Buffer, Register, phases
from hw.types import load_layout, logits_layout
from sw.integers import images


class Machine:
    """`await Machine.power_up(dut, config)`; `idle` and `stall` are the patterns of features and logits."""

    def __init__(self, dut, config, idle, stall):
        def ends(name):
            return {part: getattr(dut, f"{name}__{part}") for part in ("payload", "valid", "ready")}

        self.dut, self.config, self.layout = dut, config, load_layout(config)
        self.features = StreamSource(dut.clk, **ends("x"), idle=idle)
        self.words = StreamSource(dut.clk, **ends("load"))
        self.logits = StreamSink(dut.clk, **ends("logits"), stall=stall)
        self.monitor = Monitor(dut, config)
        self.mode = None

    @classmethod
    async def power_up(cls, dut, config, idle=None, stall=None):
        machine = cls(dut, config, idle, stall)
        await start(dut)
        for task in (machine.logits.run(), machine.monitor.watch_input(), machine.monitor.watch_lif()):
            cocotb.start_soon(task)
        return machine

    @classmethod
    async def with_random_model(cls, dut, salt=0):
        """(configuration, random numbers, machine, a random model that it holds): where most tests start."""
        config, numbers = configuration(), generator(salt)
        machine = await cls.power_up(dut, config)
        model = random_model(config, numbers)
        await machine.load(model, MODES["t1"])
        return config, numbers, machine, model

    def word(self, buffer, row, index, data):
        """A payload of the load port."""
        return self.layout.const({"buffer": Buffer(buffer), "row": row, "slice": index, "data": data}).as_bits()

    async def load(self, model, mode):
        """Weights, thresholds and mode; state and counters start from zero."""
        await self.words.send(self.word(*word) for word in images.load_words(model, mode))
        self.mode = mode

    async def set(self, register, value):
        await self.words.send([self.word(Buffer.REGISTER.value, register.value, 0, value)])

    async def select(self, mode, clear=True):
        """Change the mode between frames; `clear` zeroes state and counters."""
        await self.set(Register.MODE, mode.bits)
        if clear:
            await self.set(Register.CLEAR, 3)
        self.mode = mode

    async def run(self, x):
        """Stream frames x (T, F) through; returns what was `Observed` once the last logit has left."""
        frames = len(x)
        width = self.config.feature_bits
        feeding = cocotb.start_soon(self.features.send(pack([v], width) for v in np.asarray(x).ravel().tolist()))
        logits = [await self._frame() for _ in range(frames)]
        await feeding
        while not int(self.dut.idle.value):  # counters are final
            await FallingEdge(self.dut.clk)
        return Observed(**self.monitor.take(frames, self.mode.time_steps), logits=np.array(logits))

    async def _frame(self):
        c = self.config
        values, last = [], False
        while not last and len(values) < c.results:
            beat = await self.logits.beats.get()
            beat = logits_layout(c).from_bits(beat)
            last = bool(beat.last)
            values += unpack(beat.values.as_bits(), c.result_bits, c.results_per_beat).tolist()
        assert last and len(values) == c.results, f"frame of {len(values)} logits, last={last}; wanted {c.results}"
        return values

    def counters(self):
        """(cycles by phase, row reads by weight buffer) since the last clear."""
        return tuple(np.array([int(getattr(self.dut, f"{name}__{i}").value) for i in range(count)])
                     for name, count in (("cycles", len(phases(self.config))), ("row_reads", len(WEIGHT_BUFFERS))))
