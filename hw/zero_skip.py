"""Zero-skipping, types B, C and D: visits the neurons that fired and broadcasts their spikes to the PE sets.

arXiv 2503.21337, section III (zero-skipping unit) and II-D (parallel time steps, merged spikes):

    B  one time step: each PE set scans its own half of the spikes (`split`), one row from each bank a slot
    C  FC, two time steps: visits OR(s0, s1) once, doubles the weight where AND(s0, s1)
    D  recurrent, two time steps in parallel: visits every neuron as published, or OR(s0, s1) only (union);
       set k is gated by s_k

A scan of changes visits the neurons whose spikes differ from the frame before, b, in place of those that fired; the
row is added where s_k rose and subtracted where it fell, twice where a merged value s0 + s1 moved by two.

With `step_difference` set 1 of type D is gated where s1 differs from s0, and subtracts where s0 alone fired: it sums
s1 - s0, seldom anything, and set 0's sum comes on top in front of the LIF unit (`hw/kept_sums.py`).

The scan works on two halves of the widest layer; without `split` it takes the low half, then the high half.
Combinational from its register of pending neurons: one visit a slot, no slot lost between scans; a scan takes
max(1, visits) slots.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .types import Gate, Mask, spike_scan


def lowest_one(m, value, name):
    """One-hot of the lowest set bit of `value`: x AND NOT (any bit below it is set), the latter a prefix OR.

    ceil(log2(n)) levels, where x AND -x is a carry chain of n.
    """
    n, reach = len(value), 1
    below = value << 1
    while reach < n - 1:
        level = Signal(n, name=f"{name}_below_{reach}")
        m.d.comb += level.eq(below | below << reach)
        below, reach = level, 2 * reach
    return (value & ~below)[:n]


class ZeroSkip(wiring.Component):
    """Scans one layer's spikes.

    spikes   In   [2] time steps: low half, then high half, as `SpikeSelect` gives them
    present  In   neurons that there are, as many bits
    before   In   [2] the spikes in the frame before, likewise; only where sums are kept
    scan     Out  `types.spike_scan`
    """

    def __init__(self, *, config):
        self.config = config
        super().__init__({
            "spikes": In(2 * config.half).array(2),
            "present": In(2 * config.half),
            "scan": Out(spike_scan(config)),
            **({"before": In(2 * config.half).array(2)} if config.changes() else {}),
        })

    def elaborate(self, platform):
        m = Module()
        half, scan = self.config.half, self.scan
        changes = bool(self.config.changes())
        pending, after, fired = [], [], []
        for h in range(2):
            part = slice(h * half, (h + 1) * half)
            s0, s1 = self.spikes[0][part], self.spikes[1][part]
            whole = Signal(half, name=f"whole_{h}")
            with m.Switch(scan.mask):
                with m.Case(Mask.ALL):
                    m.d.comb += whole.eq(self.present[part])
                with m.Case(Mask.UNION):
                    m.d.comb += whole.eq(s0 | s1)
                with m.Case(Mask.STEP0):
                    m.d.comb += whole.eq(s0)
                with m.Case(Mask.STEP1):
                    m.d.comb += whole.eq(s1)
            seen = [s0, s1]
            if changes:
                seen += [self.before[0][part], self.before[1][part]]
                with m.If(scan.change):
                    m.d.comb += whole.eq(self._changed(*seen))
            remaining = Signal(half, name=f"remaining_{h}")
            pend = Signal(half, name=f"pending_{h}")
            left = Signal(half, name=f"left_{h}")
            lowest = Signal(half, name=f"lowest_{h}")
            taken = Signal(name=f"taken_{h}")
            m.d.comb += [
                pend.eq(Mux(scan.start, whole, remaining)),
                lowest.eq(lowest_one(m, pend, f"pending_{h}")),
                # without `split` the high half waits until the low half is done
                taken.eq(pend.any() if h == 0 else pend.any() & (scan.split | ~pending[0].any())),
                left.eq(Mux(taken, pend & ~lowest, pend)),
                scan.visits[h].valid.eq(taken),
            ]
            for bit in range(max(1, (half - 1).bit_length())):
                ones = sum(1 << i for i in range(half) if i >> bit & 1)
                m.d.comb += scan.visits[h].row[bit].eq((lowest & ones).any())
            with m.If(scan.advance):
                m.d.sync += remaining.eq(left)
            pending.append(pend)
            after.append(left)
            fired.append([(lowest & spikes).any() & taken for spikes in seen])
        m.d.comb += scan.last.eq(~(after[0].any() | after[1].any()))
        for k in range(2):
            s0, s1 = Signal(name=f"s0_{k}"), Signal(name=f"s1_{k}")
            either = [fired[0][i] | fired[1][i] for i in range(len(fired[0]))]
            m.d.comb += [
                s0.eq(Mux(scan.split, fired[k][0], either[0])),
                s1.eq(Mux(scan.split, fired[k][1], either[1])),
                scan.banks[k].eq(Mux(scan.split, k, ~scan.visits[0].valid)),
            ]
            with m.Switch(scan.gate):
                with m.Case(Gate.OWN):
                    m.d.comb += scan.gates[k].eq(self._own(s0, s1) if k else s0)
                    if self.config.step_difference and k:
                        m.d.comb += scan.negates[k].eq(s0)
                with m.Case(Gate.STEP0):
                    m.d.comb += scan.gates[k].eq(s0)
                with m.Case(Gate.STEP1):
                    m.d.comb += scan.gates[k].eq(s1)
                with m.Case(Gate.MERGED):
                    m.d.comb += [scan.gates[k].eq(s0 | s1), scan.doubles[k].eq(s0 & s1)]
            if changes:
                b0, b1 = (Mux(scan.split, fired[k][i], either[i]) for i in (2, 3))
                with m.If(scan.change):
                    self._difference(m, k, s0, s1, b0, b1)
        return m

    def _own(self, s0, s1):
        """Where PE set 1 has something to add for time step 1."""
        return s0 ^ s1 if self.config.step_difference else s1

    def _changed(self, s0, s1, b0, b1):
        """Neurons whose spikes differ, as the gate looks at them."""
        scan = self.scan
        merged = (s0 ^ s1 ^ b0 ^ b1) | ((s0 & s1) ^ (b0 & b1))
        either = (s0 ^ b0) | (s1 ^ b1)
        return Mux(scan.gate == Gate.MERGED, merged, Mux(scan.mask == Mask.STEP0, s0 ^ b0, either))

    def _difference(self, m, k, s0, s1, b0, b1):
        """What PE set k adds of the neuron visited: s - b of its gate's spike."""
        scan = self.scan
        with m.Switch(scan.gate):
            with m.Case(Gate.OWN):
                m.d.comb += [scan.gates[k].eq((s1 ^ b1) if k else (s0 ^ b0)), scan.negates[k].eq(b1 if k else b0)]
            with m.Case(Gate.MERGED):
                m.d.comb += [
                    scan.gates[k].eq((s0 ^ s1 ^ b0 ^ b1) | ((s0 & s1) ^ (b0 & b1))),
                    scan.doubles[k].eq((s0 & s1 & ~b0 & ~b1) | (~s0 & ~s1 & b0 & b1)),
                    scan.negates[k].eq(((b0 | b1) & ~(s0 | s1)) | (b0 & b1 & ~(s0 & s1))),
                ]
            with m.Default():  # one time step
                m.d.comb += [scan.gates[k].eq(s0 ^ b0), scan.negates[k].eq(b0)]
