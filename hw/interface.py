"""What software must know of the accelerator: phases, buffers, registers, modes. Plain Python, no Amaranth."""

from dataclasses import dataclass
from enum import Enum
from functools import cache


class Phase(Enum):
    """What a slot of the sequencer is for, in two recurrent layers; `phases` has any configuration's."""

    INPUT = 0          # type A
    COMBINE = 1
    L0_RECURRENT = 2   # types B, D
    L0_LIF = 3
    L1_RECURRENT = 4
    L1_FORWARD = 5
    L1_LIF = 6
    WAIT = 7           # the last spikes of L1 settle before the FC scan can see them
    FC = 8             # type C
    FINAL = 9          # the last pass is captured


@cache
def phases(config):
    """Phases of a configuration, an `Enum` with a member a cycle counter, in the counters' order.

    All groups of a layer count together, and so do all waits.
    """
    names = ["INPUT", "COMBINE"]
    for k, layer in enumerate(config.layers):
        names += [f"L{k}_RECURRENT"] * layer.recurrent + [f"L{k}_FORWARD"] * (k > 0) + [f"L{k}_LIF"]
    names += ["WAIT", "FC", "FINAL"]
    if names == [phase.name for phase in Phase]:
        return Phase
    return Enum("Phase", {name: value for value, name in enumerate(names)})


class Recurrent(Enum):
    """How the recurrent layers run two time steps (type D). One time step always runs type B."""

    SEQUENTIAL = 0  # time step after time step, every row read twice: the baseline
    PARALLEL = 1    # as published: one read of every row serves both time steps
    UNION = 2       # one read of the rows where OR(s0, s1) = 1
    CHANGE = 3      # kept sums are brought up to date: only neurons whose spike differs from the frame before


class Buffer(Enum):
    """Destination of a word on the load port; the first five are the weight buffers. Rows: docs/load-port.md."""

    INPUT = 0
    RECURRENT0 = 1
    RECURRENT1 = 2
    FC0 = 3
    FC1 = 4
    REGISTER = 5
    NEURONS = 6  # thresholds, leaks and biases of single neurons, where the configuration has them
    DELAYS = 7   # delays of single neurons, where the configuration has them


WEIGHT_BUFFERS = tuple(b.name.lower() for b in Buffer if b.value < Buffer.REGISTER.value)


class Register(Enum):
    """Row of a load to `Buffer.REGISTER`."""

    THRESHOLD0 = 0
    THRESHOLD1 = 1
    MODE = 2     # `Mode.bits`
    CLEAR = 3    # bit 0: potentials and spikes to zero; bit 1: counters to zero
    THRESHOLD2 = 4
    THRESHOLD3 = 5
    THRESHOLD4 = 6
    THRESHOLD5 = 7
    THRESHOLD6 = 8
    THRESHOLD7 = 9


def registers(config):
    """Registers of a configuration: a threshold for each layer, mode and clear."""
    absent = {f"THRESHOLD{k}" for k in range(len(config.layers), 8)}
    return [register for register in Register if register.name not in absent]


@dataclass(frozen=True)
class Mode:
    """What a frame runs as; set on the load port between frames. A mechanism that is not built cannot be selected."""

    two_steps: bool = True
    recurrent: Recurrent = Recurrent.PARALLEL
    merge: bool = True

    @property
    def by_change(self):
        return self.recurrent is Recurrent.CHANGE

    @property
    def bits(self):
        """Value of `Register.MODE`."""
        return int(self.two_steps) | self.recurrent.value << 1 | int(self.merge) << 3

    @property
    def time_steps(self):
        return 2 if self.two_steps else 1

    def built(self, config):
        """This mode as `config`'s mechanisms can run it."""
        mechanisms = config.mechanisms
        recurrent = self.recurrent
        if recurrent is Recurrent.UNION and not mechanisms.union_skip or self.by_change and not config.changes():
            recurrent = Recurrent.PARALLEL
        if not mechanisms.parallel_time_steps:
            recurrent = Recurrent.SEQUENTIAL
        return Mode(self.two_steps, recurrent, self.merge and mechanisms.merged_spikes)


MODES = {
    "t1": Mode(two_steps=False),
    "t2_sequential": Mode(recurrent=Recurrent.SEQUENTIAL),
    "t2_unmerged": Mode(merge=False),
    "t2_merged": Mode(),  # as published
    "t2_union": Mode(recurrent=Recurrent.UNION),
}
BY_CHANGE = {  # where a configuration keeps sums
    "t1_change": Mode(two_steps=False, recurrent=Recurrent.CHANGE),
    "t2_change": Mode(recurrent=Recurrent.CHANGE),
}
ALL_MODES = MODES | BY_CHANGE


def modes_of(config):
    """Modes that differ on a configuration, by name."""
    return ALL_MODES if config.changes() else MODES
