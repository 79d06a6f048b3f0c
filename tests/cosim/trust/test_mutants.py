"""Mutants: drawn alike for a seed, over all blocks; scenarios that the design passes; figures that add up."""

import pytest

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


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", mutants.SHARES)
def test_nearly_all_are_noticed(name, tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    assert mutants.figures(mutants.examined(name, 150, 3))["mutants_score"] >= 95
