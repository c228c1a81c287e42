"""Fields over PyTorch: models, whole residuals, their gradients by parameters, against nested autograd in float64."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.errors import DTypeError, ShapeError, UnimplementedError

torch = pytest.importorskip("torch", reason="wengert.torch needs PyTorch: pip install 'wengert[torch]'")
pytest.importorskip("array_api_compat", reason="wengert.torch needs array-api-compat: pip install 'wengert[torch]'")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.usefixtures("wide")


def D(y, x):
    found = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x) + (0.0 if found is None else found)


class HandMadeNorm(nn.Module):
    """LayerNorm by its formula: the third derivative that PyTorch 2.13 takes of its own is wrong."""

    def __init__(self, width):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.rand(width)), nn.Parameter(torch.rand(width))

    def forward(self, x):
        c = x - x.mean(-1, keepdim=True)
        return c / torch.sqrt((c * c).mean(-1, keepdim=True) + 1e-5) * self.weight + self.bias


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("waves", torch.randn(2, 8))
        self.inner, self.out = nn.Linear(16, 16), nn.Linear(16, 1)

    def forward(self, x, t):
        z = torch.cat([x, t], dim=1) @ self.waves
        h = torch.cat([torch.sin(z), torch.cos(z)], -1)
        return self.out(h + F.silu(self.inner(h)))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Parameter(torch.randn(2, 8))
        self.q, self.k, self.v, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 1)

    def forward(self, X):
        tokens = X.unsqueeze(-1) * self.embed
        h = tokens + F.scaled_dot_product_attention(self.q(tokens), self.k(tokens), self.v(tokens))
        return self.out(torch.tanh(h).mean(1))


MODELS = {
    "mlp": lambda: nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)),
    "gelu": lambda: nn.Sequential(nn.Linear(2, 16), nn.GELU(), nn.Linear(16, 1), nn.Softplus()),
    "norm": lambda: nn.Sequential(nn.Linear(2, 16), nn.SiLU(), HandMadeNorm(16), nn.Linear(16, 1)),
    "residual": Residual,
    "attention": Attention,
    "dropped": lambda: nn.Sequential(nn.Linear(2, 16), nn.Dropout(0.5), nn.BatchNorm1d(16), nn.Mish(), nn.Linear(16, 1)).eval(),
}


def points(n=6):
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.uniform(-1.0, 1.0, (n, 1)), requires_grad=True) for _ in range(2)]


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_and_gradients_are_those_of_nested_autograd(name):
    model = MODELS[name]()
    x, t = points()
    u = wengert.torch.field(model, "x t")
    y = model(x, t) if name == "residual" else model(torch.cat([x, t], 1))
    y_x, y_t = D(y, x), D(y, t)
    y_xx = D(y_x, x)
    y_xxx = D(y_xx, x)
    wanted = {"x": y_x, "xx": y_xx, "xxx": y_xxx, "xxxx": D(y_xxx, x), "xxt": D(y_xx, t)}
    np.testing.assert_allclose(u(x, t).detach(), y.detach(), rtol=1e-12, atol=1e-13)
    for word, w in wanted.items():
        scale = max(1.0, float(w.detach().abs().max()))
        np.testing.assert_allclose(getattr(u, word)(x, t).detach(), w.detach(), rtol=0, atol=1e-12 * scale, err_msg=word)
    nu = torch.tensor(0.3, requires_grad=True)
    held = [*model.parameters(), nu, x]
    loss = ((u.t + u * u.x - nu * u.xx)(x, t) ** 2).mean()
    plain = ((y_t + y * y_x - nu * y_xx) ** 2).mean()
    found = torch.autograd.grad(loss, held, allow_unused=True)
    for a, b in zip(found, torch.autograd.grad(plain, held, allow_unused=True), strict=True):
        if b is None:
            assert a is None or not a.abs().max()
        else:
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * max(1.0, float(b.abs().max())))


def test_layer_norm_has_the_derivatives_of_its_formula():
    x, _ = points()
    formula = HandMadeNorm(3)
    own = nn.LayerNorm(3)
    with torch.no_grad():
        own.weight.copy_(formula.weight)
        own.bias.copy_(formula.bias)

    def of(norm):
        return lambda x: norm(torch.cat([x, x * x, torch.sin(x)], 1))[:, 1:2]

    wanted = of(formula)(x)
    u = wengert.torch.field(of(own), "x")
    for k in range(1, 5):
        wanted = D(wanted, x)
        np.testing.assert_allclose(
            u.d(x=k)(x).detach(), wanted.detach(), rtol=1e-9, atol=1e-9 * float(wanted.detach().abs().max())
        )


FUNCTIONS = {
    name: getattr(torch, name)
    for name in "sin cos tan tanh sinh cosh exp expm1 atan asinh sigmoid abs square relu erf erfc sign floor".split()
} | {
    "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "elu": F.elu, "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.5), "leaky_relu": F.leaky_relu, "softplus": lambda x: F.softplus(x, 2.0),
    "mish": F.mish,
    "hardtanh": F.hardtanh, "relu6": F.relu6, "logsigmoid": F.logsigmoid, "clamp": lambda x: x.clamp(-0.5, 0.5) * x,
    "power": lambda x: x**3 + (x * x + 1.0) ** 1.5 + 2.0**x, 
    "arithmetic": lambda x: (1.0 - x) / (2.0 + x * x) + torch.rsub(x, 2, alpha=3),
    "maximum": lambda x: torch.maximum(x, torch.sin(x) * 2.0), "where": lambda x: torch.where(x > 0.0, x**2, torch.sin(x)),
    "softmax": lambda x: F.softmax(torch.cat([x, x**2, x**3], 1), -1)[:, 1:2],
    "log_softmax": lambda x: F.log_softmax(torch.cat([x, x**2], 1), -1)[:, :1],
    "shapes": lambda x: torch.stack([x, x**2], 1).permute(0, 2, 1).reshape(-1, 2).flip(1).transpose(0, 1).t()[:, :1] ** 2,
    "parts": lambda x: sum(p**2 for p in torch.cat([x, x * 2, x * 3], 1).chunk(3, 1)) + x.expand(-1, 3)[:, 1].unsqueeze(1),
    "sums": lambda x: torch.cat([x, torch.sin(x)], 1).var(1, keepdim=True) + torch.cat([x, x**2], 1).prod(1, keepdim=True),
    "norms": lambda x: torch.linalg.vector_norm(torch.cat([x, x**2 + 1.0], 1), dim=1, keepdim=True) + torch.logsumexp(x, 1, True),
    "group_norm": lambda x: F.group_norm(torch.cat([x, x**2, x**3, torch.sin(x)], 1), 2)[:, 1:2],
    "einsum": lambda x: torch.einsum("ni,nj->nij", torch.cat([x, x**2], 1), torch.cat([x, x**3], 1)).sum((1, 2)).unsqueeze(1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_derivatives_that_torch_takes(name):
    f = FUNCTIONS[name]
    x = torch.tensor([[0.3], [-0.4], [1.2], [-2.0], [0.7]], requires_grad=True)
    u = wengert.torch.field(f, "x")
    wanted = f(x)
    np.testing.assert_allclose(u(x).detach(), wanted.detach(), rtol=1e-12, atol=1e-14)
    for k in range(1, 3 if name == "group_norm" else 4):  # of PyTorch's own normalisations the third is wrong
        wanted = D(wanted, x)
        np.testing.assert_allclose(u.d(x=k)(x).detach(), wanted.detach(), rtol=1e-9, atol=1e-10, err_msg=str(k))


def test_kinks_are_those_of_torch():
    x = torch.tensor([[0.0], [1.0], [-1.0], [0.5]], requires_grad=True)
    for name in "relu abs relu6 leaky_relu elu hardtanh clamp".split():
        f = {"clamp": lambda x: x.clamp(0.0, 1.0)}.get(name) or FUNCTIONS[name]
        np.testing.assert_allclose(wengert.torch.field(f, "x").x(x).detach(), D(f(x), x).detach(), err_msg=name)


def test_a_training_loop_sees_steps_states_and_modes():
    model = MODELS["mlp"]()
    u = wengert.torch.field(model, "x t")
    x, t = points(32)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = ((u.t + u * u.x - 0.1 * u.xx)(x, t) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    kept = {k: v.clone() for k, v in model.state_dict().items()}
    before = u.xx(x, t).detach()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2.0)
    assert not np.allclose(u.xx(x, t).detach(), before)
    model.load_state_dict(kept)
    np.testing.assert_array_equal(u.xx(x, t).detach(), before)
    model.to(torch.float32)
    x32, t32 = x.detach().float(), t.detach().float()
    assert u.xx(x32, t32).dtype == torch.float32
    np.testing.assert_allclose(u.xx(x32, t32).detach(), before, rtol=1e-3, atol=1e-4)


def test_training_modes_that_mix_points_are_refused_before_anything_is_changed():
    model = MODELS["dropped"]().train()
    counted = model[2].num_batches_tracked.clone()
    u = wengert.torch.field(model, "x t")
    with pytest.raises(UnimplementedError, match="eval"):
        u.x(*points())
    assert model[2].num_batches_tracked == counted
    model.eval()
    assert u.x(*points()).shape == (6, 1)
    with pytest.raises(UnimplementedError, match="eval"):
        wengert.torch.field(lambda x: F.dropout(x, 0.5, True), "x").x(points()[0])


def test_unknown_operations_are_named_and_can_be_stated():
    u = wengert.torch.field(lambda x: torch.special.bessel_j0(x) * x, "x")
    with pytest.raises(UnimplementedError, match="special_bessel_j0"):
        u.x(points()[0])
    from wengert.surface.frameworks.aten import RULES

    try:
        wengert.torch.register("aten.special_bessel_j0", wengert.math.bessel_j0 if hasattr(wengert.math, "bessel_j0") else abs)
        assert "aten.special_bessel_j0" in RULES
    finally:
        RULES.pop("aten.special_bessel_j0", None)
    with pytest.raises(TypeError):
        wengert.torch.register(3, abs)


def test_wrong_calls_say_so():
    u = wengert.torch.field(lambda x, t: x * t, "x t")
    with pytest.raises(DTypeError):
        u(torch.tensor([1, 2]), torch.tensor([1, 2]))
    with pytest.raises(ShapeError):
        u(torch.ones(3, 3))
    with pytest.raises(ShapeError):
        u(torch.ones(3), torch.ones(4))
    with pytest.raises(TypeError):
        wengert.torch.field(3, "x")
    with pytest.raises(TypeError):
        wengert.torch.field(lambda x: (x, x), "x")(torch.ones(3))
    assert wengert.torch.evaluate([u, u.x], 2.0, 3.0)[1].item() == 3.0
