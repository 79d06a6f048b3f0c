"""Layouts shared by the blocks: scan selections, the operation that the sequencer issues, the ports' payloads."""

from amaranth import signed
from amaranth.lib import data, enum

from .interface import Buffer, Recurrent, Register


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


class Operation(data.Struct):
    """One slot of the sequencer, executed in the cycle after it is issued, when its rows have been read."""

    clear: 1      # accumulators start from zero
    combine: 1    # accumulators take the input current
    capture: 1    # logits leave the accumulators
    last_pass: 1  # capture is a frame's last
    lif: 1
    layer: 1
    step: 1
    source: Source
    lanes: data.ArrayLayout(LaneControl, 2)


def load_layout(config):
    """Payload of the load port: one write slice of one row of one buffer."""
    rows = max(max(count for count, _ in config.sizes().values()), len(Register))
    return data.StructLayout({
        "buffer": Buffer,
        "row": range(rows),
        "slice": max(1, (config.slices - 1).bit_length()),
        "data": config.load_bits,
    })


def logits_layout(config):
    """Payload of the logit stream: neighbouring outputs, lowest first; `last` closes the frame."""
    return data.StructLayout({
        "values": data.ArrayLayout(signed(config.logit_bits), config.logits_per_beat),
        "last": 1,
    })
