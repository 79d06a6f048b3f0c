"""All figures on one page: accuracy, cycles, a frame cycle by cycle, area, energy, proofs, published beside measured.

    sottovoce report                                  build/report/index.html from docs/results, in seconds
    sottovoce report --simulate --wav speech.flac     the timeline of a recording of yours, from the Verilated design

The page is one file: it opens from disk and needs no network. What is not measured says so, with its command.
"""

import sys
from pathlib import Path

from tqdm import tqdm

from cosim import models, results
from cosim.report import browser, page, recorder, timeline, units
from cosim.report.figures import Results
from hw import store
from hw.interface import MODES, phases
from sw import options
from sw.data import audio

OUT = Path("build/report/index.html")
PUBLISHED = Path(__file__).with_name("results")  # a link to docs/results; a wheel carries them
SHOWN = ("t2_merged", "t2_union", "t1")
SIMULATED = ("wav", "model", "frame")  # options of --simulate


def simulate(wav, name, number=None):
    """Recorded frames, as they are published: one for each mode of `SHOWN` that the network was trained for.

    Frame `number` of the recording at `wav`, by default the middle one. A keyword network's frames count on through
    the windows that it hears.
    """
    trained, wave, found = models.by_time_steps(name), audio.read(wav), []
    for mode in SHOWN:
        model = trained.get(MODES[mode].time_steps)
        if model is None:
            continue
        heard = models.hear(model, wave).utterances
        chosen = sum(map(len, heard)) // 2 if number is None else number
        at, window = chosen, 0
        while window < len(heard) - 1 and at >= len(heard[window]):
            at, window = at - len(heard[window]), window + 1
        with tqdm(total=at + 1, desc=f"{mode}: frames up to {chosen}", unit="frame", file=sys.stderr, leave=False,
                  disable=None) as bar:
            frame = recorder.record(model, mode, heard[window], at, lambda done, bar=bar: bar.update(done - bar.n))
        found.append({"mode": mode, "config": model.config.name, "model": model.sha256, "recording": Path(wav).name,
                      "frame": chosen, "cycles": len(frame), "phases": [phase.name for phase in phases(model.config)],
                      "units": units.lines(frame)})
    return found


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--results", type=Path, action="append", metavar="FOLDER",
                        help="folder of results, may be given again: later ones win (default: the published ones)")
    parser.add_argument("--out", type=Path, default=OUT, help="the page (default: %(default)s)")
    parser.add_argument("--only", choices=["trust"], help="one section: trust, how the circuit was verified")
    parser.add_argument("--simulate", action="store_true",
                        help="record the timeline anew from the Verilated design (compiled the first time: a minute)")
    parser.add_argument("--wav", type=Path, help="recording to simulate, WAV or FLAC (default: the embedded one)")
    parser.add_argument("--model", help=f"{', '.join(models.names())}, or a folder (default: {models.PAIR})")
    parser.add_argument("--frame", type=options.from_zero, help="frame of the recording (default: the middle one)")
    parser.add_argument("--check", action="store_true",
                        help="open the page in headless Chromium: console errors, accessibility (axe), screenshots")
    store.add_publish(parser)


def run(args):
    """Write the page; 1 if it fails its check."""
    given = [f"--{name}" for name in SIMULATED if getattr(args, name) is not None]
    if given and not args.simulate:
        raise ValueError(f"{given[0]} says what to simulate: add --simulate")
    if args.publish and not (args.simulate or args.check):
        raise ValueError("--publish: the page is not published, only what --simulate and --check find")
    if args.publish and given:
        raise ValueError(f"--publish: docs/results holds the embedded recording on {models.PAIR}: leave {given[0]} out")
    for folder in args.results or []:
        if not folder.is_dir():
            raise ValueError(f"--results {folder}: no such folder")
    out = store.writable(args.out)
    if args.check:
        browser.need()
    sources = Results(args.results or [PUBLISHED])
    if args.simulate:
        wav = args.wav or models.CLIP
        frames = simulate(wav, args.model or models.PAIR, args.frame)
        made = {"command": args.command, "config": frames[0]["config"], "data": wav.name,
                "note": "recorded from the Verilated design, the frame alone; cycles, row reads and spikes add up to "
                        "the golden model's"}
        path = results.update({"timelines": frames}, "timelines", made, args.publish, timeline.FILE)
        sources.folders.append(path.parent)
    store.write_atomically(out, page.render(sources, args.command, args.only).encode())
    print(f"page: {out} ({out.stat().st_size / 1000:.0f} kB)")
    if not args.check:
        return 0
    outcome = browser.check(out)
    print(browser.told(outcome))
    browser.keep(outcome, "report", args.command, args.publish)
    return 1 if outcome["faults"] else 0
