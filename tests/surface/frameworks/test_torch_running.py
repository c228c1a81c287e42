"""Fields over PyTorch as PyTorch runs them: machine code, torch.compile, torch.func, choices and loops of a module."""

from __future__ import annotations

import numpy as np
import pytest

import wengert
from wengert.errors import UnimplementedError

torch = pytest.importorskip("torch", reason="wengert.torch needs PyTorch: pip install 'wengert[torch]'")
pytest.importorskip("array_api_compat", reason="wengert.torch needs array-api-compat: pip install 'wengert[torch]'")
nn, F = torch.nn, torch.nn.functional
pytestmark = pytest.mark.usefixtures("wide")


def D(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def net(inputs=2):
    return nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))


def points(n=6, count=2):
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.uniform(-1.0, 1.0, (n, 1)), requires_grad=True) for _ in range(count)]


def close(a, b, rtol=1e-12):
    b = b.detach()
    np.testing.assert_allclose(a.detach(), b, rtol=0, atol=rtol * max(1.0, float(b.abs().max())))


def burgers(u):
    return u.t + u * u.x - 0.1 * u.xx


def plain_loss(model, x, t):
    y = model(torch.cat([x, t], 1))
    y_x = D(y, x)
    return ((D(y, t) + y * y_x - 0.1 * D(y_x, x)) ** 2).mean()


@pytest.mark.parametrize("rows", [5, 700])
def test_machine_code_and_a_walk_with_tensors_give_what_nested_autograd_gives(rows, monkeypatch):
    from wengert.surface.frameworks import torch as module

    model, (x, t) = net(), points(rows)
    held = [*model.parameters(), x, t]
    wanted = plain_loss(model, x, t)
    gradients = torch.autograd.grad(wanted, held)
    u = wengert.torch.field(model, "x t")
    for walked in (False, True):
        if walked:
            monkeypatch.setattr(module, "plain", lambda tensors: False)
        for _ in range(4):  # NumPy runs a list at first, then machine code
            loss = (burgers(u)(x, t) ** 2).mean()
            close(loss, wanted)
            for a, b in zip(torch.autograd.grad(loss, held), gradients, strict=True):
                close(a, b)


def test_second_derivatives_by_parameters_are_those_of_nested_autograd():
    model, (x, t) = net(), points()
    held = list(model.parameters())[:-1]
    found, wanted = [], []
    for into, loss in (
        (found, (burgers(wengert.torch.field(model, "x t"))(x, t) ** 2).mean()), (wanted, plain_loss(model, x, t))
    ):  # fmt: skip
        first = torch.autograd.grad(loss, [*held, x], create_graph=True)
        into += [*first, *torch.autograd.grad(sum((g**2).sum() for g in first), held)]
    for a, b in zip(found, wanted, strict=True):
        close(a, b)


def test_a_graph_of_the_gradients_does_not_count_a_path_twice():
    w, x = torch.tensor(0.7, requires_grad=True), torch.tensor([[0.3], [0.5]])
    v = torch.sin(w)  # a second input of the list, and a function of the first
    u = wengert.torch.field(lambda x: torch.sin(w * x) * v, "x")
    (first,) = torch.autograd.grad(u.x(x).sum(), w, create_graph=True)
    (second,) = torch.autograd.grad(first, w)
    own = w.detach().requires_grad_()
    (wanted,) = torch.autograd.grad((own * torch.cos(own * x) * torch.sin(own)).sum(), own, create_graph=True)
    close(first, wanted)
    close(second, torch.autograd.grad(wanted, own)[0])


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_torch_func_passes_through():
    model, (x, t) = net(), [p.detach() for p in points()]
    params = {k: v.detach() for k, v in model.named_parameters()}

    def by_field(params):
        u = wengert.torch.field(lambda X: torch.func.functional_call(model, params, (X,)), "x t")
        return (burgers(u)(x, t) ** 2).mean()

    def by_torch(params):
        def f(x, t):
            return torch.func.functional_call(model, params, (torch.stack([x, t])[None],))[0, 0]

        def residual(x, t):
            f_x = torch.func.grad(f, 0)
            return torch.func.grad(f, 1)(x, t) + f(x, t) * f_x(x, t) - 0.1 * torch.func.grad(f_x, 0)(x, t)

        return (torch.func.vmap(residual)(x[:, 0], t[:, 0]) ** 2).mean()

    for a, b in zip(torch.func.grad(by_field)(params).values(), torch.func.grad(by_torch)(params).values(), strict=True):
        close(a, b)
    tangents = {k: torch.ones_like(v) for k, v in params.items()}
    for a, b in zip(
        torch.func.jvp(by_field, (params,), (tangents,)), torch.func.jvp(by_torch, (params,), (tangents,)), strict=True
    ):
        close(a, b)
    several = {k: torch.stack([v, 2.0 * v, v - 1.0]) for k, v in params.items()}
    close(torch.func.vmap(by_field)(several), torch.func.vmap(by_torch)(several))


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_loss_gives_the_same_numbers():
    model, (x, t) = net(), points()
    u = wengert.torch.field(model, "x t")

    def loss(x, t):
        made = wengert.torch.field(lambda X: model(X), "x t")
        return ((burgers(u)(x, t) + torch.sin(x)) ** 2).mean() + made.xx(x, t).mean()

    held = list(model.parameters())[:-1]
    wanted = loss(x, t)
    gradients = torch.autograd.grad(wanted, held)
    found = torch.compile(loss, backend="eager")(x, t)
    close(found, wanted)
    for a, b in zip(torch.autograd.grad(found, held), gradients, strict=True):
        close(a, b)
    compiled = torch.compile(model, backend="eager")
    compiled(torch.cat([x, t], 1))
    close(wengert.torch.field(compiled, "x t").xx(x, t), u.xx(x, t))


def test_results_share_no_memory_with_the_points():
    x = torch.tensor([[1.0], [2.0]])
    for f in (lambda x: x, lambda x: x * 1.0, lambda x: x.clone()):
        y = wengert.torch.field(f, "x")(x)
        y += 1.0
        assert x.tolist() == [[1.0], [2.0]]


def test_points_that_change_before_the_gradient_is_taken_are_an_error_of_torch():
    model = net(1)
    x = torch.tensor([[1.0], [2.0]])
    loss = wengert.torch.field(model, "x").xx(x).sum()
    x += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_views_columns_and_modes_of_torch():
    model = net()
    X = torch.randn(6, 4)[:, ::2]
    u = wengert.torch.field(model, "x t")
    wanted = u.xx(X[:, :1].contiguous(), X[:, 1:].contiguous())
    close(u.xx(X), wanted)
    assert wanted.requires_grad
    with torch.no_grad():
        assert not u.xx(X).requires_grad
    with torch.inference_mode():
        close(u.xx(X), wanted)
    model.float()
    narrow = u.xx(X.float())
    with torch.autocast("cpu", torch.bfloat16):  # derivatives of high order need their digits
        assert torch.equal(u.xx(X.float()), narrow)
    model.double()
    for p in model.parameters():
        p.requires_grad_(False)
    assert not u.xx(X).requires_grad


class Program(nn.Module):
    """A module whose program depends on what it holds."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(1, 4), nn.Linear(4, 4), nn.Linear(4, 1)])
        self.slope = 1.0
        self.kind = "tanh"
        self.gate = nn.Parameter(torch.tensor(1.0))
        self.table = np.array([1.0, 2.0])
        self.more: list[float] = []

    def forward(self, x):
        for k, layer in enumerate(self.layers):
            x = layer(x)
            if k < len(self.layers) - 1:
                x = torch.tanh(self.slope * x) if self.kind == "tanh" else torch.sin(x)
        if self.training:
            x = x * 2.0
        if self.gate > 0:  # by a value, but none of the points
            x = x + 1.0
        for m in self.more:
            x = x * m
        return x * torch.from_numpy(self.table).sum()


def test_choices_and_loops_by_what_the_module_holds_are_those_of_each_call():
    model = Program()
    (x,) = points(count=1)
    u = wengert.torch.field(model, "x")

    def same():
        y = model(x)
        close(u(x), y)
        close(u.xx(x), D(D(y, x), x))
        return u(x).detach()

    seen = [same()]
    changes = [
        lambda: model.eval(), lambda: setattr(model, "slope", 0.5), lambda: setattr(model, "kind", "sin"),
        lambda: model.gate.data.fill_(-1.0), lambda: model.table.fill(3.0), lambda: model.more.append(2.0),
        lambda: model.layers.insert(1, nn.Linear(4, 4)),
    ]  # fmt: skip
    for change in changes:
        change()
        seen.append(same())
        assert not torch.equal(seen[-1], seen[-2])


def line_of(function, text):
    import inspect

    lines, first = inspect.getsourcelines(function)
    return f"test_torch_running.py:{first + next(k for k, line in enumerate(lines) if text in line)}"


class Choosing(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.way = way

    def forward(self, x):
        if self.way == "bool" and x.mean() > 0:  # here: bool
            return -x
        if self.way == "loop":
            for _ in range(int(x.sum())):  # here: loop
                x = x * 2
        if self.way == "item":
            return x * x.max().item()  # here: item
        if self.way == "where":
            return x[x > 0]  # here: where
        if self.way == "write":
            y = x * 1.0
            y[:, 0] = 2.0 * y[:, 0]  # here: write
            return y
        if self.way == "rule":
            return torch.special.bessel_j0(x)  # here: rule
        if self.way == "drop":
            return F.dropout(x, 0.5, True)  # here: drop
        return x


@pytest.mark.parametrize("way", ["bool", "loop", "item", "where", "write", "rule", "drop"])
def test_what_cannot_be_read_names_the_line_of_the_module(way):
    u = wengert.torch.field(Choosing(way), "x")
    with pytest.raises(UnimplementedError) as caught:
        u.x(torch.ones(3, 1))
    assert f"{line_of(Choosing.forward, f'# here: {way}')}, in Choosing" in str(caught.value)


def test_numbers_and_lists_of_points_are_refused():
    for f in (lambda x: x * float(x[0, 0]), lambda x: torch.tensor(x.tolist()), lambda x: torch.as_tensor(x.numpy())):
        with pytest.raises((UnimplementedError, RuntimeError)):
            wengert.torch.field(f, "x").x(torch.ones(3, 1))


def test_changes_in_place_that_nobody_else_sees_are_read():
    (x,) = points(count=1)
    model = nn.Sequential(nn.Linear(1, 8), nn.ReLU(inplace=True), nn.Linear(8, 8), nn.ELU(inplace=True), nn.Linear(8, 1))
    y = model(x)
    u = wengert.torch.field(model, "x")
    close(u(x), y)
    close(u.xx(x), D(D(y, x), x))

    def f(x):
        y = torch.sin(x)
        y *= 2.0
        y += x
        return y * y

    close(wengert.torch.field(f, "x").x(x), D(f(x), x))


def test_a_tensor_that_is_changed_after_its_use_is_refused():
    seen = torch.ones(1)

    def f(x):
        y = x * seen
        seen.add_(1.0)
        return y

    with pytest.raises(UnimplementedError, match="changes a tensor that it has used"):
        wengert.torch.field(f, "x")(torch.ones(2, 1))


def test_weights_that_are_made_of_parameters_and_functions_of_one_point():
    (x, t) = points()
    normal = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    w = nn.Parameter(torch.randn(3, 2))
    for f in (lambda X: torch.tanh(normal(X)).sum(1), torch.vmap(lambda p: torch.tanh(w @ p).sum() ** 2)):
        y = f(torch.cat([x, t], 1))
        u = wengert.torch.field(f, "x t", stacked=True)
        close(u(x, t)[:, 0], y)
        close(u.xt(x, t), D(D(y, x), t))


class Twice(torch.autograd.Function):
    """Values of x, and a derivative that is none of its own."""

    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return 2.0 * g


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return 3.0 * g * ctx.saved_tensors[0]


@pytest.mark.parametrize("stated", [Twice, Square])
def test_a_function_with_a_stated_derivative_is_refused(stated):
    with pytest.raises(UnimplementedError, match=stated.__name__):
        wengert.torch.field(lambda x: stated.apply(torch.sin(x)), "x").x(torch.ones(3, 1))


def test_no_derivative_passes_what_stands_under_no_grad_or_is_detached():
    (x,) = points(count=1)

    def under(x):
        with torch.no_grad():
            s = torch.sin(x)
        return s * x

    def changed(x):
        y = torch.sin(x) + 0.0
        with torch.no_grad():
            y.clamp_(min=0.2)
        return y * 2.0

    for f in (under, changed, lambda x: torch.sin(x).detach() * x):
        u, wanted = wengert.torch.field(f, "x"), D(f(x), x)
        close(u.x(x), wanted)
        with torch.no_grad():
            close(u.x(x), wanted)


def test_checkpoints_are_read():
    from torch.utils.checkpoint import checkpoint

    (x,) = points(count=1)
    model = net(1)
    u = wengert.torch.field(lambda x: checkpoint(model, torch.sin(x), use_reentrant=False), "x")
    close(u.xx(x), D(D(model(torch.sin(x)), x), x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripts_are_right_or_refused():
    (x,) = points(count=1)
    plain = net(1)
    script = torch.jit.script(plain)

    def both(x):
        return script(x) + torch.sin(x).detach()

    for f in (script, lambda x: script(x) + 1.0, both):
        u = wengert.torch.field(f, "x")
        for _ in range(6):  # PyTorch compiles a script in a later run of it
            try:
                close(u.x(x), D(plain(x), x))
            except UnimplementedError as error:
                assert "torch.jit" in str(error)
            D(script(x), x)
