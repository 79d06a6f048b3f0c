"""Runs the layers of a frame in order and issues one slot a cycle.

    INPUT -> COMBINE -> L0_RECURRENT -> L0_LIF -> L1_RECURRENT -> L1_FORWARD -> L1_LIF -> WAIT -> FC ... -> FINAL

A slot reads the rows its scan visits; the registered `operation` acts on them in the next cycle. L1's recurrence needs
only the frame before, so it hides the latency of L0's spikes. A slot that captures logits waits until the drain
is ready, and the first slot waits for features; nothing else stalls. Cycle model: `sw/golden/cycles.py`.
"""

from contextlib import contextmanager

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .interface import Phase, Recurrent
from .types import Gate, LaneControl, Mask, Mode, Operation, Source


class Sequencer(wiring.Component):
    """Steers `InputScan`, `ZeroSkip` and the weight buffers; `operation` steers PE sets, combine, LIF and drain.

    `layer` selects whose spikes `ZeroSkip` sees. `idle` is high between frames while no feature waits.
    """

    def __init__(self, *, config):
        self.config = config
        c = config
        scan = data.StructLayout({"gate": 1, "shift": 2, "negate": 1})
        visit = data.StructLayout({"valid": 1, "row": range(c.half)})
        rows = {"input": c.input_rows, "recurrent": c.recurrent_rows, "fc": c.fc_rows}
        super().__init__({
            "mode": In(Mode),
            # type A
            "available": In(1),
            "input_visits": In(scan).array(2),
            "input_first": In(1),
            "input_read": In(1),
            "input_last": In(1),
            "input_index": In(range(c.features)),
            "input_advance": Out(1),
            "discard": Out(1),
            # types B, C, D
            "visits": In(visit).array(2),
            "gates": In(1).array(2),
            "doubles": In(1).array(2),
            "banks": In(1).array(2),
            "last": In(1),
            "layer": Out(1),
            "start": Out(1),
            "advance": Out(1),
            "mask": Out(Mask),
            "gate": Out(Gate),
            "split": Out(1),
            # weight buffers
            "input_enable": Out(1),
            "input_row": Out(range(rows["input"])),
            "recurrent_enable": Out(1).array(2),
            "recurrent_row": Out(range(rows["recurrent"])).array(2),
            "fc_enable": Out(1).array(2),
            "fc_row": Out(range(rows["fc"])).array(2),
            # execution
            "drain_ready": In(1),
            "operation": Out(Operation),
            "phase": Out(Phase),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        built = c.mechanisms
        issue = Signal(Operation)
        m.d.sync += self.operation.eq(issue)

        sequential, union, merge = Signal(), Signal(), Signal()
        m.d.comb += [
            union.eq((self.mode.recurrent == Recurrent.UNION) & built.union_skip & built.parallel_time_steps),
            sequential.eq((self.mode.recurrent == Recurrent.SEQUENTIAL) | (not built.parallel_time_steps)),
            merge.eq(self.mode.merge & built.merged_spikes),
        ]
        two = self.mode.two_steps
        step = Signal()                      # time step of a scan that takes them one after another, and of LIF
        opening = Signal(init=1)             # next scan slot is the first of its scan
        pass_ = Signal(range(max(2, c.passes)))
        last_pass = Signal()
        m.d.comb += [last_pass.eq(pass_ == c.passes - 1), self.start.eq(opening)]

        def lanes_from_spikes(active):
            for k in range(2):
                m.d.comb += issue.lanes[k].eq(_lane(self.gates[k] & active[k], self.doubles[k], 0, self.banks[k]))

        @contextmanager
        def scan_slot(again):
            """Take one slot of a spike scan; the scan runs twice, for time steps 0 and 1, where `again`."""
            m.d.comb += self.advance.eq(1)
            m.d.sync += opening.eq(self.last)
            with m.If(self.last):
                with m.If(again & ~step):
                    m.d.sync += step.eq(1)
                with m.Else():
                    m.d.sync += step.eq(0)
                    yield

        def recurrent(name, layer, base, next_state, *, clear):
            with m.State(name):
                m.d.comb += [
                    self.phase.eq(Phase[name]), self.layer.eq(layer), issue.source.eq(Source.RECURRENT),
                    issue.clear.eq(opening & ~step if clear else 0),
                    self.split.eq(~two),
                ]
                all_or_step0 = Mask.STEP0 if built.zero_skip_recurrent else Mask.ALL
                with m.If(~two):
                    m.d.comb += [self.mask.eq(all_or_step0), self.gate.eq(Gate.STEP0)]
                with m.Else():
                    m.d.comb += [self.mask.eq(Mux(union & ~sequential, Mask.UNION, Mask.ALL)), self.gate.eq(Gate.OWN)]
                both = ~(two & sequential)
                lanes_from_spikes([both | ~step, both | step])
                for h in range(2):
                    m.d.comb += self.recurrent_enable[h].eq(self.visits[h].valid)
                    m.d.comb += self.recurrent_row[h].eq(self.visits[h].row + base)
                with scan_slot(two & sequential):
                    m.next = next_state

        def lif(name, layer, next_state):
            with m.State(name):
                m.d.comb += [self.phase.eq(Phase[name]), issue.lif.eq(1), issue.layer.eq(layer), issue.step.eq(step)]
                with m.If(two & ~step):
                    m.d.sync += step.eq(1)
                with m.Else():
                    m.d.sync += step.eq(0)
                    m.next = next_state

        with m.FSM():
            with m.State("INPUT"):
                m.d.comb += [
                    self.phase.eq(Phase.INPUT), self.idle.eq(self.input_first & ~self.available),
                    issue.source.eq(Source.INPUT), self.input_row.eq(self.input_index),
                ]
                with m.If(self.available):
                    m.d.comb += [
                        self.input_advance.eq(1), self.input_enable.eq(self.input_read),
                        issue.clear.eq(self.input_first),
                    ]
                    for k in range(2):
                        visit = self.input_visits[k]
                        m.d.comb += issue.lanes[k].eq(_lane(visit.gate, visit.shift, visit.negate, 0))
                    with m.If(self.input_last):
                        m.next = "COMBINE"
            with m.State("COMBINE"):
                m.d.comb += [self.phase.eq(Phase.COMBINE), issue.combine.eq(1), self.discard.eq(1)]
                m.next = "L0_RECURRENT"
            recurrent("L0_RECURRENT", 0, 0, "L0_LIF", clear=False)
            lif("L0_LIF", 0, "L1_RECURRENT")
            recurrent("L1_RECURRENT", 1, c.half, "L1_FORWARD", clear=True)
            recurrent("L1_FORWARD", 0, 2 * c.half, "L1_LIF", clear=False)
            lif("L1_LIF", 1, "WAIT")
            with m.State("WAIT"):
                m.d.comb += self.phase.eq(Phase.WAIT)
                m.next = "FC"
            with m.State("FC"):
                fresh = opening & ~step
                m.d.comb += [
                    self.phase.eq(Phase.FC), self.layer.eq(1), issue.source.eq(Source.FC),
                    self.split.eq(last_pass & c.split_pass),
                ]
                with m.If(two & merge):
                    m.d.comb += [self.mask.eq(Mask.UNION), self.gate.eq(Gate.MERGED)]
                with m.Else():
                    m.d.comb += [self.mask.eq(Mux(step, Mask.STEP1, Mask.STEP0)),
                                 self.gate.eq(Mux(step, Gate.STEP1, Gate.STEP0))]
                if not built.zero_skip_fc:
                    m.d.comb += self.mask.eq(Mask.ALL)
                # The slot that opens a pass also captures the pass before.
                with m.If(~(fresh & (pass_ != 0)) | self.drain_ready):
                    m.d.comb += [issue.clear.eq(fresh), issue.capture.eq(fresh & (pass_ != 0))]
                    lanes_from_spikes([1, 1])
                    joint = self.visits[0].valid | self.visits[1].valid
                    row = Mux(self.visits[0].valid, self.visits[0].row, self.visits[1].row + c.half)
                    for k in range(2):
                        m.d.comb += [
                            self.fc_enable[k].eq(Mux(self.split, self.visits[k].valid, joint)),
                            self.fc_row[k].eq(pass_ * c.neurons + Mux(self.split, self.visits[k].row, row)),
                        ]
                    with scan_slot(two & ~merge):
                        m.d.sync += pass_.eq(Mux(last_pass, 0, pass_ + 1))
                        with m.If(last_pass):
                            m.next = "FINAL"
            with m.State("FINAL"):
                m.d.comb += self.phase.eq(Phase.FINAL)
                with m.If(self.drain_ready):
                    m.d.comb += [issue.capture.eq(1), issue.last_pass.eq(1)]
                    m.next = "INPUT"
        return m


def _lane(gate, shift, negate, bank):
    return LaneControl(Cat(gate, Cat(shift, 0)[:2], negate, bank))
