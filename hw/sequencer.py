"""Runs the program of a frame (`hw/program.py`) and issues one slot a cycle.

    paper:  INPUT -> COMBINE -> L0_RECURRENT -> L0_LIF -> L1_RECURRENT -> L1_FORWARD -> L1_LIF -> WAIT -> FC -> FINAL

A slot reads the rows its scan visits; the registered `operation` acts on them in the next cycle. L1's recurrence needs
only the frame before, so it hides the latency of L0's spikes. A slot that captures logits waits until the drain
is ready, and the first slot waits for features; nothing else stalls. With `drain: direct` a pass's sums leave before
the next pass begins, and FINAL lasts until the last of them has left. Cycle model: `sw/golden/cycles.py`.

Where sums are kept, a frame of mode `change` visits changes of spikes, unless the sums that are kept are not those of
the frame before: after a reset, a clear, a load of weights or delays, and where the number of time steps changes.
Such a frame sums anew.
"""

from enum import Enum

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .direct_drain import drain_control
from .interface import Recurrent, phases
from .kept_sums import change_control
from .program import Kind, program, sources
from .types import Gate, Mask, Mode, Source, digit_scan, index_bits, lane_slot, operation_layout, row_read, spike_scan
from .watchdog import watch, watched


class Sequencer(wiring.Component):
    """Steers the scans and the weight buffers; `operation` steers PE sets, combine, LIF and drain.

    mode            In   what a frame runs as
    available       In   the feature that `digits` asks for has arrived
    digits          In   scan of the features, from `InputScan`
    discard         Out  the frame's features are used up
    source          Out  spikes to scan: index in `program.sources(config)`
    spikes          In   scan of those spikes, from `ZeroSkip`
    input_read      Out  row of the input weights
    recurrent_read  Out  [2] rows of the recurrent banks
    fc_read         Out  [2] rows of the FC banks
    word_read       Out  word of the neurons' table and state, read with the first slot of a word
    drain_ready     In   the next cycle may capture
    operation       Out  what the cycle after a slot does, `types.operation_layout`
    phase           Out  what the slot is for, `interface.phases(config)`
    idle            Out  between frames, while no feature waits
    starved         Out  a frame has begun and waits for a feature
    kept            `kept_sums.change_control`, where a configuration keeps sums or makes input currents serially
    drain           Out  where logits leave directly: `start`, and with it `last_pass`, `keep`
    watched         Out  `watchdog.watched`, where there is one
    """

    def __init__(self, *, config):
        c = self.config = config
        super().__init__({
            "mode": In(Mode),
            "available": In(1),
            "digits": In(digit_scan(c)),
            "discard": Out(1),
            "source": Out(index_bits(len(sources(c)))),
            "spikes": In(spike_scan(c)),
            "input_read": Out(row_read(c.sizes()["input"][0])),
            "recurrent_read": Out(row_read(c.recurrent_rows)).array(2),
            "fc_read": Out(row_read(c.fc_rows)).array(2),
            "word_read": Out(row_read(c.words)),
            "drain_ready": In(1),
            "operation": Out(operation_layout(c)),
            "phase": Out(phases(c)),
            "idle": Out(1),
            "starved": Out(1),
            **({"kept": Out(change_control())} if c.sums_apart or c.changes() else {}),
            **({"drain": Out(drain_control())} if c.drain == "direct" else {}),
            **({"watched": Out(watched())} if c.watchdog else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        self.direct = c.drain == "direct"
        self.issue = Signal(operation_layout(c))
        m.d.sync += self.operation.eq(self.issue)
        built, mode = c.mechanisms, self.mode
        self.sequential, self.union, self.merge = Signal(), Signal(), Signal()
        m.d.comb += [
            self.union.eq(self._is_union() & built.union_skip & built.parallel_time_steps),
            self.sequential.eq((mode.recurrent == Recurrent.SEQUENTIAL) | (not built.parallel_time_steps)),
            self.merge.eq(mode.merge & built.merged_spikes),
        ]
        self.step = Signal()           # time step of a scan that takes them one after another, and of LIF
        self.opening = Signal(init=1)  # next scan slot is the first of its scan
        self.done = Signal()           # the slot is the last of its step of the program
        self.chunk = Signal(range(n), name="chunk") if (n := c.lanes // c.lif_lanes) > 1 else Const(0, 1)
        m.d.comb += self.spikes.start.eq(self.opening)
        self.amidst = [self.step, ~self.opening, self.chunk]  # none of them in a frame's first step
        self._program(m)
        if c.changes():
            self._change(m)
        with m.Switch(self.here.kind):
            for kind, states in {Kind.INPUT: self._input, Kind.COMBINE: self._combine, Kind.SCAN: self._scan,
                                 Kind.LIF: self._lif, Kind.WAIT: self._wait, Kind.FC: self._fc,
                                 Kind.FINAL: self._final}.items():
                with m.Case(kind):
                    states(m)
        if c.watchdog:
            watch(m, self.watched, self.position, len(program(c)), self.done, Cat(self.amidst).any())
        return m

    def _is_union(self):
        way = self.mode.recurrent
        # a frame of mode `change` that sums anew visits the union
        return way == Recurrent.UNION if not self.config.changes() else \
            (way == Recurrent.UNION) | (way == Recurrent.CHANGE)

    def _change(self, m):
        """`change`: this frame visits changes. It holds from a frame's first slot to its last."""
        mode, kept = self.mode, self.kept
        valid, steps = Signal(name="kept_valid"), Signal(name="kept_steps")
        self.change = Signal()
        m.d.comb += [
            self.change.eq((mode.recurrent == Recurrent.CHANGE) & valid & (steps == mode.two_steps)),
            # merged spikes are what the FC keeps sums of
            self.spikes.change.eq(self.change & self.here.change &
                                  ((self.here.kind != Kind.FC) | self.merge | ~mode.two_steps)),
            kept.use.eq(self.change),
        ]
        with m.If(kept.forget):
            m.d.sync += valid.eq(0)
        with m.Elif((self.here.kind == Kind.FINAL) & self.done):
            m.d.sync += [valid.eq(1), steps.eq(mode.two_steps)]
        if self.direct and self.config.readout_on_change:
            m.d.comb += self.drain.keep.eq(self.change & (self.merge | ~mode.two_steps))

    def _program(self, m):
        """`here`: the step at hand, by its position in the program."""
        steps = program(self.config)
        self.position = position = Signal(Enum("Position", {step.name: i for i, step in enumerate(steps)}))
        self.here = here = Signal(data.StructLayout({
            "kind": Kind, "clear": 1, "discard": 1,
            "base": index_bits(self.config.recurrent_rows), "input_base": index_bits(self.config.sizes()["input"][0]),
            "layer": index_bits(len(self.config.layers)), "word": index_bits(self.config.words),
            "chunks": index_bits(max(step.words for step in steps)), **({"change": 1} if self.config.changes() else {}),
        }))
        with m.Switch(position):
            for step in steps:
                with m.Case(steps.index(step)):
                    m.d.comb += [
                        here.kind.eq(step.kind), here.clear.eq(step.clear), here.discard.eq(step.discard),
                        here.base.eq(step.base), here.input_base.eq(step.input_base), here.layer.eq(step.layer),
                        here.word.eq(step.word), here.chunks.eq(max(1, step.words) - 1),
                        self.source.eq(step.source), self.phase.eq(step.phase),
                    ]
                    if self.config.changes():
                        m.d.comb += here.change.eq(step.change)
        waits = (self.here.kind == Kind.INPUT) & ~self.available
        first = (position == 0) & self.digits.first
        m.d.comb += [self.idle.eq(first & waits), self.starved.eq(~first & waits)]
        with m.If(self.done):
            m.d.sync += position.eq(Mux(position == len(steps) - 1, 0, position + 1))

    def _input(self, m):
        scan, issue = self.digits, self.issue
        m.d.comb += [issue.source.eq(Source.INPUT), self.input_read.row.eq(scan.index + self.here.input_base)]
        with m.If(self.available):
            m.d.comb += [
                scan.advance.eq(1), self.input_read.enable.eq(scan.read), issue.clear.eq(scan.first),
                self.done.eq(scan.last),
            ]
            for lane, visit in zip(issue.lanes, scan.visits, strict=True):
                m.d.comb += lane.eq(lane_slot(visit.gate, visit.shift, visit.negate, 0))

    def _combine(self, m):
        issue, here, chunk = self.issue, self.here, self.chunk
        if not self.config.serial_combine:
            m.d.comb += [issue.combine.eq(1), self.discard.eq(here.discard), self.done.eq(1)]
            return
        m.d.comb += [
            issue.combine.eq(1), issue.word.eq(here.word + chunk), issue.chunk.eq(chunk),
            self.done.eq(chunk == here.chunks),
            self.discard.eq(here.discard & self.done), issue.clear.eq(self.done),  # the sums that follow start from 0
        ]
        if isinstance(chunk, Signal):
            m.d.sync += chunk.eq(Mux(self.done, 0, chunk + 1))

    def _scan(self, m):
        two, scan, issue = self.mode.two_steps, self.spikes, self.issue
        m.d.comb += [
            issue.source.eq(Source.RECURRENT), issue.clear.eq(self.here.clear & self.opening & ~self.step),
            scan.split.eq(~two),
        ]
        with m.If(~two):
            step0 = Mask.STEP0 if self.config.mechanisms.zero_skip_recurrent else Mask.ALL
            m.d.comb += [scan.mask.eq(step0), scan.gate.eq(Gate.STEP0)]
        with m.Else():
            union = Mux(self.union & ~self.sequential, Mask.UNION, Mask.ALL)
            m.d.comb += [scan.mask.eq(union), scan.gate.eq(Gate.OWN)]
        both = ~(two & self.sequential)
        self._lanes(m, [both | ~self.step, both | self.step])
        for read, visit in zip(self.recurrent_read, scan.visits, strict=True):
            m.d.comb += [read.enable.eq(visit.valid), read.row.eq(visit.row + self.here.base)]
        self._slot(m, two & self.sequential)

    def _lanes(self, m, active):
        for k, lane in enumerate(self.issue.lanes):
            scan = self.spikes
            negate = scan.negates[k] if self.config.scans_negate else 0
            m.d.comb += lane.eq(lane_slot(scan.gates[k] & active[k], scan.doubles[k], negate, scan.banks[k]))

    def _slot(self, m, again):
        """Take one slot of a spike scan; the scan runs twice, for time steps 0 and 1, where `again`."""
        m.d.comb += self.spikes.advance.eq(1)
        m.d.sync += self.opening.eq(self.spikes.last)
        with m.If(self.spikes.last):
            m.d.sync += self.step.eq(again & ~self.step)
            m.d.comb += self.done.eq(~again | self.step)

    def _lif(self, m):
        c, issue, here, two = self.config, self.issue, self.here, self.mode.two_steps
        # a memory is read for one word while the one before is stored: two slots a word, the second idle at T = 1
        slots = 1 if c.lif_in_memory else two
        several, chunk = c.lanes > c.lif_lanes, self.chunk
        m.d.comb += [
            issue.lif.eq(~self.step | two), issue.step.eq(self.step), issue.store.eq(self.step),
            issue.layer.eq(here.layer), issue.word.eq(here.word + chunk), issue.chunk.eq(chunk),
            self.word_read.enable.eq(~self.step), self.word_read.row.eq(issue.word),
        ]
        if c.sums_apart:
            m.d.comb += self.kept.read_current.eq(self.word_read.enable & (here.layer == 0) & c.serial_combine)
        if c.sums_kept:
            m.d.comb += self.kept.read.eq(self.word_read.enable & self.change & here.change)
        with m.If(slots & ~self.step):
            m.d.sync += self.step.eq(1)
        with m.Else():
            m.d.sync += self.step.eq(0)
            m.d.comb += self.done.eq(chunk == here.chunks)
            if several:
                m.d.sync += chunk.eq(Mux(self.done, 0, chunk + 1))

    def _wait(self, m):
        m.d.comb += self.done.eq(1)

    def _fc(self, m):
        c, scan, issue, two = self.config, self.spikes, self.issue, self.mode.two_steps
        pass_ = self.pass_ = Signal(range(max(2, c.passes)))
        self.amidst.append(pass_)
        last_pass = Signal()
        fresh = self.opening & ~self.step
        m.d.comb += [
            last_pass.eq(pass_ == c.passes - 1), issue.source.eq(Source.FC), scan.split.eq(last_pass & c.split_pass),
        ]
        with m.If(two & self.merge):
            m.d.comb += [scan.mask.eq(Mask.UNION), scan.gate.eq(Gate.MERGED)]
        with m.Else():
            m.d.comb += [scan.mask.eq(Mux(self.step, Mask.STEP1, Mask.STEP0)),
                         scan.gate.eq(Mux(self.step, Gate.STEP1, Gate.STEP0))]
        if not c.mechanisms.zero_skip_fc:
            m.d.comb += scan.mask.eq(Mask.ALL)
        again = two & ~self.merge
        ends = scan.last & (~again | self.step)
        # The slot that opens a pass also captures the pass before.
        may = ~(fresh & (pass_ != 0)) | self.drain_ready
        if self.direct:  # ... or a slot between them lets it leave
            full = Signal()
            self.amidst.append(full)
            may &= ~full
            with m.If(full):
                m.d.comb += self.drain.start.eq(1)
                m.d.sync += full.eq(0)
            with m.Elif(may & ends):
                m.d.sync += full.eq(~last_pass)
        with m.If(may):
            m.d.comb += issue.clear.eq(fresh)
            if not self.direct:
                m.d.comb += issue.capture.eq(fresh & (pass_ != 0))
            self._lanes(m, [1, 1])
            self._fc_rows(m)
            self._slot(m, again)
            with m.If(ends):
                m.d.sync += pass_.eq(Mux(last_pass, 0, pass_ + 1))
                m.d.comb += self.done.eq(last_pass)

    def _fc_rows(self, m):
        c, visits = self.config, self.spikes.visits
        joint = visits[0].valid | visits[1].valid
        row = Mux(visits[0].valid, visits[0].row, visits[1].row + c.half_of(len(c.layers) - 1))
        for read, visit in zip(self.fc_read, visits, strict=True):
            m.d.comb += [
                read.enable.eq(Mux(self.spikes.split, visit.valid, joint)),
                read.row.eq(self.pass_ * c.last.neurons + Mux(self.spikes.split, visit.row, row)),
            ]

    def _final(self, m):
        may = self.drain_ready
        if self.direct:
            self.amidst.append(begun := Signal(name="begun"))
            m.d.comb += [self.drain.start.eq(~begun), self.drain.last_pass.eq(1)]
            m.d.sync += begun.eq(~(begun & self.drain_ready))
            may = begun & self.drain_ready
        with m.If(may):
            m.d.comb += [self.issue.capture.eq(1), self.issue.last_pass.eq(1), self.done.eq(1)]
