"""What follows from a configuration's fields: rows, groups, words and bits. No checks, no state."""

from dataclasses import dataclass

from .kept_sizes import KeptSizes

STATE_WORDS = 16   # from so many words on, an SRAM of them is smaller than flip-flops (IHP: 64 x 64 bits 0.05 mm2)
DELAY_BITS = 4     # bits of one delay on the load port
LEAK_BITS = 3


@dataclass(frozen=True)
class Block:
    """Rows of the two recurrent banks: half of the inputs of one matrix, for one group of outputs."""

    matrix: str   # `recurrent0`, `forward1`, ...
    layer: int    # whose group of neurons is driven
    group: int
    source: int   # the layer whose spikes are scanned
    base: int     # first row
    rows: int


class Sizes(KeptSizes):
    """Derived sizes of `hw.config.Config`."""

    # --- layers ----------------------------------------------------------------------------------------------
    @property
    def widest(self):
        """Neurons of the widest layer."""
        return max(layer.neurons for layer in self.layers)

    @property
    def last(self):
        """The layer that feeds the FC."""
        return self.layers[-1]

    def groups_of(self, layer):
        """Groups of `lanes` neurons in which a layer's neurons take turns."""
        return -(-self.layers[layer].neurons // self.lanes)

    def half_of(self, layer):
        """Neurons of a layer's low half; type B gives each half to one PE set and one bank."""
        return -(-self.layers[layer].neurons // 2)

    @property
    def half(self):
        """Rows a bank holds of the widest layer's spikes: the width of half a scan."""
        return -(-self.widest // 2)

    @property
    def neurons(self):
        """Neurons of each layer, where all have as many; `ValueError` otherwise: ask the layer."""
        return self._common("neurons")

    @property
    def reset(self):
        """Reset of each layer, where all have the same."""
        return self._common("reset")

    @property
    def leak_shift(self):
        """Leak shift by layer."""
        return tuple(layer.leak_shift for layer in self.layers)

    def _common(self, name):
        values = {getattr(layer, name) for layer in self.layers}
        if len(values) > 1:
            raise ValueError(f"{self.name}: the layers differ in {name}: {', '.join(map(str, sorted(values)))}")
        return values.pop()

    # --- words of the LIF unit -------------------------------------------------------------------------------
    def words_of(self, layer):
        """Words of `lif_lanes` neurons that hold a layer's state."""
        return -(-self.layers[layer].neurons // self.lif_lanes)

    def first_word(self, layer):
        return sum(self.words_of(k) for k in range(layer))

    @property
    def words(self):
        """Words of all layers."""
        return self.first_word(len(self.layers))

    def group_words(self, layer, group):
        """Words of one group, as a range: a cycle (two where state is in memory) a word and time step."""
        per_group, first = self.lanes // self.lif_lanes, self.first_word(layer)
        return range(first + group * per_group, first + min((group + 1) * per_group, self.words_of(layer)))

    @property
    def lif_in_memory(self):
        """Potentials and tables of the LIF unit are in memories rather than in flip-flops."""
        return self.words >= STATE_WORDS or self.sums_apart

    @property
    def synapses(self):
        """Whether any layer keeps a synaptic current."""
        return any(layer.synapse_shift for layer in self.layers)

    @property
    def state_bits(self):
        """Bits of a word of state: potentials, then synaptic currents."""
        return self._padded(self.lif_lanes * self.potential_bits * (1 + self.synapses))

    def neuron_fields(self):
        """Fields of one neuron in the table of neurons, low bits first: name -> bits. Empty where no layer has one."""
        wanted = {"threshold": self.potential_bits * any(x.threshold == "neuron" for x in self.layers),
                  "leak": LEAK_BITS * any(x.leak_shift == "neuron" for x in self.layers),
                  "bias": self.potential_bits * any(x.bias for x in self.layers)}
        return {name: bits for name, bits in wanted.items() if bits}

    @property
    def neuron_bits(self):
        """Bits of a word of the table of neurons; 0 where there is none."""
        return self._padded(self.lif_lanes * sum(self.neuron_fields().values()))

    def _padded(self, bits):
        return -(-bits // self.load_bits) * self.load_bits

    def neuron_tables(self):
        """Tables with a value for each neuron that must be loaded: name -> (values, least, most)."""
        top, tables = (1 << (self.potential_bits - 1)) - 1, {}
        for k, layer in enumerate(self.layers):
            if layer.threshold == "neuron":
                tables[f"thresholds{k}"] = (layer.neurons, 1, top)
            if layer.leak_shift == "neuron":
                tables[f"leaks{k}"] = (layer.neurons, 0, (1 << LEAK_BITS) - 1)
            if layer.bias:
                tables[f"biases{k}"] = (layer.neurons, -top - 1, top)
        for matrix, (layer, most) in self.delays().items():
            tables[f"delays_{matrix}"] = (self.layers[layer].neurons, 0, most)
        return tables

    # --- delays ----------------------------------------------------------------------------------------------
    def delays(self):
        """Matrices whose spikes come late: matrix -> (layer whose spikes they are, most frames)."""
        found = {}
        for k, layer in enumerate(self.layers):
            found[f"recurrent{k}"] = (k, layer.delays.recurrent)
            found[f"forward{k + 1}"] = (k, layer.delays.forward)
        found["fc"] = (len(self.layers) - 1, self.readout_delay)
        return {matrix: delay for matrix, delay in found.items() if delay[1]}

    @property
    def delays_a_word(self):
        """Neurons whose delays one word of the load port brings."""
        return self.load_bits // DELAY_BITS

    def delay_rows(self):
        """Rows of `Buffer.DELAYS`: matrix -> range of rows, one after another."""
        rows, first = {}, 0
        for matrix, (layer, _) in self.delays().items():
            count = -(-self.layers[layer].neurons // self.delays_a_word)
            rows[matrix], first = range(first, first + count), first + count
        return rows

    def source_of(self, matrix):
        """The layer whose spikes a matrix is multiplied with."""
        return len(self.layers) - 1 if matrix == "fc" else int(matrix[-1]) - matrix.startswith("forward")

    def history_of(self, layer):
        """Frames of a layer's spikes that delays look back on, beyond the newest."""
        return max((most for source, most in self.delays().values() if source == layer), default=0)

    def frames_kept(self, layer):
        """Frames of a layer's spikes that are kept beyond the newest: changes need one more than delays."""
        late = self.delays()
        return max([self.history_of(layer)] + [1 + late.get(matrix, (0, 0))[1] for matrix in self.changes()
                                               if self.source_of(matrix) == layer])

    # --- weight rows -----------------------------------------------------------------------------------------
    def matrices(self):
        """Weight matrices, fan-in first: name -> (inputs, outputs)."""
        shapes = {"input": (self.features, self.layers[0].neurons)}
        for k, layer in enumerate(self.layers):
            if k:
                shapes[f"forward{k}"] = (self.layers[k - 1].neurons, layer.neurons)
            if layer.recurrent:
                shapes[f"recurrent{k}"] = (layer.neurons, layer.neurons)
        return shapes | {"fc": (self.last.neurons, self.outputs)}

    def blocks(self):
        """Row blocks of the recurrent banks, in the order in which a frame scans them."""
        found, base = [], 0
        for k, layer in enumerate(self.layers):
            sources = [(f"recurrent{k}", k)] * layer.recurrent + ([(f"forward{k}", k - 1)] if k else [])
            for group in range(self.groups_of(k)):
                for matrix, source in sources:
                    found.append(Block(matrix, k, group, source, base, self.half_of(source)))
                    base += self.half_of(source)
        return found

    @property
    def row_bits(self):
        """Bits of one weight row: one weight for each lane."""
        return self.lanes * self.weight_bits

    @property
    def fc_row_bits(self):
        """Bits of one row of FC weights; packed, two weights and their places for every four lanes."""
        if not self.fc_two_of_four:
            return self.row_bits
        return self._padded(self.lanes // 4 * 2 * (self.weight_bits + 2))

    @property
    def slices(self):
        """Separately writable slices of a weight row."""
        return self.row_bits // self.load_bits

    @property
    def groups(self):
        """Output groups of `lanes` outputs each; the last may be partly filled."""
        return -(-self.outputs // self.lanes)

    @property
    def full_passes(self):
        """FC passes in which the two PE sets take one output group each."""
        return self.groups // 2

    @property
    def split_pass(self):
        """True where an odd last group is shared: each PE set and bank takes half of its inputs."""
        return self.groups % 2 == 1

    @property
    def passes(self):
        return self.full_passes + self.split_pass

    @property
    def recurrent_rows(self):
        """Rows of each of the two recurrent banks; at least two, though one layer without recurrence reads none."""
        return max(2, sum(block.rows for block in self.blocks()))

    @property
    def fc_rows(self):
        """Rows of each of the two FC banks (`paper`: 7 x 128 + 64 = 960)."""
        return self.full_passes * self.last.neurons + self.split_pass * self.half_of(len(self.layers) - 1)

    def sizes(self):
        """Weight buffers as name -> (rows, bits a row)."""
        rows = {"input": self.groups_of(0) * self.input_rows, "recurrent0": self.recurrent_rows,
                "recurrent1": self.recurrent_rows, "fc0": self.fc_rows, "fc1": self.fc_rows}
        return {name: (count, self.fc_row_bits if name.startswith("fc") else self.row_bits)
                for name, count in rows.items()}

    def memories(self):
        """Every memory as name -> (rows, bits a row, bits of a write slice): weights, then neurons where they have any.
        """
        found = {name: (rows, bits, self.load_bits) for name, (rows, bits) in self.sizes().items()}
        if self.lif_in_memory:
            found["neuron_state"] = (self.words, self.state_bits, self.state_bits)
            if self.neuron_bits:
                found["neuron_table"] = (self.words, self.neuron_bits, self.load_bits)
        whole = {}  # rows that are written whole
        if self.sums_kept:
            whole["neuron_kept"] = (self.words, self.kept_row_bits)
        if self.serial_combine:
            whole["neuron_input"] = (self.words_of(0), self.current_row_bits)
        if self.readout_on_change:
            whole |= dict.fromkeys(("kept_logits0", "kept_logits1"), (-(-self.beats // 2), self.logit_row_bits))
        found |= {name: (max(2, rows), bits, bits) for name, (rows, bits) in whole.items()}
        if self.parity:  # a bit for each slice
            found |= {f"{name}_parity": (rows, bits // self.load_bits, 1)
                      for name, (rows, bits) in self.sizes().items()}
        return found

    # --- widths ----------------------------------------------------------------------------------------------
    @property
    def logit_bits(self):
        """Signed bits that hold any logit: fan-in x 2 time steps x the largest weight magnitude."""
        return (self.last.neurons * 2 * self.weight_limit - 1).bit_length() + 1

    @property
    def weight_limit(self):
        """Magnitude of the most negative weight."""
        return 1 << (self.weight_bits - 1)

    @property
    def digit_limit(self):
        """Largest magnitude of one 4-bit group's value under `input_code`."""
        return 10 if self.input_code == "signed_digit" else 15

    @property
    def accumulator_bits_needed(self):
        """Signed bits no visit order can overflow: input groups, combined input + recurrence, later layers, FC."""
        limit = self.weight_limit
        group = self.features * limit * self.digit_limit
        scaled = self.features * limit * (1 << (self.feature_bits - 1))
        first = self.layers[0]
        combined = -(-scaled // (1 << self.input_shift)) + first.recurrent * first.neurons * limit
        spiking = [2 * self.last.neurons * limit]  # FC with doubled weights
        spiking += [(before.neurons + layer.recurrent * layer.neurons) * limit
                    for before, layer in zip(self.layers, self.layers[1:], strict=False)]
        if self.scans_negate:  # a sum of changes is as often +8 as -8
            spiking = [bound + 1 for bound in spiking]
        return max(group, combined, max(spiking) - 1).bit_length() + 1
