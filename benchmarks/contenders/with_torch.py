"""PyTorch: `torch.autograd.grad`, nested, eagerly."""

import platform

import numpy as np
import torch
from contenders.problems import NU, Layers, Prepared, Work


def versions(form: str) -> str:
    """Return what runs."""
    return f"torch {torch.__version__} ({torch.get_num_threads()} threads), Python {platform.python_version()}"


def by(y: torch.Tensor, x: torch.Tensor, last: bool = False) -> torch.Tensor:
    """Return the derivative of the sum; the last one of a value keeps no graph for another."""
    return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=not last, retain_graph=True)[0]


def laplacian(y: torch.Tensor, X: torch.Tensor, last: bool) -> torch.Tensor:
    """Return the sum of the second derivatives."""
    g = by(y, X)
    return sum(by(g[:, i : i + 1], X, last)[:, i : i + 1] for i in range(X.shape[1]))


def prepare(form: str, work: Work, layers: Layers, points: np.ndarray) -> Prepared:
    """Return a function that runs the work; PyTorch plans no memory ahead."""
    weights = [torch.tensor(array, requires_grad=work.trains) for layer in layers for array in layer]
    columns = [torch.tensor(c) for c in ([points[:, :1], points[:, 1:]] if work.columns else [points])]

    nn = torch.nn.functional
    several = {"tanh": torch.tanh, "sin": torch.sin, "swish": nn.silu, "gelu": nn.gelu, "softplus": nn.softplus}
    activate = several[work.activation]

    def network(X: torch.Tensor) -> torch.Tensor:
        h = X
        for k in range(0, len(weights) - 2, 2):
            h = activate(torch.addmm(weights[k + 1], h, weights[k]))
        return torch.addmm(weights[-1], h, weights[-2])

    def values() -> torch.Tensor:
        if work.kind == "forward":
            with torch.no_grad():
                return network(torch.cat(columns, 1))
        inputs = [column.detach().requires_grad_() for column in columns]
        if not work.columns:
            (X,) = inputs
            u = network(X)
            if work.kind == "biharmonic":
                return laplacian(laplacian(u, X, False), X, True)
            return laplacian(u, X, not work.trains) - (1.0 if work.trains else 0.0)
        x, t = inputs
        if not work.trains and work.kind == "dx":
            t = columns[1]
        u = network(torch.cat([x, t], 1))
        if work.kind == "dx":
            for k in range(work.order):
                u = by(u, x, k == work.order - 1)
            return u
        if work.kind == "xxyy":
            return by(by(by(by(u, x), x), t), t, True)
        u_t, u_x = by(u, t), by(u, x)
        u_xx = by(u_x, x)
        if work.kind == "burgers":
            return u_t + u * u_x - NU * u_xx
        if work.kind == "kdv":
            return u_t + 6.0 * u * u_x + by(u_xx, x)
        return u_t + u * u_x + u_xx + by(by(u_xx, x), x)

    def compute() -> list[np.ndarray]:
        if not work.trains:
            return [values().detach().numpy()]
        loss = values().square().mean()
        gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
        return [loss.detach().numpy(), *(g.numpy() for g in gradients)]

    return compute, lambda: None
