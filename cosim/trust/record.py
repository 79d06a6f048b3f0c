"""What a run of the accelerator left, a row of 32-bit words a cycle, as named columns."""

import numpy as np

from cosim.trust import watched
from hw.interface import MODES
from hw.program import program


class Run:
    """Columns of a record as arrays (T,), wide ones (T, lanes)."""

    def __init__(self, record, config):
        self.record, self.config, self.at = record, config, watched.columns(config)
        self.live = self["rst"] == 0
        self.steps = program(config)
        kinds = np.full(256, -1)  # of a position that the program lacks, where an upset leads: none
        kinds[:len(self.steps)] = [step.kind.value for step in self.steps]
        self.kinds = kinds[self["sequencer.position"]]

    def __getitem__(self, name):
        part = self.record[:, self.at[name]]
        return part[:, 0] if part.shape[1] == 1 else part

    def when(self, *names):
        """Cycles in which all of these are high, out of reset."""
        return np.flatnonzero(self.live & np.all([self[name] != 0 for name in names], axis=0))

    def lanes(self, name, width, count, rows):
        """(rows, count) signed integers of `width` bits each."""
        part = np.ascontiguousarray(self.record[rows, self.at[name]])
        bits = np.unpackbits(part.view(np.uint8).reshape(len(rows), -1), axis=1, bitorder="little")
        fields = bits[:, :width * count].reshape(len(rows), count, width).astype(np.int64)
        return (fields * np.r_[1 << np.arange(width - 1), -(1 << width - 1)]).sum(2)

    def compared(self, rows):
        """(rows, lanes) potentials that are compared with the threshold."""
        c = self.config
        v = np.stack([self[f"lif.v_{lane}"][rows] for lane in range(c.lif_lanes)], 1).astype(np.int64)
        return v - (v >> c.potential_bits - 1 << c.potential_bits)

    def starts(self):
        """Cycles in which a scan of spikes opens."""
        return self.when("sequencer.spikes__start", "sequencer.spikes__advance")

    def frames(self):
        """Cycles in which a frame's first digits are taken."""
        at = self.when("sequencer.digits__first", "sequencer.digits__advance")
        return at[self["sequencer.position"][at] == 0]

    def modes(self, rows):
        """Name of each row's mode, "" where it is none of the named ones."""
        known = {mode.bits: name for name, mode in MODES.items()}
        return [known.get(int(bits), "") for bits in self["sequencer.mode"][rows]]
