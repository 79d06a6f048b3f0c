"""PE set: accumulators after every cycle, against `golden.pe_array`."""

import cocotb
import torch
from cocotb.triggers import FallingEdge

from cosim.bench.packing import pack, unpack
from cosim.bench.setup import powered, scoreboard
from sw import golden

CYCLES = 400


class PeSet:
    """Drives one cycle at a time and reads the accumulators after it."""

    def __init__(self, dut, config):
        self.dut, self.config = dut, config

    async def cycle(self, row, gate=0, shift=0, negate=0, clear=0, value=None):
        """`value` loads the accumulators; returns them, (N,)."""
        c = self.config
        self.dut.row.value = pack(row, c.weight_bits)
        for port, bit in (("gate", gate), ("shift", shift), ("negate", negate), ("clear", clear)):
            getattr(self.dut, port).value = bit
        self.dut.load.value = 0 if value is None else 1
        self.dut.value.value = 0 if value is None else pack(value, c.accumulator_bits)
        await FallingEdge(self.dut.clk)
        return unpack(int(self.dut.accumulators.value), c.accumulator_bits, c.lanes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def boundaries(dut):
    """Hand-worked sums: extreme weights and shifts, both signs, gate, clear and load in every order."""
    c, _, pe = await powered(dut, PeSet)
    low, high = -c.weight_limit, c.weight_limit - 1  # -8, 7
    top = (1 << (c.accumulator_bits - 1)) - 1
    cases = [  # (all lanes' weight, controls, all lanes' accumulator afterwards)
        (high, {"gate": 1, "clear": 1}, high),
        (high, {"gate": 1}, 2 * high),
        (high, {}, 2 * high),                                   # gate low: hold
        (low, {"gate": 1, "clear": 1, "shift": 3}, low * 8),
        (low, {"gate": 1, "shift": 3, "negate": 1}, 0),         # -64 - -64
        (low, {"gate": 1, "shift": 3, "negate": 1}, -low * 8),  # negating the most negative weight
        (high, {"clear": 1}, 0),                                # clear alone
        (high, {"negate": 1}, 0),                               # negate without gate adds no carry
        (high, {"clear": 1, "negate": 1}, 0),
        (0, {"gate": 1, "negate": 1, "shift": 3}, 0),           # -0 is 0
        (1, {"gate": 1, "negate": 1}, -1),
        (high, {"gate": 1, "clear": 1, "value": top}, top),     # load goes before a sum
        (0, {"gate": 1}, top),
        (1, {"gate": 1, "negate": 1}, top - 1),
        (high, {"value": -top - 1}, -top - 1),
        (1, {"gate": 1, "shift": 1}, -top + 1),
    ]
    with scoreboard("boundaries") as board:
        for index, (weight, controls, expected) in enumerate(cases):
            if "value" in controls:
                controls = {**controls, "value": [controls["value"]] * c.lanes}
            got = await pe.cycle([weight] * c.lanes, **controls)
            board.check("accumulator", [expected] * c.lanes, got, cycle=index)
        for lane in range(c.lanes):  # a lane takes its own weight and no other
            row = [low if i == lane else 0 for i in range(c.lanes)]
            board.check("accumulator", row, await pe.cycle(row, gate=1, clear=1), cycle=lane)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_rows(dut):
    """Random rows, gates, shifts and signs leave golden's sums in every lane after every cycle."""
    c, g, pe = await powered(dut, PeSet)
    top = (1 << (c.accumulator_bits - 1)) - 1
    sums = torch.zeros(c.lanes, dtype=torch.int32)
    await pe.cycle([0] * c.lanes, clear=1)
    with scoreboard("random_rows") as board:
        for cycle in range(CYCLES):
            row = torch.randint(-c.weight_limit, c.weight_limit, (c.lanes,), generator=g, dtype=torch.int32)
            gate, negate, shift = (int(torch.randint(0, n, (), generator=g)) for n in (2, 2, 4))
            clear, load = (int(torch.randint(0, 12, (), generator=g)) == 0 for _ in range(2))
            value = torch.randint(-top - 1, top + 1, (c.lanes,), generator=g, dtype=torch.int32) if load else None
            after = golden.pe_array(sums, row, *(torch.tensor(v) for v in (gate, shift, negate, clear)))
            if after.abs().max() > top and not load:  # no visit order of the machine gets here: start anew
                clear, after = True, golden.pe_array(sums, row, *(torch.tensor(v) for v in (gate, shift, negate, 1)))
            sums = value if load else after
            got = await pe.cycle(row.numpy(), gate, shift, negate, int(clear), value.numpy() if load else None)
            board.check("accumulator", sums, got, cycle=cycle)
