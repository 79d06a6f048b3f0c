"""One frame of the Verilated accelerator, cycle by cycle: what the sequencer issues and what every unit does with it.

A program of its own publishes the ports that it looks at (`PROBES`). It runs the frames before, so that potentials are
those of real speech, then records the frame alone: from the cycle in which its first feature is taken to the one in
which its last logit leaves, both included. What is recorded must add up to the golden model's counts (`disagreement`).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.errors import HarnessError
from cosim.rtl import builder, geometry, harness, process, stimulus
from cosim.rtl.probes import control_file
from hw.interface import MODES, WEIGHT_BUFFERS, phases
from sw import golden

HERE = Path(__file__).parent
MODEL_ACCESS = Path(harness.__file__).with_name("model_access.hpp")
READS = ("input_read", "recurrent_read__0", "recurrent_read__1", "fc_read__0", "fc_read__1")  # by WEIGHT_BUFFERS
PE = ("gate", "shift", "negate", "clear", "load")
SEQUENCER = ("phase", "idle", "digits__advance", "digits__index", "spikes__advance", "spikes__visits__0",
             "spikes__visits__1", *(f"{read}__{part}" for read in READS for part in ("enable", "row")))
LIF = ("seen", "seen_step")
# what is looked at: module -> signals, and the samples as (name, signal of the compiled model)
PROBES = {"sequencer": [*SEQUENCER], "pe_array": [*PE], "lif": [*LIF, "seen_word", "seen_spikes"],
          "logit_drain": ["capture"]}
SAMPLES = (*((name, f"sequencer.{name}") for name in SEQUENCER),
           *((f"pe{k}_{name}", f"pe_set{k}.{name}") for k in range(2) for name in PE),
           *((name, f"lif.{name}") for name in LIF), ("capture", "logit_drain.capture"))
FIRST = ("taken", "arrived", "fired")  # the program's own: a feature taken, a beat of logits, spikes of the LIF word


@dataclass(frozen=True)
class Frame:
    """`samples`: name -> (cycles,) integers, see `SAMPLES` and `FIRST`; `expected`: the golden `Prediction` so far.

    `word` (cycles,) is the LIF unit's; `number` counts frames from 0.
    """

    config: object
    mode: str
    number: int
    samples: dict
    expected: object

    def __len__(self):
        return len(self.samples["phase"])

    def reads(self):
        """Buffer -> (cycles,) row read in that cycle, -1 where none is."""
        s = self.samples
        return {name: np.where(s[f"{read}__enable"] == 1, s[f"{read}__row"], -1)
                for name, read in zip(WEIGHT_BUFFERS, READS, strict=True)}



def _spelt(name):
    """A signal as Verilator names it in C++: a double underscore is ___05F there."""
    block, _, signal = name.partition(".")
    return f"root->accelerator__DOT__{block}__DOT__{signal.replace('__', '___05F')}"


def design(config):
    """The `builder.Design` of the recorder."""
    signals = [_spelt(name) for _, name in SAMPLES] + [geometry.word_of(config, "root->accelerator__DOT__lif__DOT__")]
    header = f"""#pragma once
constexpr int SAMPLES = {len(FIRST) + len(signals)};
#define ALL_SAMPLES(root) {", ".join(f"static_cast<uint32_t>({signal})" for signal in signals)}
"""
    return builder.Design(
        label=f"{config.name}-timeline", top="accelerator", optimise="-O0", verilator=harness.FAST,
        sources={"probes.vlt": control_file(PROBES), "accelerator.v": builder.verilog("accelerator", config),
                 "geometry.hpp": geometry.header(config), "samples.hpp": header,
                 "model_access.hpp": MODEL_ACCESS.read_text()},
        mains={"timeline": HERE / "timeline.cpp"})


def record(model, mode, x, number, progress=lambda done: None):
    """Record frame `number` of int8 features x (T, F), run from cleared state in a mode of `MODES` by its name.

    Compiles once for a configuration. `progress` is called with the number of frames done. Raises `HarnessError` for a
    frame that there is not, or where the record does not add up to the golden model's counts.
    """
    if not 0 <= number < len(x):
        raise HarnessError(f"frame {number}: the recording has frames 0 to {len(x) - 1}")
    config, names = model.config, [*FIRST, *(name for name, _ in SAMPLES), "word"]
    x = x[:number + 1]
    folder = builder.build(design(config))
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as scratch:
        given, recorded, errors = (Path(scratch) / name for name in ("stimulus", "record", "errors"))
        stimulus.write(given, model, MODES[mode], [x], isolated=True)
        with errors.open("w+") as stderr, \
                process.started([folder / "timeline", given, recorded, number], stderr=stderr) as child:
            for line in child.stdout:
                progress(int(line.split()[1]))
        if child.returncode:
            raise HarnessError(errors.read_text().strip() or f"the recorder ended with code {child.returncode}")
        values = np.fromfile(recorded, np.uint32).astype(np.int64).reshape(-1, len(names))
    samples = dict(zip(names, values.T, strict=True))
    frame = Frame(config, mode, number, samples, golden.predict(model, x, mode))
    wrong = disagreement(frame)
    if wrong:
        raise HarnessError(f"{config.name}, {mode}, frame {number}: the cycles recorded are not the golden model's: "
                           f"{wrong}")
    return frame


def disagreement(frame):
    """Where a record does not add up to the golden model's frame, in words; "" where it does.

    Compared: cycles of each phase, row reads of each buffer, spikes of each layer and time step, beats of logits,
    and the cycles from first feature to last logit.
    """
    s, config, wanted = frame.samples, frame.config, frame.expected
    found = [("cycles in all", len(frame), int(wanted.phases[-1].sum()) + golden.ends(config)),
             ("beats", int(s["arrived"].sum()), config.results // config.results_per_beat),
             ("features", int(s["taken"].sum()), config.features)]
    busy = s["idle"] == 0
    for phase in phases(config):
        found.append((f"cycles of {phase.name}", int((busy & (s["phase"] == phase.value)).sum()),
                      int(wanted.phases[-1, phase.value])))
    for i, (name, rows) in enumerate(frame.reads().items()):
        found.append((f"row reads of {name}", int((rows >= 0).sum()), int(wanted.reads[-1, i])))
    for layer in range(len(config.layers)):
        first = config.first_word(layer)
        words = (s["word"] >= first) & (s["word"] < first + config.words_of(layer))
        for step in range(MODES[frame.mode].time_steps):
            at = (s["seen"] == 1) & words & (s["seen_step"] == step)
            found.append((f"spikes of layer {layer}, time step {step}", int(s["fired"][at].sum()),
                          int(wanted.spikes[layer][-1, step].sum())))
    return "; ".join(f"{name}: expected {expected}, got {got}" for name, got, expected in found if got != expected)
