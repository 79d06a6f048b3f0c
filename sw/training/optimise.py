"""Optimisers by name, as `optimise(model, rate, decay)`: AdamW, SGD, and Muon for matrices between layers.

Muon is momentum whose matrix is made orthogonal before it is applied, so that every direction learns at one rate
(K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024; scaled to the size of AdamW's updates as in
arXiv 2502.16982, equation 4). A surrogate gradient is dominated by the few neurons near their threshold; so the rest
learn too. torch.optim.Muon computes in bfloat16, which doubles the step on CPUs that lack it; this is in float32.
"""

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic Newton-Schulz iteration
SIZE = 0.2  # root mean square of an AdamW update
BETAS = (0.9, 0.98)


def adamw(model, rate, decay):
    """Adam with decoupled weight decay."""
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay, betas=BETAS)


def sgd(model, rate, decay):
    """Stochastic gradient descent with Nesterov momentum."""
    return torch.optim.SGD(model.parameters(), lr=rate, weight_decay=decay, momentum=0.9, nesterov=True)


def momentum(model, rate, decay):
    """Stochastic gradient descent with plain momentum."""
    return torch.optim.SGD(model.parameters(), lr=rate, weight_decay=decay, momentum=0.9)


def muon(model, rate, decay):
    """Muon for the matrices named in `model.hidden_matrices`, AdamW at half the rate for all else.

    Raises `ValueError` for a model that names none.
    """
    if not hasattr(model, "hidden_matrices"):
        raise ValueError(f"{type(model).__name__} names no hidden matrices for Muon: use adamw or sgd")
    named = dict(model.named_parameters())
    hidden = [named[name] for name in model.hidden_matrices]
    rest = [p for name, p in named.items() if name not in model.hidden_matrices]
    return MuonAdamW([{"params": hidden, "muon": True, "share": 1.0},
                      {"params": rest, "muon": False, "share": 0.5}], lr=rate, weight_decay=decay, betas=BETAS)


def orthogonal(matrix, iterations=5):
    """About the nearest semi-orthogonal matrix to `matrix` (M, N): its singular values go to 0.7 to 1.2."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class MuonAdamW(torch.optim.AdamW):
    """AdamW, but groups with `muon` true are updated by Muon: one optimiser, one state to save."""

    MOMENTUM = 0.95

    @torch.no_grad()
    def step(self, closure=None):
        """One update of every group; `closure` is not used."""
        groups = self.param_groups
        self.param_groups = [g for g in groups if not g["muon"]]
        try:
            super().step()
        finally:
            self.param_groups = groups
        for group in groups:
            for p in group["params"] if group["muon"] else ():
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:  # AdamW wants a step in every state that it loads
                    state.update(step=torch.tensor(0.0), momentum=torch.zeros_like(p))
                mean = state["momentum"]
                mean.lerp_(p.grad, 1 - self.MOMENTUM)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonal(p.grad.lerp(mean, self.MOMENTUM)), alpha=-group["lr"] * SIZE * max(p.shape) ** 0.5)
