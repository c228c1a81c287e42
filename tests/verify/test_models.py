"""`wengert check` and `wengert explain` of fields over models of JAX's and PyTorch's. What is wrong is injected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.run.explain import Explanation
from wengert.surface.frameworks import aten, expression, rules
from wengert.verify.report import Report
from wengert.verify.script import check_script


def judge(script: Callable[[], Any]) -> Report:
    def run() -> int:
        script()
        return 0

    _, report = check_script(run)
    assert not expression.watchers
    return report


@pytest.fixture
def jax() -> Any:
    return pytest.importorskip("jax", reason="wengert.jax needs JAX")


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="wengert.torch needs PyTorch")


def statuses(report: Report, road: str) -> set[str]:
    return {row.status for row in report.rows if row.road == road}


def test_fields_over_jax_are_checked_wherever_they_are_called(jax):
    jnp = jax.numpy
    x = jnp.linspace(0.1, 1.0, 4)
    w = jnp.asarray([[0.5, -0.3]])

    def script() -> None:
        @jax.jit
        @jax.value_and_grad
        def loss(w):
            u = wengert.jax.field(lambda x: jnp.tanh(x @ w) @ w.T, "x")
            return jnp.mean((u.xx + u * u.x)(x) ** 2)

        for _ in range(3):
            loss(w)
        u = wengert.jax.field(lambda x: jnp.tanh(x @ w) @ w.T, "x")
        u.xxx(x)
        jax.vmap(lambda a: u.xxx(a)[0, 0])(x)
        jax.lax.scan(lambda total, a: (total + u.x(a)[0, 0], None), jnp.zeros(()), x)

    report = judge(script)
    assert report.tally == "9 derivatives: all right", report
    assert statuses(report, "received") == statuses(report, "model") == {"right"}
    assert {row.function.partition(" (")[0] for row in report.rows} == {
        f"{__file__}:{script.__code__.co_firstlineno + line}" for line in (5, 10, 11, 12)
    }


def test_a_model_that_is_misread_is_named(jax, monkeypatch):
    monkeypatch.setitem(rules.RULES, "tanh", rules.RULES["logistic"])
    u = wengert.jax.field(jax.numpy.tanh, "x")
    report = judge(lambda: jax.jit(u.x)(jax.numpy.linspace(0.0, 1.0, 3)))
    assert report.verdict == "wrong" and statuses(report, "model") == {"wrong"}
    assert statuses(report, "reverse") == {"right"}  # of what was read
    assert [fault.kind for fault in report.faults] == ["reading"]


@pytest.mark.parametrize(("slope", "verdict"), [(1.0, "right"), (1.1, "wrong")])
def test_a_stated_derivative_is_judged_by_the_values(jax, slope, verdict):
    jnp = jax.numpy

    @jax.custom_vjp
    def f(x):
        return jnp.sin(x)

    f.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (slope * jnp.cos(x) * g,))
    report = judge(lambda: wengert.jax.field(f, "x").x(jnp.linspace(0.1, 1.0, 3)))
    assert report.verdict == verdict
    assert [fault.kind for fault in report.faults] == ["custom gradient"] * (verdict == "wrong")


def test_fields_over_torch_are_checked(torch, monkeypatch):
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    u = wengert.torch.field(model, "x t")
    x, t = torch.rand(5), torch.rand(5)
    right = judge(lambda: ((u.t - u * u.xx)(x, t) ** 2).mean().backward())
    assert right.tally == "3 derivatives: all right", right
    assert statuses(right, "received") == statuses(right, "model") == {"right"}
    monkeypatch.setitem(aten.RULES, "aten.tanh", aten.RULES["aten.sigmoid"])
    v = wengert.torch.field(model, "x t")
    assert [fault.kind for fault in judge(lambda: v.x(x, t)).faults] == ["reading"]


def test_explain_tells_of_each_line(jax):
    jnp = jax.numpy
    x = jnp.linspace(0.1, 1.0, 4)
    for _ in range(2):
        with Explanation() as explanation:
            u = wengert.jax.field(jnp.tanh, "x")
            u.xx(x)
            wengert.jax.field(jnp.tanh, "x").xx(x)
        assert [(c.order, c.method) for c in explanation.choices] == [(1, "taylor"), (2, "taylor")] * 2
        assert len({c.where for c in explanation.choices}) == 2


def test_a_variance_does_not_keep_a_series_away(jax):
    """JAX's variance is NaN where there is nothing to divide by: a choice between numbers that stand in the function."""
    jnp = jax.numpy
    x = np.linspace(0.1, 1.0, 4)

    def normalised(x):
        h = jnp.sin(x * jnp.arange(1.0, 5.0))
        return (h - h.mean()) / jnp.sqrt(h.var() + 1e-6)

    with jax.enable_x64(True), Explanation() as explanation:
        found = jax.jit(wengert.jax.field(normalised, "x", pointwise=True).xx)(x)
        np.testing.assert_allclose(found, jax.vmap(jax.jacfwd(jax.jacfwd(normalised)))(x), rtol=1e-9)
    assert {c.method for c in explanation.choices} == {"taylor"}
