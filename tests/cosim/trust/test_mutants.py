"""Mutants: drawn alike for a seed, over all blocks; scenarios that the design passes; figures that add up."""

import pytest

from cosim.errors import CosimError
from cosim.trust import equivalence, mutants, mutation, scenarios
from hw import config as configs


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    return mutation.flattened(configs.load("tiny"), tmp_path_factory.mktemp("flat"))


def test_are_drawn_over_every_block_and_by_their_seed_alone(flat):
    first, again, other = (mutation.drawn(flat, 150, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert {m.block for m in first} >= {
        "accelerator", "combine", "counters", "input_buffer", "input_scan", "lif", "load_port", "logit_drain",
        "pe_set0", "pe_set1", "sequencer", "spike_select", "zero_skip", "input_weights", "fc0_weights"}
    assert [m.number for m in first] == list(range(1, len(first) + 1))


def test_the_solver_tells_a_mutant_from_none(flat):
    """A counter's bit held at 0 changes the design; a cell's input that is 0 anyway does not."""
    text = flat.read_text()
    name = next(m for m in mutation.drawn(flat, 300, 1) if m.block == "counters" and "-port Q" in m.command
                and "const" in m.command)
    assert mutation.block_of("$flatten\\lif.$12") == "lif" and "\\cut:" in equivalence.cut(text)
    assert equivalence.equivalent(flat, [name]) == set()


def test_scenarios_are_the_seeds():
    config = configs.load("tiny")
    words = scenarios.script(config, 1).words
    assert words == scenarios.script(config, 1).words != scenarios.script(config, 2).words


def test_figures_add_up():
    def row(block, noticed, equivalent=False):
        return {"block": block, "noticed": noticed, "equivalent": equivalent, "config": "tiny", "what": "inv"}

    found = mutants.figures([row("lif", "logits"), row("lif", "", True), row("combine", ""), row("combine", "hangs")])
    assert (found["mutants"], found["killed"], found["equivalent"]) == (4, 2, 1)
    assert found["mutants_score"] == 66.67 and found["survivors"] == ["tiny, combine: inv"]


@pytest.mark.parametrize("text, wanted", [
    ("aig 0 0 0 1 0\n0\n", True), ("aig 0 0 0 1 0\n1\n", False),
    ("aig 1 1 0 1 0\n2\n", False), ("aig 1 0 1 1 0\n2\n2\n", True), ("aig 1 0 1 1 0\n3\n2\n", False)])
def test_an_output_is_never_high_or_may_be(text, wanted, tmp_path):
    """Constants; an input; a flip-flop that keeps its 0; one that takes its complement."""
    (tmp_path / "m.aig").write_text(text)
    assert equivalence.never(tmp_path / "m.aig") is wanted


def test_rows_in_another_order_are_the_design_and_a_lost_bit_is_not(flat):
    address = next(m for m in mutation.drawn(flat, 548, 1) if "-mode inv" in m.command and "-wire address" in m.command
                   and "-port Y" in m.command)
    assert equivalence.permuted(flat, address)
    assert not equivalence.permuted(flat, mutation.Mutant(1, address.block, address.command.replace("inv", "const0")))


@pytest.mark.parametrize("mode, size, one_to_one", [("inv", 12, True), ("inv", 11, False), ("cnot1", 12, True)])
def test_an_address_is_changed_one_to_one_within_its_rows(mode, size, one_to_one):
    assert (sorted(equivalence._changed(row, mode, 0, 1) for row in range(size)) == list(range(size))) is one_to_one


@pytest.mark.slow
def test_from_reset_a_state_that_is_never_reached_tells_nothing_and_a_counter_tells(flat):
    drawn = mutation.drawn(flat, 548, 1)
    digits = next(m for m in drawn if m.what == "cnot1 by bit 1 Y of input_scan.after_1[2]")
    counter = next(m for m in drawn if m.block == "counters" and m.what.startswith("const0 Q of cycles__5"))
    assert equivalence.equivalent_from_reset(flat, digits) and not equivalence.equivalent_from_reset(flat, counter)


def test_what_is_known_of_survivors_now_goes_into_the_figures():
    old = {"mutants_by_block": {"lif": {"mutants": 4, "killed": 1, "equivalent": 0}},
           "mutants_noticed_by": {"logits": 1}, "survivors": ["tiny, lif: a", "tiny, lif: b", "tiny, lif: c"]}
    rows = [{"config": "tiny", "block": "lif", "what": what, "noticed": noticed, "equivalent": equivalent}
            for what, noticed, equivalent in (("a", "counters", False), ("b", "", True), ("c", "", False))]
    found = mutants.merged(old, rows)
    assert (found["killed"], found["equivalent"], found["survivors"]) == (2, 1, ["tiny, lif: c"])
    assert found["mutants_score"] == 66.67 and found["mutants_noticed_by"] == {"logits": 1, "counters": 1}
    assert old["mutants_by_block"]["lif"]["killed"] == 1


def test_a_configuration_without_survivors_is_not_played_again():
    assert mutants.of_survivors(["tiny, lif: a", "kept, lif: b"], ["tiny", "tin", "kept", "delays"]) == ["tiny", "kept"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", mutants.SHARES)
def test_nearly_all_are_noticed(name, tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    assert mutants.figures(mutants.examined(name, 150, 3))["mutants_score"] >= 95


def test_further_configurations_come_on_top_and_none_comes_twice():
    old = {"mutants_by_block": {"lif": {"mutants": 4, "killed": 3, "equivalent": 0}},
           "mutants_noticed_by": {"logits": 3}, "survivors": ["tiny, lif: a"]}
    rows = [{"config": "more", "block": block, "what": "b", "noticed": noticed, "equivalent": False}
            for block, noticed in (("lif", "logits"), ("watchdog", "bites"), ("watchdog", ""))]
    found = mutants.added(old, rows)
    assert (found["mutants"], found["killed"], found["mutants_score"]) == (7, 5, 71.43)
    assert found["mutants_by_block"]["lif"] == {"mutants": 5, "killed": 4, "equivalent": 0}
    assert found["mutants_noticed_by"] == {"logits": 4, "bites": 1}
    assert found["survivors"] == ["tiny, lif: a", "more, watchdog: b"] and len(old["mutants_by_block"]) == 1
    with pytest.raises(CosimError, match="--add: the published figures have tiny already"):
        mutants.refuse_again({"recipes": {"mutants": {"config": "tiny, delays"}, "proofs": {}}}, ["more", "tiny"])


def test_a_pattern_chooses_blocks():
    cells = ["$flatten\\lif.$1", "$flatten\\lif.$2", "$flatten\\watchdog.$1", "$1"]
    assert mutation.shares(cells, 10, "watchdog|lif") == {"lif": 6, "watchdog": 4}
    assert set(mutation.shares(cells, 10)) == {"accelerator", "lif", "watchdog"}


def test_ways_in_are_put_into_the_netlist():
    """Counters can be set, registers upset, parity turned over; nothing else changes."""
    cell = ("  cell $dff {name}\n    parameter \\WIDTH {bits}\n    connect \\D \\{given}\n    connect \\CLK \\clk\n"
            "    connect \\Q \\{shown}\n  end\n")
    text = "module \\accelerator\n" + "".join(cell.format(name=name, bits=bits, given=given, shown=shown) for (
        name, bits, given, shown) in (("$flatten\\counters.$1", 32, "a", "frames"),
                                      ("$flatten\\sequencer.$2", 4, "b", "sequencer.position"),
                                      ("$flatten\\lif.$3", 4, "c", "lif.u"))) + (
        "  cell $mem_v2 \\fc0_parity.cells\n    parameter \\WIDTH 2\n    connect \\WR_DATA { \\p \\p }\n  end\nend\n")
    found = mutation.warped(text)
    assert found.count("cell $mux") == 2 and found.count("cell $xor") == 1
    assert "connect \\D \\c\n" in found and "connect \\D \\a\n" not in found and "connect \\D \\b\n" not in found
    assert "connect \\B \\upset_to [3:0]\n    connect \\S \\upset [0]\n" in found
    assert "connect \\A \\p\n    connect \\B \\flip\n" in found
