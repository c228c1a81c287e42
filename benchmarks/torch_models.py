"""Models of PyTorch's: order 4 in value and in a step of training, by a field and by nested autograd, in turns in one run.

    PYTHONPATH=src PYTHON benchmarks/torch_models.py [--points 4096] [--rounds 15] [--threads 1]

PYTHON has PyTorch and array-api-compat. The models: tanh 64x4 of (x, t), and a module with LayerNorm; nested autograd takes the
derivatives of its formula, as the third one that PyTorch 2.13 takes of `layer_norm` is wrong. First, in float64 and float32, how
far u_x to u_xxxx, u_xt, the Laplacian, the biharmonic and the gradients of a loss are apart, relative to the greatest value. Then
the median in milliseconds, and how many times as long as the field each takes: the field walked with PyTorch's tensors too.
"""

import argparse
import itertools
import statistics
import time

import torch
from machine import describe

import wengert
from wengert.surface.frameworks import torch as fields


class Norm(torch.nn.Module):
    """LayerNorm by its formula."""

    def __init__(self, own):
        """Take the module of PyTorch's."""
        super().__init__()
        self.own = own

    def forward(self, x):
        """Normalise."""
        c = x - x.mean(-1, keepdim=True)
        return c / torch.sqrt((c * c).mean(-1, keepdim=True) + self.own.eps) * self.own.weight + self.own.bias


class Normed(torch.nn.Module):
    """Dense layers with LayerNorm between them."""

    def __init__(self, width=64):
        """Make the layers."""
        super().__init__()
        self.first, self.second = torch.nn.Linear(2, width), torch.nn.Linear(width, width)
        self.norm, self.last = torch.nn.LayerNorm(width), torch.nn.Linear(width, 1)
        self.formula = False

    def forward(self, X):
        """Give a column."""
        norm = Norm(self.norm) if self.formula else self.norm
        return self.last(torch.tanh(self.second(norm(torch.tanh(self.first(X))))))


def network(width=64, depth=4):
    """Return a tanh network of (x, t)."""
    sizes = [2, *[width] * depth]
    layers = [part for a, b in itertools.pairwise(sizes) for part in (torch.nn.Linear(a, b), torch.nn.Tanh())]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 1))


def D(y, x):
    """Return the derivative of the sum of y."""
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def by_autograd(model, x, t, whole=False):
    """Return u_t and u_xxxx by nested autograd, or all that is compared."""
    x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
    u = model(torch.cat([x, t], 1))
    u_x = D(u, x)
    u_xx = D(u_x, x)
    u_xxx = D(u_xx, x)
    u_xxxx, u_t = D(u_xxx, x), D(u, t)
    if not whole:
        return [u_t, u_xxxx]
    u_tt = D(u_t, t)
    found = {"u_x": u_x, "u_xx": u_xx, "u_xxx": u_xxx, "u_xxxx": u_xxxx, "u_xt": D(u_x, t), "Laplacian": u_xx + u_tt}
    return found | {"biharmonic": u_xxxx + 2.0 * D(D(u_xx, t), t) + D(D(u_tt, t), t)}


def by_field(u, x, t, whole=False):
    """Return the same by a field."""
    if not whole:
        return wengert.torch.evaluate([u.t, u.xxxx], x, t)
    asked = {"u_x": u.x, "u_xx": u.xx, "u_xxx": u.xxx, "u_xxxx": u.xxxx, "u_xt": u.xt}
    return wengert.torch.evaluate(asked | {"Laplacian": u.laplacian(), "biharmonic": u.biharmonic()}, x, t)


def apart(found, wanted):
    """Return how far a tensor is from another, relative to the greatest value of that."""
    return float(((found - wanted).abs().max() / wanted.abs().max()).detach())


def compare(kind, dtype):
    """Print how far the two are apart."""
    torch.manual_seed(0)
    model = (network() if kind == "tanh 64x4" else Normed()).to(dtype)
    u = wengert.torch.field(model, "x t")
    x, t = (2.0 * torch.rand(256, 1, dtype=dtype) - 1.0 for _ in range(2))
    found = by_field(u, x, t, True)
    first = ((found["u_xxxx"] + found["u_xt"] - found["u_xx"]) ** 2).mean()
    gradients = torch.autograd.grad(first, list(model.parameters())[:-1])
    model.formula = True
    wanted = by_autograd(model, x, t, True)
    second = ((wanted["u_xxxx"] + wanted["u_xt"] - wanted["u_xx"]) ** 2).mean()
    rows = {name: apart(found[name], wanted[name]) for name in wanted}
    held = torch.autograd.grad(second, list(model.parameters())[:-1])
    rows["gradients"] = max(apart(a, b) for a, b in zip(gradients, held, strict=True))
    print(f"{kind}, {str(dtype).removeprefix('torch.')}: " + ", ".join(f"{name} {error:.1e}" for name, error in rows.items()))


def main():
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(f"{describe()}, PyTorch {torch.__version__}, {asked.points} points, {asked.threads} threads of PyTorch's")
    for kind in ("tanh 64x4", "LayerNorm"):
        for dtype in (torch.float64, torch.float32):
            compare(kind, dtype)
    for kind in ("tanh 64x4", "LayerNorm"):
        torch.manual_seed(0)
        model = network() if kind == "tanh 64x4" else Normed()
        u = wengert.torch.field(model, "x t")
        x, t = (2.0 * torch.rand(asked.points, 1) - 1.0 for _ in range(2))

        def walked(model=model, u=u, x=x, t=t):
            before, fields.plain = fields.plain, lambda tensors: False
            try:
                return by_field(u, x, t)
            finally:
                fields.plain = before

        ways = {
            "field": lambda u=u, x=x, t=t: by_field(u, x, t), "walked": walked,
            "nested autograd": lambda model=model, x=x, t=t: by_autograd(model, x, t),
        }  # fmt: skip

        def stepped(way, model=model):
            u_t, u_xxxx = way()
            model.zero_grad()
            ((u_t + u_xxxx) ** 2).mean().backward()

        steps = {name: lambda way=way: stepped(way) for name, way in ways.items()}
        for what, functions in (("value, u_t and u_xxxx", ways), ("step, by all parameters", steps)):
            times = {name: [] for name in functions}
            for k in range(asked.rounds + 4):
                for name, function in functions.items():
                    begin = time.perf_counter()
                    function()
                    if k >= 4:  # machine code takes over after some runs
                        times[name].append(1e3 * (time.perf_counter() - begin))
            median = {name: statistics.median(found) for name, found in times.items()}
            for name, found in median.items():
                print(f"{kind}: {what}: {name:16} {found:8.2f} ms  {found / median['field']:6.2f}", flush=True)


if __name__ == "__main__":
    main()
