"""`make sta`: setup and hold of the mapped netlist at 100 kHz and at a fast clock, critical path in design names.

    python -m hw.flow.sta --config paper --lib ihp-sg13g2 --fast 10

No wires yet: cells and their loads only; `make openroad` has placed and routed wires.
"""

import argparse
import json
import re

from hw import config as configs
from hw import store
from hw.flow.lib import library as libraries
from hw.flow.lib import memories, sta_tool
from hw.flow.lib.errors import FlowError, command

from .files import recipe
from .synth import folder_of, write_views

SLOW = 10_000.0  # ns: 100 kHz, as published


def synthesised(folder, args):
    """The synthesis report of a folder; raises `FlowError` naming the command that makes it."""
    path = folder / "synth.json"
    if not path.is_file():
        raise FlowError(f"{path} is missing: run `make synth CONFIG={args.config} LIB={args.lib}`")
    return json.loads(path.read_text())


def parse(text):
    """Slacks in ns, start, end and pin list of the critical path of a `timing.tcl` run."""
    out = {}
    for kind in ("setup", "hold"):
        out[f"{kind}_slack_ns"] = float(re.search(rf"^{kind.upper()} (\S+)", text, re.M)[1])
        part = text.split(f"PATH {kind}\n")[1]
        part = re.split(r"^(?:PATH|END)", part, maxsplit=1, flags=re.M)[0]
        ends = {key: re.search(rf"^{key}: (\S+)", part, re.M) for key in ("Startpoint", "Endpoint")}
        pins = re.findall(r"^\s*(-?[\d.]+)\s+(-?[\d.]+) [\^v] (\S+) \((\S+)\)", part, re.M)
        arrival = re.search(r"(-?[\d.]+)\s+data arrival time", part)
        out[kind] = {"start": ends["Startpoint"][1] if ends["Startpoint"] else None,
                     "end": ends["Endpoint"][1] if ends["Endpoint"] else None,
                     "arrival_ns": float(arrival[1]) if arrival else None,
                     "path": [{"pin": pin, "cell": cell, "delay_ns": float(delay), "time_ns": float(time)}
                              for delay, time, pin, cell in pins]}
    return out


def analyse(library, result, folder, periods, top="accelerator", netlist=None):
    """Timing at each period (ns): {"100 kHz": {...}}."""
    out = {}
    for period in periods:
        text = sta_tool.run("timing", folder, **sta_tool.settings(
            library, result["views"], netlist or folder / "netlist.v", top, period))
        out[clock_name(period)] = {"period_ns": period, **parse(text)}
    return out


def clock_name(period):
    hertz = 1e9 / period
    return f"{hertz / 1e3:g} kHz" if hertz < 1e6 else f"{hertz / 1e6:g} MHz"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="hw.flow.sta", description=__doc__.splitlines()[0])
    libraries.arguments(parser)
    parser.add_argument("--corner", default="typ", help="typ, slow or fast (default: %(default)s)")
    parser.add_argument("--variant", default="default", help="folder of the synthesis (default: %(default)s)")
    parser.add_argument("--fast", type=float, default=10.0, help="period of the fast clock, ns (default: %(default)s)")
    args = parser.parse_args(argv)
    with command():
        if args.fast <= 0:
            raise FlowError(f"--fast {args.fast}: wanted a period in ns above 0")
        config = configs.load(args.config)
        library = libraries.load(args.lib, args.pdk, args.corner)
        folder = folder_of(args, config, library)
        result = synthesised(folder, args)
        kinds = {
            b.macro.name: b.macro for b in memories.compose(config, library, result["settings"]["prefer"]).values()
        }
        result["views"] = write_views(kinds, library, folder)  # of this corner
        timing = analyse(library, result, folder, (SLOW, args.fast))
        out = {"config": config.name, "library": library.name, "corner": library.corner, "timing": timing,
               "command": recipe("sta", parser, args),
               "tool_versions": {"sta": sta_tool.version()}}
        store.write_json(folder / f"sta-{library.corner}.json", out)
        for name, t in timing.items():
            print(f"{name}: setup slack {t['setup_slack_ns']:.3f} ns, hold slack {t['hold_slack_ns']:.3f} ns")
        worst = timing[clock_name(args.fast)]["setup"]
        print(f"critical path, {worst['arrival_ns']} ns, {worst['start']} -> {worst['end']}:")
        for step in worst["path"]:
            print(f"  {step['delay_ns']:7.3f} {step['time_ns']:7.3f}  {step['pin']} ({step['cell']})")
        print(f"OpenSTA {sta_tool.version()}; {folder / ('sta-' + library.corner + '.json')}")


if __name__ == "__main__":
    main()
