"""Zero-skipping unit, type A: the digits of each feature, slot by slot, against `golden.input_scan`."""

import cocotb
import torch
from cocotb.triggers import FallingEdge, ReadOnly

from cosim.bench.packing import Ports
from cosim.bench.setup import powered, scoreboard, seed
from cosim.bench.streams import PAUSES, never, pauses
from sw import golden


class Scan:
    """Feeds the features of one frame after another and reads each slot."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config
        self.scan = Ports(dut, "scan")
        self.scan.advance.value = 0

    async def frame(self, x, idle):
        """x (F,) -> slots: feature, read, first, last, then gate, shift and negate of each PE set (shift 0 if idle)."""
        dut, scan, slots, last = self.dut, self.scan, [], False
        while not last and len(slots) <= 4 * self.config.features:
            # the index is a register: the input buffer answers within the same cycle
            dut.word.value = int(x[int(scan.index.value)])
            scan.advance.value = int(not next(idle))
            await ReadOnly()
            if int(scan.advance.value):
                last = bool(int(scan.last.value))
                flags = (int(signal.value) for signal in (scan.index, scan.read, scan.first, scan.last))
                slots.append([*flags, *self._sets()])
            await FallingEdge(dut.clk)
        scan.advance.value = 0
        return slots

    def _sets(self):
        fields = []
        for k in range(2):
            visit = int(self.scan[f"visits__{k}"].value)
            gate, shift, negate = visit & 1, visit >> 1 & 3, visit >> 3
            fields += [gate, shift if gate else 0, negate if gate else 0]
        return fields


def expected(x, config):
    slots = golden.input_scan(x, config)
    return [[feature, int(read), int(i == 0), int(i == len(slots) - 1), *sets[0], *sets[1]]
            for i, (feature, read, sets) in enumerate(slots)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_input_value(dut):
    """Each of the 256 input values is visited as a sum of shifted digits that is the value itself."""
    c, _, scan = await powered(dut, Scan)
    values = list(range(-128, 128))
    values += [0] * (-len(values) % c.features)
    with scoreboard("every_input_value") as board:
        for begin in range(0, len(values), c.features):
            x = torch.tensor(values[begin:begin + c.features], dtype=torch.int32)
            slots = await scan.frame(x, never())
            sums = [0] * c.features
            for feature, _, _, _, g0, s0, n0, g1, s1, n1 in slots:
                sums[feature] += g0 * (-1) ** n0 * (1 << s0) + g1 * (-1) ** n1 * (16 << s1)
            board.check("digit sum", x, sums, axes=("feature",), frame=begin // c.features)
            board.check("slot", expected(x, c), slots, axes=("slot", "field"), frame=begin // c.features)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=PAUSES)
async def random_frames(dut, idle):
    """Random frames, sparse and dense, give golden's slots, however the sequencer pauses."""
    c, g, scan = await powered(dut, Scan)
    with scoreboard(f"random_frames/idle={idle}") as board:
        for frame in range(20):
            x = torch.randint(-128, 128, (c.features,), generator=g, dtype=torch.int32)
            x[torch.rand(c.features, generator=g) < frame % 5 / 4] = 0
            slots = await scan.frame(x, pauses(idle, seed() + frame))
            board.check("slot", expected(x, c), slots, axes=("slot", "field"), frame=frame)
