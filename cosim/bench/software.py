"""Random software on a bus: right and wrong accesses in any order, with what each must answer and every logit.

Knows from the register map and the golden model what the hardware must do, and nothing else of it.
"""

import itertools

import cocotb
import torch
from cocotb.triggers import ClockCycles, FallingEdge

from cosim.bench.accesses import POLLS
from cosim.bench.beside import Beside
from cosim.bench.bus import NOWHERE
from cosim.bench.networks import random_frames, random_model
from cosim.bench.packing import pack
from cosim.bench.streams import alternate, bursts, sometimes
from hw.bus.frame_buffer import frame_words
from hw.bus.register_map import load_words
from hw.interface import ALL_MODES, Buffer, modes_of
from sw import golden
from sw.integers import images

FRAME = 100_000  # cycles that a frame may take between stalled neighbours


class Software(Beside):
    """`bus`: see `cosim.bench.bus`; `streams`: `Streams` or None."""

    def __init__(self, dut, config, board, generator, chance, bus, streams=None):
        super().__init__(bus, config, board, streams is not None, chance)
        self.dut, self.generator, self.streams = dut, generator, streams
        self.seeds = itertools.count(chance.getrandbits(16))
        self.hangs = self.frames = self.resets = 0
        self._restarted()

    def _restarted(self):
        """What is true after a reset of everything."""
        self.errors, self.error_count, self.mode = set(), 0, None
        self._forgotten()

    def _forgotten(self):
        """What is true after a reset of the accelerator: no frame, no state, no counts."""
        self.expected, self.state, self.partial, self.reads = [], None, 0, torch.zeros(5, dtype=torch.int64)
        self.done = self.taken = 0

    # --- right use ------------------------------------------------------------------------------------------
    async def load_model(self):
        """Other weights and thresholds, in another mode; the machine starts from a clear."""
        self.model = random_model(self.config, self.generator)
        where, data = images.weight_words(self.model)
        weights = zip(where.tolist(), (pack(bits, 1) for bits in data.tolist()), strict=True)
        await self.load_words([*weights, *(((b, r, p), word) for b, r, p, word in images.table_words(self.model))])
        await self.settings()

    async def load_words(self, words):
        """Words of the load port, ((buffer, row, slice), data): weights, then tables of single neurons."""
        previous, c = None, self.config
        slices = {Buffer.NEURONS.value: c.neuron_bits // c.load_bits, Buffer.DELAYS.value: 1,
                  **dict.fromkeys((Buffer.FC0.value, Buffer.FC1.value), c.fc_row_bits // c.load_bits)}
        for (buffer, row, part), word in words:
            if previous != (buffer, row, part):
                for register, value in (("load_buffer", buffer), ("load_row", row), ("load_slice", part)):
                    await self.write(register, value)
            if self.chance.random() < 0.02:
                await self.misuse(loading=True)
            for i in range(load_words(self.config)):
                await self.write("load_data", word >> 32 * i & 0xffffffff, i)
            last = part + 1 == slices.get(buffer, c.slices)
            previous = (buffer, row + 1, 0) if last else (buffer, row, part + 1)

    async def settings(self):
        for layer, threshold in enumerate(self.model.thresholds.tolist()):
            if threshold:  # 0: its neurons have their own, in the table
                await self.write("threshold", threshold, layer)
        await self.select(clear=True)

    async def select(self, clear):
        """Another mode. The time steps' spikes are not of one shape: a change of their number needs a clear."""
        name = self.chance.choice(list(modes_of(self.config)))
        clear = clear or self.mode is None or ALL_MODES[name].time_steps != ALL_MODES[self.mode].time_steps
        self.mode = name
        await self.write("mode", ALL_MODES[name].bits)
        self.board.check("mode read back", ALL_MODES[name].bits, await self.read("mode"))
        if clear:
            await self.write("control", 3)
            self._forgotten()

    def predict(self, x):
        """Golden's logits of one more frame, a list; state goes on."""
        mode = ALL_MODES[self.mode]
        trace = golden.run(self.model, x[None, None], mode.time_steps, self.state)
        before, self.state = self.state, trace.state
        if before is not None:  # cost looks at the spikes of the frame before
            whole = golden.run(self.model, torch.stack([self.last, x])[None], mode.time_steps, self.older)
            self.reads += golden.cycles(self.config, mode, torch.stack([self.last, x])[None], whole).reads[0, 1]
        else:
            self.reads += golden.cycles(self.config, mode, x[None, None], trace).reads[0, 0]
        self.older, self.last = before, x
        self.frames += 1
        return trace.results[0, 0].tolist()

    def words(self, x):
        """Features as words of the register; what is left of the last word is noise."""
        data = [v & 0xff for v in x.tolist()]
        data += [self.chance.randrange(256) for _ in range(-len(data) % 4)]
        return [int.from_bytes(bytes(data[i:i + 4]), "little") for i in range(0, len(data), 4)]

    async def push(self):
        """A frame through the register, with misuse between its words."""
        for _ in range(POLLS):
            if await self.field("status", "feature_ready"):
                break
            await ClockCycles(self.dut.clk, self.chance.randrange(40))
            await self.pull()  # the frames before wait for a reader
        x = random_frames(self.config, 1, self.generator)[0]
        for word in self.words(x):
            if self.chance.random() < 0.3:
                await self.misuse()
            await self.write("features", word)
            self.partial += 1
        self.partial = 0
        self.expected.append(self.predict(x))

    async def pull(self):
        """Some logits of the oldest frame."""
        if not self.expected:
            return
        for _ in range(await self.until("status", "results")):
            value = await self.read("result")
            self.board.check("logit", self.expected[0][self.taken] & 0xffffffff, value, frame=self.done,
                             output=self.taken)
            self.taken += 1
            if self.taken == len(self.expected[0]):
                self.expected.pop(0)
                self.taken, self.done = 0, self.done + 1
                return

    async def finish(self):
        while self.expected:
            await self.pull()

    # --- misuse that needs a state of its own -------------------------------------------------------------
    async def overrun(self):
        """Frames until none is taken any more, and one word more."""
        while not self.partial:
            for _ in range(3):
                if await self.field("status", "feature_ready"):
                    break
                await ClockCycles(self.dut.clk, 1500)
            else:
                await self.write("features", self.chance.getrandbits(32), errors={"overrun"})
                return
            await self.push()

    async def flush(self):
        """An incomplete frame is dropped."""
        if not self.expected:
            for word in self.words(random_frames(self.config, 1, self.generator)[0])[:-1]:
                await self.write("features", word)
            self.board.check("partial", 1, await self.field("status", "partial"))
            await self.write("control", 4)
            self.board.check("partial", 0, await self.field("status", "partial"))

    # --- what must be true ----------------------------------------------------------------------------------
    async def look(self):
        """Errors, their count, status and interrupt."""
        bits = self.map.errors
        self.board.check("errors", sum(1 << bits[e] for e in self.errors), await self.read("errors"))
        self.board.check("error count", self.error_count, await self.read("error_count"))
        self.board.check("frames in flight", len(self.expected), await self.field("status", "frames"))
        self.board.check("busy", bool(self.expected), await self.field("status", "busy"))
        enable, waiting = self.chance.randrange(16), await self.read("irq_status")
        await self.write("irq_enable", enable)
        await ClockCycles(self.dut.clk, 2)
        await FallingEdge(self.dut.clk)
        if not self.expected:  # nothing can happen meanwhile
            self.board.check("interrupt", bool(enable & waiting), int(self.dut.irq.value))
        await self.write("irq_status", waiting)
        if self.errors and self.chance.random() < 0.5:
            gone = self.chance.choice(sorted(self.errors))
            await self.write("errors", 1 << bits[gone])
            self.errors.remove(gone)
        if self.chance.random() < 0.2:
            await self.write("error_count", self.chance.getrandbits(32))
            self.error_count = 0

    async def counters(self):
        """Frames and row reads since the last clear; both are exact whatever the stalls."""
        if not self.expected and self.config.counters:
            self.board.check("frames", self.done, await self.read("frames"))
            for i, reads in enumerate(self.reads.tolist()):
                self.board.check("row reads", reads, await self.read("row_reads", i))

    # --- resets ---------------------------------------------------------------------------------------------
    async def soft_reset(self):
        """In the middle of whatever happens."""
        self.resets += 1
        await self.write("control", 8)
        self._forgotten()
        self.board.check("threshold after reset", 1, await self.read("threshold", self.chance.randrange(2)))
        self.board.check("mode after reset", 0, await self.read("mode"))
        await self.recover()

    async def hard_reset(self):
        """In the middle of an access, and of frames on the streams."""
        self.resets += 1
        if self.streams and self.chance.random() < 0.5:
            await self.finish()
            await self.write("control", 4)
            await self.write("streams", 1)
            for _ in range(3):
                self.streams.send(self.chance.randbytes(4 * frame_words(self.config)))
        access = cocotb.start_soon(self.bus.read(self.map["status"].address))
        await ClockCycles(self.dut.clk, self.chance.randrange(60))
        access.cancel()
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.bus.abandon()
        if self.streams:
            self.streams.abandon()
        await ClockCycles(self.dut.clk, self.chance.randint(1, 4))
        await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 2)
        self._restarted()
        await self.recover()

    async def recover(self):
        """After a reset: memories keep their weights, but tables of neurons may be flip-flops."""
        await self.load_words([((b, r, p), word) for b, r, p, word in images.table_words(self.model)])
        await self.settings()

    # --- streams --------------------------------------------------------------------------------------------
    async def stream(self):
        """Frames of right and wrong lengths through the streams, with accesses beside them."""
        await self.finish()
        await self.write("streams", 1)
        lengths, good = frame_words(self.config), []
        for _ in range(self.chance.randint(1, 4)):
            if self.chance.random() < 0.3:
                short = self.chance.random() < 0.5 and lengths > 1
                beats = self.chance.randrange(1, lengths) if short else lengths + self.chance.randint(1, 5)
                self.streams.send(self.chance.randbytes(4 * beats))
                self.errors.add("frame_length")
                self.error_count += 1
            x = random_frames(self.config, 1, self.generator)[0]
            good.append(self.predict(x))
            self.streams.send(b"".join(word.to_bytes(4, "little") for word in self.words(x)))
            if self.chance.random() < 0.5:
                await self.read("result", errors={"underrun"})
                await self.write("features", 0, errors={"overrun"})
        for logits in good:
            self.board.check("logit", logits, await self.streams.receive(FRAME), axes=("output",), frame=self.done)
            self.done += 1
        while await self.field("status", "busy"):  # the last beat has left; the count follows
            pass
        await self.write("streams", 0)

    # --- all of it ------------------------------------------------------------------------------------------
    async def run(self, transactions):
        """At least so many accesses; the last frames are read to their end."""
        await self.load_model()
        await self.look()
        actions = [self.push] * 4 + [self.pull] * 6 + [self.misuse] * 40 + [self.look] * 10 + [self.underrun] * 4 + [
            self.counters, self.flush, self.overrun, self.finish, self.finish, self.counters_in_flight]
        actions += [self.together] * 4 if self.bus.nowhere == NOWHERE else []  # only AXI has two ways at once
        while self.transactions < transactions:
            roll = self.chance.random()
            if roll < 0.005:
                await self.finish()
                await self.load_model()
            elif roll < 0.03:
                await self.finish()
                await self.select(clear=self.chance.random() < 0.3)
            elif roll < 0.045:
                await self.soft_reset()
            elif roll < 0.06:
                await self.hard_reset()
            elif roll < 0.08 and self.streams:
                await self.stream()
            elif roll < 0.11:
                self._pauses()
            else:
                await self.chance.choice(actions)()
        await self.finish()
        await self.look()
        await self.counters()

    def _pauses(self):
        def pattern():
            seed = next(self.seeds)
            return self.chance.choice((None, alternate(), sometimes(seed), sometimes(seed, 0.9), bursts(seed, 20)))

        self.bus.stall(pattern)
        if self.streams:
            self.streams.stall(pattern)
