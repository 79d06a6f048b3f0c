"""A picture of what every unit of the circuit does in every cycle of one frame.

    python examples/timeline.py                                     the published frame: timeline.png
    python examples/timeline.py --wav speech.flac --frame 120       a frame of yours, recorded from the Verilated design
"""

import argparse
from pathlib import Path

from cosim.report import report, timeline
from cosim.report.figures import Results
from sw import pictures

COLOURS = {"phase-input": "#e69f00", "phase-L0": "#0072b2", "phase-L1": "#009e73", "phase-fc": "#cc79a7",
           "phase-deep": "#56b4e9", "phase-control": "#666666", "arrive": "#666666", "visit": "#e69f00",
           "read": "#0072b2", "add": "#009e73", "subtract": "#d55e00", "hold": "#dddddd", "load": "#e69f00",
           "step0": "#0072b2", "step1": "#e69f00", "capture": "#d55e00"}


def shown(frame):
    """The legend's entries that the frame has."""
    kinds = {kind for line in frame["units"].values() for *_, kind in timeline.runs(line, frame["phases"])}
    return [(name, kind) for name, kind in timeline.LEGEND if kind in kinds]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wav", type=Path, help="recording; compiles the design with its probes the first time")
    parser.add_argument("--frame", type=int, help="frame of the recording (default: the middle one)")
    parser.add_argument("--model", default="rsnn")
    parser.add_argument("--mode", default="t2_union")
    parser.add_argument("--out", type=Path, default=Path("timeline.png"))
    args = parser.parse_args(arguments)

    # A recorded frame has a line of states for each unit, a state a cycle: "p0*60 p1 …" is 60 cycles of phase 0.
    frames = report.simulate(args.wav, args.model, args.frame) if args.wav else \
        timeline.recorded(Results([report.PUBLISHED]))
    frame = next(frame for frame in frames if frame["mode"] == args.mode)

    plots = pictures.pyplot()
    figure, axis = plots.subplots(figsize=(12, 6))
    for lane, line in enumerate(frame["units"].values()):
        for at, length, kind in timeline.runs(line, frame["phases"]):
            axis.broken_barh([(at, length)], (lane - 0.4, 0.8), color=COLOURS[kind])
    axis.set(yticks=range(len(frame["units"])), yticklabels=frame["units"], xlabel="cycle", xlim=(0, frame["cycles"]),
             title=timeline.heading(frame))
    axis.invert_yaxis()
    handles = [plots.Rectangle((0, 0), 1, 1, color=COLOURS[kind], label=name) for name, kind in shown(frame)]
    axis.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=5, fontsize=8, frameon=False)
    pictures.save(figure, args.out, dpi=120)
    print(f"{timeline.heading(frame)}: {args.out}")


if __name__ == "__main__":
    main()
