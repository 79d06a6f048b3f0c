"""Memory images: an `IntegerModel` as the rows of the five weight buffers, and as words of the load port.

    input       row i: weights of feature i
    recurrentK  half K of the neurons: rows of L0 recurrent, then L1 recurrent, then L1 feed-forward
    fcK         pass p, input n at row p N + n: outputs of group 2p + K; an odd last group: half K of its inputs

    python -m sw.integers.images --model sw/weights/rsnn-paper-t2
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from hw import store
from hw.config import ConfigError
from hw.interface import Buffer, Register
from sw.integers import integer_model


def rows(model):
    """Buffer name -> (rows, N) int8 array of weights, lane by lane."""
    c = model.config
    half = c.half
    out = {"input": torch.zeros(c.input_rows, c.neurons, dtype=torch.int32)}
    out["input"][:c.features] = model.input
    for k in range(2):
        part = slice(k * half, (k + 1) * half)
        out[f"recurrent{k}"] = torch.cat([model.recurrent0[part], model.recurrent1[part], model.forward1[part]])
    fc = torch.zeros(c.neurons, c.groups * c.neurons, dtype=torch.int32)
    fc[:, :c.outputs] = model.fc
    groups = fc.reshape(c.neurons, c.groups, c.neurons).transpose(0, 1)  # (groups, inputs, lanes)
    for k in range(2):
        parts = [groups[2 * p + k] for p in range(c.full_passes)]
        if c.split_pass:
            parts.append(groups[-1][k * half:(k + 1) * half])
        out[f"fc{k}"] = torch.cat(parts)
    return {name: matrix.to(torch.int8).numpy() for name, matrix in out.items()}


def bits(weights, config):
    """(..., lanes) weights -> (..., lanes * weight_bits) of 0 and 1, lane 0 and the low bit first."""
    codes = weights.astype(np.uint8)[..., None] >> np.arange(config.weight_bits, dtype=np.uint8) & 1
    return codes.reshape(*weights.shape[:-1], -1)


def _integers(array):
    """(k, bits) of 0 and 1, low bit first -> k Python integers."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(array, axis=-1, bitorder="little")]


def weight_words(model):
    """The weights as words of the load port: (k, 3) of buffer, row, slice, and (k, load_bits) of 0 and 1."""
    where, data = [], []
    for name, matrix in rows(model).items():
        index = np.indices((len(matrix), model.config.slices)).reshape(2, -1).T  # (rows x slices, 2)
        where.append(np.insert(index, 0, Buffer[name.upper()].value, axis=1))
        data.append(bits(matrix, model.config).reshape(len(index), model.config.load_bits))
    return np.concatenate(where), np.concatenate(data)


def register_words(model, mode):
    """Thresholds, mode and a clear of state and counters: (buffer, row, slice, data)."""
    values = {Register.THRESHOLD0: int(model.thresholds[0]), Register.THRESHOLD1: int(model.thresholds[1]),
              Register.MODE: mode.bits, Register.CLEAR: 3}
    return [(Buffer.REGISTER.value, register.value, 0, value) for register, value in values.items()]


def load_words(model, mode):
    """Every word that makes the machine ready: (buffer, row, slice, data), as the load port takes them."""
    where, data = weight_words(model)
    for place, word in zip(where.tolist(), _integers(data), strict=True):
        yield (*place, word)
    yield from register_words(model, mode)


def write_hex(model, folder):
    """One `$readmemh` file a buffer, a row a line; returns the paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, matrix in rows(model).items():
        digits = -(-model.config.row_bits // 4)
        lines = [f"{row:0{digits}x}" for row in _integers(bits(matrix, model.config))]
        store.write_atomically(folder / f"{name}.hex", ("\n".join(lines) + "\n").encode())
        paths.append(folder / f"{name}.hex")
    store.write_atomically(folder / "model.sha256", f"{model.sha256}\n".encode())
    return paths


def main(argv=None):
    parser = argparse.ArgumentParser(prog="sw.integers.images", description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model")
    parser.add_argument("--out", type=Path, help="folder for the .hex files (default: build/verilog/CONFIG/images)")
    args = parser.parse_args(argv)
    try:
        model = integer_model.load(args.model)
        out = args.out or Path("build/verilog") / model.config.name / "images"
        paths = write_hex(model, out)
    except (integer_model.ModelError, ConfigError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"{out}: {', '.join(p.name for p in paths)} of model {model.sha256[:12]}")


if __name__ == "__main__":
    main()
