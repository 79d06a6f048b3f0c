"""Rows of the mechanisms table: which hardware runs them, and a difference from the golden model stops them."""

import dataclasses

import numpy as np
import pytest

from cosim.errors import HarnessError
from cosim.gates import mechanisms, stimulus
from cosim.rtl import harness
from hw import config
from hw.interface import MODES
from sw import golden

TINY = config.load("tiny")


def test_what_a_mode_selects_runs_on_the_full_hardware():
    assert mechanisms.hardware(TINY, ("union_skip", "merged_spikes")) is TINY
    built = mechanisms.hardware(TINY, ("union_skip", "zero_skip_fc"))
    assert built.mechanisms.union_skip and not built.mechanisms.zero_skip_fc and built.name == "tiny-no-zero_skip_fc"


@pytest.mark.parametrize("off_by", [0, 1])
def test_a_difference_from_the_golden_model_stops_a_row(monkeypatch, off_by):
    mode = MODES["t2_merged"]
    model, x, _ = stimulus.of(TINY, mode, 2, "speech")
    wanted = golden.predict(model, [x], mode)
    reads = wanted.reads.copy()
    reads[0, 0] += off_by
    latency = wanted.phases.sum(1) + golden.ends(TINY)
    monkeypatch.setattr(harness, "build", lambda config: None)
    monkeypatch.setattr(harness, "run", lambda *args, **more: harness.Run(
        dataclasses.replace(wanted, reads=reads), np.zeros_like(latency), latency - 1, 0))
    if off_by:
        with pytest.raises(HarnessError, match="1 values differ.*first row reads, frame 0, buffer input: expected"):
            mechanisms.costs(model, x, "t2_merged")
    else:
        cycles, _, compared = mechanisms.costs(model, x, "t2_merged")
        assert len(cycles) == 2 and compared == 2 * (TINY.outputs + 5 + 1 + 10 + 2 * 2 * 2 * TINY.neurons)


def test_without_its_hardware_a_row_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "run", lambda *args, **more: pytest.fail("nothing is to be compiled"))
    found = mechanisms.row(TINY, ("zero_skip_fc", "union_skip"), "t2_merged", 1, tmp_path, every=False, frames=4)
    assert found["hardware"] == "cycle model of tiny-no-zero_skip_fc" and found["compared"] == 0
    assert (tmp_path / "t2_merged-no_zero_skip_fc-no_union_skip.bin").is_file()
