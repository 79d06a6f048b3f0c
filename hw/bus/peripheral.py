"""The accelerator behind its registers: what an access means. The bus front-ends only translate to `request`.

Rules that keep logits right whatever software does:
- Only whole frames reach the accelerator (hw/bus/frame_buffer.py), so it never waits for the rest of one.
- `busy` is high from a frame's last word until its last logit has left. Loads, modes, thresholds and clears are
  refused while it is, never delayed: every access is answered in the next cycle.
- A logit leaves when it is read; until then the accelerator waits, as long as it takes.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ..accelerator import Accelerator
from ..hierarchy import place
from ..interface import Buffer
from ..interface import Register as LoadRegister
from ..load_port import load_targets
from ..types import logits_layout
from .frame_buffer import WORD, FrameBuffer
from .register_block import RegisterBlock, Request
from .register_map import WORD_BITS, compile_map, load_words, modes

FRAMES_BITS = 3  # in flight at most: one in the frame buffer, the input buffer, the array and the drain each


class Peripheral(wiring.Component):
    """`request` is the bus, `irq` the interrupt line. With `streams`, `features` (four a beat, `last` with a frame's
    last) and `logits` stand beside the registers of these names, and `streams.enable` chooses."""

    def __init__(self, *, config, streams):
        self.config, self.streams = config, streams
        self.registers = compile_map(config, streams)
        self.module_name = f"peripheral{'_streams' if streams else ''}"
        ports = {"request": In(Request()), "irq": Out(1)}
        if streams:
            ports |= {"features": In(stream.Signature(WORD)),
                      "logits": Out(stream.Signature(logits_layout(config)))}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        c, bit = self.config, self.registers.errors
        reset = Signal()
        m.submodules.registers = place(regs := RegisterBlock(registers=self.registers), platform)
        m.submodules.core = place(core := Accelerator(config=c), platform, reset=reset)
        m.submodules.frame_buffer = place(frames := FrameBuffer(config=c), platform, reset=reset)
        connect(m, flipped(self.request), regs.request)
        connect(m, frames.x, core.x)

        streaming = Signal()
        left = Signal()  # a frame's last logit
        dropped = self._dropped(m, core, frames, reset)
        results, waiting = self._result(m, core, regs, streaming, left, dropped)
        flying = Signal(FRAMES_BITS)
        with m.If(dropped):
            m.d.sync += flying.eq(0)
        with m.Else():
            m.d.sync += flying.eq(flying + frames.complete - left)
        busy, loadable = Signal(), Signal()
        m.d.comb += [busy.eq(flying.any()), loadable.eq(~busy & core.load.ready)]
        self._features(m, frames, regs, streaming)
        if self.streams:
            port = regs.streams
            m.d.comb += [port.value.eq(streaming), port.write_error.eq((busy | frames.partial) << bit["busy"])]
            with m.If(port.write):
                m.d.sync += streaming.eq(port.data[0])
        self._loads(m, core, regs, loadable)
        self._settings(m, core, regs, loadable, reset, frames)
        if c.counters:
            m.d.comb += regs.frames.count.eq(core.frames)
            for name, counters in (("cycles", core.cycles), ("row_reads", core.row_reads)):
                m.d.comb += [getattr(regs, name)[i].count.eq(count) for i, count in enumerate(counters)]

        # Status, errors, interrupts
        ready = frames.words.ready & ~streaming
        event = frames.wrong_length
        own = {"frame_length": event}  # errors that no access makes
        if c.watchdog:
            own["hung"] = core.bite
            event += core.bite
            m.d.comb += regs.hangs.count.eq(core.bites)
        if c.parity:  # its rows are counted apart
            own["parity"] = core.parity_wrong
            m.d.comb += [regs.parity_errors.count.eq(core.parity_errors),
                         regs.parity_failed.buffers.eq(core.parity_failed)]
        sticky = {name: getattr(regs.errors, name) for name in bit}
        m.d.comb += [
            regs.status.busy.eq(busy), regs.status.frames.eq(flying), regs.status.partial.eq(frames.partial),
            regs.status.feature_ready.eq(ready), regs.status.results.eq(results),
            regs.status.error.eq(Cat(sticky.values()).any()), regs.error_count.count_add.eq(regs.failed.any() + event),
        ]
        for name in bit:
            source = regs.failed[bit[name]]
            m.d.comb += getattr(regs.errors, f"{name}_set").eq(source | own[name] if name in own else source)
        seen = own["frame_length"] if len(own) == 1 else Cat(own.values()).any()
        events = {"result": _rise(m, waiting, "result"), "done": left, "error": regs.failed.any() | seen,
                  "feature_ready": _rise(m, ready, "feature_ready", init=1)}
        m.d.comb += [getattr(regs.irq_status, f"{name}_set").eq(happened) for name, happened in events.items()]
        m.d.sync += self.irq.eq(Cat(getattr(regs.irq_status, name) & getattr(regs.irq_enable, name)
                                    for name in events).any())
        return m

    def _dropped(self, m, core, frames, reset):
        """Frames in flight are gone: by a reset, or by the watchdog, which also stops one on its way in."""
        if not self.config.watchdog:
            return reset
        dropped = Signal()
        m.d.comb += [dropped.eq(reset | core.bite), frames.drop.eq(core.bite)]
        return dropped

    def _features(self, m, frames, regs, streaming):
        """Words from the register or the stream."""
        bit, port = self.registers.errors, regs.features
        m.d.comb += [
            frames.words.valid.eq(port.write), frames.words.p["values"].eq(port.data),
            port.write_error.eq((streaming | ~frames.words.ready) << bit["overrun"]),
        ]
        if self.streams:
            m.d.comb += frames.marked.eq(streaming)
            with m.If(streaming):
                m.d.comb += [frames.words.valid.eq(self.features.valid), frames.words.payload.eq(self.features.payload),
                             self.features.ready.eq(frames.words.ready)]

    def _result(self, m, core, regs, streaming, left, reset):
        """Logits to the register, one a read, or to the stream; returns how many can be read, and whether any can."""
        c, port = self.config, regs.result
        index = Signal(range(max(2, c.results_per_beat)))
        results, waiting, closes = Signal(range(c.results_per_beat + 1)), Signal(), Signal()
        m.d.comb += [
            waiting.eq(core.logits.valid & ~streaming), results.eq(Mux(waiting, c.results_per_beat - index, 0)),
            closes.eq(index == c.results_per_beat - 1),
            port.value.eq(core.logits.p["values"][index].as_signed()),
            port.read_error.eq(~waiting << self.registers.errors["underrun"]),
            core.logits.ready.eq(port.read & closes),
            left.eq(core.logits.valid & core.logits.ready & core.logits.p.last),
        ]
        with m.If(reset):
            m.d.sync += index.eq(0)
        with m.Elif(port.read):
            m.d.sync += index.eq(Mux(closes, 0, index + 1))
        if self.streams:
            m.d.comb += [self.logits.payload.eq(core.logits.payload),
                         self.logits.valid.eq(core.logits.valid & streaming)]
            with m.If(streaming):
                m.d.comb += core.logits.ready.eq(self.logits.ready)
        return results, waiting

    def _loads(self, m, core, regs, loadable):
        """Weights: the last data register loads the word, and the target counts on."""
        c, bit = self.config, self.registers.errors
        *early, last = (regs.load_data[i] for i in range(load_words(c)))
        held = [Signal(WORD_BITS, name=f"load_data_{i}") for i in range(len(early))]
        for port, word in zip(early, held, strict=True):
            with m.If(port.write):
                m.d.sync += word.eq(port.data)
        buffer, row, part = regs.load_buffer.index, regs.load_row.index, regs.load_slice.index
        exists, ends = Signal(), Signal()
        with m.Switch(buffer):
            for number, (rows, slices) in load_targets(c).items():
                with m.Case(number):
                    m.d.comb += [exists.eq((row < rows) & (part < slices)), ends.eq(part == slices - 1)]
        spare = last.data[c.load_bits - WORD_BITS * len(held):]
        m.d.comb += [
            last.write_error.eq(Cat(*(source for _, source in sorted(
                (place_, {"busy": ~loadable, "target": ~exists, "value": spare.any()}.get(name, 0))
                for name, place_ in bit.items())))),
            regs.load_slice.index_load.eq(last.write), regs.load_slice.index_next.eq(Mux(ends, 0, part + 1)),
            regs.load_row.index_load.eq(last.write & ends), regs.load_row.index_next.eq(row + 1),
        ]
        with m.If(last.write):
            m.d.comb += [core.load.valid.eq(1), core.load.p.buffer.eq(buffer), core.load.p.row.eq(row),
                         core.load.p.slice.eq(part), core.load.p.data.eq(Cat(*held, last.data))]

    def _settings(self, m, core, regs, loadable, reset, frames):
        """Mode, thresholds, clears: words of the load port too, with a copy that can be read."""
        c, bit = self.config, self.registers.errors
        limit = (1 << c.potential_bits - 1) - 1

        def setting(port, register, legal, init, exists=True):
            value = Signal(WORD_BITS, name=f"{register.name.lower()}", init=init)
            m.d.comb += [port.value.eq(value),
                         port.write_error.eq(~loadable << bit["busy"] | ~legal << bit["value"]
                                             | (not exists) << bit["target"])]
            with m.If(port.write):
                m.d.sync += value.eq(port.data)
                send(register, port.data)
            with m.If(reset):
                m.d.sync += value.eq(init)

        def send(register, word):
            m.d.comb += [core.load.valid.eq(1), core.load.p.buffer.eq(Buffer.REGISTER),
                         core.load.p.row.eq(register.value), core.load.p.data.eq(word)]

        setting(regs.mode, LoadRegister.MODE, Cat(regs.mode.data == value for value in modes(c)).any(), 0)
        for layer in range(len(regs.threshold)):
            port = regs.threshold[layer]
            setting(port, LoadRegister[f"THRESHOLD{layer}"], (port.data >= 1) & (port.data <= limit), 1,
                    exists=c.layers[layer].threshold == "layer")

        control, fields = regs.control, self.registers["control"].fields
        clears = control.data[fields["clear_state"].lsb:fields["clear_counters"].lsb + 1]
        m.d.comb += [
            reset.eq(control.write & control.data[fields["reset"].lsb]),
            frames.flush.eq(control.write & control.data[fields["flush"].lsb]),
            control.write_error.eq((clears.any() & ~loadable & ~control.data[fields["reset"].lsb]) << bit["busy"]),
        ]
        with m.If(control.write & clears.any()):
            send(LoadRegister.CLEAR, clears)


def _rise(m, signal, name, init=0):
    before = Signal(name=f"{name}_before", init=init)
    m.d.sync += before.eq(signal)
    return signal & ~before
