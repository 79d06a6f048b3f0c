"""Zero-skipping unit, types B, C and D: visits, gates and doublings slot by slot, against `golden.zero_skip`."""

import cocotb
import torch
from cocotb.triggers import FallingEdge, ReadOnly

from cosim.bench.packing import Ports, pack
from cosim.bench.setup import powered, scoreboard, seed
from cosim.bench.streams import PAUSES, never, pauses
from hw.types import Gate, Mask
from sw import golden

SCANS = 120
DENSITIES = (0.0, 0.05, 0.35, 0.7, 1.0)


class Scan:
    """Runs one scan after another and reads each slot."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config
        self.scan = Ports(dut, "scan")
        self.scan.advance.value = 0

    async def run(self, spikes, mask, gate, split, idle=None):
        """Slots as `golden.zero_skip` lists them of spikes (2, N), up to the one that says it is the last."""
        dut, scan, idle, slots = self.dut, self.scan, idle or never(), []
        for k in range(2):
            getattr(dut, f"spikes__{k}").value = self._halves(spikes[k])
        dut.present.value = self._halves(torch.ones_like(spikes[0]))
        scan.mask.value, scan.gate.value, scan.split.value = Mask[mask].value, Gate[gate].value, int(split)
        last = False
        while not last and len(slots) <= 2 * self.config.half:
            scan.start.value = int(not slots)
            scan.advance.value = int(not next(idle))
            await ReadOnly()
            taken, last = int(scan.advance.value), False
            if taken:
                slots.append(self._slot(split))
                last = bool(int(scan.last.value))
            await FallingEdge(dut.clk)
        scan.advance.value = 0
        return slots

    def _halves(self, bits):
        """Bits of a layer's neurons (N,) as the unit takes them: its low half, and from bit `half` on its high half."""
        low = -(-len(bits) // 2)
        return pack(bits[:low].numpy(), 1) | pack(bits[low:].numpy(), 1) << self.config.half

    def _slot(self, split):
        sets, rows = [], []
        for h in range(2):
            visit = int(self.scan[f"visits__{h}"].value)
            rows.append(visit >> 1 if visit & 1 else -1)
        for k in range(2):
            gate, double, bank = (int(self.scan[f"{name}__{k}"].value) for name in ("gates", "doubles", "banks"))
            sets += [gate, double, bank if gate else 0]
        return rows + sets


def expected(spikes, mask, gate, split):
    """Golden's slots in the order of `Scan.run`: two rows (-1: none), then gate, double and bank of each set."""
    slots = []
    for rows, sets in golden.zero_skip(spikes, mask, gate, split):
        slot = [-1 if row is None else row for row in rows]
        for k, (gated, double) in enumerate(sets):
            bank = k if split else int(rows[0] is None)
            slot += [int(gated), int(double), bank if gated else 0]
        slots.append(slot)
    return slots


async def compare(board, unit, spikes, mask, gate, split, idle, **where):
    got = await unit.run(spikes, mask, gate, split, idle)
    wanted = expected(spikes, mask, gate, split)
    board.check("scan length", len(wanted), len(got), **where)
    board.check("slot", wanted, got, axes=("slot", "field"), **where)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def boundaries(dut):
    """Hand-worked scans: no spikes, all spikes, the first and the last neuron, all spikes in one half."""
    c, _, unit = await powered(dut, Scan)
    n, half = 2 * c.half, c.half
    none, every = torch.zeros(n, dtype=torch.bool), torch.ones(n, dtype=torch.bool)

    def only(*neurons):
        spikes = none.clone()
        spikes[list(neurons)] = True
        return spikes

    empty = [-1, -1, 0, 0, 0, 0, 0, 0]
    cases = [  # spikes of both time steps, mask, gate, split, slots
        ((none, none), "UNION", "OWN", False, [empty]),
        ((none, none), "STEP0", "STEP0", True, [empty]),
        ((none, none), "ALL", "OWN", False,
         [[i, -1, *[0] * 6] for i in range(half)] + [[-1, i, *[0] * 6] for i in range(half)]),
        ((every, none), "STEP0", "STEP0", True, [[i, i, 1, 0, 0, 1, 0, 1] for i in range(half)]),
        ((every, every), "UNION", "MERGED", False,
         [[i, -1, 1, 1, 0, 1, 1, 0] for i in range(half)] + [[-1, i, 1, 1, 1, 1, 1, 1] for i in range(half)]),
        ((only(0), only(n - 1)), "UNION", "OWN", False, [[0, -1, 1, 0, 0, 0, 0, 0], [-1, half - 1, 0, 0, 0, 1, 0, 1]]),
        ((only(half - 1), only(half)), "UNION", "MERGED", False,
         [[half - 1, -1, 1, 0, 0, 1, 0, 0], [-1, 0, 1, 0, 1, 1, 0, 1]]),
        ((only(half - 1), only(half)), "UNION", "MERGED", True, [[half - 1, 0, 1, 0, 0, 1, 0, 1]]),
        ((only(n - 1), none), "STEP1", "STEP1", False, [empty]),
        ((only(1, 2), none), "STEP0", "STEP0", True, [[1, -1, 1, 0, 0, 0, 0, 0], [2, -1, 1, 0, 0, 0, 0, 0]]),
        ((only(half, n - 1), none), "STEP0", "STEP0", True,
         [[-1, 0, 0, 0, 0, 1, 0, 1], [-1, half - 1, 0, 0, 0, 1, 0, 1]]),
    ]
    with scoreboard("boundaries") as board:
        for index, (spikes, mask, gate, split, slots) in enumerate(cases):
            got = await unit.run(torch.stack(spikes), mask, gate, split)
            board.check("slot", slots, got, axes=("slot", "field"), case=index)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PAUSES)
async def random_scans(dut, idle):
    """Random spikes under every mask, gate and split give golden's slots, however the sequencer pauses."""
    c, g, unit = await powered(dut, Scan)
    kinds = [("ALL", "OWN", False), ("UNION", "OWN", False), ("UNION", "MERGED", False), ("UNION", "MERGED", True),
             ("STEP0", "STEP0", True), ("STEP0", "STEP0", False), ("STEP1", "STEP1", False), ("STEP1", "STEP1", True),
             ("ALL", "STEP0", True)]
    with scoreboard(f"random_scans/idle={idle}") as board:
        for index in range(SCANS):
            density = DENSITIES[index % len(DENSITIES)]
            neurons = c.layers[index % len(c.layers)].neurons
            spikes = torch.rand(2, neurons, generator=g) < density
            mask, gate, split = kinds[index % len(kinds)]
            await compare(board, unit, spikes, mask, gate, split, pauses(idle, seed() + index), scan=index)
