"""Rows of the mechanisms table: files, energy, and what the second PE set costs."""

import pytest

from hw.flow import ablation


def test_rows_have_files_of_their_own():
    names = [ablation.slug(off, mode) for off, mode in ablation.VARIANTS.values()]
    assert len(set(names)) == len(names)


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


def test_a_netlist_that_is_there_serves_again(tmp_path):
    (tmp_path / "totals.json").write_text('{"area_um2": 1.0}')
    assert ablation.netlist(None, None, None, tmp_path) == {"area_um2": 1.0}
