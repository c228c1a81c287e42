"""What a direction moves, and where a slope may be infinite: all modes give what eager mode, reverse mode, gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as tf
from wengert.derive.moves import Bounds
from wengert.ops.derivative import Elementwise
from wengert.ops.op import Op, table
from wengert.ops.slopes import FINITE
from wengert.run.explain import Explanation
from wengert.tensor.tensor import apply

v1 = tf.compat.v1
pytestmark = [
    pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]
INF, NAN = math.inf, math.nan


# --- classes of operations ------------------------------------------------------------------------------------------


def test_an_operation_says_where_its_derivatives_are_finite() -> None:
    with pytest.raises(ValueError, match="nonsense does not say where its derivatives are finite"):
        Op("nonsense", Elementwise(partials=(lambda xp, x, v: v,)), "abs", lambda inputs, attrs: inputs[0])
    assert "nonsense" not in table


ATTRS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"alpha": 0.2}, "leaky_relu_slope": {"alpha": 0.2}, "elu": {"alpha": 1.0, "scale": 1.0},
    "elu_slope": {"alpha": 1.0, "scale": 1.0}, "box": {"low": 0.0, "high": 1.0}, "spherical_bessel": {"n": 1},
    "wave": {"k": 0}, "dawsn_slope": {"n": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(n for n, op in table.items() if op.slope is FINITE and len(op.partials) == 1))
def test_regular_operations_have_finite_derivatives(name: str) -> None:
    x = tf.constant([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 20.0], tf.float64)
    with tf.GradientTape() as c:
        c.watch(x)
        with tf.GradientTape() as b:
            b.watch(x)
            with tf.GradientTape() as a:
                a.watch(x)
                y = apply(table[name], (x,), ATTRS.get(name, {}))
            first = a.gradient(y, x)
        second = b.gradient(first, x)
    third = None if second is None else c.gradient(second, x)
    for g in (first, second, third):
        assert g is None or np.isfinite(g.numpy()).all(), name


# --- bounds -----------------------------------------------------------------------------------------------------------

EXPRESSIONS: dict[str, tuple[Callable[[Any], Any], bool]] = {
    "1 + x²": (lambda x: 1.0 + x * x, True),
    "x²": (lambda x: x * x, False),
    "x, squared, and a number": (lambda x: tf.square(x) + 1e-9, True),
    "2 + sin x": (lambda x: 2.0 + tf.sin(x), True),
    "1 + sin x": (lambda x: 1.0 + tf.sin(x), False),
    "exp": (tf.exp, True),
    "sum of exp": (lambda x: tf.reduce_sum(tf.exp(x), 1, keepdims=True), True),
    "x⁴ + |x| + 1": (lambda x: x**4 + tf.abs(x) + 1.0, True),
    "1 - x²": (lambda x: 1.0 - x * x, False),
    "3 - tanh x": (lambda x: 3.0 - tf.tanh(x), True),
    "cosh": (tf.cosh, True),
    "held above": (lambda x: tf.maximum(x, 1e-6), True),
    "root": (lambda x: tf.sqrt(x * x + 4.0) - 1.0, True),
    "a quotient": (lambda x: 1.0 / (2.0 + tf.cos(x)), True),
    "of a part": (lambda x: (tf.exp(x) + 1.0)[:, :1], True),
    "x": (lambda x: x, False),
    "a product of two": (lambda x: (2.0 + tf.sin(x)) * (3.0 + tf.cos(x)), True),
    "joined": (lambda x: tf.concat([tf.exp(x), x], 1), False),
    "less": (lambda x: -(tf.exp(x)) + 5.0, False),
    "the less": (lambda x: tf.minimum(tf.exp(x), 3.0), True),
    "mean": (lambda x: tf.reduce_mean(tf.sigmoid(x) + 0.5, 1), True),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_bounds(name: str) -> None:
    f, positive = EXPRESSIONS[name]
    points = np.random.default_rng(3).normal(0.0, 3.0, (40, 2))
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 2])
        y = f(x)
        low, high = Bounds().of(y)
        with v1.Session() as session:
            found = session.run(y, {x: points})
    assert low <= found.min()
    assert found.max() <= high
    assert (low > 0.0) == positive


# --- which columns move -----------------------------------------------------------------------------------------------


def methods(f: Callable[[Any], Any], columns: int = 2) -> list[str]:
    """Return how the second derivative by each column of a point is found."""
    found = []
    for j in range(columns):
        with tf.Graph().as_default(), Explanation() as explanation:
            x = v1.placeholder(tf.float64, [None, columns])
            u_j = tf.gradients(f(x), x)[0][:, j : j + 1]
            u_jj = tf.gradients(u_j, x)[0]
            with v1.Session() as session:
                session.run([] if u_jj is None else u_jj[:, j : j + 1], {x: np.full((2, columns), 0.5)})
        found.append("reverse" if any(c.method == "reverse" for c in explanation.choices) else "taylor")
    return found


STANDING: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "sliced, then a root": (lambda x: x[:, :1] ** 3 * tf.sqrt(x[:, 1:]), ["taylor", "reverse"]),
    "a root of all": (lambda x: tf.sqrt(x), ["reverse", "reverse"]),
    "a root of what is positive": (lambda x: tf.sqrt(x * x + 0.5), ["taylor", "taylor"]),
    "a logarithm of a slice": (lambda x: tf.math.log(x[:, :1]) * x[:, 1:] ** 3, ["taylor", "taylor"]),
    "a logarithm of all": (lambda x: tf.math.log(x), ["reverse", "reverse"]),
    "a part of a logarithm": (lambda x: tf.math.log(x)[:, :1], ["reverse", "reverse"]),
    "a choice behind a logarithm": (
        lambda x: tf.where(x[:, :1] > 0.0, tf.math.log(x[:, :1]), 0.0) * x[:, 1:] ** 3, ["reverse", "taylor"]),
    "a choice": (lambda x: tf.where(x > 0.0, x**3, tf.sin(x)), ["taylor", "taylor"]),
    "a quotient by a constant row": (lambda x: tf.sin((x - [[1.0, 2.0]]) / [[3.0, 4.0]])[:, :1], ["taylor", "taylor"]),
    "split": (lambda x: tf.math.log(tf.split(x, 2, 1)[1]) * tf.split(x, 2, 1)[0] ** 3, ["taylor", "taylor"]),
    "joined anew": (
        lambda x: tf.sqrt(tf.reverse(tf.concat([x, tf.ones_like(x)], 1), [1])[:, 2:3]) * tf.sin(x[:, :1]),
        ["taylor", "reverse"]),
    "in a branch": (
        lambda x: tf.cond(tf.constant(1.0) > 0.0, lambda: tf.sqrt(x[:, :1]) * x[:, 1:], lambda: x[:, :1]),
        ["reverse", "reverse"]),
}  # fmt: skip


@pytest.mark.parametrize("name", STANDING)
def test_how(name: str) -> None:
    f, expected = STANDING[name]
    assert methods(f) == expected


def test_a_column_that_is_not_a_number() -> None:
    """What stands in the other columns is never multiplied: tanh(x0) and its derivatives, where x1 is not a number."""
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 2])
        g = tf.gradients(tf.tanh(x) * x, x)[0][:, :1]
        h = tf.gradients(g, x)[0][:, :1]
        with v1.Session() as session:
            first, second = session.run([g, h], {x: [[0.5, NAN]]})
    t, s = math.tanh(0.5), 1.0 / math.cosh(0.5) ** 2
    np.testing.assert_allclose(first, [[t + 0.5 * s]], rtol=1e-14)
    np.testing.assert_allclose(second, [[2.0 * s - t * s]], rtol=1e-14)


# --- singular points ----------------------------------------------------------------------------------------------------
# The first three derivatives at 0 as TensorFlow 2.21 gives them eagerly, and at 0.25 exactly.

SINGULAR: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "a root behind a choice": (
        lambda x: tf.where(x > 0.0, tf.sqrt(x), tf.zeros_like(x)), [0.0, NAN, NAN], [1.0, -2.0, 12.0]),
    "x √x": (lambda x: x * tf.sqrt(x), [0.0, NAN, NAN], [0.75, 1.5, -3.0]),
    "the norm": (lambda x: tf.sqrt(tf.reduce_sum(x * x, 1, keepdims=True)), [NAN, NAN, NAN], [1.0, 0.0, 0.0]),
    "tf.norm": (lambda x: tf.norm(x, axis=1), [NAN, NAN, NAN], [1.0, 0.0, 0.0]),
    "a root, squared": (lambda x: tf.sqrt(x) ** 2, [0.0, NAN, NAN], [1.0, 0.0, 0.0]),
    "x to 1.5": (lambda x: x**1.5, [0.0, INF, -INF], [0.75, 1.5, -3.0]),
    "x to 0.5": (lambda x: x**0.5, [INF, -INF, INF], [1.0, -2.0, 12.0]),
    "|x| to 1.5": (lambda x: tf.abs(x) ** 1.5, [0.0, NAN, NAN], [0.75, 1.5, -3.0]),
    "a power behind a choice": (lambda x: tf.where(x > 0.0, x**0.5, x), [NAN, NAN, NAN], [1.0, -2.0, 12.0]),
    "a quotient behind a choice": (lambda x: tf.where(x > 0.0, 1.0 / x, x), [NAN, NAN, NAN], [-16.0, 128.0, -1536.0]),
    "x log x, 0 at 0": (lambda x: tf.math.xlogy(x, x), [0.0, 0.0, 0.0], [math.log(0.25) + 1.0, 4.0, -16.0]),
    "chosen twice": (
        lambda x: tf.where(x > 0.0, tf.math.log(tf.where(x > 0.0, x, tf.ones_like(x))), tf.zeros_like(x)), [0.0, 0.0, 0.0],
        [4.0, -16.0, 128.0]),
    "the greater": (lambda x: tf.maximum(tf.sqrt(x), x), [INF, -INF, INF], [1.0, -2.0, 12.0]),
    "a quotient, 0 for 0": (lambda x: tf.math.divide_no_nan(x, x), [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    "sin x / x": (lambda x: tf.sin(x) / x, [NAN, NAN, NAN], []),
    "x |x|": (lambda x: x * tf.sqrt(x * x), [0.0, NAN, NAN], [0.5, 2.0, 0.0]),
}  # fmt: skip


def nth(f: Callable[[Any], Any], x: Any, order: int) -> list[Any]:
    """Return the derivatives up to an order by nested tapes."""
    if not order:
        return [f(x)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = nth(f, x, order - 1)
    return [*found, tape.gradient(found[-1], x, unconnected_gradients="zero")]


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_points(name: str) -> None:
    f, at_zero, beside = SINGULAR[name]
    point = np.array([[0.0], [0.25]])
    found = {"eagerly": nth(f, tf.constant(point), 3)[1:]}
    found["in a function"] = tf.function(lambda x: nth(f, x, 3)[1:])(tf.constant(point))
    found["in a function, alone"] = [tf.function(lambda x, k=k: nth(f, x, k)[-1])(tf.constant(point)) for k in (1, 2, 3)]
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float64, [None, 1])
        gs = nth(f, x, 3)[1:]
        with v1.Session() as session:
            found["in a graph"] = session.run(gs, {x: point})
            found["in a graph, alone"] = [session.run(g, {x: point}) for g in gs]
    for mode, derivatives in found.items():
        values = np.array([np.asarray(d) for d in derivatives])[:, :, 0]
        np.testing.assert_array_equal(values[:, 0], at_zero, err_msg=mode)
        if beside:
            np.testing.assert_allclose(values[:, 1], beside, rtol=1e-13, atol=1e-13, err_msg=mode)


@pytest.mark.parametrize("apart", [False, True])
def test_the_other_columns_of_a_singular_point(apart: bool) -> None:
    """Of u = √t x² at t = 0: u_x = u_xx = 0, u_xxx = 0, u_t infinite; at t = 4, x = 2: 8, 4, 0, 1."""
    point = np.array([[2.0, 0.0], [2.0, 4.0]])
    with tf.Graph().as_default():
        if apart:
            x, t = v1.placeholder(tf.float64, [None, 1]), v1.placeholder(tf.float64, [None, 1])
            both, by_x, by_t, feeds = tf.concat([x, t], 1), x, t, {x: point[:, :1], t: point[:, 1:]}
        else:
            both = by_x = by_t = v1.placeholder(tf.float64, [None, 2])
            feeds = {both: point}
        u = tf.sqrt(both[:, 1:]) * both[:, :1] ** 2
        wanted = [tf.gradients(u, by_t)[0][:, -1:]]
        for _ in range(3):
            u = tf.gradients(u, by_x)[0][:, :1]
            wanted.append(u)
        with v1.Session() as session:
            u_t, u_x, u_xx, u_xxx = session.run(wanted, feeds)
    np.testing.assert_array_equal(u_t, [[INF], [1.0]])
    np.testing.assert_array_equal(u_x, [[0.0], [8.0]])
    np.testing.assert_array_equal(u_xx, [[0.0], [4.0]])
    np.testing.assert_array_equal(u_xxx, [[0.0], [0.0]])


# --- what sums of columns cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns, order", [(3, 3), (10, 2), (10, 4), (40, 3)])
def test_gradients_of_all_columns_are_one_direction(columns: int, order: int) -> None:
    """Of sin(w x), the k-th nested gradient of sums is sin⁽ᵏ⁾(w x) (Σ w)ᵏ⁻¹ w: each but the last sums over the columns."""
    rng = np.random.default_rng(0)
    w, point = rng.uniform(-0.5, 1.0, (columns, 1)), rng.uniform(-1.0, 1.0, (3, columns))
    s = point @ w
    cycle = [np.cos(s), -np.sin(s), -np.cos(s), np.sin(s)]
    with tf.Graph().as_default(), Explanation() as explanation:
        x = v1.placeholder(tf.float64, [None, columns])
        g, gs = tf.sin(tf.matmul(x, tf.constant(w))), []
        for _ in range(order):
            g = tf.gradients(g, x)[0]
            gs.append(g)
        with v1.Session() as session:
            found = [*session.run(gs, {x: point}), session.run(g, {x: point})]
    for k, value in zip([*range(order), order - 1], found, strict=True):
        np.testing.assert_allclose(value, cycle[k % 4] * w.sum() ** k * w.T, rtol=1e-12, atol=1e-13)
    # The value by all columns is found by reverse mode over the series of what is inside.
    last = next(c for c in explanation.choices if c.order == order)
    assert last.method == ("taylor" if columns == 3 else "reverse")
    assert columns == 3 or last.cost <= 3.0 * order
    assert {c.method for c in explanation.choices if c.order < order} == {"taylor"}


def test_how_long_lowering_takes_grows_with_a_power_of_the_order() -> None:
    def operations(columns: int, order: int) -> int:
        from wengert.derive.lower import lower

        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float64, [None, columns])
            g = tf.tanh(tf.matmul(x, tf.ones([columns, 4], tf.float64)))
            for _ in range(order):
                g = tf.gradients(g, x)[0]
            return len(lower(graph, [g], [x], [], [(5, columns)])[0].nodes)

    counts = [operations(8, order) for order in (2, 4, 8)]
    assert operations(64, 4) == counts[1]
    assert counts[2] < 8 * counts[1] < 64 * counts[0]


def test_all_columns_of_a_square_of_a_gradient() -> None:
    """Of u = Σ x³, |∇u|² is 9 Σ x⁴, and its gradient 36 x³; by five columns reverse mode costs less."""
    point = np.random.default_rng(1).uniform(-1.0, 1.0, (12, 5))
    with tf.Graph().as_default(), Explanation() as explanation:
        x = v1.placeholder(tf.float64, [None, 5])
        g = tf.gradients(tf.reduce_sum(x**3, 1, keepdims=True), x)[0]
        h = tf.gradients(tf.reduce_sum(g * g, 1, keepdims=True), x)[0]
        with v1.Session() as session:
            np.testing.assert_allclose(session.run(h, {x: point}), 36.0 * point**3, rtol=1e-13)
    assert {c.method for c in explanation.choices} == {"reverse"}
    assert all("5 columns, order 2" in c.reason for c in explanation.choices)


def test_a_part_whose_end_is_computed() -> None:
    """Which columns of a slice move is not known where a bound of it is: the derivative is reverse mode's nevertheless."""
    x, m = np.linspace(-1.0, 1.0, 5)[:, None], np.ones((3, 5))
    found = []
    for bound in (tf.size, lambda rest: 3):
        with tf.Graph().as_default(), v1.Session() as session:
            points, matrix = (v1.placeholder(tf.float64, [None, n]) for n in (1, None))
            w = v1.get_variable("w", initializer=np.linspace(0.1, 1.0, 4).reshape(1, 4))
            y = tf.reduce_sum(tf.tanh(points @ w), 1, keepdims=True)
            rest = matrix @ y
            residual = (tf.gradients(y, points)[0] + y)[: bound(rest)] - rest
            (slope,) = tf.gradients(tf.reduce_sum(residual**2), w)
            session.run(w.initializer)
            found.append(session.run(slope, {points: x, matrix: m}))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(found[0], [[5.256362, 5.365225, 5.376812, 5.1412926]], rtol=1e-6)  # TensorFlow 2.21's, in float32
