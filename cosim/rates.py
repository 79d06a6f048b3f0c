"""How fast the simulations run, side by side in one run: bare C++ main, compiled harness, cocotb, Amaranth's simulator.

    sottovoce rates

All drive the `paper` design. Processor time, best of several rounds each, taken in turns: this is about the tools, not
about the machine's other work. Ratios carry over between machines, absolute rates do not.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from amaranth.sim import Simulator
from cocotb_tools.runner import get_runner
from tqdm import tqdm

from cosim import activity, results
from cosim.rtl import harness, simulate, stimulus
from hw import config as configs
from hw import store
from hw.accelerator import Accelerator
from hw.interface import MODES
from sw import options
from sw.integers import images

MODE = "t2_merged"


def _children_s():
    """Processor seconds of all finished child processes, user and system."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bare_rate(folder, given, cycles):
    """Clock cycles a second of bare.cpp."""
    run = subprocess.run([folder / "bare", given, str(cycles)], capture_output=True, text=True, check=True)
    return cycles / float(run.stdout.split()[-1])


def harness_rate(folder, given):
    """Clock cycles a second of harness.cpp from process start to end, recording every frame to a file."""
    with tempfile.TemporaryDirectory() as scratch:
        before = _children_s()
        run = subprocess.run([folder / "harness", given, Path(scratch) / "record"], capture_output=True, text=True,
                             check=True)
        return int(run.stdout.split()[-1]) / (_children_s() - before)


def cocotb_rate(config, cycles, style):
    """Clock cycles a second of the design that the benches use, its probes published; `free` or `edges`."""
    folder = simulate.build("accelerator", config)
    with tempfile.TemporaryDirectory() as scratch:
        record = Path(scratch) / "seconds"
        get_runner("verilator").test(
            test_module="cosim.benches.rate", hdl_toplevel="accelerator", hdl_toplevel_lang="verilog", build_dir=folder,
            test_dir=scratch, log_file=Path(scratch) / "rate.log",
            plusargs=[f"+cycles={cycles}", f"+style={style}", f"+record={record}"])
        return cycles / float(record.read_text())


def amaranth_rate(config, model, x, cycles):
    """Clock cycles a second of Amaranth's own simulator, free clock, features waiting; weights left at zero."""
    dut = Accelerator(config=config)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def bench(ctx):
        for buffer, row, index, data in images.register_words(model, MODES[MODE]):
            ctx.set(dut.load.payload, {"buffer": buffer, "row": row, "slice": index, "data": data})
            ctx.set(dut.load.valid, 1)
            await ctx.tick().until(dut.load.ready)
        ctx.set(dut.load.valid, 0)
        ctx.set(dut.logits.ready, 1)
        ctx.set(dut.x.payload, int(x[0, 0]))
        ctx.set(dut.x.valid, 1)
        start = time.process_time()
        await ctx.tick().repeat(cycles)
        rate.append(cycles / (time.process_time() - start))

    rate = []
    simulator.add_testbench(bench)
    simulator.run()
    return rate[0]


def add_arguments(parser):
    """Options of the command."""
    parser.add_argument("--rounds", type=options.whole, default=3, help="rounds of each (default: %(default)s)")
    parser.add_argument("--frames", type=options.whole, default=400, help="frames a round (default: %(default)s)")
    store.add_publish(parser)


def run(args):
    """Print the table; figures into the results."""
    config = configs.load("paper")
    model, x = activity.stimulus(config, 2, seed=0, frames=args.frames)
    folder = harness.build(config)
    cycles = 900 * args.frames
    with tempfile.TemporaryDirectory() as scratch:
        given = Path(scratch) / "stimulus"
        stimulus.write(given, model, MODES[MODE], [x])
        steps = {
            "bare C++ main": lambda: bare_rate(folder, given, cycles),
            "compiled harness": lambda: harness_rate(folder, given),
            "cocotb, free clock": lambda: cocotb_rate(config, cycles, "free"),
            "cocotb, every edge": lambda: cocotb_rate(config, cycles // 4, "edges"),
            "Amaranth simulator": lambda: amaranth_rate(config, model, x, 300),
        }
        best = dict.fromkeys(steps, 0.0)
        for _ in tqdm(range(args.rounds), desc="rates", unit="round", file=sys.stderr, leave=False, disable=None):
            for name, step in steps.items():
                best[name] = max(best[name], step())
    base = best["bare C++ main"]
    print(results.plain_table(["paper, clock cycles a second", "rate", "over bare C++"],
                              [[name, f"{rate:,.0f}", f"{rate / base:.3f}"] for name, rate in best.items()]))
    over_amaranth = best["compiled harness"] / best["Amaranth simulator"]
    print(f"harness over Amaranth's simulator: {over_amaranth:.0f}")
    path = results.update({
        "harness_over_cpp": round(best["compiled harness"] / base, 3),
        "cocotb_over_cpp": round(best["cocotb, free clock"] / base, 3),
        "harness_over_amaranth": round(over_amaranth, 1),
        "cycles_per_second": {name: round(rate) for name, rate in best.items()},
    }, "rates", {"command": args.command,
                 "config": "paper", "data": "drawn network at the published activity",
                 "is_not": "absolute rates of any other machine"}, args.publish)
    print(f"figures: {path}")
    return 0
