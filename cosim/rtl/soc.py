"""A RISC-V with the accelerator on its bus, Verilated: firmware compiled, a network and a recording put in its memory.

    system = Soc(model)                        an `IntegerModel` with labels: compiles hardware and firmware
    said = system.run(features)                int8 (seconds, frames, F)
    said.words, said.cycles                    what came over the serial line
"""

import re
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import hw.soc.system as hardware
from cosim.errors import HarnessError, ToolError
from cosim.rtl import builder, process
from cosim.rtl.bus import headers
from hw.driver.image import image_words
from hw.interface import MODES
from sw.features import causal, fixed_point
from sw.integers import images

HERE = Path(__file__).parent
FIRMWARE = Path(hardware.__file__).parent / "firmware"
COMPILER = "riscv64-unknown-elf-gcc"
FLAGS = ("-march=rv32im_zicsr", "-mabi=ilp32", "-std=c99", "-O2", "-ffreestanding", "-nostdlib", "-Wall", "-Wextra",
         "-Wconversion", "-Wshadow", "-Werror", "-T", "link.ld")
SOURCES = ("start.S", "board.c", "main.c", "features.c", "sottovoce.c")
PARCEL = 0x10000      # PARCEL of link.ld
MAGIC = int.from_bytes(b"PRCL", "little")
FEATURES, SOUND = 0, 1
LIMIT = 50_000_000    # cycles of a second of sound, at most


@dataclass(frozen=True)
class Said:
    """`words`: a line a second. `cycles`: the program's own figures by name. `all_cycles`: of the whole run."""

    words: list
    cycles: dict
    all_cycles: int


def missing_compiler():
    """Nothing, or what to do to have the cross compiler."""
    return "" if shutil.which(COMPILER) else (f"{COMPILER} is missing: install it, e.g. `apt install "
                                              "gcc-riscv64-unknown-elf`")


def program(model, main=None):
    """The firmware of a model as bytes; `main` is C text in place of main.c.

    Raises `ToolError` without a compiler, `BuildError` with its words.
    """
    if said := missing_compiler():
        raise ToolError(said)
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        for path in FIRMWARE.iterdir():
            shutil.copy(path, place)
        texts = headers(model.config, "wishbone") | {"tables.h": fixed_point.header(causal.normalisation_of(model))}
        if main is not None:
            texts["main.c"] = main
        for name, text in texts.items():
            (place / name).write_text(text)
        process.call(COMPILER, [COMPILER, *FLAGS, "-o", "firmware.elf", *SOURCES, "-lgcc"], cwd=place)
        copy = COMPILER.replace("gcc", "objcopy")
        process.call(copy, [copy, "-O", "binary", "firmware.elf", "firmware.bin"], cwd=place)
        return (place / "firmware.bin").read_bytes()


def parcel(model, kind, pieces, mode):
    """Bytes of what the loader leaves at PARCEL (firmware/parcel.h). `pieces`: int8 (seconds, frames, F) or int16
    (seconds, samples)."""
    labels = [label.encode() + b"\0" for label in model.manifest["labels"]]
    image = np.array(image_words(model.config, list(images.load_words(model, MODES[mode]))), "<u4")
    frames = pieces.shape[1] if kind == FEATURES else 1 + (pieces.shape[1] - causal.WINDOW) // causal.SHIFT
    head = struct.calcsize("<9I")
    words = b"".join(labels)
    words += b"\0" * (-len(words) % 4)
    at_image = PARCEL + head
    at_labels = at_image + image.nbytes
    at_data = at_labels + len(words)
    data = pieces.astype("<i1" if kind == FEATURES else "<i2").tobytes()
    header = struct.pack("<9I", MAGIC, kind, at_image, len(image), at_labels, len(labels), at_data, len(pieces), frames)
    return header + image.tobytes() + words + data


class Soc:
    """Hardware and firmware of one model. Raises `ToolError` or `BuildError`."""

    def __init__(self, model, quiet=False):
        self.model = model
        self.program = program(model)
        try:
            core = hardware.core_text()
        except hardware.CoreError as error:
            raise ToolError(str(error)) from None
        geometry = (f"#pragma once\nconstexpr unsigned RAM_WORDS = {hardware.RAM_WORDS};\n"
                    f"constexpr int DIVISOR = {hardware.DIVISOR};\n")
        self.folder = builder.build(builder.Design(
            label=f"{model.config.name}-soc", top="soc", prefix="Vsoc", mains={"soc": HERE / "soc.cpp"},
            # Width and case warnings in the core's text are not ours to mend
            verilator=("-Wno-fatal", "-Wno-lint", "--x-initial", "fast"),
            sources={"soc.v": builder.verilog("soc", model.config, quiet), f"{hardware.CORE}.v": core,
                     "geometry.hpp": geometry}),
            quiet)

    def run(self, pieces, *, sound=False, mode="t2_union", limit=None, trace=None, traced=0):
        """Features int8 (seconds, frames, F), or with `sound` samples int16 (seconds, 16000), -> `Said`.

        `limit`: cycles after which the run is given up. `trace`: a file that gets what the core's buses carry in each
        of the first `traced` cycles (hw/flow/core_energy.py reads it). Raises `HarnessError` with the program's or the
        simulation's words.
        """
        pieces = np.asarray(pieces)
        kind = SOUND if sound else FEATURES
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as place:
            files = [Path(place) / name for name in ("program", "parcel")]
            files[0].write_bytes(self.program)
            files[1].write_bytes(parcel(self.model, kind, pieces, mode))
            kept = [trace, str(traced)] if trace else []
            run = subprocess.run([self.folder / "soc", *files, hex(PARCEL), str(limit or LIMIT * (len(pieces) + 1)),
                                  *kept], capture_output=True, text=True)
        ended = re.search(r"exit (\d+)\ncycles (\d+)", run.stderr)
        if not ended or ended[1] != "0":
            raise HarnessError(f"the firmware failed: {run.stdout.strip()[-300:]} {run.stderr.strip()[-300:]}")
        lines = run.stdout.splitlines()
        figures = {name: int(value) for name, value in (line[2:].rsplit(" ", 1) for line in lines if line[:2] == "# ")}
        return Said([line for line in lines if line[:2] != "# "], figures, int(ended[2]))
