"""The trainer resumes to the same result, refuses other recipes and leaves nothing half-written."""

import pytest
import torch

from sw.phones.batches import IGNORE, epoch
from sw.training import trainer


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.sizes = {}
        self.linear = torch.nn.Linear(4, 2)
        self.drop = torch.nn.Dropout(0.5)


def loss(model, x):
    value = model.linear(model.drop(x)).square().mean()
    return value, {"norm": model.linear.weight.norm().item()}


def batches(number):
    generator = torch.Generator().manual_seed(number)
    return [torch.randn(8, 4, generator=generator) for _ in range(5)]


def run(folder, epochs, model=None, fail_in=None, **options):
    def given(number):
        if number == fail_in:
            raise KeyboardInterrupt
        return batches(number)
    model = model or Small()
    trainer.fit(model, given, loss, folder, epochs=epochs, rate=0.1, seed=5, recipe={"a": 1}, quiet=True,
                **options)
    return model


def test_killed_run_resumes_to_the_same_result(tmp_path):
    whole = run(tmp_path / "whole", 4)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", 4, fail_in=2)
    resumed = run(tmp_path / "cut", 4)
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)
    curves = [(tmp_path / name / "curve.csv").read_text().splitlines() for name in ("whole", "cut")]
    assert [line.rsplit(",", 1)[0] for line in curves[0]] == [line.rsplit(",", 1)[0] for line in curves[1]]
    assert sorted(p.name for p in (tmp_path / "cut").iterdir()) == ["curve.csv", "last.pt", "manifest.json"]


def test_a_mean_of_weights_is_their_running_mean_and_resumes_to_the_same(tmp_path):
    last, ends = run(tmp_path / "last", 1), []
    for i in range(5):  # one step at a time: the weights after each
        ends.append(Small())
        trainer.fit(ends[-1], lambda _, i=i: batches(0)[:i + 1], loss, tmp_path / f"{i}", epochs=1, rate=0.1, seed=5,
                    recipe={}, quiet=True, schedule=lambda done: 1.0, warm=1e-9)
    wanted = Small().linear.weight
    for end in ends:
        wanted = 0.8 * wanted + 0.2 * end.linear.weight
    mean = Small()
    trainer.fit(mean, lambda _: batches(0), loss, tmp_path / "mean", epochs=1, rate=0.1, seed=5, recipe={}, quiet=True,
                schedule=lambda done: 1.0, warm=1e-9, average=0.8)
    torch.testing.assert_close(mean.linear.weight, wanted)
    assert not torch.equal(mean.linear.weight, last.linear.weight)
    whole = run(tmp_path / "whole", 4, average=0.9)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", 4, fail_in=2, average=0.9)
    for model in (run(tmp_path / "cut", 4, average=0.9), run(tmp_path / "whole", 4, average=0.9)):
        assert torch.equal(model.linear.weight, whole.linear.weight)


def test_another_recipe_and_damage_are_refused(tmp_path):
    run(tmp_path, 1)
    with pytest.raises(trainer.CheckpointError, match="another recipe"):
        trainer.fit(Small(), batches, loss, tmp_path, epochs=2, rate=0.1, seed=5, recipe={"a": 2}, quiet=True)
    (tmp_path / "last.pt").write_bytes(b"damaged")
    with pytest.raises(trainer.CheckpointError, match="last.pt: not a readable checkpoint"):
        trainer.load(tmp_path)
    with pytest.raises(trainer.CheckpointError, match="no such checkpoint"):
        trainer.load(tmp_path / "none")


def test_divergence_is_said(tmp_path):
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        trainer.fit(Small(), batches, lambda m, x: (m.linear(x).sum() * float("nan"), {}), tmp_path, epochs=1, rate=0.1,
                    seed=0, recipe={}, quiet=True)


def test_targets_come_late_and_stay_inside_their_chunk():
    import numpy as np
    x = [[np.full((10, 40), 1, np.int8) * np.arange(1, 11, dtype=np.int8)[:, None]]]
    y = [[np.arange(10)]]
    for inputs, target in epoch(x, y, [1.0], np.random.default_rng(0), chunk=6, delay=2, masking=False):
        for b in range(target.shape[1]):
            got = target[:, b]
            assert (got[:2] == IGNORE).all()
            rows = [t for t in range(len(got)) if got[t] != IGNORE]
            # the answer to frame n (value n + 1) is wanted two frames later
            assert len(rows) == 5 and all(inputs[t - 2, b, 0] == got[t] + 1 for t in rows)
