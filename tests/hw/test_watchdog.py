"""The watchdog: its timer at its ends, whom it waits for, and whole machines that it leaves alone."""

import pytest
import test_change
import test_networks
from hw_bench import simulate, small
from small_machine import check, network

from hw import config as configs
from hw.interface import ALL_MODES, MODES
from hw.watchdog import Watchdog, most_cycles, patience
from sw import golden

C = small(watchdog=True)
QUIET = {"idle": 0, "begun": 0, "missing": 0, "next": 0, "stalled": 0, "clear": 0}


def bitten(*phases):
    """Cycles in which it bites, its counter at the end; a phase is (cycles, inputs that are not as in a frame)."""
    dut, bites, end = Watchdog(config=C), [], []

    async def drive(ctx):
        cycle = 0
        for count, changed in phases:
            for name, value in (QUIET | {"astray": 0, "ends": 0, "first": 0} | changed).items():
                port = getattr(dut.sequencer if name in ("astray", "ends", "first") else dut, name)
                ctx.set(port, value)
            for _ in range(count):
                if ctx.get(dut.bite):
                    bites.append(cycle)
                await ctx.tick()
                cycle += 1
        end.extend([ctx.get(dut.hung), ctx.get(dut.bites)])

    simulate(dut, drive)
    return bites, end


P = patience(C)
STARVED = {"first": 1, "missing": 1, "next": 1}


@pytest.mark.parametrize(("phases", "expected"), [
    ([(P - 1, {}), (1, {"ends": 1}), (P, {})], ([], [0, 0])),        # two frames of the most cycles
    ([(P + 1, {})], ([P], [1, 1])),                                  # one cycle more
    ([(P - 1, {}), (1, {"idle": 1}), (P, {})], ([], [0, 0])),
    ([(3 * P, STARVED), (P, {})], ([], [0, 0])),                     # the source is late
    ([(3 * P, {"stalled": 1}), (P, {})], ([], [0, 0])),              # the reader is
    ([(P + 1, STARVED | {"begun": 1})], ([P], [1, 1])),              # of a feature half used the rest is there
    ([(P + 1, STARVED | {"next": 0})], ([P], [1, 1])),               # a feature that nobody will bring
    ([(P + 1, STARVED | {"first": 0})], ([P], [1, 1])),              # a later group's features have all arrived
    ([(3, {}), (1, {"astray": 1}), (9, {})], ([3], [1, 1])),         # at once
    ([(1, {"astray": 1, "stalled": 1})] * 4 + [(1, {"astray": 1})], ([4], [1, 1])),  # a beat on offer is kept
    ([(P + 1, {}), (P + 1, {})], ([P, 2 * P + 1], [1, 2])),          # it begins anew
    ([(2, {"astray": 1}), (1, {"clear": 1})], ([0, 1], [0, 0])),
    ([(300, {"astray": 1})], (list(range(300)), [1, 255])),
])
def test_bites_when_and_only_when(phases, expected):
    assert bitten(*phases) == expected


@pytest.mark.parametrize("name", [
    "tiny", "seed", *(pytest.param(name, marks=pytest.mark.slow) for name in
                      ("paper", "phone", "keywords", "spotter", "paper-lean", "phone-lean", "keywords-lean"))])
def test_no_frame_takes_as_long(name):
    """All neurons fire, all digits are there, in every mode: what golden counts stays below the bound."""
    c = configs.load(name)
    model, x = network(c, 1, 4)
    x = x.fill_(0x55)  # as many digits as there can be
    model.thresholds.fill_(1)
    most = max(int(golden.cycles(c, mode, x, golden.run(model, x, mode.time_steps)).phases[0].sum(1).max())
               for mode in (ALL_MODES if c.changes() else MODES).values())
    assert most <= most_cycles(c) <= patience(c) < 2 * most_cycles(c) + 1


@pytest.mark.parametrize(("where", "shape", "mode"), [
    (test_change, "everything", "t2_change"), *(pytest.param(*given, marks=pytest.mark.slow) for given in (
        (test_networks, "groups", "t2_sequential"), (test_networks, "LIF lanes", "t2_unmerged"),
        (test_change, "direct drain, even groups", "t2_merged")))])
def test_a_machine_that_is_well_is_left_alone(where, shape, mode):
    check(where.config(shape, watchdog=True), ALL_MODES[mode], seed=4)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_bad_value_is_quoted(value):
    with pytest.raises(configs.ConfigError, match=f"watchdog={value!r}: wanted true or false"):
        small(watchdog=value)
