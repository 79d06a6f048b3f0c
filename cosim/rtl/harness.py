"""The compiled harness: whole corpora through the Verilated accelerator, every frame recorded.

Verilator compiles the emitted Verilog once for each configuration; `harness.cpp` drives it and records every frame.
"""

import functools
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.errors import HarnessError
from cosim.rtl import builder, geometry, probes, process, stimulus
from hw.interface import WEIGHT_BUFFERS, phases
from hw.types import logits_layout
from sw.golden.prediction import Prediction

HERE = Path(__file__).parent
FAST = ("--x-assign", "fast", "--x-initial", "fast")


def design(config, verilog, programs=("harness", "bare"), label="harness", gates="", **options):
    """The `builder.Design` of a configuration's harness around Verilog text; `gates`: Verilog that it refers to."""
    if not config.counters:
        raise HarnessError(f"{config.name}: counters=False: the harness reads the counters; build with counters: true")
    sources = {"probes.vlt": probes.control_file(probes.HARNESS), "accelerator.v": verilog,
               "geometry.hpp": geometry.header(config)} | ({"gates.v": gates} if gates else {})
    return builder.Design(label=f"{config.name}-{label}", top="accelerator", sources=sources,
                          mains={name: HERE / f"{name}.cpp" for name in programs},
                          headers=(HERE / "utterance.hpp", HERE / "model_access.hpp"), **{"verilator": FAST} | options)


@functools.cache
def build(config, verilog=None):
    """Compile `harness` and `bare` for a configuration; returns their folder. `verilog`: text, where not as emitted."""
    return builder.build(design(config, verilog or builder.verilog("accelerator", config)))


@functools.cache
def build_quickly(config):
    """The harness alone, its C++ not optimised: a third of the time to compile, for runs of a few hundred frames."""
    verilog = builder.verilog("accelerator", config)
    return builder.build(design(config, verilog, ("harness",), "harness-quick", optimise="-O0"))


@dataclass(frozen=True)
class Run:
    """What the RTL did, frame by frame over all utterances (T frames in total).

    prediction: every signal. first_feature, last_logit (T,): cycle numbers. cycles: of the whole run, loading
    included. lines: what the program printed besides.
    """

    prediction: Prediction
    first_feature: np.ndarray
    last_logit: np.ndarray
    cycles: int
    lines: tuple = ()

    @property
    def latency(self):
        """Cycles of each frame from its first feature taken to its last logit leaving, both included."""
        return self.last_logit - self.first_feature + 1


def run(model, mode, utterances, *, isolated=False, progress=None, verilog=None, folder=None):
    """Run utterances, each from cleared state, through the Verilated design; raises `HarnessError`.

    `isolated` offers a frame only when the one before has left; otherwise features wait at the port.
    `progress` is called with the number of frames done. `folder` has another build of the harness.
    """
    folder = folder or build(model.config, verilog)
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as scratch:
        given, recorded = Path(scratch) / "stimulus", Path(scratch) / "record"
        stimulus.write(given, model, mode, utterances, isolated)
        lines, errors = [], Path(scratch) / "errors"
        with errors.open("w+") as stderr, \
                process.started([folder / "harness", given, recorded], stderr=stderr) as child:
            for line in child.stdout:
                if not line.startswith("frames"):
                    lines.append(line.strip())
                elif progress:
                    progress(int(line.split()[1]))
        if child.returncode:
            raise HarnessError(errors.read_text().strip() or f"harness ended with code {child.returncode}")
        starts = np.cumsum([0] + [len(u) for u in utterances])[:-1]
        cycles = next(int(found[1]) for line in lines if (found := re.match(r"cycles (\d+)", line)))
        return decode(np.fromfile(recorded, np.uint32), model.config, mode, starts, cycles, tuple(lines))


def record_sizes(config):
    """32-bit words of the parts of a frame's `Record` (utterance.hpp), in order."""
    beats, beat_words = config.results // config.results_per_beat, geometry.words(logits_layout(config).size)
    spike_words, state_words = (geometry.words(config.lif_lanes * bits) for bits in (1, config.potential_bits))
    return [2, 2, len(phases(config)), len(WEIGHT_BUFFERS), 1, 2 * config.words * spike_words,
            2 * config.words * state_words, beats * beat_words]


def decode(record, config, mode, starts, cycles=0, lines=()):
    """The `Run` that 32-bit words of records tell; at frames `starts` the machine's counters were cleared."""
    steps, names, sizes = mode.time_steps, phases(config), record_sizes(config)
    first, last, spent, reads, evaluations, spikes, potentials, logits = np.split(
        record.reshape(-1, sum(sizes)), np.cumsum(sizes)[:-1], axis=1)
    frames, beats = len(first), config.results // config.results_per_beat
    beat_words, spike_words, state_words = (sizes[7] // beats, *(n // (2 * config.words) for n in sizes[5:7]))
    if (evaluations != steps * config.words).any():
        raise HarnessError(f"{config.name}: {evaluations.max()} LIF evaluations in a frame, not {steps * config.words}")
    values = _integers(logits.reshape(frames, beats, beat_words), config.result_bits, config.results_per_beat)
    fired = _integers(spikes.reshape(frames, 2, config.words, spike_words), 1, config.lif_lanes, signed=False)
    state = _integers(potentials.reshape(frames, 2, config.words, state_words), config.potential_bits, config.lif_lanes)

    def by_layer(array):
        """(T, 2, words, lanes) -> (T, K, N_l) of each layer."""
        parts = [array[:, :steps, config.first_word(k):config.first_word(k) + config.words_of(k)]
                 for k in range(len(config.layers))]
        return tuple(part.reshape(frames, steps, -1)[..., :layer.neurons]
                     for part, layer in zip(parts, config.layers, strict=True))

    def frame_alone(counters):
        """Counters run from an utterance's clear; what each frame added."""
        counters = counters.astype(np.int64)
        before = np.concatenate([np.zeros_like(counters[:1]), counters[:-1]])
        before[starts] = 0
        return counters - before

    def cycle(pair):
        return pair[:, 0].astype(np.int64) | pair[:, 1].astype(np.int64) << 32

    shown = Prediction(values.reshape(frames, config.results), by_layer(fired.astype(bool)), by_layer(state),
                       frame_alone(spent), frame_alone(reads), tuple(phase.name for phase in names))
    return Run(shown, cycle(first), cycle(last), cycles, lines)


def _integers(array, width, count, signed=True):
    """(..., words) of 32 bits -> (..., count) integers of `width` bits, lowest first."""
    bits = np.unpackbits(np.ascontiguousarray(array).view(np.uint8), axis=-1, bitorder="little")
    codes = bits[..., :count * width].reshape(*array.shape[:-1], count, width)
    weight = 1 << np.arange(width, dtype=np.int64)
    if signed:
        weight[-1] = -weight[-1]
    return codes @ weight.astype(np.int32 if width < 32 else np.int64)
