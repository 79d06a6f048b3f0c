"""The firmware's features in fixed point, compiled for this machine: what the RISC-V computes, without the RISC-V.

    features = FrontEnd(causal.normalisation_of(model))      compiles hw/soc/firmware/features.c
    features(samples)                                        int16 (samples,) -> int8 (frames, 40)
"""

import ctypes
import shutil
import tempfile
from pathlib import Path

import numpy as np

import hw.soc.system as hardware
from cosim.errors import ToolError
from cosim.rtl import process
from sw.features import causal, fixed_point

SOURCE = Path(hardware.__file__).parent / "firmware" / "features.c"
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsanitize=undefined",
         "-fno-sanitize-recover", "-shared", "-fPIC")


class FrontEnd:
    """Dies of undefined behaviour in the C code, overflow first of all. Raises `ToolError` or `BuildError`."""

    def __init__(self, normalisation):
        if not shutil.which("gcc"):
            raise ToolError("gcc is missing: install it, e.g. `apt install gcc`")
        self.normalisation = normalisation
        with tempfile.TemporaryDirectory() as place:
            place = Path(place)
            (place / "tables.h").write_text(fixed_point.header(normalisation))
            process.call("gcc", ["gcc", *FLAGS, f"-I{place}", "-o", "features.so", str(SOURCE)], cwd=place)
            self._library = ctypes.CDLL(str(place / "features.so"))

    def __call__(self, samples):
        samples = np.ascontiguousarray(samples, np.int16)
        self._library.features_restart()
        frames, one = [], (ctypes.c_int8 * causal.BINS)()
        for start in range(0, len(samples) - causal.WINDOW + 1, causal.SHIFT):
            piece = samples[start:start + causal.WINDOW]
            self._library.features_frame(piece.ctypes.data_as(ctypes.c_void_p), one)
            frames.append(list(one))
        return np.array(frames, np.int8)

    def difference(self, samples):
        """int8 values of the float front-end less ours, as integers (frames, 40)."""
        wanted = self.normalisation(causal.log_mel(np.asarray(samples).astype(np.float32) / 32768))
        return wanted.astype(int) - self(samples)


def error(front_end, recordings):
    """What a front-end's features differ in from the float one's, over int16 recordings: plain values."""
    off = np.concatenate([front_end.difference(samples) for samples in recordings])
    return {"recordings": len(recordings), "frames": len(off), "features": off.size, "differ": int((off != 0).sum()),
            "frames_that_differ": int((off != 0).any(1).sum()), "largest_lsb": int(np.abs(off).max())}
