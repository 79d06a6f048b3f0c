"""The step program: the published order for two layers, groups in turn, waits only where spikes must settle."""

from test_networks import config

from hw import config as configs
from hw.interface import Phase, phases
from hw.program import Kind, listing, program, sources


def test_two_layers_are_the_ten_published_steps():
    steps = program(configs.load("paper"))
    assert [step.name for step in steps] == [phase.name for phase in Phase]
    assert [step.base for step in steps if step.kind is Kind.SCAN] == [0, 64, 128]
    assert [step.clear for step in steps if step.kind is Kind.SCAN] == [False, True, False]
    assert phases(configs.load("paper")) is Phase


def test_groups_take_turns_and_the_last_frees_the_features():
    steps = program(config("groups"))  # 20 and 11 neurons on 8 lanes
    assert [step.name for step in steps] == [
        *(f"{name}_{g}" for g in range(3) for name in ("INPUT", "COMBINE", "L0_RECURRENT", "L0_LIF")),
        *(f"{name}_{g}" for g in range(2) for name in ("L1_RECURRENT", "L1_FORWARD", "L1_LIF")), "WAIT", "FC", "FINAL"]
    assert [step.discard for step in steps if step.kind is Kind.COMBINE] == [False, False, True]
    assert [step.input_base for step in steps if step.kind is Kind.INPUT] == [0, 4, 8]
    assert [(step.word, step.words) for step in steps if step.kind is Kind.LIF] == [
        (0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]


def test_rows_of_the_banks_follow_each_other():
    for shape in ("groups", "three layers of different widths", "feed-forward"):
        c = config(shape)
        bases = [(block.base, block.rows) for block in c.blocks()]
        assert bases == [(sum(rows for _, rows in bases[:i]), rows) for i, (_, rows) in enumerate(bases)]
        assert [s.base for s in program(c) if s.kind is Kind.SCAN] == [base for base, _ in bases]


def test_only_layers_without_recurrence_wait():
    waits = [step.name for step in program(config("groups, feed-forward")) if step.kind is Kind.WAIT]
    assert waits == ["L1_WAIT_0", "L1_WAIT_1", "L1_WAIT_2", "WAIT"]


def test_delayed_spikes_are_sources_of_their_own():
    c = config("delays and groups")
    assert sources(c) == [(0, "forward1"), (0, "recurrent0"), (1, ""), (1, "fc")]
    assert "spikes of layer 1 as delayed for fc x all passes" in listing(c)[-2]
