"""The accelerator: two PE sets, five weight buffers, zero-skipping, LIF, drain and sequencer.

arXiv 2503.21337, figures 7 to 12, for any number of layers. Features stream in on `x`, logits stream out on `logits`;
weights, tables of neurons, thresholds and mode come in on `load` between frames. A slot issued in cycle n reads its
rows; they are accumulated in cycle n + 1.
"""

from collections import namedtuple

from amaranth import Cat, Module, Mux, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .combine import Combine
from .counters import Counters
from .direct_drain import DirectDrain
from .hierarchy import place
from .input_buffer import InputBuffer
from .input_scan import InputScan
from .interface import WEIGHT_BUFFERS, Buffer, phases
from .kept_sums import KeptSums
from .lif import Lif
from .load_port import ERROR_BITS, LoadPort
from .logit_drain import LogitDrain
from .parity import COUNT_BITS, Parity, ParityErrors
from .pe_array import PeArray
from .readout import way_out
from .register_file import RegisterFile
from .sequencer import Sequencer
from .spike_select import SpikeSelect
from .two_of_four import TwoOfFour
from .types import Source, load_layout, logits_layout
from .watchdog import EVENT_BITS, Watchdog
from .weight_buffer import WeightBuffer
from .zero_skip import ZeroSkip

Stored = namedtuple("Stored", "enable row data")  # a word on its way into a memory

# Blocks that hold nothing that an idle machine needs: with `sleep` they lose it, and `restart` resets them
LOST = ("input_buffer", "input_scan", "zero_skip", "sequencer", "combine", "pe_set0", "pe_set1", "logit_drain")


def lost(config):
    """Instances that lose what they hold in sleep. Where sums are kept, the sequencer knows whether they are good."""
    return tuple(name for name in LOST if not (name == "sequencer" and config.changes()))


class Accelerator(wiring.Component):
    """Top level. Every stream takes backpressure.

    x          In   stream of features, int8, `features` a frame
    logits     Out  stream of `types.logits_layout`
    load       In   stream of `types.load_layout`, ready between frames; while a word waits, the features of no
                    further frame are taken. docs/load-port.md
    load_errors Out words that were refused since counters were cleared, at most 255
    idle       Out  no frame has begun, no feature waits, the last logit has left, counters are final
    starved    Out  a frame has begun and waits for its next feature
    cycles     Out  by `interface.phases(config)`; the counters are absent with `counters: false`
    row_reads  Out  by `interface.WEIGHT_BUFFERS`
    frames     Out
    restart    In   resets the blocks that are `lost`, while idle; only with `sleep: true`
    bite, hung, bites           Out  `hw.watchdog`; only with `watchdog: true`
    parity_wrong                Out  a row with wrong parity is used in this cycle; only with `parity: true`, as
    parity_failed, parity_errors  Out  `hw.parity.ParityErrors`
    """

    def __init__(self, *, config):
        self.config = config
        ports = {
            "x": In(stream.Signature(signed(config.feature_bits))),
            "logits": Out(stream.Signature(logits_layout(config))),
            "load": In(stream.Signature(load_layout(config))),
            "load_errors": Out(ERROR_BITS),
            "idle": Out(1),
            "starved": Out(1),
        }
        if config.counters:
            ports |= {"cycles": Out(32).array(len(phases(config))), "row_reads": Out(32).array(len(WEIGHT_BUFFERS)),
                      "frames": Out(32)}
        if config.sleep:
            ports["restart"] = In(1)
        if config.watchdog:
            ports |= {"bite": Out(1), "hung": Out(1), "bites": Out(EVENT_BITS)}
        if config.parity:
            ports |= {"parity_wrong": Out(1), "parity_failed": Out(len(WEIGHT_BUFFERS)),
                      "parity_errors": Out(COUNT_BITS)}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        c = self.config

        def add(name, block):
            resets = [self.restart] if c.sleep and name in lost(c) else []
            resets += [self.bite] if c.watchdog and name in LOST else []
            m.submodules[name] = place(block, platform, reset=Cat(resets).any() if resets[1:] else (*resets, None)[0])
            return block

        words = add("input_buffer", InputBuffer(config=c))
        digits = add("input_scan", InputScan(config=c))
        select = add("spike_select", SpikeSelect(config=c))
        skip = add("zero_skip", ZeroSkip(config=c))
        seq = add("sequencer", Sequencer(config=c))
        lif = add("lif", Lif(config=c))
        drain = add("logit_drain", (DirectDrain if c.drain == "direct" else LogitDrain)(config=c))
        port = add("load_port", LoadPort(config=c))
        buffers = {name: add(f"{name}_weights", WeightBuffer(rows=rows, width=width, load_bits=c.load_bits))
                   for name, (rows, width) in c.sizes().items()}

        connect(m, flipped(self.x), words.x)
        connect(m, flipped(self.load), port.load)
        pending = way_out(m, add, c, drain, port.clear_state, self.logits)
        connect(m, digits.scan, seq.digits)
        connect(m, skip.scan, seq.spikes)
        ended = seq.idle & ~seq.operation.capture
        m.d.comb += [
            words.index.eq(digits.scan.index), words.discard.eq(seq.discard), digits.word.eq(words.word),
            select.commit.eq(lif.commit), select.source.eq(seq.source), select.clear.eq(port.clear_state),
            skip.present.eq(select.present),
            seq.mode.eq(port.mode), seq.available.eq(words.available), seq.drain_ready.eq(drain.ready),
            # a frame that ends is captured, and counted, in the cycle after its last slot
            port.open.eq(ended & ~drain.logits.valid if c.readout == "sum" else ended),  # what a clear would miss
            self.idle.eq(port.open & ~pending),
            self.starved.eq(seq.starved), self.load_errors.eq(port.errors),
        ]
        m.d.sync += words.hold.eq(self.load.valid)  # registered, so that `x.ready` depends on no input
        m.d.comb += [into.eq(value) for into, value in zip(lif.thresholds, port.thresholds, strict=True)]
        m.d.comb += [into.eq(spikes) for into, spikes in zip(select.spikes, lif.spikes, strict=True)]
        m.d.comb += [into.eq(spikes) for into, spikes in zip(skip.spikes, select.chosen, strict=True)]
        sums = add("kept_sums", KeptSums(config=c)) if c.sums_apart else lif
        pe = self._lanes(m, add, seq.operation, port.mode, buffers, sums)
        self._neurons(m, add, seq, port, lif, sums)
        self._reads(m, seq, port, buffers)
        if c.delays():
            word = self.load.p
            m.d.comb += [select.write.eq(port.taken[Buffer.DELAYS.value]), select.row.eq(word.row),
                         select.data.eq(word.data)]
        if c.drain == "direct":
            connect(m, seq.drain, drain.control)
        else:
            m.d.comb += [drain.capture.eq(seq.operation.capture), drain.last_pass.eq(seq.operation.last_pass)]
        m.d.comb += [drain.accumulators[k].eq(pe[k].accumulators) for k in range(2)]
        if c.changes():
            self._changes(m, add, seq, port, select, skip, drain)
        if c.counters:
            self._count(m, add("counters", Counters(config=c)), seq, buffers, port.clear_counters)
        if c.watchdog:
            self._watch(m, add("watchdog", Watchdog(config=c)), seq, words, digits, drain, port)
        if c.parity:
            self._check_rows(m, add, buffers, port)
        return m

    def _watch(self, m, dog, seq, words, digits, drain, port):
        connect(m, seq.watched, dog.sequencer)
        m.d.comb += [
            dog.idle.eq(seq.idle), dog.begun.eq(digits.begun), dog.missing.eq(~words.available),
            dog.next.eq(words.next), dog.stalled.eq(drain.logits.valid & ~self.logits.ready),
            dog.clear.eq(port.clear_counters), self.bite.eq(dog.bite), self.hung.eq(dog.hung),
            self.bites.eq(dog.bites),
        ]

    def _check_rows(self, m, add, buffers, port):
        """Beside each weight buffer a memory of its rows' parity, written and read with it."""
        errors = add("parity_count", ParityErrors())
        for i, (name, buffer) in enumerate(buffers.items()):
            rows, width, _ = self.config.memories()[f"{name}_parity"]
            memory = add(f"{name}_parity", WeightBuffer(rows=rows, width=width, load_bits=1, module="parity_memory"))
            check = add(f"{name}_check", Parity(width=buffer.width, load_bits=buffer.load_bits))
            m.d.comb += [
                memory.enable.eq(buffer.enable), memory.write.eq(buffer.write), memory.address.eq(buffer.address),
                memory.write_data.eq(check.bit), check.data.eq(buffer.write_data), check.row.eq(buffer.read_data),
                check.reads.eq(buffer.enable & ~buffer.write.any()), check.stored.eq(memory.read_data),
                errors.wrong[i].eq(check.wrong),
            ]
        m.d.comb += [errors.clear.eq(port.clear_counters), self.parity_failed.eq(errors.failed),
                     self.parity_errors.eq(errors.errors), self.parity_wrong.eq(errors.wrong.any())]

    def _lanes(self, m, add, op, mode, buffers, sums):
        """PE sets: the operation acts on the rows read in the cycle before."""
        serial = self.config.serial_combine
        combine = None if serial else add("combine", Combine(config=self.config))
        pe = [add(f"pe_set{k}", PeArray(config=self.config)) for k in range(2)]
        fc = [buffers[f"fc{k}"].read_data for k in range(2)]
        if self.config.fc_two_of_four:
            packed, unpack = fc, [add(f"two_of_four{k}", TwoOfFour(config=self.config)) for k in range(2)]
            m.d.comb += [block.packed.eq(row) for block, row in zip(unpack, packed, strict=True)]
            fc = [block.row for block in unpack]
        for k in range(2):
            lane = op.lanes[k]
            with m.Switch(op.source):
                with m.Case(Source.INPUT):
                    m.d.comb += pe[k].row.as_value().eq(buffers["input"].read_data)
                with m.Case(Source.RECURRENT):
                    m.d.comb += pe[k].row.as_value().eq(
                        Mux(lane.bank, buffers["recurrent1"].read_data, buffers["recurrent0"].read_data))
                with m.Case(Source.FC):
                    m.d.comb += pe[k].row.as_value().eq(fc[k])
            m.d.comb += [
                pe[k].gate.eq(lane.gate), pe[k].shift.eq(lane.shift), pe[k].negate.eq(lane.negate),
                pe[k].clear.eq(op.clear), *([] if serial else [pe[k].load.eq(op.combine)]),
                sums.accumulators[k].eq(pe[k].accumulators),
            ]
        if serial:
            return pe
        m.d.comb += [
            combine.low.eq(pe[0].accumulators), combine.high.eq(pe[1].accumulators),
            pe[0].value.eq(combine.current), pe[1].value.eq(Mux(mode.two_steps, combine.current.as_value(), 0)),
        ]
        return pe

    def _neurons(self, m, add, seq, port, lif, sums):
        """LIF unit, with its memories where it has any."""
        c, op = self.config, seq.operation
        m.d.comb += [
            lif.enable.eq(op.lif), lif.layer.eq(op.layer), lif.word.eq(op.word), lif.chunk.eq(op.chunk),
            lif.step.eq(op.step), sums.two_steps.eq(port.mode.two_steps), lif.clear.eq(port.clear_state),
        ]
        if c.sums_apart:
            self._sums(m, add, seq, sums)
            m.d.comb += lif.currents.eq(sums.currents)
        if c.lif_in_memory:
            state = add("neuron_state", WeightBuffer(
                rows=c.words, width=c.state_bits, load_bits=c.state_bits, module="state_memory"))
            m.d.comb += [
                lif.fetched.eq(state.read_data), lif.store.eq(op.store), state.write.eq(lif.stored.enable),
                state.write_data.eq(lif.stored.data), state.enable.eq(seq.word_read.enable | lif.stored.enable),
                state.address.eq(Mux(lif.stored.enable, lif.stored.row, seq.word_read.row)),
            ]
        if c.neuron_bits:
            cls = WeightBuffer if c.lif_in_memory else RegisterFile
            table = add("neuron_table", cls(rows=c.words, width=c.neuron_bits, load_bits=c.load_bits))
            self._access(m, table, port.taken[Buffer.NEURONS.value], seq.word_read, seq.idle)
            m.d.comb += lif.fields.eq(table.read_data)

    def _sums(self, m, add, seq, sums):
        """The unit before the LIF unit, with its memories."""
        c, op = self.config, seq.operation
        m.d.comb += [
            sums.enable.eq(op.lif), sums.store.eq(op.store), sums.layer.eq(op.layer), sums.word.eq(op.word),
            sums.chunk.eq(op.chunk), sums.step.eq(op.step), sums.use.eq(seq.kept.use),
        ]
        if c.sums_kept:
            m.d.comb += sums.fetched.eq(self._written_whole(
                m, add, "neuron_kept", sums.kept, seq.kept.read, seq.word_read.row))
        if c.serial_combine:
            m.d.comb += [sums.combine.eq(op.combine), sums.waiting.eq(self._written_whole(
                m, add, "neuron_input", sums.current, seq.kept.read_current, seq.word_read.row))]

    def _written_whole(self, m, add, name, stored, read, row):
        """A memory of rows that are written whole; returns its read data."""
        rows, width, _ = self.config.memories()[name]
        memory = add(name, WeightBuffer(rows=rows, width=width, load_bits=width, module="state_memory"))
        m.d.comb += [
            memory.write.eq(stored.enable), memory.write_data.eq(stored.data), memory.enable.eq(stored.enable | read),
            memory.address.eq(Mux(stored.enable, stored.row, row)),
        ]
        return memory.read_data

    def _changes(self, m, add, seq, port, select, skip, drain):
        """Spikes of the frame before, logits that are kept, and when kept sums are not those of the weights."""
        loads = [name.upper() for name in WEIGHT_BUFFERS] + ["DELAYS"]
        m.d.comb += [before.eq(spikes) for before, spikes in zip(skip.before, select.before, strict=True)]
        m.d.comb += seq.kept.forget.eq(Cat(port.taken[Buffer[n].value] for n in loads).any() | port.clear_state)
        if self.config.readout_on_change:
            for k, kept in enumerate(drain.memories):
                m.d.comb += kept.fetched.eq(self._written_whole(
                    m, add, f"kept_logits{k}", Stored(kept.write, kept.row, kept.data), kept.enable, kept.row))

    def _reads(self, m, seq, port, buffers):
        """Row addresses: the load port's while idle, the sequencer's while a frame runs."""
        reads = [seq.input_read, *seq.recurrent_read, *seq.fc_read]
        for read, (name, buffer) in zip(reads, buffers.items(), strict=True):
            self._access(m, buffer, port.taken[Buffer[name.upper()].value], read, seq.idle)

    def _access(self, m, buffer, selected, read, idle):
        word = self.load.p
        m.d.comb += [
            buffer.enable.eq(read.enable | selected),
            buffer.address.eq(Mux(idle, word.row, read.row)),
            buffer.write_data.eq(word.data),
            buffer.write.eq(selected << word.slice if len(buffer.write) > 1 else selected),
        ]

    def _count(self, m, counters, seq, buffers, clear):
        op = seq.operation
        m.d.comb += [
            counters.phase.eq(seq.phase), counters.count.eq(~seq.idle), counters.clear.eq(clear),
            counters.frame.eq(op.capture & op.last_pass), self.frames.eq(counters.frames),
        ]
        m.d.comb += [counters.reads[i].eq(buffers[name].enable & ~buffers[name].write.any())
                     for i, name in enumerate(WEIGHT_BUFFERS)]
        m.d.comb += [out.eq(count) for out, count in zip(self.cycles, counters.cycles, strict=True)]
        m.d.comb += [out.eq(count) for out, count in zip(self.row_reads, counters.row_reads, strict=True)]
