"""Results are merged, not replaced: a build folder with one run must not cost the committed rows."""

import copy

import pytest

from hw import store
from hw.flow import collect
from hw.flow.lib import runs

ROW = {"config": "tiny", "library": "lib", "corner": "typ", "variant": "default", "rtl_sha256": "a", "settings": {},
       "power_uw_at_10ms": 1.0, "ablation": [1], "slack_ns": {"typ": 1}, "critical_path": {}, "gate_level": {"lif": 1},
       "layout": {"lif": 1}, "recipes": {"area": "x", "energy": "y"}, "tool_versions": {"sta": "3"}}


def again(**changes):
    empty = {"power_uw_at_10ms": None, "ablation": None, "slack_ns": {}, "gate_level": {}, "layout": {},
             "recipes": {"area": "x"}, "tool_versions": {}}
    return copy.deepcopy(ROW) | empty | changes


def test_rows_without_a_folder_stay():
    other = again(config="paper")
    assert [r["config"] for r in collect.merge([ROW], [other], collect.KEY)] == ["paper", "tiny"]


def test_figures_that_were_not_run_again_stay():
    merged, = collect.merge([ROW], [again(slack_ns={"slow": 2}, layout={"pe_array": 2})], collect.KEY)
    assert merged["power_uw_at_10ms"] == 1.0 and merged["ablation"] == [1]
    assert merged["slack_ns"] == {"typ": 1, "slow": 2} and merged["layout"] == {"lif": 1, "pe_array": 2}
    assert merged["recipes"] == ROW["recipes"]


@pytest.mark.parametrize("change", [{"rtl_sha256": "b"}, {"settings": {"goal": "speed"}}])
def test_figures_of_other_rtl_or_settings_go(change):
    merged, = collect.merge([ROW], [again(**change)], collect.KEY)
    assert merged["power_uw_at_10ms"] is None and merged["slack_ns"] == {}


def test_a_new_netlist_forgets_what_was_made_from_the_old(tmp_path):
    for name in ("sta-typ.json", "power.json", "netlist.v"):
        (tmp_path / name).write_text("")
    (tmp_path / "gates" / "lif").mkdir(parents=True)
    runs.forget(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["netlist.v"]


def test_a_crash_leaves_the_old_report(tmp_path):
    store.write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(TypeError):
        store.write_json(tmp_path / "a.json", {"new": object()})
    assert "old" in (tmp_path / "a.json").read_text()



def test_logits_of_the_routed_netlist_stand_beside_those_of_the_mapped_one(tmp_path):
    for place, compared in ((tmp_path, 96), (tmp_path / "routed-speech", 48)):
        store.write_json(place / "activity.json", {"logits_compared": compared, "logits_differ": 0, "command": "x"})
    found, recipes = collect._gates(tmp_path)
    assert {name: row["compared"] for name, row in found.items()} == {
        "whole netlist, gate simulator": 96, "whole netlist, routed, gate simulator": 48}
    assert sorted(recipes) == [f"gate_level, {name}" for name in sorted(found)]
