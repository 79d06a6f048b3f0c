"""cocotb benches: the emitted Verilog on Verilator against the golden model, one test for each mechanism.

    sottovoce cosim --test all --config tiny        build/cosim/tiny/TEST.json
    sottovoce cosim --test lif --waves              the same simulation as waves: gtkwave build/cosim/tiny/lif-lif.gtkw
"""

import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from cosim.bench.catalog import TESTS, left_out, select
from cosim.rtl.simulate import build, simulate
from hw import config as configs
from hw import store
from sw import options

OUT = Path("build/cosim")
WORKERS = 2  # simulations at a time, each in a process of its own since the runner reads the process's environment


def run_test(name, config, *, seed=1, waves=False, out=OUT, plusargs=()):
    """Run one test; returns its summary as plain values and writes it to `<config>/<test>.json`."""
    started = time.monotonic()
    place = Path(out) / config.name
    results = []
    for toplevel, module in TESTS[name]:
        folder = build(toplevel, config, waves, quiet=True)
        results += simulate(name, toplevel, module, config, folder, seed=seed, waves=waves, out=place,
                            plusargs=plusargs)
    summary = {
        "test": name, "config": config.name, "seed": seed,
        "values_compared": sum(c for r in results for c, _ in r["signals"].values()),
        "differences": sum(d for r in results for _, d in r["signals"].values()),
        "failures": [r["failure"] for r in results if r["failure"]],
        "signals": _by_signal(results),
        "figures": {key: value for r in results for key, value in r["figures"].items()},
        "waves": [str(place / f"{name}-{module}.gtkw") for _, module in TESTS[name]] if waves else [],
        "seconds": round(time.monotonic() - started, 1),
        "command": f"sottovoce cosim --test {name} --config {config.name} --seed {seed}",
        "versions": store.versions("amaranth", "pyosys", "verilator", "cocotb", "torch"),
    }
    if not summary["values_compared"] and not summary["failures"]:
        summary["failures"] = [f"{name}: nothing was compared"]
    store.write_json(place / f"{name}.json", summary)
    return summary


def run_tests(names, config, **options):
    """Summaries of several tests, in order, as they come."""
    with ProcessPoolExecutor(min(WORKERS, len(names)), initializer=_quiet_end) as pool:
        try:
            yield from pool.map(partial(run_test, config=config, **options), names)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _quiet_end():
    """Ctrl-C reaches the workers too: each ends, with what it started, and says nothing."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))


def _by_signal(results):
    signals = {}
    for result in results:
        for signal_name, (compared, different) in result["signals"].items():
            total = signals.setdefault(signal_name, [0, 0])
            total[0] += compared
            total[1] += different
    return signals


def show(summary):
    """The lines printed for one test."""
    head = f"{summary['test']:<20}"
    for name, (compared, different) in summary["signals"].items():
        print(f"{head} {name:<24} {compared:>9,} compared  {different:>6,} differ")
        head = " " * 20
    for name, value in summary["figures"].items():
        print(f"{head} {name:<40} {value}")
    for view in summary["waves"]:
        print(f"{head} waves: gtkwave {view}")
    for failure in summary["failures"]:
        print(f"{head} FAILED {failure}")
    sys.stdout.flush()


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--test", default="all", help="mechanism, or all (default: %(default)s)")
    parser.add_argument("--config", default="tiny", help="configuration by name, or a YAML file (default: %(default)s)")
    parser.add_argument("--seed", type=options.from_zero,
                        default=1, help="seed of the random vectors (default: %(default)s)")
    parser.add_argument("--waves", action="store_true",
                        help="leave a trace of each simulation (FST), with the signals that matter for GTKWave")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results (default: %(default)s)")


def run(args):
    """Run the benches; 1 if any failed."""
    started = time.monotonic()
    config = configs.load(args.config)
    names = select(args.test, config)
    for test in TESTS if args.test == "all" else ():
        if left_out(test, config):
            print(f"{test}: left out: {left_out(test, config)}")
    if not config.counters:
        raise configs.ConfigError(f"{config.name}: counters=False: the benches read the counters; set it to true")
    print(f"{config.name}: {len(names)} test{'s' * (len(names) > 1)}, each compiled once and kept", file=sys.stderr)
    summaries = []
    for summary in run_tests(names, config, seed=args.seed, waves=args.waves, out=args.out):
        show(summary)
        summaries.append(summary)
    failed = [s["test"] for s in summaries if s["failures"]]
    print(f"{config.name}, seed {args.seed}: {len(summaries)} tests, "
          f"{sum(s['values_compared'] for s in summaries):,} values compared, "
          f"{sum(s['differences'] for s in summaries):,} differ, "
          f"{'FAILED: ' + ', '.join(failed) if failed else 'all passed'}, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0
