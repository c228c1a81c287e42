"""Functions of other libraries; and NumPy's, with a gradient beside them."""

from typing import Any

import numpy as np
import pytest

from wengert.verify import check

X = np.array([0.3, -0.7, 1.1])


def value(x: Any) -> Any:
    return np.sum(np.sin(x) * x)


def test_a_numpy_function_with_its_gradient() -> None:
    report = check(value, X, gradient=lambda x: np.sin(x) + np.cos(x) * x)
    assert report.verdict == "right"
    assert min(r.digits for r in report.rows if r.digits is not None) > 13  # by the complex step


def test_a_numpy_function_with_its_hessian() -> None:
    def hessian(x: Any) -> Any:
        return np.diag(2 * np.cos(x) - np.sin(x) * x)

    report = check(value, X, gradient=lambda x: np.sin(x) + np.cos(x) * x, hessian=hessian)
    assert report.verdict == "right"
    assert {r.order for r in report.rows} == {1, 2}
    wrong = check(value, X, gradient=lambda x: np.sin(x) + np.cos(x) * x, hessian=lambda x: 1.001 * hessian(x))
    assert {r.order for r in wrong.rows if r.status == "wrong"} == {2}


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x: np.sin(x) - np.cos(x) * x,
        lambda x: 1.0001 * (np.sin(x) + np.cos(x) * x),
        lambda x: np.sin(x),
        lambda x: np.where(x < 0, 0.0, np.sin(x) + np.cos(x) * x),  # wrong in one place
        lambda x: np.full(3, np.nan),
    ],
)
def test_a_wrong_gradient_is_found(gradient: Any) -> None:
    report = check(value, X, gradient=gradient)
    assert report.verdict == "wrong"
    assert report.faults[0].kind == "wrong derivative"


def test_of_several_arguments_and_functions_that_refuse_complex_numbers() -> None:
    import math

    def f(x: Any, n: Any, t: Any) -> float:
        return math.exp(float(x)) * float(t) ** int(n)

    report = check(f, {"x": 0.5, "n": 3, "t": 2.0}, gradient=lambda x, n, t: [f(x, n, t), 3 * f(x, n, t) / t])
    assert report.verdict == "right"
    assert check(f, {"x": 0.5, "n": 3, "t": 2.0}, gradient=lambda x, n, t: [f(x, n, t), f(x, n, t)]).verdict == "wrong"


def test_a_kink_is_not_decided() -> None:
    report = check(lambda x: np.sum(np.abs(x)), np.array([0.0, 0.4]), gradient=lambda x: np.sign(x))
    assert report.verdict == "undecided"


@pytest.mark.parametrize(
    ("gradient", "text"),
    [(lambda x: [x, x], "2 arrays for 1 arguments"), (lambda x: x[:2], "shape \\(2,\\) for an argument of shape \\(3,\\)")],
)
def test_a_gradient_that_does_not_fit(gradient: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check(value, X, gradient=gradient)


def test_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is not installed")
    jnp = jax.numpy

    def right(x: Any, t: Any) -> Any:
        return jnp.sum(jnp.tanh(x) ** 2 * t)

    report = check(right, [X, 0.5], 3)
    assert report.verdict == "right"
    assert {r.road for r in report.rows} == {"grad", "jvp"}
    assert {"x", "t", "x t", "x x t"} <= {r.derivative for r in report.rows}

    @jax.custom_jvp
    def bad(x: Any) -> Any:
        return jnp.sin(x)

    bad.defjvp(lambda p, t: (jnp.sin(p[0]), 1.001 * jnp.cos(p[0]) * t[0]))
    report = check(lambda x: bad(x) * x, jnp.array([0.3, 0.5]), 2)
    assert report.verdict == "wrong"

    # float32 goes in, and what comes out is judged as float32 can be.
    assert check(lambda x: jnp.exp(x).sum(), jnp.array([0.3, 0.5], jnp.float32), 2).verdict == "right"
    assert check(lambda x: jnp.abs(x).sum(), jnp.array([0.0, 0.5]), 1).verdict == "undecided"


def test_torch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    report = check(lambda x: torch.tanh(x) ** 2, torch.linspace(-1, 1, 5, dtype=torch.float64), 4)
    assert report.verdict == "right"

    class Bad(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * torch.cos(ctx.saved_tensors[0]) * 1.01

    assert check(lambda x: Bad.apply(x) * x, torch.tensor([0.3, 0.4], dtype=torch.float64), 2).verdict == "wrong"
    assert check(lambda x: torch.nn.functional.softplus(x), torch.tensor([0.3, 0.4]), 2).verdict == "right"
