"""Faults: bits that flip at their rate, in their place; what is stuck; both tasks in one picture."""

import pytest
import torch

from cosim.trust import faults
from sw.integers import integer_model


class Small(faults.Bench):
    """A few frames of nothing in particular; its figure is the mean of the logits."""

    measure, worst = "accuracy", min

    def __init__(self, name="rsnn-keywords"):
        self.model = integer_model.load(name)
        g = torch.Generator().manual_seed(2)
        self.x = torch.randint(-60, 60, (2, 5, self.model.config.features), generator=g, dtype=torch.int8)

    def judged(self, logits):
        assert logits.shape[:2] == (2, 5)
        return float(logits.float().mean())


@pytest.fixture(scope="module")
def bench():
    return Small()


def test_bits_flip_at_their_rate_and_single_ones_alone():
    g = torch.Generator().manual_seed(1)
    mask = faults.flips((400, 400), 4, 0.25, g)
    share = torch.stack([mask >> bit & 1 for bit in range(4)]).float().mean((1, 2))
    assert (share - 0.25).abs().max() < 0.01 and int(mask.max()) == 15
    assert set(faults.flips((50, 50), 4, 0.5, g, only=2).unique().tolist()) == {0, 4}


def test_a_flipped_sign_bit_makes_a_negative_number():
    assert faults.signed(torch.tensor([7 ^ 8, -8 ^ 8, 3], dtype=torch.int32), 4).tolist() == [-1, 0, 3]


def test_no_flips_change_nothing_and_many_do(bench):
    g = torch.Generator().manual_seed(1)
    clean = bench.value()
    assert faults.in_weights(bench, "input", 0, g) == faults.in_potentials(bench, 0, 0, g) == clean
    assert faults.in_spikes(bench, 0, 0, g) == clean
    assert faults.in_weights(bench, "input", 0.5, g) != clean != faults.in_potentials(bench, 0, 0.5, g)
    assert faults.in_spikes(bench, 0, 0.5, g) != clean != faults.stuck_buffer(bench, "fc")
    assert faults.stuck_buffer(bench, "fc") == 0


def test_a_stuck_lane_is_one_column_of_every_group(bench):
    lanes, seen = bench.model.config.lanes, []
    bench.value, kept = lambda model: seen.append(model), bench.value
    faults.stuck_lane(bench, 3)
    bench.value = kept
    for name, matrix in seen[0].matrices.items():
        changed = (matrix != bench.model.matrices[name]).any(0).nonzero()[:, 0]
        assert not matrix[:, 3::lanes].any() and set((changed % lanes).tolist()) <= {3}


def test_every_layer_and_every_bit_is_planned(bench):
    runs = list(faults.plan(bench, 1))
    c = bench.model.config
    assert {bit for place, _, _, bit, *_ in runs if place == "potentials"} == {None, *range(c.potential_bits)}
    assert {where for place, where, *_ in runs if place == "weights"} == set(bench.model.matrices)


def test_both_tasks_stand_in_one_picture(tmp_path):
    rows = [{"place": place, "layer": "0", "rate": rate, "bit": bit, measure: 50.0}
            for measure in ("accuracy", "phone_error") for place in ("weights", "potentials", "spikes")
            for rate in (1e-3, 1e-2) for bit in ("all", 0, 1)]
    faults.picture(rows, {"accuracy": 90, "phone_error": 55}, tmp_path / "faults.png")
    assert (tmp_path / "faults.png").stat().st_size > 20_000


def test_a_model_is_judged_by_its_task(monkeypatch):
    for name in ("Keywords", "Phones"):
        monkeypatch.setattr(faults, name, lambda *args, name=name: (name, *args))
    assert faults.bench_of("rsnn-keywords", "folder", 3) == ("Keywords", "rsnn-keywords", "folder", 3)
    assert faults.bench_of("rsnn", None, 3) == ("Phones", "rsnn", faults.options.PHONES[0], 3)
