"""A long run: an hour of real speech through the Verilated accelerator in three modes, beside the golden model.

    sottovoce soak --data FOLDER               360,000 frames in each of three modes; goes on where it stopped
    sottovoce soak --frames 20000 --modes t1   a shorter one

Every spike, potential, logit, cycle and row read is compared. Clips follow each other in utterances of `--clips`
without a clear, so that state is carried on. What is done is kept after every chunk in build/soak: an
interrupted run goes on. Two hours on a quiet core for `rsnn-keywords`.
"""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from cosim import models, results
from cosim.errors import CosimError
from cosim.rtl import harness, side_by_side
from hw import store
from hw.interface import MODES
from sw import options
from sw.keywords import spotter, train

FOLDER = Path("build/soak")
UTTERANCES = 40  # in a chunk: what is lost when a run is stopped
CHOSEN = ("t2_union", "t1", "t2_merged")


class Speech:
    """Clips of a keyword data set as long utterances: `chunk(i)` is a list of (T, F) int8 arrays."""

    def __init__(self, model, data, clips):
        self.ear = spotter.of_integers("soak", model)
        self.waves, _ = train.gather(data, quiet=True)
        self.order = torch.randperm(len(self.waves.clips), generator=torch.Generator().manual_seed(0))
        self.clips, self.each = clips, clips * UTTERANCES

    def chunk(self, index):
        """Clips in a fixed random order, round and round."""
        rows = self.order[torch.arange(index * self.each, (index + 1) * self.each) % len(self.order)]
        x = self.ear.hear(self.waves.floats(rows)).transpose(1, 2).to(torch.int8)  # (clips, frames, F)
        return list(x.reshape(UTTERANCES, -1, x.shape[-1]).numpy())


def memory():
    """Resident megabytes of this process at their most, and of its children."""
    return [resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


def carry_on(path, key):
    """What an earlier run left in `path`, if it compared the same thing."""
    kept = store.read_json(path)
    return kept if kept.get("key") == key else {"key": key, "frames": 0, "compared": 0, "differences": 0, "seconds": 0,
                                                "chunks": 0, "cycles": 0, "first": "", "memory_mb": []}


def soak(model, mode, speech, frames, path, quiet=False):
    """Run one mode on from where it is to so many frames; returns what `path` then holds."""
    folder = harness.build(model.config)
    text = json.dumps([model.sha256, folder.name, mode, speech.clips, len(speech.order)])  # the hardware, too
    state = carry_on(path, hashlib.sha256(text.encode()).hexdigest()[:16])
    with tqdm(total=frames, initial=state["frames"], desc=mode, unit="frame", file=sys.stderr,
              disable=quiet or None) as bar:
        while state["frames"] < frames:
            started, utterances = time.monotonic(), speech.chunk(state["chunks"])
            outcome = side_by_side.check(model, mode, utterances, quiet=True, folder=folder)
            count = sum(map(len, utterances))
            state |= {"frames": state["frames"] + count, "compared": state["compared"] + outcome.compared,
                      "differences": state["differences"] + outcome.differences, "chunks": state["chunks"] + 1,
                      "cycles": state["cycles"] + int(outcome.run.prediction.phases.sum()),
                      "first": state["first"] or outcome.first,
                      "seconds": round(state["seconds"] + time.monotonic() - started, 1),
                      "memory_mb": [*state["memory_mb"], memory()]}
            store.write_json(path, state)
            bar.update(count)
    return state


def row(mode, state):
    """Figures of a mode: memory after the first chunks and at the end, which must not have grown."""
    seen = [sum(pair) for pair in state["memory_mb"]]
    return {"mode": mode, "frames": state["frames"], "values_compared": state["compared"],
            "differences": state["differences"], "cycles": state["cycles"], "seconds": state["seconds"],
            "memory_mb_early": seen[min(2, len(seen) - 1)], "memory_mb_end": seen[-1]}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--model", default="rsnn-keywords", help=f"{', '.join(models.names())}, or a folder")
    parser.add_argument("--data", default=options.KEYWORDS, help="keyword clips, a folder with a manifest")
    parser.add_argument("--frames", type=options.whole, default=360_000, help="in each mode, of 10 ms")
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(CHOSEN), help="in this order")
    parser.add_argument("--clips", type=options.whole, default=4, help="in one utterance, without a clear between")
    store.add_publish(parser)


def run(args):
    """1 if anything differs."""
    torch.set_num_threads(1)
    model = models.load(args.model)
    if not models.is_keyword(model):
        raise CosimError(f"--model {args.model}: wanted a keyword network: its features come from keyword clips")
    speech, rows = Speech(model, args.data, args.clips), []
    for mode in args.modes:
        state = soak(model, mode, speech, args.frames, FOLDER / f"{model.config.name}-{mode}.json")
        rows.append(row(mode, state))
        print("{mode:12} {frames:>9,} frames {values_compared:>14,} values {differences:>3} differ  "
              "{seconds:>8.0f} s  {memory_mb_early} -> {memory_mb_end} MB".format(**rows[-1]), flush=True)
        if state["first"]:
            print(f"  first difference: {state['first']}")
        figures = {"soak": rows, "soak_frames": sum(r["frames"] for r in rows),
                   "soak_differences": sum(r["differences"] for r in rows)}
        path = results.update(figures, "soak", {"command": args.command, "config": model.config.name,
                                                "data": args.data}, args.publish, "trust.json")
    print(f"figures: {path}")
    return 1 if figures["soak_differences"] else 0
