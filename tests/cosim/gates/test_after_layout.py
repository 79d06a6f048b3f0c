"""The sum of routed blocks against a whole, and a table's rows times its factors, by hand-worked values."""

import pytest

from cosim.gates import after_layout

NAMED = {"config": "seed", "library": "lib", "variant": "flip-flops", "corner": "typ", "activity": "speech"}


def row(stage, dynamic, leakage, sram=0.0):
    """A row of `sottovoce power`: block -> nJ, dynamic and leakage."""
    return NAMED | {"stage": stage, "dynamic_by_block_nj": dynamic,
                    "by_block_nj": {name: dynamic[name] + leakage[name] for name in dynamic},
                    "energy_per_frame_nj": {"dynamic_nj": sum(dynamic.values()), "leakage_nj": sum(leakage.values()),
                                            "sram_nj": sram}}


BEFORE = row("synthesised", {"a": 1.0, "b": 2.0, "c": 4.0}, {"a": 10.0, "b": 10.0, "c": 20.0})
# a and b are routed; c sees another load, and leaks as before
BLOCKS = row("routed-blocks", {"a": 2.0, "b": 2.5, "c": 4.1}, {"a": 12.0, "b": 11.0, "c": 20.0})
WHOLE = row("routed", {"a": 2.0, "b": 3.0, "c": 7.0}, {"a": 12.0, "b": 12.0, "c": 26.0})


def test_blocks_that_leak_as_before_were_not_routed():
    assert after_layout.routed_blocks(after_layout.blocks_of(BEFORE), after_layout.blocks_of(BLOCKS)) == ["a", "b"]


def test_the_sum_takes_routed_blocks_as_they_are_and_the_rest_times_their_factor():
    found, = after_layout.checks([BEFORE, BLOCKS, WHOLE], lambda r: 0.0)
    assert found["block_factor"] == {"dynamic": 1.5, "leakage": 1.15}  # 4.5 / 3, 23 / 20
    assert found["block_bounds"] == {"dynamic": [1.25, 2.0], "leakage": [1.1, 1.2]}
    assert found["sum_nj"] == {"dynamic": 10.5, "leakage": 46.0}       # 4.5 + 4 x 1.5, 23 + 20 x 1.15
    assert found["whole_nj"] == {"dynamic": 12.0, "leakage": 50.0}
    assert found["error_percent"] == {"dynamic": -12.5, "leakage": -8.0, "energy": -8.87}
    assert found["whole_factor"] == {"dynamic": 1.7143, "leakage": 1.25}


def test_a_whole_without_blocks_takes_the_factor_of_those_there_are():
    other = [r | {"config": "sprout"} for r in (BEFORE, WHOLE)]
    seed, sprout = after_layout.checks([*other, BEFORE, BLOCKS], lambda r: 0.0)
    assert "error_percent" not in seed and "blocks" not in sprout
    assert sprout["sum_nj"] == {"dynamic": 10.5, "leakage": 46.0}  # 7 x 1.5, 40 x 1.15
    assert sprout["error_percent"] == {"dynamic": -12.5, "leakage": -8.0, "energy": -8.87}


def test_macros_are_no_part_of_a_factor():
    before = row("synthesised", {"a": 5.0}, {"a": 30.0}, sram=3.0)
    whole = row("routed", {"a": 6.0}, {"a": 32.0}, sram=3.0)
    found, = after_layout.checks([before, whole], lambda r: 20.0)
    assert found["whole_factor"] == {"dynamic": 1.5, "leakage": 1.2}   # 3 / 2, 12 / 10


@pytest.mark.parametrize("rows", [[BEFORE], [WHOLE], [BLOCKS, WHOLE], []])
def test_without_both_stages_there_is_no_factor(rows):
    assert after_layout.checks(rows, lambda r: 0.0) == []


def test_a_row_of_the_table_keeps_its_memories():
    table = {"config": "phone", "row": "32 lanes", "energy_per_frame_nj": 200.0,
             "parts_nj": {"logic_nj": 40.0, "sram_nj": 70.0, "leakage_nj": 90.0}}
    found = after_layout.applied(table, 50.0, {"dynamic": 1.5, "leakage": 1.25},
                                 {"dynamic": [1.25, 2.0], "leakage": [1.0, 1.5]}, {"dynamic": 2.0, "leakage": 1.25})
    assert (found["logic_nj"], found["sram_nj"], found["leakage_nj"]) == (60.0, 70.0, 100.0)
    assert (found["energy_nj"], found["power_uw_at_10ms"]) == (230.0, 23.0)
    assert (found["low_nj"], found["high_nj"], found["by_whole_nj"]) == (210.0, 260.0, 250.0)
