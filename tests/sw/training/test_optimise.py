"""Muon's steps are orthogonal, of AdamW's size, and only for the matrices that ask for them."""

import pytest
import torch

from sw.training import optimise


class Small(torch.nn.Module):
    hidden_matrices = ("inner",)

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.inner = torch.nn.Parameter(torch.randn(6, 4))
        self.outer = torch.nn.Parameter(torch.randn(4, 3))


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5)])
def test_singular_values_become_alike(shape):
    torch.manual_seed(1)
    matrix = torch.randn(shape) * torch.logspace(-1.5, 1, shape[1])
    values = torch.linalg.svdvals(optimise.orthogonal(matrix))
    assert values.min() > 0.6 and values.max() < 1.3
    assert torch.linalg.svdvals(matrix).min() * 5 < torch.linalg.svdvals(matrix).max()


def test_orthogonal_by_hand():
    # one step of the quintic on singular values 0.6 and 0.8: 3.4445 s - 4.775 s^3 + 2.0315 s^5
    got = optimise.orthogonal(torch.diag(torch.tensor([3.0, 4.0])), iterations=1)
    assert got.diag().tolist() == pytest.approx([1.19327, 0.97648], abs=1e-4)


def test_only_the_hidden_matrix_takes_an_orthogonal_step():
    model = Small()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimiser = optimise.muon(model, 0.01, 0.0)
    ((model.inner @ model.outer) ** 2).sum().backward()
    gradient = model.inner.grad.clone()
    for group in optimiser.param_groups:
        group["lr"] = 0.01 * group["share"]
    optimiser.step()
    step = before["inner"] - model.inner.detach()
    wanted = optimise.orthogonal(gradient) * 0.01 * optimise.SIZE * 6 ** 0.5
    torch.testing.assert_close(step, wanted, rtol=1e-3, atol=1e-6)
    # the first step of Adam is the rate, in the sign of the gradient
    torch.testing.assert_close((before["outer"] - model.outer.detach()).abs(), torch.full((4, 3), 0.005), rtol=1e-3,
                               atol=1e-6)
    assert len(optimiser.param_groups) == 2


def test_resumes_from_its_state():
    def train(model, optimiser, steps):
        for _ in range(steps):
            optimiser.zero_grad()
            ((model.inner @ model.outer) ** 2).sum().backward()
            optimiser.step()

    whole, first, second = Small(), Small(), Small()
    train(whole, optimise.muon(whole, 0.01, 0.0), 4)
    optimiser = optimise.muon(first, 0.01, 0.0)
    train(first, optimiser, 2)
    second.load_state_dict(first.state_dict())
    other = optimise.muon(second, 0.01, 0.0)
    other.load_state_dict(optimiser.state_dict())
    train(second, other, 2)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_muon_wants_matrices_by_name():
    with pytest.raises(ValueError, match="Linear names no hidden matrices"):
        optimise.muon(torch.nn.Linear(2, 2), 0.01, 0.0)
