"""Memory images: an `IntegerModel` as the rows of the weight buffers, and as words of the load port.

    input       group g of layer 0, feature i at row g x input_rows + i
    recurrentK  half K of the inputs of each block of `config.blocks()`, in order (layer, group, recurrent, forward)
    fcK         pass p, input n at row p N + n: outputs of group 2p + K; an odd last group: half K of its inputs

docs/load-port.md has the layouts, and those of the tables of single neurons.
"""

from pathlib import Path

import numpy as np
import torch

from hw import store
from hw.interface import Buffer, Register, registers
from hw.sizes import DELAY_BITS


def rows(model):
    """Buffer name -> (rows, lanes) int8 array of weights, lane by lane."""
    c = model.config
    out = {name: torch.zeros(count, c.lanes, dtype=torch.int32) for name, (count, _) in c.sizes().items()}
    for group in range(c.groups_of(0)):
        first = group * c.input_rows
        out["input"][first:first + c.features] = _group(model.input, group, c.lanes)
    for block in c.blocks():
        matrix = _group(model.matrices[block.matrix], block.group, c.lanes)
        for k in range(2):
            part = matrix[k * block.rows:(k + 1) * block.rows]  # of an odd number of inputs, the high half is shorter
            out[f"recurrent{k}"][block.base:block.base + len(part)] = part
    inputs, half = c.last.neurons, c.half_of(len(c.layers) - 1)
    for group in range(2 * c.full_passes):
        first = group // 2 * inputs
        out[f"fc{group % 2}"][first:first + inputs] = _group(model.fc, group, c.lanes)
    if c.split_pass:
        for k in range(2):
            part = _group(model.fc, c.groups - 1, c.lanes)[k * half:(k + 1) * half]
            first = c.full_passes * inputs
            out[f"fc{k}"][first:first + len(part)] = part
    return {name: matrix.to(torch.int8).numpy() for name, matrix in out.items()}


def _group(matrix, group, lanes):
    """The columns (inputs, lanes) of one group of outputs, the last one filled up with zeros."""
    part = matrix[:, group * lanes:(group + 1) * lanes]
    return torch.nn.functional.pad(part, (0, lanes - part.shape[1]))


def neuron_rows(model):
    """The table of neurons, an integer a word of `lif_lanes` neurons; none where the configuration has no table.

    Neuron j of a word holds its fields (`config.neuron_fields()`) from bit j x their sum on, the first field lowest.
    """
    c = model.config
    fields = c.neuron_fields()
    step, words = sum(fields.values()), []
    for k, layer in enumerate(c.layers):
        of = {"threshold": model.threshold_of(k), "leak": model.leak_of(k), "bias": model.bias_of(k)}
        codes = []
        for i in range(layer.neurons):
            code, at = 0, 0
            for name, width in fields.items():
                code |= (int(of[name][i]) & (1 << width) - 1) << at
                at += width
            codes.append(code)
        for first in range(0, layer.neurons, c.lif_lanes):
            words.append(sum(code << j * step for j, code in enumerate(codes[first:first + c.lif_lanes])))
    return words if fields else []


def table_words(model):
    """Tables of single neurons as words of the load port: (buffer, row, slice, data)."""
    c = model.config
    for row, word in enumerate(neuron_rows(model)):
        for part in range(c.neuron_bits // c.load_bits):
            yield Buffer.NEURONS.value, row, part, word >> part * c.load_bits & (1 << c.load_bits) - 1
    for matrix, place in c.delay_rows().items():
        delays = model.delays_of(matrix).tolist()
        for i, row in enumerate(place):
            some = delays[i * c.delays_a_word:(i + 1) * c.delays_a_word]
            yield Buffer.DELAYS.value, row, 0, sum(d << DELAY_BITS * j for j, d in enumerate(some))


def bits(weights, config):
    """(..., lanes) weights -> (..., lanes * weight_bits) of 0 and 1, lane 0 and the low bit first."""
    codes = weights.astype(np.uint8)[..., None] >> np.arange(config.weight_bits, dtype=np.uint8) & 1
    return codes.reshape(*weights.shape[:-1], -1)


def pack(weights):
    """Rows of FC weights (R, lanes), two of four at most, as (R, lanes / 4, 2) weights and their places in the four."""
    groups = weights.reshape(len(weights), -1, 4)
    places = np.argsort(groups == 0, axis=-1, kind="stable")[..., :2]
    return np.take_along_axis(groups, places, -1), places


def row_bits(name, weights, config):
    """(R, lanes) weights of a buffer -> (R, bits a row) of 0 and 1, as they lie in its rows."""
    if not (config.fc_two_of_four and name.startswith("fc")):
        return bits(weights, config)
    values, places = pack(weights)
    codes = np.concatenate([
        (part.astype(np.uint8)[..., None] >> np.arange(width, dtype=np.uint8) & 1).reshape(*part.shape[:-1], -1)
        for part, width in ((values, config.weight_bits), (places, 2))], -1).reshape(len(weights), -1)
    return np.pad(codes, ((0, 0), (0, config.fc_row_bits - codes.shape[1])))


def _integers(array):
    """(k, bits) of 0 and 1, low bit first -> k Python integers."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(array, axis=-1, bitorder="little")]


def weight_words(model):
    """The weights as words of the load port: (k, 3) of buffer, row, slice, and (k, load_bits) of 0 and 1."""
    where, data = [], []
    for name, matrix in rows(model).items():
        found = row_bits(name, matrix, model.config)
        slices = found.shape[1] // model.config.load_bits
        index = np.indices((len(matrix), slices)).reshape(2, -1).T  # (rows x slices, 2)
        where.append(np.insert(index, 0, Buffer[name.upper()].value, axis=1))
        data.append(found.reshape(len(index), model.config.load_bits))
    return np.concatenate(where), np.concatenate(data)


def register_words(model, mode):
    """Thresholds, mode and a clear of state and counters: (buffer, row, slice, data)."""
    values = {Register.MODE: mode.bits, Register.CLEAR: 3}
    for k, layer in enumerate(model.config.layers):
        if layer.threshold == "layer":
            values[Register[f"THRESHOLD{k}"]] = int(model.thresholds[k])
    return [(Buffer.REGISTER.value, r.value, 0, values[r]) for r in registers(model.config) if r in values]


def load_words(model, mode):
    """Every word that makes the machine ready: (buffer, row, slice, data), as the load port takes them."""
    where, data = weight_words(model)
    for place, word in zip(where.tolist(), _integers(data), strict=True):
        yield (*place, word)
    yield from table_words(model)
    yield from register_words(model, mode)


def write_hex(model, folder):
    """One `$readmemh` file a buffer, a row a line; returns the paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, matrix in rows(model).items():
        found = row_bits(name, matrix, model.config)
        lines = [f"{row:0{-(-found.shape[1] // 4)}x}" for row in _integers(found)]
        store.write_atomically(folder / f"{name}.hex", ("\n".join(lines) + "\n").encode())
        paths.append(folder / f"{name}.hex")
    if model.config.neuron_bits:
        lines = [f"{word:0{-(-model.config.neuron_bits // 4)}x}" for word in neuron_rows(model)]
        store.write_atomically(folder / "neurons.hex", ("\n".join(lines) + "\n").encode())
        paths.append(folder / "neurons.hex")
    store.write_atomically(folder / "model.sha256", f"{model.sha256}\n".encode())
    return paths

