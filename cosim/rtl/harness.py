"""The compiled harness: whole corpora through the Verilated accelerator, compared with the golden model bit for bit.

Verilator compiles the emitted Verilog once for each configuration; `harness.cpp` drives it and records every frame.
"""

import functools
import hashlib
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.rtl import toolchain
from hw import emit
from hw.interface import WEIGHT_BUFFERS, Phase, Register
from hw.types import load_layout, logits_layout
from sw.integers import images

HERE = Path(__file__).parent
BUILD = Path("build/harness")


class HarnessError(RuntimeError):
    """The model does not build or the run failed; the message is the tool's own."""


def _words(bits):
    return -(-bits // 32)


def _geometry(config):
    """C++ constants of a configuration, and pointers to the registers that the harness records."""
    beat = logits_layout(config)
    root = "root.accelerator__DOT__"
    lanes = [[f"&{root}lif__DOT__potential_{layer}_{lane}" for lane in range(config.neurons)] for layer in range(2)]
    spikes = [f"&{root}lif__DOT__spikes___05F{i}" for i in range(4)]
    potential = "uint8_t uint16_t uint32_t".split()[(config.potential_bits > 8) + (config.potential_bits > 16)]
    return f"""#pragma once
constexpr int FEATURES = {config.features}, NEURONS = {config.neurons}, POTENTIAL_BITS = {config.potential_bits};
constexpr int BEATS = {config.outputs // config.logits_per_beat}, LAST_BIT = {beat["last"].offset};
constexpr int LOGIT_WORDS = {_words(beat.size)}, LOAD_WORDS = {_words(load_layout(config).size)};
struct Probes {{
    using Spikes = decltype(Vaccelerator___024root::accelerator__DOT__lif__DOT__spikes___05F0);
    const {potential}* potentials[2][NEURONS];
    const Spikes* spikes[4];
    const CData *lif_enable, *lif_layer, *lif_step, *frame;
    explicit Probes(Vaccelerator___024root& root)
        : potentials{{{{{", ".join(lanes[0])}}},
                     {{{", ".join(lanes[1])}}}}},
          spikes{{{", ".join(spikes)}}},
          lif_enable(&{root}lif__DOT__enable), lif_layer(&{root}lif__DOT__layer), lif_step(&{root}lif__DOT__step),
          frame(&{root}counters__DOT__frame) {{}}
}};
"""


PUBLIC = """`verilator_config
public_flat_rd -module "lif" -var "potential_?_*"
public_flat_rd -module "lif" -var "spikes__*"
public_flat_rd -module "lif" -var "enable"
public_flat_rd -module "lif" -var "layer"
public_flat_rd -module "lif" -var "step"
public_flat_rd -module "counters" -var "frame"
"""


def _call(command, env, cwd):
    run = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)
    if run.returncode:
        raise HarnessError(f"{Path(command[0]).name} failed: {(run.stdout + run.stderr).strip()[-1500:]}")


@functools.cache
def build(config, verilog=None):
    """Compile `harness` and `bare` for a configuration; returns their folder. Reused while nothing changed."""
    if not config.counters:
        raise HarnessError(f"{config.name}: counters=False: the harness reads the counters; build with counters: true")
    folder = BUILD / config.name
    folder.mkdir(parents=True, exist_ok=True)
    sources = [Path(verilog)] if verilog else sorted(Path(emit.__file__).parent.glob("*.py"))
    sources += [HERE / name for name in ("harness.cpp", "bare.cpp", "model_access.hpp", "harness.py")]
    parts = [repr(config), *(path.read_text() for path in sources)]
    stamp = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    if (folder / "stamp").is_file() and (folder / "stamp").read_text() == stamp:
        return folder
    (folder / "stamp").unlink(missing_ok=True)
    source = Path(verilog) if verilog else emit.emit("accelerator", config, folder / "accelerator.v")
    env = toolchain.environment()
    (folder / "geometry.hpp").write_text(_geometry(config))
    (folder / "public.vlt").write_text(PUBLIC)
    include = Path(env["VERILATOR_ROOT"]) / "include"
    _call(["verilator", "--cc", "--build", "-j", "2", "-O3", "--x-assign", "fast", "--x-initial", "fast",
           "--top-module", "accelerator", "--Mdir", "model", *toolchain.WAIVERS, "public.vlt", str(source.resolve())],
          env, folder)
    for name in ("harness", "bare"):
        _call(["g++", "-std=c++17", "-O2", f"-I{folder.resolve()}", "-Imodel", f"-I{include}", f"-I{include}/vltstd",
               str((HERE / f"{name}.cpp").resolve()), "model/libVaccelerator.a", "model/libverilated.a",
               "-pthread", "-lpthread", "-latomic", "-o", name], env, folder)
    (folder / "stamp").write_text(stamp)
    return folder


@dataclass(frozen=True)
class Result:
    """What the RTL did, frame by frame over all utterances (T frames in total; K time steps, N neurons).

    logits (T, O); spikes, potentials (T, 2, K, N); phases (T, 10), reads (T, 5) of each frame alone;
    first_feature, last_logit (T,) cycle numbers; cycles: clock cycles of the whole run, loading included.
    """

    logits: np.ndarray
    spikes: np.ndarray
    potentials: np.ndarray
    phases: np.ndarray
    reads: np.ndarray
    first_feature: np.ndarray
    last_logit: np.ndarray
    cycles: int

    @property
    def latency(self):
        """Cycles of each frame from its first feature taken to its last logit leaving, both included."""
        return self.last_logit - self.first_feature + 1


def _payloads(config, where, data):
    """Words of the load port, (k, 3) and (k, load_bits), as (k, W) 32-bit words."""
    layout = load_layout(config)
    flat = np.zeros((len(where), 32 * _words(layout.size)), np.uint8)
    for column, name in enumerate(("buffer", "row", "slice")):
        field = layout[name]
        flat[:, field.offset:field.offset + field.width] = where[:, column:column + 1] >> np.arange(field.width) & 1
    flat[:, layout["data"].offset:layout.size] = data
    return np.packbits(flat, axis=1, bitorder="little").view(np.uint32)


def _registers(config, words):
    where = np.array([word[:3] for word in words])
    data = np.array([[word[3] >> i & 1 for i in range(config.load_bits)] for word in words], np.uint8)
    return _payloads(config, where, data)


def write_stimulus(path, model, mode, utterances, isolated=False):
    """Write the file that `harness` and `bare` read: utterances are (T, F) int8 arrays."""
    config = model.config
    registers = _registers(config, images.register_words(model, mode))
    loads = np.concatenate([_payloads(config, *images.weight_words(model)), registers])
    clear = registers[Register.CLEAR.value]
    parts = [np.array([len(loads), len(utterances), int(isolated)], np.uint32), clear, loads.ravel()]
    for utterance in utterances:
        utterance = np.asarray(utterance)
        if utterance.ndim != 2 or utterance.shape[1] != config.features or not len(utterance):
            raise HarnessError(f"utterance of shape {utterance.shape}: wanted (frames, {config.features}), not empty")
        parts += [np.array([len(utterance)], np.uint32), utterance.astype(np.int32).ravel().view(np.uint32)]
    np.concatenate(parts).tofile(path)


def run(model, mode, utterances, *, isolated=False, progress=None, verilog=None):
    """Run utterances, each from cleared state, through the Verilated design; raises `HarnessError`.

    `isolated` offers a frame only when the one before has left; otherwise features wait at the port.
    `progress` is called with the number of frames done.
    """
    folder = build(model.config, verilog)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        stimulus, result = Path(scratch) / "stimulus", Path(scratch) / "result"
        write_stimulus(stimulus, model, mode, utterances, isolated)
        with subprocess.Popen([folder / "harness", stimulus, result], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            last = ""
            for line in process.stdout:
                if progress and line.startswith("frames"):
                    progress(int(line.split()[1]))
                last = line
            errors = process.stderr.read()
        if process.returncode:
            raise HarnessError(errors.strip() or f"harness ended with code {process.returncode}")
        starts = np.cumsum([0] + [len(u) for u in utterances])[:-1]
        return _decode(np.fromfile(result, np.uint32), model.config, mode, starts,
                       int(re.match(r"cycles (\d+)", last).group(1)))


def _decode(words, config, mode, starts, cycles):
    layout = logits_layout(config)
    beats, beat_words = config.outputs // config.logits_per_beat, _words(layout.size)
    spike_words = _words(config.neurons)
    sizes = [2, 2, len(Phase), len(WEIGHT_BUFFERS), 4 * spike_words, 4 * config.neurons, beats * beat_words]
    first, last, phases, reads, spikes, potentials, logits = np.split(
        words.reshape(-1, sum(sizes)), np.cumsum(sizes)[:-1], axis=1)
    frames = len(first)

    def bits(array, per_item):
        """(..., words) -> (..., items, per_item) bits, lowest first."""
        flat = np.unpackbits(np.ascontiguousarray(array).view(np.uint8), axis=-1, bitorder="little")
        return flat[..., :flat.shape[-1] // per_item * per_item].reshape(*array.shape[:-1], -1, per_item)

    width = config.logit_bits
    # (T, beats, logits a beat, width)
    codes = bits(logits.reshape(frames, beats, beat_words), width)[:, :, :config.logits_per_beat]
    weight = 1 << np.arange(width, dtype=np.int32)
    weight[-1] = -weight[-1]
    values = (codes.astype(np.int32) @ weight).reshape(frames, config.outputs)
    fired = bits(spikes.reshape(frames, 4, spike_words), 1)[:, :, :config.neurons, 0].astype(bool)
    k = mode.time_steps

    def frame_alone(counters):
        """Counters run from an utterance's clear; what each frame added."""
        counters = counters.astype(np.int64)
        before = np.concatenate([np.zeros_like(counters[:1]), counters[:-1]])
        before[starts] = 0
        return counters - before

    def cycle(pair):
        return pair[:, 0].astype(np.int64) | pair[:, 1].astype(np.int64) << 32

    return Result(values, fired.reshape(frames, 2, 2, -1)[:, :, :k],
                  potentials.view(np.int32).reshape(frames, 2, 2, -1)[:, :, :k],
                  frame_alone(phases), frame_alone(reads), cycle(first), cycle(last), cycles)
