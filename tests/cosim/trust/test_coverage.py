"""Coverage: a bin is met when it happened in the record and only then; runs add up; holes and their reasons."""

import numpy as np
import pytest
import torch

from cosim.bench.networks import random_model
from cosim.trust import coverage, mutants, plan, scenarios, watched
from cosim.trust.script import REST, Script
from hw import config as configs
from hw.interface import ALL_MODES, MODES
from hw.types import Gate
from hw.watchdog import patience

TINY = configs.load("tiny")


def record(cycles, **columns):
    """A record of so many cycles in which everything is 0 but the columns named, `lif__enable` for `lif.enable`."""
    at = watched.columns(TINY)
    rows = np.zeros((cycles, max(part.stop for part in at.values())), np.uint32)
    for name, values in columns.items():
        rows[:, at[name]] = np.reshape(values, (cycles, -1))
    return rows


def met(hits):
    return {name for name, times in hits.items() if times}


def test_nothing_happens_and_no_bin_is_met():
    hits = plan.hits(record(50), TINY)
    assert len(hits) == 192 and not met(hits)


def test_a_bin_is_met_by_what_happened_and_no_other():
    starved = np.r_[np.zeros(5), np.ones(3), np.zeros(2), np.ones(1), np.zeros(9)]
    hits = plan.hits(record(20, starved=starved), TINY)
    assert met(hits) == {"streams: features starve: 2 to 15", "streams: features starve: 1 cycle"}
    assert hits["streams: features starve: 1 cycle"] == 1 and hits["streams: features starve: 100 and more"] == 0


@pytest.mark.parametrize("away, name", [(-1, "one below"), (0, "on it"), (1, "one above")])
def test_a_potential_beside_its_threshold(away, name):
    far = {f"lif.v_{lane}": [0, 5] for lane in range(1, TINY.lif_lanes)}
    hits = plan.hits(record(2, **far, **{"lif.enable": [0, 1], "lif.layer": [0, 1], "lif.threshold": [0, 300],
                                         "lif.v_0": [0, 300 + away]}), TINY)
    assert {bin_ for bin_ in met(hits) if bin_.startswith("thresholds")} == {f"thresholds: layer 1: {name}"}


def test_what_happens_in_a_reset_does_not_count():
    words = {"x_valid": [1], "x_ready": [1], "x": [128]}
    assert "features: -128" in met(plan.hits(record(1, **words), TINY))
    assert "features: -128" not in met(plan.hits(record(1, rst=[1], **words), TINY))


def test_runs_add_up():
    a, b = (plan.hits(record(1, x_valid=[1], x_ready=[1], x=[value]), TINY) for value in (1, 127))
    both = plan.merged([a, b])
    assert met(both) == met(a) | met(b) and both["features: 1"] == 1 and len(both) == len(a)


def test_verilators_counts_are_read_and_instances_added():
    def line(page, number, what, place, times):
        told = "".join(f"\x01{key}\x02{value}" for key, value in (
            ("f", "a.v"), ("l", number), ("page", page), ("o", what), ("h", place)))
        return f"C '{told}' {times}\n"

    text = "# SystemC::Coverage-3\n" + line("v_line/lif", 3, "block", "TOP.a", 4) + line(
        "v_line/lif", 3, "block", "TOP.b", 5) + line("v_branch/lif", 2, "if", "TOP.a", 0) + line(
        "v_toggle/lif", 1, "u[3]:0->1", "TOP.a", 0)
    counts = coverage.counted(text, "one\nif (dump_module) \nthree")
    assert counts == {("line", "lif", 3, "block"): 9, ("toggle", "lif", 1, "u[3]:0->1"): 0}
    assert coverage.shares(counts) == {"line": (1, 1), "branch": (0, 0), "toggle": (0, 1)}
    assert coverage.holes(counts) == {"toggle lif: u": 1}


def test_a_missed_bin_is_missed_unless_a_reason_is_given():
    found = coverage.figures({"tiny": {"features: 0": 0, "features: 1": 2, "potentials: layer 1: highest": 0}}, {
        "tiny": {("line", "lif", 1, ""): 1}})
    assert (found["functional_bins"], found["functional_covered"]) == (3, 1)
    assert found["functional_missed"] == ["tiny, features: 0"] and list(found["waived"]) == [
        "tiny, potentials: layer 1: highest"]


def test_the_design_itself_meets_what_a_script_makes_happen(tmp_path, monkeypatch):
    """One frame: its own bins, and none of those that need more."""
    def one_frame(config, seed):
        made = Script(config)
        made.reset(cycles=2)
        made.load(random_model(config, torch.Generator().manual_seed(seed)), MODES["t1"])
        made.frames(np.full((1, config.features), 127, np.int32))
        made.words.append(REST)
        return made

    monkeypatch.setattr(scenarios, "script", one_frame)
    rows, text = coverage.played(TINY, 1)
    found = met(plan.hits(rows, TINY))
    assert {"skipping: A", "skipping: B", "skipping: FC step 0", "hand_overs: A > B", "features: 127",
            "rows: input, first row read", "rows: fc1, last row written"} <= found
    assert not found & {"skipping: C merged", "skipping: D union", "features: 0", "resets: in FC",
                        "streams: features starve: 100 and more"}
    counts = coverage.counted(text, "")
    assert 0 < coverage.shares(counts)["toggle"][0] < coverage.shares(counts)["toggle"][1]


GUARDED = mutants.configuration("kept-packed-guarded")


def guarded(cycles, **columns):
    """As `record`, of the configuration with every option."""
    at = watched.columns(GUARDED)
    rows = np.zeros((cycles, max(part.stop for part in at.values())), np.uint32)
    for name, values in columns.items():
        rows[:, at[name]] = np.reshape(values, (cycles, -1))
    return met(plan.hits(rows, GUARDED))


def of(found, point):
    """Bins of a point."""
    return {name.removeprefix(f"{point}: ") for name in found if name.startswith(f"{point}: ")}


@pytest.mark.parametrize("position, astray, name", [
    (0, 0, "the timer, in INPUT"), (8, 0, "the timer, in FC"), (10, 1, "astray, at 10"),
    (0, 1, "astray, at the first step amid later ones")])
def test_a_bite_counts_where_it_happened(position, astray, name):
    found = guarded(3, **{"bite": [0, 1, 0], "sequencer.position": [0, position, 0],
                          "watchdog.sequencer__astray": [0, astray, 0]})
    assert of(found, "guards") == {name}


def test_a_wait_counts_when_it_is_longer_than_the_patience():
    wait = "features later than the patience"
    for cycles, long in ((patience(GUARDED), False), (patience(GUARDED) + 1, True)):
        starved = np.r_[0, np.ones(cycles), 0]
        assert (wait in of(guarded(len(starved), starved=starved), "guards")) is long


def test_a_wrong_row_is_that_of_the_read_before():
    found = guarded(4, **{"fc1_weights.enable": [1, 1, 0, 0], "fc1_weights.address": [29, 0, 7, 7],
                          "fc1_check.wrong": [0, 1, 1, 0], "parity_failed": [0, 0, 16, 16]})
    assert of(found, "parity") == {"fc1: last row", "fc1: first row", "fc1: alone in the report"}


@pytest.mark.parametrize("between, use, names", [
    ({"load_port.taken": 1}, 0, {"kept, then anew", "anew: input loaded"}),
    ({"load_port.clear_state": 1}, 0, {"kept, then anew", "anew: the state cleared"}),
    ({"bite": 1}, 0, {"kept, then anew", "anew: a bite"}),
    ({"rst": 1}, 0, {"kept, then anew", "anew: a reset"}),
    ({"load_port.taken": 1, "load_port.clear_state": 1}, 0, {"kept, then anew"}),  # either would have done
    ({}, 1, {"kept, then kept", "kept: after t2_change"})])
def test_what_came_between_two_frames_by_change(between, use, names):
    frame = {"sequencer.digits__first": [1, 0, 1], "sequencer.digits__advance": [1, 0, 1],
             "sequencer.mode": [ALL_MODES["t2_change"].bits] * 3, "sequencer.kept__use": [1, 0, use]}
    found = guarded(3, **frame, **{name: [0, value, 0] for name, value in between.items()})
    assert of(found, "kept_sums") == names


@pytest.mark.parametrize("spikes, before, names", [
    (0, 0, {"none"}), (1, 0, {"one", "only added", "by two, up"}),
    (0, 6, {"several", "only subtracted", "by two, down"}),
    (1, 2, {"several", "both", "by two, up", "by two, down"})])
def test_a_scan_of_changes_by_what_changed(spikes, before, names):
    found = guarded(1, **{"sequencer.spikes__start": [1], "sequencer.spikes__advance": [1],
                          "sequencer.spikes__change": [1], "sequencer.spikes__gate": [Gate.MERGED.value],
                          "sequencer.position": [8], "sequencer.mode": [ALL_MODES["t2_change"].bits],
                          "spike_select.present": [0xfff], **{f"spike_select.chosen__{k}": [spikes] for k in range(2)},
                          **{f"spike_select.before__{k}": [before] for k in range(2)}})
    assert of(found, "changes") == {f"FC: {name}" for name in names}
