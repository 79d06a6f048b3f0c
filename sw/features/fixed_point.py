"""Tables of the features in fixed point: what `features.c` of the firmware needs of the front-end and of a model.

The C code does what `sw.features.causal` does, in integers. Its tables: Kaldi's window (Povey's), sines, triangular
filters, a table of logarithms, and from the model the mean before anything was heard and the deviation of each bin.
"""

import numpy as np

from sw.features.causal import BINS, SCALE, WINDOW

LINES = 256      # of a 512-point transform, the highest left out as Kaldi does
LINE_HZ = 31.25
LOW_HZ, HIGH_HZ = 20.0, 8000.0
FRACTION = 20    # bits after the point of a log energy


def _mel(hz):
    return 1127 * np.log(1 + np.asarray(hz) / 700)


def filters():
    """Kaldi's triangular filters, float (40, 256)."""
    edges = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BINS + 2)[:, None]
    line = _mel(LINE_HZ * np.arange(LINES))[None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((line - left) / (centre - left), (right - line) / (right - centre)))


def tables(normalisation):
    """C name and type -> integers, of a `sw.features.causal.Normalisation`."""
    turn = 2 * np.pi * np.arange(LINES) / (2 * LINES)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85
    mel = filters()
    used = mel > 0
    first = used.argmax(1)
    end = LINES - used[:, ::-1].argmax(1)
    return {
        "int32_t window": _codes(window, 31), "int32_t cosine": _codes(np.cos(turn), 31),
        "int32_t sine": _codes(np.sin(turn), 31),
        "uint16_t mel_weights": np.concatenate([_codes(mel[b, first[b]:end[b]], 15) for b in range(BINS)]),
        "uint16_t mel_first": first, "uint16_t mel_end": end,
        "int32_t log_table": _codes(np.log2(1 + np.arange(257) / 256), FRACTION),
        "int32_t mean_before": _codes(normalisation.mean, FRACTION),
        "int32_t per_deviation": _codes(SCALE / normalisation.deviation.astype(np.float64), 16),
    }


def _codes(values, fraction):
    """Integers in 2^-fraction; 1 in 2^-31 is the largest there is below it."""
    return np.minimum(np.round(np.asarray(values, np.float64) * (1 << fraction)), (1 << 31) - 1).astype(np.int64)


def header(normalisation):
    """Text of `tables.h`."""
    lines = ["/* Tables of the features in fixed point. Generated: see sw/features/fixed_point.py. */",
             "#ifndef TABLES_H", "#define TABLES_H", "#include <stdint.h>"]
    for name, values in tables(normalisation).items():
        lines.append(f"static const {name}[{len(values)}] = {{{', '.join(map(str, values.tolist()))}}};")
    return "\n".join([*lines, "#endif", ""])
