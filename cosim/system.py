"""Random software on the accelerator's buses, in numbers: transactions, hangs, wrong logits.

    sottovoce bus-test --transactions 10000          build/results/system.json
"""

import argparse

from cosim import results
from cosim.errors import CosimError
from cosim.run import run_test, show
from hw import config as configs
from hw import store
from sw import options

BUSES = {"axi": "bus_axi", "wishbone": "bus_wishbone"}  # bus -> bench
FIGURES = ("bus_transactions", "refused", "resets", "frames", "hangs", "wrong_logits")


def row(bus, config, transactions, seed):
    """One bus under random software: a row of figures. Raises `CosimError` naming what failed."""
    summary = run_test(BUSES[bus], config, seed=seed, plusargs=(f"+transactions={transactions}",))
    show(summary)
    if summary["failures"]:
        raise CosimError(f"{bus}: {'; '.join(summary['failures'])}")
    return {"bus": bus, "config": config.name, **{name: summary["figures"][name] for name in FIGURES},
            "values_compared": summary["values_compared"], "differences": summary["differences"],
            "seconds": summary["seconds"]}


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--config", default="tiny", help="configuration by name, or a YAML file (default: %(default)s)")
    parser.add_argument("--transactions", type=_positive, default=10_000,
                        help="bus accesses at least (default: %(default)s)")
    parser.add_argument("--seed", type=options.from_zero,
                        default=1, help="seed of everything random (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Both buses; 1 if any value differed."""
    config = configs.load(args.config)
    rows = [row(bus, config, args.transactions, args.seed) for bus in BUSES]
    path = results.update({"buses": rows}, "buses", {"command": args.command, "config": config.name, "note": (
        "masters and streams by cocotbext-axi and cocotbext-wishbone; stalls, resets in mid-frame, illegal and "
        "misaligned accesses; every reply, error, count and logit against the register map and the golden model")},
        args.publish, "system.json")
    print(f"figures: {path}")
    return 1 if any(r["differences"] or r["hangs"] for r in rows) else 0


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: wanted at least 1")
    return value
