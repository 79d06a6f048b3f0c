"""What follows from a configuration's fields where sums are kept from frame to frame; a part of `hw.sizes.Sizes`."""

READOUTS = ("logits", "argmax", "sum")
SUM_BITS = 8    # more than a logit has: room for 256 frames
MOST_SUMS = 64  # outputs whose sums over frames are kept: they are flip-flops


class KeptSizes:
    """Derived sizes of kept sums, waiting input currents and kept logits. docs/energy.md"""

    def refused(self):
        """(field, what is wanted) of each choice that cannot be built."""
        if self.step_difference and not self.serial_combine:
            yield "step_difference", ("both time steps' sums are added where they wait for the LIF unit: wanted "
                                      "serial_combine: true")
        if self.step_difference and self.sums_kept:
            yield "step_difference", "layers on_change sum changes from frame to frame: wanted one or the other"
        if self.readout not in READOUTS:
            yield "readout", f"wanted one of {', '.join(READOUTS)}"
        if not 0 <= self.readout_outputs <= self.outputs:
            yield "readout_outputs", f"wanted 1 to outputs={self.outputs}, or 0 for all of them"
        if self.readout_outputs and self.readout == "logits":
            yield "readout_outputs", "all logits leave: wanted readout: argmax or sum, or 0"
        if self.readout != "logits" and self.watchdog:
            yield "readout", "a bite of the watchdog may leave it amid a frame: wanted readout: logits, or no watchdog"
        if self.readout == "sum" and self.decided > MOST_SUMS:
            yield "readout", (f"keeps the sums of {self.decided} outputs in flip-flops: wanted at most {MOST_SUMS} "
                              "(readout_outputs)")

    def changes(self):
        """Matrices whose sums are kept from frame to frame, so that only changes of spikes need a visit."""
        found = []
        for k, layer in enumerate(self.layers):
            if layer.on_change:
                found += [f"recurrent{k}"] * layer.recurrent + [f"forward{k}"] * (k > 0)
        return tuple(found + ["fc"] * self.readout_on_change)

    @property
    def scans_negate(self):
        """Scans of spikes subtract rows, too."""
        return bool(self.changes()) or self.step_difference

    @property
    def sums_apart(self):
        """A unit between PE sets and LIF adds what the PE sets do not hold (`hw/kept_sums.py`)."""
        return self.serial_combine or self.sums_kept

    @property
    def sums_kept(self):
        """Any layer's sums are kept."""
        return any(layer.on_change for layer in self.layers)

    @property
    def kept_bits(self):
        """Signed bits of a kept sum over spikes: any fan-in of the layers that keep one."""
        inputs = [self.layers[k - 1].neurons * (k > 0) + layer.recurrent * layer.neurons
                  for k, layer in enumerate(self.layers) if layer.on_change]
        return (max(inputs) * self.weight_limit - 1).bit_length() + 1

    @property
    def kept_row_bits(self):
        """Bits of a word of kept sums: time step 0 of its neurons, then time step 1."""
        return self._padded(2 * self.lif_lanes * self.kept_bits)

    @property
    def current_row_bits(self):
        """Bits of a word of input currents."""
        return self._padded(self.lif_lanes * self.accumulator_bits)

    @property
    def beats(self):
        """Beats of a frame's logits as the drain sends them."""
        return self.outputs // self.logits_per_beat

    @property
    def decided(self):
        """Outputs that a readout looks at (`hw/readout.py`)."""
        return self.readout_outputs or self.outputs

    @property
    def value_bits(self):
        """Signed bits of what a readout compares."""
        return self.logit_bits + (SUM_BITS if self.readout == "sum" else 0)

    @property
    def results(self):
        """Values that leave a frame: all logits, or a value and its index."""
        return self.outputs if self.readout == "logits" else 2

    @property
    def results_per_beat(self):
        """Values that leave at once."""
        return self.logits_per_beat if self.readout == "logits" else 2

    @property
    def result_bits(self):
        """Signed bits of each of them."""
        if self.readout == "logits":
            return self.logit_bits
        return max(self.value_bits, (self.decided - 1).bit_length() + 1)

    @property
    def logit_row_bits(self):
        """Bits of a beat of kept logits."""
        return self._padded(self.logits_per_beat * self.logit_bits)

    def accesses(self):
        """Memories that are not weights: name -> (reads, writes) a frame, where every kept sum is used."""
        found = {}
        if self.lif_in_memory:
            found["neuron_state"] = (self.words, self.words)
            found["neuron_table"] = (self.words, 0)
        if self.sums_kept:
            words = sum(self.words_of(k) for k, layer in enumerate(self.layers) if layer.on_change)
            found["neuron_kept"] = (words, words)
        if self.serial_combine:
            found["neuron_input"] = (self.words_of(0), self.words_of(0))
        if self.readout_on_change:
            found |= {f"kept_logits{k}": ((self.beats + 1 - k) // 2,) * 2 for k in range(2)}
        return {name: count for name, count in found.items() if name in self.memories()}
