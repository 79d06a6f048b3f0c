"""How many lanes? Cycles a frame against area, over the lanes that a network can be built with, as a picture.

    python examples/sweep.py                      `paper`: sweep.png
    python examples/sweep.py --config my.yaml --mode t1 --density 0.1
"""

import argparse
from dataclasses import replace
from pathlib import Path

from hw import config, describe
from hw.interface import MODES
from sw import pictures

LANES = (16, 32, 64, 128, 256)
BUDGET = 1000  # cycles of a frame of 10 ms at 100 kHz


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="paper", help="a configuration's name or YAML file")
    parser.add_argument("--mode", default="t2_union", choices=MODES)
    parser.add_argument("--density", type=float, default=0.2, help="share of the neurons that fire")
    parser.add_argument("--out", type=Path, default=Path("sweep.png"))
    args = parser.parse_args(arguments)

    base, rows = config.load(args.config), []
    for lanes in LANES:
        try:  # a configuration checks itself: what cannot be built says why
            built = replace(base, lanes=lanes, lif_lanes=min(lanes, base.lif_lanes), name=f"{base.name}-{lanes}")
        except config.ConfigError as error:
            print(f"{lanes:4} lanes: {error}")
            continue
        cycles = describe.cycles(built, MODES[args.mode], args.density)
        rows.append((lanes, cycles, describe.area(built)["total"]))
        print(f"{lanes:4} lanes: {cycles:5} cycles a frame, {rows[-1][2]:.2f} mm² (rough, 130 nm)")

    plots = pictures.pyplot()
    figure, axis = plots.subplots(figsize=(7, 4.5))
    axis.plot([area for *_, area in rows], [cycles for _, cycles, _ in rows], "o-", color="#0072b2")
    for lanes, cycles, area in rows:
        axis.annotate(f"{lanes} lanes", (area, cycles), textcoords="offset points", xytext=(8, 6))
    axis.axhline(BUDGET, color="#d55e00", linestyle="--")
    axis.annotate("a frame in 10 ms at 100 kHz", (1, BUDGET), xycoords=("axes fraction", "data"), ha="right",
                  textcoords="offset points", xytext=(-6, 4), color="#b34700")
    axis.set(xlabel="area, mm², IHP 130 nm, before layout", ylabel="cycles a frame", yscale="log",
             yticks=(cycles := [200, 500, 1000, 2000, 5000]), yticklabels=[f"{n:,}" for n in cycles],
             title=f"{base.name}, {args.mode}, {args.density:.0%} of the neurons fire")
    axis.minorticks_off()
    axis.margins(0.2, 0.15)
    pictures.save(figure, args.out, dpi=120)
    print(f"picture: {args.out}")


if __name__ == "__main__":
    main()
