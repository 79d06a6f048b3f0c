"""A model on both sides: the Verilated design and the golden model, over the same utterances."""

import sys
from dataclasses import dataclass

from tqdm import tqdm

from cosim.rtl import harness
from hw.interface import ALL_MODES
from sw import golden


@dataclass(frozen=True)
class Outcome:
    """The RTL's `harness.Run`; values compared with the golden model, how many differ, the first of them in words."""

    run: harness.Run
    compared: int
    differences: int
    first: str


def check(model, mode_name, utterances, *, isolated=False, quiet=False, folder=None):
    """Run one mode on both sides; a progress bar counts frames, once everything is compiled."""
    mode = ALL_MODES[mode_name]
    folder = folder or harness.build(model.config)
    frames = sum(len(u) for u in utterances)
    with tqdm(total=frames, desc=f"{mode_name}: gates", unit="frame", file=sys.stderr, leave=False,
              disable=quiet or None) as bar:
        run = harness.run(model, mode, utterances, isolated=isolated, folder=folder,
                          progress=lambda done: bar.update(done - bar.n))

    def counted(steps):
        return tqdm(steps, desc=f"{mode_name}: golden model", unit="frame", file=sys.stderr, leave=False,
                    disable=quiet or None)
    return Outcome(run, *run.prediction.compare(golden.predict(model, utterances, mode, counted)))
