"""One wrong line wherever sums are kept, and the shape of `test_change`, or the test there, that must notice."""

import pytest
import test_change
from small_machine import check
from test_broken_networks import break_line

from hw.interface import ALL_MODES

BROKEN = [  # block, its line, the same line broken, shape, mode
    ("kept_sums", "(self.step == k)", "(self.step == 0)", "everything", "t2_change"),
    ("kept_sums", "for k in (1, 0)]", "for k in (0, 1)]", "layer 1 alone", "t2_change"),
    ("kept_sums", "Mux(self.layer == 0, waits, 0)", "waits", "layers 0 and 1", "t2_union"),
    ("kept_sums", "self.kept.row.eq(self.word)", "self.kept.row.eq(0)", "groups", "t1_change"),
    ("kept_sums", "signed(c.accumulator_bits + 1), name", "signed(c.accumulator_bits - 4), name", "groups", "t2_union"),
    ("direct_drain", "Mux(number[0], self.memories[1].fetched", "Mux(~number[0], self.memories[1].fetched",
     "readout alone", "t2_change"),
    ("direct_drain", "Mux(final & ends, 0, number + 1)", "number + 1", "odd beats", "t1_change"),
    ("direct_drain", "Mux(final, high, 0)", "high", "direct drain", "t2_union"),
    ("direct_drain", "left.eq(Mux(self.control.last_pass, tail,", "left.eq(Mux(self.control.last_pass, 2 * per_group,",
     "direct drain", "t1"),
    ("zero_skip", "scan.negates[k].eq(s0)", "scan.negates[k].eq(0)", "step difference", "t2_union"),
    ("zero_skip", "return s0 ^ s1 if", "return s1 if", "step difference, groups", "t2_merged"),
    ("kept_sums", "Mux(self.two_steps & ~self.step, 0, set_[1])", "set_[1]", "step difference", "t2_unmerged"),
    ("kept_sums", "Mux(self.two_steps & ~self.step, 0", "Mux(~self.step, 0", "step difference", "t1"),
    ("zero_skip", "b1 if k else b0", "b0", "layers 0 and 1", "t2_change"),
    ("zero_skip", "(s0 & s1 & ~b0 & ~b1)", "(s0 & s1 & ~b0)", "readout alone", "t2_change"),
    ("zero_skip", "Mask.STEP0, s0 ^ b0, either", "Mask.STEP0, s0, either", "groups", "t1_change"),
    ("spike_select", "history[1:] or history", "history", "delays", "t2_change"),
    ("program", "or config.serial_combine", "or False", "serial combine, feed-forward", "t1"),
    ("sequencer", "issue.clear.eq(self.done)", "issue.clear.eq(0)", "serial combine", "t2_union"),
    ("sequencer", "may &= ~full", "may &= 1", "direct drain", "t2_merged"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("block", "line", "broken", "shape", "mode"), BROKEN)
def test_is_noticed(block, line, broken, shape, mode, monkeypatch):
    break_line(monkeypatch, block, line, broken)
    with pytest.raises(AssertionError):
        check(test_change.config(shape), ALL_MODES[mode], seed=4, frames=8)


@pytest.mark.slow
def test_sums_of_another_number_of_time_steps_are_noticed(monkeypatch):
    break_line(monkeypatch, "sequencer", " & (steps == mode.two_steps)", "")
    with pytest.raises(AssertionError):
        test_change.test_modes_follow_each_other(("t2_change", "t1_change", "t2_change"), 0)


@pytest.mark.slow
@pytest.mark.parametrize("clear", [False, True])
def test_sums_of_other_weights_are_noticed(clear, monkeypatch):
    break_line(monkeypatch, "sequencer", "with m.If(kept.forget):", "with m.If(0):")
    with pytest.raises(AssertionError):
        test_change.test_other_weights_make_kept_sums_anew("everything", clear)
