"""The accelerator: two PE sets, five weight buffers, zero-skipping, LIF, drain and sequencer.

arXiv 2503.21337, figures 7 to 12. Features stream in on `x`, logits stream out on `logits`; weights, thresholds and
mode come in on `load` between frames. A slot issued in cycle n reads its rows; they are accumulated in cycle n + 1.
"""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .combine import Combine
from .counters import Counters
from .hierarchy import place
from .input_buffer import InputBuffer
from .input_scan import InputScan
from .interface import WEIGHT_BUFFERS, Buffer, Phase, Register
from .lif import Lif
from .logit_drain import LogitDrain
from .pe_array import PeArray
from .sequencer import Sequencer
from .types import Mode, Source, load_layout, logits_layout
from .weight_buffer import WeightBuffer
from .zero_skip import ZeroSkip


class Accelerator(wiring.Component):
    """Top level. Every stream takes backpressure; `load` is ready only while `idle`.

    `cycles`, `row_reads` and `frames` are the counters' (absent with `counters: false`), in the order of
    `interface.Phase` and `interface.WEIGHT_BUFFERS`.
    """

    def __init__(self, *, config):
        self.config = config
        ports = {
            "x": In(stream.Signature(signed(config.feature_bits))),
            "logits": Out(stream.Signature(logits_layout(config))),
            "load": In(stream.Signature(load_layout(config))),
            "idle": Out(1),
        }
        if config.counters:
            ports |= {"cycles": Out(32).array(len(Phase)), "row_reads": Out(32).array(len(WEIGHT_BUFFERS)),
                      "frames": Out(32)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        c = self.config

        def add(name, block):
            m.submodules[name] = place(block, platform)
            return block

        words = add("input_buffer", InputBuffer(config=c))
        scan = add("input_scan", InputScan(config=c))
        skip = add("zero_skip", ZeroSkip(config=c))
        seq = add("sequencer", Sequencer(config=c))
        combine = add("combine", Combine(config=c))
        lif = add("lif", Lif(config=c))
        drain = add("logit_drain", LogitDrain(config=c))
        pe = [add(f"pe_set{k}", PeArray(config=c)) for k in range(2)]
        buffers = {name: add(f"{name}_weights", WeightBuffer(rows=rows, width=width, load_bits=c.load_bits))
                   for name, (rows, width) in c.sizes().items()}

        connect(m, flipped(self.x), words.x)
        connect(m, drain.logits, flipped(self.logits))
        thresholds = [Signal(c.potential_bits, name=f"threshold_{layer}", init=1) for layer in range(2)]
        mode = Signal(Mode)
        clear_state, clear_counters = Signal(), Signal()
        self._load(m, buffers, thresholds, mode, clear_state, clear_counters)

        # Scans and sequencer
        for k in range(2):
            m.d.comb += [
                seq.input_visits[k].eq(scan.visits[k]), seq.visits[k].eq(skip.visits[k]),
                seq.gates[k].eq(skip.gates[k]), seq.doubles[k].eq(skip.doubles[k]), seq.banks[k].eq(skip.banks[k]),
                skip.spikes[k].eq(Mux(seq.layer, lif.spikes[2 + k], lif.spikes[k])),
            ]
        m.d.comb += [
            words.index.eq(scan.index), words.discard.eq(seq.discard),
            scan.word.eq(words.word), scan.advance.eq(seq.input_advance),
            seq.mode.eq(mode), seq.available.eq(words.available), seq.input_first.eq(scan.first),
            seq.input_read.eq(scan.read), seq.input_last.eq(scan.last), seq.input_index.eq(scan.index),
            skip.start.eq(seq.start), skip.advance.eq(seq.advance), skip.mask.eq(seq.mask), skip.gate.eq(seq.gate),
            skip.split.eq(seq.split), seq.last.eq(skip.last), seq.drain_ready.eq(drain.ready), self.idle.eq(seq.idle),
        ]

        # Execution: the operation acts on the rows read in the cycle before
        op = seq.operation
        for k in range(2):
            lane = op.lanes[k]
            with m.Switch(op.source):
                with m.Case(Source.INPUT):
                    m.d.comb += pe[k].row.as_value().eq(buffers["input"].read_data)
                with m.Case(Source.RECURRENT):
                    m.d.comb += pe[k].row.as_value().eq(
                        Mux(lane.bank, buffers["recurrent1"].read_data, buffers["recurrent0"].read_data))
                with m.Case(Source.FC):
                    m.d.comb += pe[k].row.as_value().eq(buffers[f"fc{k}"].read_data)
            m.d.comb += [
                pe[k].gate.eq(lane.gate), pe[k].shift.eq(lane.shift), pe[k].negate.eq(lane.negate),
                pe[k].clear.eq(op.clear), pe[k].load.eq(op.combine),
                lif.accumulators[k].eq(pe[k].accumulators), drain.accumulators[k].eq(pe[k].accumulators),
                lif.thresholds[k].eq(thresholds[k]),
            ]
        m.d.comb += [
            combine.low.eq(pe[0].accumulators), combine.high.eq(pe[1].accumulators),
            pe[0].value.eq(combine.current), pe[1].value.eq(Mux(mode.two_steps, combine.current.as_value(), 0)),
            lif.enable.eq(op.lif), lif.layer.eq(op.layer), lif.step.eq(op.step), lif.two_steps.eq(mode.two_steps),
            lif.clear.eq(clear_state),
            drain.capture.eq(op.capture), drain.last_pass.eq(op.last_pass),
        ]
        if c.counters:
            counters = add("counters", Counters())
            m.d.comb += [
                counters.phase.eq(seq.phase), counters.count.eq(~seq.idle), counters.clear.eq(clear_counters),
                counters.frame.eq(op.capture & op.last_pass), self.frames.eq(counters.frames),
            ]
            m.d.comb += [counters.reads[i].eq(buffers[name].enable & ~buffers[name].write.any())
                         for i, name in enumerate(WEIGHT_BUFFERS)]
            m.d.comb += [self.cycles[i].eq(counters.cycles[i]) for i in range(len(Phase))]
            m.d.comb += [self.row_reads[i].eq(counters.row_reads[i]) for i in range(len(WEIGHT_BUFFERS))]
        self._reads(m, seq, buffers)
        return m

    def _reads(self, m, seq, buffers):
        """Row addresses: the load port's while idle, the sequencer's while a frame runs."""
        sources = [(seq.input_enable, seq.input_row)]
        sources += [(seq.recurrent_enable[k], seq.recurrent_row[k]) for k in range(2)]
        sources += [(seq.fc_enable[k], seq.fc_row[k]) for k in range(2)]
        word = self.load.p
        for (enable, row), (name, buffer) in zip(sources, buffers.items(), strict=True):
            selected = self.load.valid & self.load.ready & (word.buffer == Buffer[name.upper()])
            m.d.comb += [
                buffer.enable.eq(enable | selected),
                buffer.address.eq(Mux(seq.idle, word.row, row)),
                buffer.write_data.eq(word.data),
                buffer.write.eq(selected << word.slice if self.config.slices > 1 else selected),
            ]

    def _load(self, m, buffers, thresholds, mode, clear_state, clear_counters):
        """Registers behind the load port."""
        word = self.load.p
        m.d.comb += self.load.ready.eq(self.idle)
        with m.If(self.load.valid & self.load.ready & (word.buffer == Buffer.REGISTER)):
            with m.Switch(word.row):
                with m.Case(Register.THRESHOLD0.value):
                    m.d.sync += thresholds[0].eq(word.data)
                with m.Case(Register.THRESHOLD1.value):
                    m.d.sync += thresholds[1].eq(word.data)
                with m.Case(Register.MODE.value):
                    m.d.sync += mode.as_value().eq(word.data)
                with m.Case(Register.CLEAR.value):
                    m.d.comb += [clear_state.eq(word.data[0]), clear_counters.eq(word.data[1])]
