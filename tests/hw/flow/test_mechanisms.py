"""Rows of the mechanisms table: which hardware runs them, and a difference from the golden model stops them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cosim.gates import mechanisms, netlist_run
from cosim.rtl import harness
from hw import config
from hw.flow import ablation
from hw.flow.lib.errors import FlowError
from hw.interface import MODES
from sw import golden

TINY = config.load("tiny")


def test_what_a_mode_selects_runs_on_the_full_hardware():
    assert mechanisms.hardware(TINY, ("union_skip", "merged_spikes")) is TINY
    built = mechanisms.hardware(TINY, ("union_skip", "zero_skip_fc"))
    assert built.mechanisms.union_skip and not built.mechanisms.zero_skip_fc and built.name == "tiny-no-zero_skip_fc"


def test_rows_have_files_of_their_own():
    names = [ablation.slug(off, mode) for off, mode in ablation.VARIANTS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("off_by", [0, 1])
def test_a_difference_from_the_golden_model_stops_a_row(monkeypatch, off_by):
    mode = MODES["t2_merged"]
    model, x, _ = netlist_run.stimulus_of(TINY, mode, 2, "speech")
    trace = golden.run(model, torch.as_tensor(np.asarray(x))[None], mode.time_steps)
    cost = golden.cycles(TINY, mode, torch.as_tensor(np.asarray(x))[None], trace)
    reads = cost.reads[0].numpy().copy()
    reads[0, 0] += off_by
    monkeypatch.setattr(harness, "run", lambda *args, **more: SimpleNamespace(
        logits=trace.logits[0].numpy(), reads=reads, latency=cost.latency[0].numpy(), phases=cost.phases[0].numpy()))
    if off_by:
        with pytest.raises(FlowError, match="1 values of the RTL differ"):
            mechanisms.simulate(model, x, mode)
    else:
        cycles, _, compared = mechanisms.simulate(model, x, mode)
        assert len(cycles) == 2 and compared == 2 * (TINY.outputs + 5 + 1 + 10)


def test_energy_is_reads_leakage_and_cycles():
    result = {"memories": {"fc0_weights": {"read_pj": 100.0}}, "total": {"sram_leakage_nw": 1000.0}}
    found = ablation.energy(result, {"leakage_nw": 500.0}, {"cycles": 200.0, "reads": {"fc0": 30.0}}, 50.0)
    assert found == pytest.approx({"sram_nj": 3.0, "leakage_nj": 15.0, "logic_nj": 10.0, "energy_nj": 28.0})


def test_the_second_set_is_priced_and_its_cycles_are_a_difference():
    block = {"area_um2": 10.0, "nand2": 2.0, "flip_flops": 3, "leakage_nw": 100.0}
    rows = [{"mechanisms": "no parallel time steps", "cycles": 900.0},
            {"mechanisms": "no union skip (as published)", "cycles": 600.0}]
    found = ablation.second_set({"blocks": {"pe_set1": block}, "total": {"area_um2": 40.0}}, rows, None)
    assert (found["share_of_logic"], found["leakage_nj"], found["cycles_saved_recurrent"]) == (0.25, 1.0, 300.0)


def test_without_its_hardware_a_row_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "run", lambda *args, **more: pytest.fail("nothing is to be compiled"))
    found = mechanisms.row(TINY, ("zero_skip_fc", "union_skip"), "t2_merged", 1, tmp_path, every=False, frames=4)
    assert found["hardware"] == "cycle model of tiny-no-zero_skip_fc" and found["compared"] == 0
    assert (tmp_path / "t2_merged-no_zero_skip_fc-no_union_skip.bin").is_file()


def test_a_netlist_that_is_there_serves_again(tmp_path):
    (tmp_path / "totals.json").write_text('{"area_um2": 1.0}')
    assert ablation.netlist(None, None, None, tmp_path) == {"area_um2": 1.0}
