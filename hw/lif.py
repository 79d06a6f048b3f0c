"""Leaky integrate-and-fire, equation (2) of arXiv 2503.21337.

    v = saturate(u - (u >> leak_shift) + (current << potential_fraction))
    s = v >= threshold                       at v = threshold the neuron fires
    u = s ? 0 : v                            reset "zero";  "subtract": s ? v - threshold : v

u is Q12.4 (`paper`), kept from frame to frame for each of the two layers; the two time steps of a frame follow
each other through the same u. Latency 1 cycle, one time step of one layer a cycle.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class Lif(wiring.Component):
    """LIF unit: potentials and spikes of both layers.

    `enable` runs one time step `step` of `layer`. The current is set `step`'s accumulators, or the sum of both
    sets where `two_steps` is low. `spikes[2 * layer + step]` hold until that layer's next frame; at one time step
    the spikes of step 1 are zero. `clear` zeroes everything.
    """

    def __init__(self, *, config):
        self.config = config
        lanes = data.ArrayLayout(signed(config.accumulator_bits), config.neurons)
        super().__init__({
            "enable": In(1),
            "layer": In(1),
            "step": In(1),
            "two_steps": In(1),
            "clear": In(1),
            "accumulators": In(lanes).array(2),
            "thresholds": In(config.potential_bits).array(2),
            "spikes": Out(config.neurons).array(4),
            "potentials": Out(data.ArrayLayout(signed(config.potential_bits), config.neurons)).array(2),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        top = (1 << (c.potential_bits - 1)) - 1
        threshold = Signal(signed(c.potential_bits + 1))
        m.d.comb += threshold.eq(Mux(self.layer, self.thresholds[1], self.thresholds[0]))
        fired, currents, states = [], [], []
        for lane in range(c.neurons):
            u = [Signal(signed(c.potential_bits), name=f"potential_{layer}_{lane}") for layer in range(2)]
            current = Signal(signed(c.accumulator_bits + 1), name=f"current_{lane}")
            before = Signal(signed(c.potential_bits), name=f"before_{lane}")
            leaked = Signal(signed(c.potential_bits + 1), name=f"leaked_{lane}")
            v = Signal(signed(c.potential_bits), name=f"v_{lane}")
            after = Signal(signed(c.potential_bits), name=f"after_{lane}")
            spike = Signal(name=f"spike_{lane}")
            acc = [self.accumulators[k][lane] for k in range(2)]
            m.d.comb += [
                current.eq(Mux(self.two_steps, Mux(self.step, acc[1], acc[0]), acc[0] + acc[1])),
                before.eq(Mux(self.layer, u[1], u[0])),
                leaked.eq(Mux(self.layer, u[1] - (u[1] >> c.leak_shift[1]), u[0] - (u[0] >> c.leak_shift[0]))
                          if c.leak_shift[0] != c.leak_shift[1] else before - (before >> c.leak_shift[0])),
            ]
            exact = leaked + (current << c.potential_fraction)
            total = Signal(exact.shape(), name=f"total_{lane}")
            m.d.comb += [
                total.eq(exact),
                v.eq(Mux(total > top, top, Mux(total < -top - 1, -top - 1, total))),
                spike.eq(v >= threshold),
                after.eq(Mux(spike, 0 if c.reset == "zero" else v - threshold, v)),
            ]
            fired.append(spike)
            currents.append(current)
            states.append(after)
            for layer in range(2):
                m.d.comb += self.potentials[layer][lane].eq(u[layer])
                with m.If(self.clear):
                    m.d.sync += u[layer].eq(0)
                with m.Elif(self.enable & (self.layer == layer)):
                    m.d.sync += u[layer].eq(after)
        for layer in range(2):
            for step in range(2):
                with m.If(self.clear):
                    m.d.sync += self.spikes[2 * layer + step].eq(0)
                with m.Elif(self.enable & (self.layer == layer)):
                    if step == 0:
                        with m.If(~self.step):
                            m.d.sync += self.spikes[2 * layer].eq(Cat(fired))
                    else:
                        m.d.sync += self.spikes[2 * layer + 1].eq(Mux(self.step, Cat(fired), 0))
        self._show(m, currents, states, fired)
        return m

    def _show(self, m, currents, states, fired):
        """What benches and harness look at: a word's new state in the cycle before it is kept. Drives nothing."""
        for name, value in {"seen": self.enable, "seen_word": self.layer, "seen_step": self.step,
                            "seen_currents": Cat(currents), "seen_potentials": Cat(states),
                            "seen_spikes": Cat(fired)}.items():
            seen = Signal(len(value), name=name)
            m.d.comb += seen.eq(value)
