"""What PyTorch's operations become: values, and derivatives to the third order, against nested autograd in float64."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.errors import UnimplementedError

torch = pytest.importorskip("torch", reason="wengert.torch needs PyTorch: pip install 'wengert[torch]'")
pytest.importorskip("array_api_compat", reason="wengert.torch needs array-api-compat: pip install 'wengert[torch]'")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.usefixtures("wide")

POINTS = torch.tensor([[0.3, 0.9], [-0.4, 1.1], [1.2, 0.2], [-2.0, -0.5], [0.7, -1.3]], dtype=torch.float64)
WAVES = torch.tensor(np.random.default_rng(0).normal(size=(2, 8)))
W = torch.tensor(np.random.default_rng(1).normal(size=(3, 2)))


def tokens(X):
    return X.unsqueeze(-1) * WAVES


def matrix(X):
    return torch.diag_embed(X**2 + torch.tensor([3.0, 9.0], dtype=X.dtype)) + 0.1


def taken(module, of=tokens, first=False):
    """Return a module, made when it is needed, of tokens."""

    def call(X):
        torch.manual_seed(1)
        made = module().eval()
        found = made(of(X))
        return torch.sin(found[0] if first else found)

    return call


def attention(X):
    torch.manual_seed(1)
    return nn.MultiheadAttention(8, 2, batch_first=True)(tokens(X), tokens(X), tokens(X))[0]


def pads(X):
    t = tokens(X)
    return F.pad(t, (1, 2)) ** 2 + sum(F.pad(t, (1, 2), mode=mode) ** 2 for mode in ("circular", "reflect", "replicate"))


OPERATIONS = {
    "attention": attention,
    "lstm": taken(lambda: nn.LSTM(8, 4, batch_first=True), first=True),
    "gru": taken(lambda: nn.GRU(8, 4, batch_first=True), first=True),
    "rnn": taken(lambda: nn.RNN(8, 4, batch_first=True), first=True),
    "convolution": taken(lambda: nn.Conv1d(2, 4, 3, padding=1, stride=2)),
    "dilated": taken(lambda: nn.Conv1d(2, 4, 3, stride=2, dilation=2)),
    "circular": taken(lambda: nn.Conv1d(2, 4, 3, padding=1, padding_mode="circular")),
    "grouped": taken(lambda: nn.Conv1d(2, 4, 3, groups=2)),
    "of two axes": taken(lambda: nn.Conv2d(1, 2, 2), lambda X: tokens(X).unsqueeze(1)),
    "of three axes": taken(lambda: nn.Conv3d(1, 2, 2), lambda X: tokens(X).reshape(-1, 1, 2, 2, 4)),
    "transposed": taken(lambda: nn.ConvTranspose1d(2, 4, 3, stride=2, padding=1, output_padding=1)),
    "transposed, grouped": taken(lambda: nn.ConvTranspose1d(2, 4, 3, groups=2)),
    "pools": lambda X: torch.sin(F.avg_pool1d(tokens(X), 2, 1, 1)) + 2.0 * torch.sin(F.max_pool1d(tokens(X), 2, 1, 1)),
    "pads": pads,
    "instance_norm": lambda X: torch.sin(F.instance_norm(tokens(X))),
    "rms_norm": lambda X: torch.sin(F.rms_norm(tokens(X), (8,))),
    "local_response_norm": lambda X: F.local_response_norm(tokens(X), 2),
    "interpolate": lambda X: F.interpolate(tokens(X), scale_factor=2) ** 2,
    "interpolate, linear": lambda X: F.interpolate(tokens(X), scale_factor=2, mode="linear") ** 2,
    "normalize": F.normalize, "cosine_similarity": lambda X: F.cosine_similarity(X, X.sin()),
    "pairwise_distance": lambda X: F.pairwise_distance(X, X.sin()),
    "tensordot": lambda X: torch.tensordot(X.sin(), W, dims=([1], [1])), "inner": lambda X: torch.inner(X, W) ** 2,
    "glu": lambda X: F.glu(tokens(X)), "hardswish": F.hardswish, "softshrink": lambda X: F.softshrink(X, 0.1) ** 2,
    "hardshrink": lambda X: F.hardshrink(X, 0.1) ** 2, "threshold": lambda X: F.threshold(X, 0.1, 2.0) ** 2,
    "rrelu": F.rrelu, "prelu": taken(nn.PReLU), "softsign": F.softsign, "tanhshrink": F.tanhshrink,
    "softmin": lambda X: F.softmin(X, 1),
    "index": lambda X: X.sin()[:, [1, 0]] * X[:, -1:] + tokens(X)[:, torch.tensor([1, 0]), torch.tensor([3, -2])] ** 2,
    "embedding": lambda X: F.embedding((X[:, 0] > 0).long(), WAVES) * X[:, :1] ** 2,
    "max": lambda X: X.max(1)[0] ** 2 + X.min(1, keepdim=True).values[:, 0] ** 3,
    "sort": lambda X: X.sort(1)[0] ** 2 * torch.tensor([1.0, 2.0]) + X.sort(1, descending=True)[0] ** 3,
    "topk": lambda X: tokens(X).topk(3, 2)[0] ** 2 * torch.tensor([1.0, 2.0, 3.0]),
    "median": lambda X: tokens(X).median(2)[0] ** 2, "argmax": lambda X: X.gather(1, X.argmax(1, keepdim=True)) ** 2,
    "masked_fill": lambda X: X.sin().masked_fill(X > 0, 0.0), "roll": lambda X: X.sin().roll(1, 1) * X + X.roll(2).flip(1),
    "triangles": lambda X: matrix(X).tril() ** 2 + matrix(X).triu(1) ** 3,
    "diagonal": lambda X: torch.diagonal(X[:, :, None] * X[:, None], dim1=1, dim2=2) ** 2,
    "det": lambda X: torch.linalg.det(matrix(X)), "inv": lambda X: torch.linalg.inv(matrix(X)),
    "solve": lambda X: torch.linalg.solve(matrix(X), X), "cholesky": lambda X: torch.linalg.cholesky(matrix(X)),
    "eigvalsh": lambda X: torch.linalg.eigvalsh(matrix(X)) ** 2,
    "cross": lambda X: torch.linalg.cross(tokens(X)[:, 0, :3], X.sin().repeat(1, 2)[:, :3]),
    "norms": lambda X: sum(torch.linalg.vector_norm(X, ord=p, dim=1) ** 2 for p in (1, 2, 3, 2.5, float("inf"))),
    "std": lambda X: tokens(X).std(2) + torch.var_mean(tokens(X).sin(), 2)[0],
    "cumulative": lambda X: X.sin().cumprod(1) + X.cumsum(1) ** 2, "logcumsumexp": lambda X: X.logcumsumexp(1),
    "aminmax": lambda X: X.aminmax(dim=1)[0] ** 2 + X.nansum(1) ** 2,
    "lerp": lambda X: torch.lerp(X, X.sin(), 0.3) + torch.addcmul(X, X.sin(), X.cos(), value=2.0) ** 2,
    "addcdiv": lambda X: torch.addcdiv(X, X.sin(), X.cos() + 3.0, value=2.0),
    "addmv": lambda X: torch.addmv(X[:, 0] ** 2, X**2, torch.tensor([1.0, 2.0]), beta=2.0, alpha=3.0),
    "remainder": lambda X: torch.remainder(X, 1.0) ** 2 + torch.fmod(X, 1.0) ** 3 + torch.frac(X) ** 2,
    "nan_to_num": lambda X: torch.nan_to_num(X) ** 2, "isclose": lambda X: torch.isclose(X, X).to(X) * X**2,
    "logic": lambda X: ((X > 0) & (X < 1) | ~(X > -1)).to(X.dtype) * X**2,
    "logarithms": lambda X: torch.log2(X**2 + 1) + torch.log10(X**2 + 1) + torch.xlogy(X**2 + 1, X**2 + 2),
    "angles": lambda X: torch.deg2rad(X) ** 2 + torch.rad2deg(X) ** 2 + torch.sinc(X),
    "logit": lambda X: torch.logit(torch.sigmoid(X)) * X + torch.special.ndtr(X),
    "mse_loss": lambda X: F.mse_loss(X, X.sin(), reduction="none"),
    "new": lambda X: X.new_zeros(X.shape) + X.new_ones(2) * X**2 + X.new_full((1, 2), 3.0) * X,
    "one_hot": lambda X: F.one_hot((X[:, 0] > 0).long() * 1, 2) * X**2,
    "parts": lambda X: X.tensor_split(2, 1)[1] ** 2 * X.narrow(1, 0, 1) + X.tile(1, 2).unflatten(1, (2, 2)).movedim(1, 2).sum(2),
}  # fmt: skip
WRONG = {"instance_norm", "logcumsumexp"}  # of these PyTorch takes a wrong third derivative, and NaN


def D(y, x):
    found = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x) + (0.0 if found is None else found)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.filterwarnings("ignore")
def test_derivatives_are_those_that_torch_takes(name):
    def f(X):
        y = OPERATIONS[name](X)
        return y.reshape(len(y), -1).sum(1)

    x, t = (POINTS[:, k : k + 1].clone().requires_grad_() for k in range(2))
    u = wengert.torch.field(f, "x t", stacked=True)
    wanted = f(torch.cat([x, t], 1))[:, None]
    found, asked = wengert.torch.evaluate([u, u.x, u.xx, u.xxx], x, t), []
    for _ in range(4):
        asked.append(wanted)
        wanted = D(wanted, x)
    for k, (a, b) in enumerate(zip(found, asked, strict=True)):
        if k < 3 or name not in WRONG:
            scale = max(1.0, float(b.detach().abs().max()))
            np.testing.assert_allclose(a.detach(), b.detach(), rtol=0, atol=1e-9 * scale, err_msg=str(k))


def test_hard_functions_have_the_slopes_of_torch():
    x = torch.tensor([[-3.0], [-1.0], [0.0], [1.0], [3.0], [4.0], [0.5], [-0.5]], requires_grad=True)
    for f in (F.hardsigmoid, F.hardswish, F.softshrink, F.hardshrink, lambda x: F.threshold(x, 1.0, 2.0), F.rrelu):
        u = wengert.torch.field(f, "x")
        np.testing.assert_allclose(u(x).detach(), f(x).detach(), rtol=1e-15, atol=1e-16)
        (wanted,) = torch.autograd.grad(f(x).sum(), x)
        np.testing.assert_allclose(u.x(x).detach(), wanted, rtol=1e-7)  # PyTorch's 1 / 6 is float32


def test_a_norm_of_zeros_has_the_slope_of_torch():
    x, t = torch.zeros(2, 1, requires_grad=True), torch.tensor([[0.0], [1.0]])
    u = wengert.torch.field(lambda X: X.norm(dim=1), "x t", stacked=True)
    (wanted,) = torch.autograd.grad(torch.cat([x, t], 1).norm(dim=1).sum(), x)
    np.testing.assert_array_equal(u.x(x, t).detach(), wanted)


KINDS = {
    "truth and number": lambda x: (x > 0) * 2.5 + x, "integer and number": lambda x: (x * 3).long() * 2.5 + x,
    "integer and scalar": lambda x: (x * 3).long() * torch.tensor(0.5) + x, "truth and integer": lambda x: (x > 0) * 3 + x,
    "integer and integer": lambda x: (x * 3).long() // 2 + (x * 3).long() * 2 + x,
    "greatest": lambda x: torch.maximum((x * 3).long(), torch.tensor(1)) + torch.minimum((x * 3).int(), (x * 2).int()) + x,
    "ratio": lambda x: (x * 5).long() / 2 + x, "mixed": lambda x: x.float() * 0.1 + x, "sums": lambda x: (x > 0).sum(1, True) + x,
    "number over integer": lambda x: 2.5 / ((x * 3).long() + 4) + x, "clamped": lambda x: (x * 3).long().clamp(0, 1) * x,
    "differences": lambda x: (x * 3).long() - 0.5 + torch.rsub((x * 3).long(), 0.25) + x,
    "power": lambda x: ((x * 3).long() + 3) ** 2 * x + 2.0 ** (x * 3).long(),
    "where": lambda x: torch.where(x > 0, 1, 0) * 0.5 + x,
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_numbers_meet_as_in_torch_or_are_refused(name):
    f = KINDS[name]
    x = torch.tensor([[0.3], [-0.4], [1.2], [-0.9]], requires_grad=True)
    try:
        found, slope = wengert.torch.evaluate([u := wengert.torch.field(f, "x"), u.x], x)
    except UnimplementedError:
        return
    wanted = f(x)
    np.testing.assert_allclose(found.detach(), wanted.detach(), rtol=1e-6)
    np.testing.assert_allclose(slope.detach(), D(wanted, x).detach(), rtol=1e-6)
