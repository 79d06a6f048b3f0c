"""The file that the compiled programs read: words for the load port, then features (`Stimulus` in model_access.hpp)."""

import numpy as np

from cosim.rtl.geometry import words
from hw.interface import Buffer, Register
from hw.types import load_layout
from sw.golden.prediction import utterances_of
from sw.integers import images


def payloads(config, where, data):
    """Words of the load port, (k, 3) of buffer, row, slice and (k, load_bits) of 0 and 1, as (k, W) 32-bit words."""
    layout = load_layout(config)
    flat = np.zeros((len(where), 32 * words(layout.size)), np.uint8)
    for column, name in enumerate(("buffer", "row", "slice")):
        field = layout[name]
        flat[:, field.offset:field.offset + field.width] = where[:, column:column + 1] >> np.arange(field.width) & 1
    flat[:, layout["data"].offset:layout.size] = data
    return np.packbits(flat, axis=1, bitorder="little").view(np.uint32)


def _listed(config, listed):
    where = np.array([word[:3] for word in listed])
    data = np.array([[word[3] >> i & 1 for i in range(config.load_bits)] for word in listed], np.uint8)
    return payloads(config, where, data)


def clear(config, bits=3):
    """The load, (W,) 32-bit words, that clears state (1), counters (2) or both (3)."""
    return _listed(config, [(Buffer.REGISTER.value, Register.CLEAR.value, 0, bits)])[0]


def write(path, model, mode, utterances=(), isolated=False):
    """Write the file, by its path or open; utterances are (T, F) int8 arrays, each run from cleared state.

    Without utterances it serves for frames that come later, see `cosim.rtl.live`. Raises `PredictionError`.
    """
    config = model.config
    registers = _listed(config, images.register_words(model, mode))
    loads = [payloads(config, *images.weight_words(model))]
    tables = list(images.table_words(model))
    loads = np.concatenate([*loads, *([_listed(config, tables)] if tables else []), registers])
    parts = [np.array([len(loads), len(utterances), int(isolated)], np.uint32), clear(config), loads.ravel()]
    for utterance in utterances_of(list(utterances), config.features) if len(utterances) else ():
        parts += [np.array([len(utterance)], np.uint32), utterance.astype(np.int32).ravel().view(np.uint32)]
    np.concatenate(parts).tofile(path)
