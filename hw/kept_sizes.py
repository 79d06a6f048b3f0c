"""What follows from a configuration's fields where sums are kept from frame to frame; a part of `hw.sizes.Sizes`."""


class KeptSizes:
    """Derived sizes of kept sums, waiting input currents and kept logits. docs/energy.md"""

    def changes(self):
        """Matrices whose sums are kept from frame to frame, so that only changes of spikes need a visit."""
        found = []
        for k, layer in enumerate(self.layers):
            if layer.on_change:
                found += [f"recurrent{k}"] * layer.recurrent + [f"forward{k}"] * (k > 0)
        return tuple(found + ["fc"] * self.readout_on_change)

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
        """Beats of a frame's logits."""
        return self.outputs // self.logits_per_beat

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
