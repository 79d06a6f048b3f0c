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


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", mutants.SHARES)
def test_nearly_all_are_noticed(name, tmp_path, monkeypatch):
    monkeypatch.setattr(mutants, "FOLDER", tmp_path)
    assert mutants.figures(mutants.examined(name, 150, 3))["mutants_score"] >= 95
