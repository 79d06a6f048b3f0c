"""What the blocks share: scan selections, the operation that the sequencer issues, payloads, and named signatures.

A signature is written from the side of the block that offers it; the sequencer has the other side and the top connects.
"""

from amaranth import Cat, Const, signed
from amaranth.lib import data, enum
from amaranth.lib.wiring import In, Out, Signature

from .interface import Buffer, Recurrent, registers


def index_bits(count):
    """Bits that number `count` things: at least one, for Verilog has no ports of none."""
    return max(1, (count - 1).bit_length())


class Mask(enum.Enum, shape=2):
    """Which neurons a spike scan visits."""

    ALL = 0
    UNION = 1
    STEP0 = 2
    STEP1 = 3


class Gate(enum.Enum, shape=2):
    """Which spike lets a visited row into the accumulators."""

    OWN = 0     # set k: s_k (type D)
    STEP0 = 1   # both sets: s_0
    STEP1 = 2   # both sets: s_1
    MERGED = 3  # both sets: OR(s0, s1), doubled where AND(s0, s1) (type C)


class Source(enum.Enum, shape=2):
    """Which weight buffer feeds the PE sets."""

    INPUT = 0
    RECURRENT = 1
    FC = 2


class Mode(data.Struct):
    """Bits of `interface.Mode`."""

    two_steps: 1
    recurrent: Recurrent
    merge: 1


class LaneControl(data.Struct):
    """What one PE set does with the row it is given: accumulator += gate ? ±(weight << shift) : 0."""

    gate: 1
    shift: 2
    negate: 1
    bank: 1


def lane_slot(gate, shift, negate, bank):
    """`LaneControl` of its fields, the shift of one bit or two."""
    return LaneControl(Cat(gate, Cat(shift, Const(0, 1))[:2], negate, bank))


def operation_layout(config):
    """One slot of the sequencer, executed in the cycle after it is issued, when its rows have been read.

    clear: accumulators start from zero.  combine: they take the input current.  capture: logits leave them.
    last_pass: the capture is a frame's last.  lif: a time step `step` of word `word` of the neurons, which belongs to
    `layer` and whose currents are the accumulators from `chunk` x `lif_lanes` on.  store: with that slot the word is
    done (used where potentials are in a memory).  source, lanes: what the PE sets do.
    """
    return data.StructLayout({
        "clear": 1, "combine": 1, "capture": 1, "last_pass": 1,
        "lif": 1, "store": 1, "step": 1,
        "layer": index_bits(len(config.layers)),
        "word": index_bits(config.words),
        "chunk": index_bits(config.lanes // config.lif_lanes),
        "source": Source,
        "lanes": data.ArrayLayout(LaneControl, 2),
    })


def change_scan(config):
    """What a scan of changes adds to `spike_scan`; nothing where no sum is kept and no difference of time steps taken.

    change      In   visit the neurons whose spikes differ from the frame before; only where sums are kept
    negates[k]  Out  the row is subtracted in PE set k
    """
    return ({"change": In(1)} if config.changes() else {}) | (
        {"negates": Out(1).array(2)} if config.scans_negate else {})


def digit_scan(config):
    """Scan of the input features' digits (type A): one slot a cycle while `advance`.

    visits[k]   Out  what PE set k does with the row of feature `index`
    index       Out  the feature of this slot
    first       Out  the slot opens a frame
    read        Out  the slot opens a feature whose row must be read
    last        Out  the slot ends the frame
    advance     In   the slot is taken
    """
    return Signature({
        "visits": Out(data.StructLayout({"gate": 1, "shift": 2, "negate": 1})).array(2),
        "index": Out(range(config.features)),
        "first": Out(1), "read": Out(1), "last": Out(1),
        "advance": In(1),
    })


def spike_scan(config):
    """Scan of spikes (types B, C, D): one slot a cycle while `advance`.

    visits[h]   Out  valid: half h of the neurons is visited, at its neuron `row`
    gates[k]    Out  the row is added in PE set k
    doubles[k]  Out  ... twice
    banks[k]    Out  the bank (half) whose row PE set k takes
    last        Out  the slot ends the scan
    start       In   the slot opens a scan
    advance     In   the slot is taken
    mask, gate  In   which neurons are visited, and which spike opens the gate
    split       In   each PE set scans its own half
    change, negates    `change_scan`
    """
    return Signature({
        "visits": Out(data.StructLayout({"valid": 1, "row": range(config.half)})).array(2),
        "gates": Out(1).array(2), "doubles": Out(1).array(2), "banks": Out(1).array(2),
        "last": Out(1),
        "start": In(1), "advance": In(1), "mask": In(Mask), "gate": In(Gate), "split": In(1),
        **change_scan(config),
    })


def row_read(rows):
    """Read of a memory: the row comes one cycle after `enable`.

    enable  Out  read in this cycle
    row     Out  address
    """
    return Signature({"enable": Out(1), "row": Out(index_bits(rows))})


def memory_ports(rows, width, load_bits):
    """Ports of a memory of `rows` x `width` bits; a cycle either reads or writes.

    enable      In   read, or write the slices that `write` names
    write       In   a bit for each slice of `load_bits`
    address     In   row
    write_data  In   a slice
    read_data   Out  the row last read, from the cycle after on
    """
    return {
        "enable": In(1),
        "write": In(width // load_bits),
        "address": In(index_bits(rows)),
        "write_data": In(load_bits),
        "read_data": Out(width),
    }


def load_layout(config):
    """Payload of the load port: one write slice of one row of one buffer (docs/load-port.md)."""
    rows = [count for count, _ in config.sizes().values()] + [max(r.value for r in registers(config)) + 1]
    rows += [config.words] * bool(config.neuron_bits) + [r.stop for r in config.delay_rows().values()]
    slices = max(config.slices, config.fc_row_bits // config.load_bits, config.neuron_bits // config.load_bits)
    return data.StructLayout({
        "buffer": Buffer,
        "row": index_bits(max(rows)),
        "slice": index_bits(slices),
        "data": config.load_bits,
    })


def drain_layout(config):
    """Payload of a beat of logits as the PE sets' drain sends it: neighbouring outputs, lowest first; `last` closes the
    frame."""
    return _beat(config.logit_bits, config.logits_per_beat)


def logits_layout(config):
    """Payload of the stream that leaves: `drain_layout`, or, with a `readout` of another kind, value and index."""
    return _beat(config.result_bits, config.results_per_beat)


def _beat(bits, count):
    return data.StructLayout({"values": data.ArrayLayout(signed(bits), count), "last": 1})
