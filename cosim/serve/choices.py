"""What can be chosen in the page: networks that hear recordings, what runs them, and the recordings at hand."""

import threading
from functools import cache
from pathlib import Path

import soundfile

from cosim import models
from cosim.rtl import harness
from cosim.rtl.live import LiveRtl
from cosim.serve import ears, energy
from cosim.serve.wire import Refused
from hw.interface import MODES
from sw import registry
from sw.golden import LiveGolden

CLIPS = registry.WEIGHTS.parent / "clips"
MACHINES = {"golden": "golden model", "rtl": "the circuit, Verilated"}


class Choices:
    """`first`: the network that is chosen at first, by name or folder; `rtl`: whether the circuit is at choice.

    Raises `ModelError` where `first` cannot hear a recording.
    """

    def __init__(self, first=models.PAIR, rtl=False):
        self.first, self.machines = str(first), tuple(MACHINES)[:1 + rtl]
        self._building = threading.Lock()  # compilers want both cores: one at a time
        self._models = {}
        names = [n for n in models.names() if models.hears(self.model(n))]
        self.names = [self.first, *(n for n in names if n != self.first)]
        ears.ear_of(self.model(self.first))

    def model(self, name):
        """The `IntegerModel` of a name; loaded once."""
        if name not in self._models:
            self._models[name] = models.load(name)
        return self._models[name]

    def need(self, name, machine, mode=None):
        """(model, name of the mode) of what a client chose. Raises `Refused` listing what there is."""
        if name not in self.names:
            raise Refused(f"model {name!r}: wanted one of {', '.join(self.names)}")
        if machine not in self.machines:
            hint = "; start with --rtl for the circuit" if machine == "rtl" else ""
            raise Refused(f"machine {machine!r}: wanted one of {', '.join(self.machines)}{hint}")
        modes = modes_of(self.model(name))
        if mode not in (None, *modes):
            raise Refused(f"mode {mode!r}: wanted one of {', '.join(modes)}")
        return self.model(name), mode or modes[0]

    def build(self, name):
        """Compile the circuit of a network, a minute the first time; returns the folder."""
        with self._building:
            return harness.build(self.model(name).config)

    def network(self, name, machine, mode):
        """What runs a network's frames, one client's own; `close` it."""
        model = self.model(name)
        return LiveRtl(model, mode, self.build(name)) if machine == "rtl" else LiveGolden(model, mode)

    def listed(self):
        """Plain values for the page."""
        rows = []
        for name in self.names:
            model = self.model(name)
            rows.append({"name": name, "shown": Path(name).name if "/" in name else name,
                         "kind": "keywords" if models.is_keyword(model) else "phones", "config": model.config.name,
                         "modes": modes_of(model), "layers": len(model.config.layers),
                         "energy": bool(energy.of(model.config))})
        return {"models": rows, "machines": [{"name": m, "title": MACHINES[m]} for m in self.machines],
                "clips": [{"name": name, **facts} for name, facts in clips().items()]}


def modes_of(model):
    """Modes that give a network's bits, the fastest first."""
    names = [n for n, m in MODES.items() if m.time_steps == model.time_steps and m == m.built(model.config)]
    return sorted(names, key=lambda n: n != "t2_union")


@cache
def clips():
    """Recordings that come with the project: file name -> title, seconds, and the kind of network that it is for."""
    return {path.name: {"title": path.stem.replace("_", " ").capitalize(), "seconds": soundfile.info(path).duration,
                        "kind": "phones" if path.with_suffix(".phn").is_file() else "keywords"}
            for path in sorted(CLIPS.glob("*.flac"))}
