"""`make cosim`: emitted Verilog on Verilator against the golden model, one TEST for each mechanism.

    python -m cosim.run --test all --config tiny
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from cosim.rtl.build import ROOT, BuildError, build, config_folder, versions
from cosim.rtl.simulate import simulate
from cosim.rtl.toolchain import ToolError
from hw import config as configs
from hw.emit import EmitError

from .catalog import TESTS, select

WORKERS = 2  # simulations at a time, each in a process of its own since the runner reads the process's environment


def run_test(name, config, *, seed=1, waves=False, root=ROOT):
    """Run one TEST; returns its summary as plain values and writes it to `<config>/<test>.json`."""
    started = time.monotonic()
    results = []
    for toplevel, module in TESTS[name]:
        folder = build(toplevel, config, root=root, waves=waves)
        results += simulate(name, toplevel, module, config, folder, seed=seed, waves=waves, root=root)
    summary = {
        "test": name, "config": config.name, "seed": seed,
        "values_compared": sum(c for r in results for c, _ in r["signals"].values()),
        "differences": sum(d for r in results for _, d in r["signals"].values()),
        "failures": [r["failure"] for r in results if r["failure"]],
        "signals": _by_signal(results),
        "figures": {key: value for r in results for key, value in r["figures"].items()},
        "seconds": round(time.monotonic() - started, 1),
        "command": f"make cosim TEST={name} CONFIG={config.name} SEED={seed}",
        "versions": versions(),
    }
    if not summary["values_compared"] and not summary["failures"]:
        summary["failures"] = [f"{name}: nothing was compared"]
    target = config_folder(config, root) / f"{name}.json"
    target.write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def run_tests(names, config, **options):
    """Summaries of several TESTs, in order, as they come."""
    with ProcessPoolExecutor(min(WORKERS, len(names))) as pool:
        yield from pool.map(partial(run_test, config=config, **options), names)


def _by_signal(results):
    signals = {}
    for result in results:
        for signal, (compared, different) in result["signals"].items():
            total = signals.setdefault(signal, [0, 0])
            total[0] += compared
            total[1] += different
    return signals


def show(summary):
    """The lines printed for one test."""
    head = f"{summary['test']:<20}"
    for signal, (compared, different) in summary["signals"].items():
        print(f"{head} {signal:<24} {compared:>9,} compared  {different:>6,} differ")
        head = " " * 20
    for name, value in summary["figures"].items():
        print(f"{head} {name:<40} {value}")
    for failure in summary["failures"]:
        print(f"{head} FAILED {failure}")
    sys.stdout.flush()


def main(argv=None):
    parser = argparse.ArgumentParser(prog="cosim.run", description=__doc__.splitlines()[0])
    parser.add_argument("--test", default="all", help="mechanism, or all (default: %(default)s)")
    parser.add_argument("--config", default="tiny", help="tiny, paper or a YAML file (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random vectors (default: %(default)s)")
    parser.add_argument("--waves", action="store_true", help="leave an FST trace of each simulation")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder for builds and results (default: %(default)s)")
    args = parser.parse_args(argv)
    started = time.monotonic()
    try:
        names = select(args.test)
        config = configs.load(args.config)
        if not config.counters:
            raise configs.ConfigError(f"{config.name}: counters=False: the benches read the counters; set it to true")
    except (KeyError, configs.ConfigError) as error:
        print(f"error: {error.args[0]}", file=sys.stderr)
        return 2
    summaries = []
    try:
        for summary in run_tests(names, config, seed=args.seed, waves=args.waves, root=args.out):
            show(summary)
            summaries.append(summary)
    except (ToolError, EmitError, BuildError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    failed = [s["test"] for s in summaries if s["failures"]]
    print(f"{config.name}, seed {args.seed}: {len(summaries)} tests, "
          f"{sum(s['values_compared'] for s in summaries):,} values compared, "
          f"{sum(s['differences'] for s in summaries):,} differ, "
          f"{'FAILED: ' + ', '.join(failed) if failed else 'all passed'}, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
