"""Leaky integrate-and-fire, equation (2) of arXiv 2503.21337, with leak, threshold and bias a layer or a neuron.

    v = saturate(u - leak(u) + (current << potential_fraction) + bias)    leak(u) = u >> leak_shift, 0 for a shift of 0
    s = v >= threshold                       at v = threshold the neuron fires
    u = s ? 0 : v                            reset "zero";  "subtract": s ? v - threshold : v

With a `synapse_shift` the current is i = saturate(i - (i >> synapse_shift) + (current << potential_fraction)) instead.

u is Q12.4 (`paper`), kept from frame to frame; the time steps of a frame follow each other through the same u. The unit
serves a word of `lif_lanes` neurons a cycle, latency 1 cycle. From `sizes.STATE_WORDS` words on, u and i live in a
memory outside (`fetched` comes with the operation, `stored` leaves two slots later), otherwise in flip-flops here.
"""

from amaranth import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .types import index_bits


def pick(index, values):
    """values[index], without a multiplexer where all are the same."""
    if len(values) == 1 or all(isinstance(value, int) for value in values) and len(set(values)) == 1:
        return values[0]
    return Mux(index, values[1], values[0]) if len(values) == 2 else Array(values)[index]


class Lif(wiring.Component):
    """LIF unit: spikes of all layers, and their potentials where they are in flip-flops.

    enable          In   one time step of one word of neurons, by the four that follow (`types.operation_layout`)
    layer, word, chunk, step
    two_steps       In   the current is set `step`'s accumulators; low: the sum of both sets
    clear           In   zeroes potentials and spikes
    accumulators    In   [2] lanes, the PE sets'
    currents        In   in place of both, the word's currents, where `KeptSums` makes them
    thresholds      In   [layers], for layers without thresholds of their neurons
    fields          In   the word's fields a neuron (`config.neuron_fields()`), where the configuration has any
    spikes          Out  [2 x layer + step], neuron by neuron; hold until that layer's next frame; at one time step
                         those of step 1 are zero. A layer's groups appear together.
    commit          Out  [layers] in the cycle before the spikes of a layer's new frame begin to appear
    potentials      Out  [layers], only where they are in flip-flops
    fetched         In   the word's state, only where it is in a memory; as `store`, `stored`
    store           In   with this slot the word is done
    stored          Out  enable, row, data: write to the memory
    """

    def __init__(self, *, config):
        c = self.config = config
        lanes = data.ArrayLayout(signed(c.accumulator_bits), c.lanes)
        ports = {
            "enable": In(1),
            "layer": In(index_bits(len(c.layers))),
            "word": In(index_bits(c.words)),
            "chunk": In(index_bits(c.lanes // c.lif_lanes)),
            "step": In(1),
            "two_steps": In(1),
            "clear": In(1),
            "accumulators": In(lanes).array(2),
            "thresholds": In(c.potential_bits).array(len(c.layers)),
            "spikes": Out(c.widest).array(2 * len(c.layers)),
            "commit": Out(len(c.layers)),
        }
        if c.sums_apart:
            del ports["two_steps"], ports["accumulators"]
            ports["currents"] = In(data.ArrayLayout(signed(c.accumulator_bits + 1), c.lif_lanes))
        if c.neuron_bits:
            ports["fields"] = In(c.neuron_bits)
        if c.lif_in_memory:
            stored = wiring.Signature({"enable": Out(1), "row": Out(index_bits(c.words)), "data": Out(c.state_bits)})
            ports |= {"fetched": In(c.state_bits), "store": In(1), "stored": Out(stored)}
        else:
            potentials = data.ArrayLayout(signed(c.potential_bits), c.widest)
            ports["potentials"] = Out(potentials).array(len(c.layers))
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        c = self.config
        top = (1 << (c.potential_bits - 1)) - 1

        def saturate(total):
            return Mux(total > top, top, Mux(total < -top - 1, -top - 1, total))

        fields, held = self._fields(), self._state(m)
        fired, work, currents = [], [], []
        for lane in range(c.lif_lanes):
            field = fields[lane]
            current = Signal(signed(c.accumulator_bits + 1), name=f"current_{lane}")
            before = Signal(signed(c.potential_bits), name=f"before_{lane}")
            leaked = Signal(signed(c.potential_bits + 1), name=f"leaked_{lane}")
            v = Signal(signed(c.potential_bits), name=f"v_{lane}")
            after = Signal(signed(c.potential_bits), name=f"after_{lane}")
            spike = Signal(name=f"spike_{lane}")
            m.d.comb += [
                current.eq(self._current(lane)),
                before.eq(held["potential"][lane]),
                leaked.eq(self._leaked(before, field)),
            ]
            added = current << c.potential_fraction
            if c.synapses:
                added = self._synapse(m, lane, added, held, saturate)
                work.append(added)
            exact = leaked + added + field["bias"] if "bias" in field else leaked + added
            total = Signal(exact.shape(), name=f"total_{lane}")
            threshold = field["threshold"]
            rest = {"zero": 0, "subtract": v - threshold}
            m.d.comb += [
                total.eq(exact),
                v.eq(saturate(total)),
                spike.eq(v >= threshold),
                after.eq(Mux(spike, pick(self.layer, [rest[layer.reset] for layer in c.layers])
                             if len({layer.reset for layer in c.layers}) > 1 else rest[c.reset], v)),
            ]
            fired.append(spike)
            work.append(after)
            currents.append(current)
        each = 1 + c.synapses
        self._keep(m, {"potential": work[each - 1::each]} | ({"synapse": work[::each]} if c.synapses else {}))
        self._spikes(m, fired)
        self._show(m, currents, work[each - 1::each], fired)
        return m

    def _current(self, lane):
        """What the lane adds: of PE set `step`, or of both."""
        c = self.config
        if c.sums_apart:
            return self.currents[lane]
        acc = [pick(self.chunk, [self.accumulators[k][chunk * c.lif_lanes + lane]
                                 for chunk in range(c.lanes // c.lif_lanes)]) for k in range(2)]
        return Mux(self.two_steps, Mux(self.step, acc[1], acc[0]), acc[0] + acc[1])

    def _show(self, m, currents, potentials, fired):
        """What benches and harness look at: a word's new state in the cycle before it is kept. Drives nothing."""
        for name, value in {"seen": self.enable, "seen_word": self.word, "seen_step": self.step,
                            "seen_currents": Cat(currents), "seen_potentials": Cat(potentials),
                            "seen_spikes": Cat(fired)}.items():
            seen = Signal(len(value), name=name)
            m.d.comb += seen.eq(value)

    def _fields(self):
        """Threshold, leak and bias of each lane: from the table, or the layer's for all."""
        c = self.config
        layout, width = c.neuron_fields(), sum(c.neuron_fields().values())
        shared = Signal(signed(c.potential_bits + 1), name="threshold")
        lanes = []
        for lane in range(c.lif_lanes):
            found, at = {"threshold": shared}, lane * width
            for name, bits in layout.items():
                value = self.fields[at:at + bits]
                found[name], at = value.as_signed() if name == "bias" else value, at + bits
            lanes.append(found)
        self.shared_threshold = shared
        return lanes

    def _leaked(self, u, field):
        if "leak" in field:
            return u - Mux(field["leak"] == 0, 0, u >> field["leak"])
        shifts = self.config.leak_shift
        return _by_layer(self.layer, shifts, lambda shift: u - (u >> shift) if shift else u)

    def _synapse(self, m, lane, added, held, saturate):
        """The word's synaptic current after this time step, for layers that have one; `added` for others."""
        c = self.config
        i = Signal(signed(c.potential_bits), name=f"synapse_before_{lane}")
        decayed = _by_layer(self.layer, [layer.synapse_shift for layer in c.layers],
                            lambda shift: i - (i >> shift) if shift else 0)
        exact = Value.cast(decayed + added)
        total = Signal(exact.shape(), name=f"synapse_total_{lane}")
        after = Signal(exact.shape(), name=f"synapse_after_{lane}")
        m.d.comb += [
            i.eq(held["synapse"][lane]), total.eq(exact),
            # of a layer without synapses the current is exact, as it is where nobody has any
            after.eq(_by_layer(self.layer, [bool(layer.synapse_shift) for layer in c.layers],
                               lambda kept: saturate(total) if kept else total)),
        ]
        return after

    def _state(self, m):
        """State of the word before this time step: name -> by lane."""
        c = self.config
        shared = self.shared_threshold
        m.d.comb += shared.eq(pick(self.layer, list(self.thresholds)))
        names = ["potential"] + ["synapse"] * c.synapses
        restart = Signal()  # this time step starts from zero
        keep = [layer.persist for layer in c.layers]
        m.d.comb += restart.eq(~self.step & _by_layer(self.layer, keep, lambda kept: int(not kept)))
        if not c.lif_in_memory:
            self.registers = {name: self._registers(name) for name in names}
            held = {name: [pick(self.word, words) for words in zip(*self._by_word(name), strict=True)]
                    for name in names}
            return held if all(keep) else {name: [Mux(restart, 0, u) for u in lanes] for name, lanes in held.items()}
        # A memory is not zeroed: after a clear, the first frame takes no notice of it.
        fresh = Signal(len(c.layers), init=-1)
        self.work = {name: [Signal(signed(c.potential_bits), name=f"{name}_{lane}") for lane in range(c.lif_lanes)]
                     for name in names}
        for k in range(len(c.layers)):
            with m.If(self.enable & (self.word == c.first_word(k) + c.words_of(k) - 1)):
                m.d.sync += fresh[k].eq(0)
        with m.If(self.clear):
            m.d.sync += fresh.eq(~0)
        stale = restart | (~self.step & pick(self.layer, list(fresh)))
        held = {}
        for place, name in enumerate(names):
            word = self.fetched[place * c.lif_lanes * c.potential_bits:]
            held[name] = [
                Mux(self.step, kept, Mux(stale, 0, word.word_select(lane, c.potential_bits).as_signed()))
                for lane, kept in enumerate(self.work[name])]
        return held

    def _registers(self, name):
        """[layer][neuron] flip-flops."""
        return [[Signal(signed(self.config.potential_bits), name=f"{name}_{k}_{i}") for i in range(layer.neurons)]
                for k, layer in enumerate(self.config.layers)]

    def _by_word(self, name):
        """[word][lane] of the flip-flops, 0 where a layer's last word has no neuron."""
        c = self.config
        for k, layer in enumerate(c.layers):
            for first in range(0, layer.neurons, c.lif_lanes):
                neurons = self.registers[name][k][first:first + c.lif_lanes]
                yield neurons + [0] * (c.lif_lanes - len(neurons))

    def _keep(self, m, after):
        """Takes over what a time step leaves: name -> by lane."""
        c = self.config
        if c.lif_in_memory:
            for name, lanes in self.work.items():
                with m.If(self.enable):
                    m.d.sync += [kept.eq(value) for kept, value in zip(lanes, after[name], strict=True)]
            m.d.sync += [self.stored.enable.eq(self.store), self.stored.row.eq(self.word)]
            m.d.comb += self.stored.data.eq(Cat(*(lane for lanes in self.work.values() for lane in lanes)))
            return
        for name in self.registers:
            for word, registers in enumerate(self._by_word(name)):
                for lane, register in enumerate(registers):
                    if isinstance(register, int):
                        continue
                    with m.If(self.clear):
                        m.d.sync += register.eq(0)
                    with m.Elif(self.enable & (self.word == word)):
                        m.d.sync += register.eq(after[name][lane])
        for k, neurons in enumerate(self.registers["potential"]):
            m.d.comb += [self.potentials[k][i].eq(u) for i, u in enumerate(neurons)]

    def _spikes(self, m, fired):
        """Spikes of the last group go where scans see them; those of earlier groups wait for it."""
        c = self.config
        for k, layer in enumerate(c.layers):
            early = (c.groups_of(k) - 1) * c.lanes
            waiting = [Signal(early, name=f"waiting_{k}_{step}") for step in range(2)] if early else []
            newest = c.group_words(k, c.groups_of(k) - 1)
            m.d.comb += self.commit[k].eq(self.enable & ~self.step & (self.word == newest.start))
            for first in range(0, layer.neurons, c.lif_lanes):
                word, count = c.first_word(k) + first // c.lif_lanes, min(c.lif_lanes, layer.neurons - first)
                now = Cat(fired[:count])
                for step in range(2):
                    target = (waiting[step] if first < early else self.spikes[2 * k + step])[first:first + count]
                    with m.If(self.clear):
                        m.d.sync += target.eq(0)
                    with m.Elif(self.enable & (self.word == word)):
                        if step == 0:
                            with m.If(~self.step):
                                m.d.sync += target.eq(now)
                        else:
                            m.d.sync += target.eq(Mux(self.step, now, 0))
            for step, bits in enumerate(waiting):
                shown = self.spikes[2 * k + step][:early]
                with m.If(self.clear):
                    m.d.sync += shown.eq(0)
                with m.Elif(self.commit[k]):
                    m.d.sync += shown.eq(bits)


def _by_layer(layer, fields, expression):
    """expression(field) of the layer at hand; one copy where all layers have the same field."""
    if len(set(fields)) == 1:
        return expression(fields[0])
    return pick(layer, [expression(field) for field in fields])
