"""Derivatives of the incomplete functions and of zeta by their parameters, and derivatives that nobody states."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert.errors import NoGradientError


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """Have mpmath compute with enough digits."""
    with mp.workdps(40):
        yield


def nth(f: Any, xs: Any, order: Any) -> Any:
    """Return the derivative of f by the inputs named in the order, one after another."""
    if not order:
        return f(*xs)
    with tf.GradientTape() as tape:
        tape.watch(xs[order[0]])
        y = nth(f, xs, order[1:])
    return tape.gradient(y, xs[order[0]])


def lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def beta(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


FUNCTIONS = [
    (tf.math.igamma, lower, (2.3, 1.7)),
    (tf.math.igamma, lower, (0.3, 2.7)),
    (tf.math.igamma, lower, (12.3, 4.0)),
    (tf.math.igammac, upper, (2.3, 1.7)),
    (tf.math.igammac, upper, (0.3, 2.7)),
    (tf.math.betainc, beta, (2.3, 0.7, 0.4)),
    (tf.math.zeta, mp.zeta, (2.3, 1.7)),
]


@pytest.mark.parametrize("f, exact, point", FUNCTIONS, ids=lambda v: getattr(v, "__name__", str(v)))
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_orders_one_to_three(f: Any, exact: Any, point: Any, traced: bool) -> None:
    for k in (1, 2, 3):
        for order in itertools.combinations_with_replacement(range(len(point)), k):
            xs = [tf.constant(v, tf.float64) for v in point]

            def value(*xs: Any, order: Any = order) -> Any:
                return nth(f, list(xs), order)

            found = (tf.function(value) if traced else value)(*xs)
            wanted = mp.diff(exact, tuple(map(mp.mpf, point)), tuple(order.count(i) for i in range(len(point))))
            assert float(found) == pytest.approx(float(wanted), rel=1e-11), order


def test_in_forward_mode() -> None:
    a = tf.constant(2.5, tf.float64)
    with tf.autodiff.ForwardAccumulator(a, tf.ones_like(a)) as acc:
        y = tf.math.igamma(a, tf.constant(1.5, tf.float64))
    assert float(acc.jvp(y)) == pytest.approx(float(mp.diff(lambda t: lower(t, mp.mpf(1.5)), mp.mpf(2.5))), rel=1e-13)


def test_no_term_is_left_out() -> None:
    """The parameter has two ways to the sum; one through igamma, one beside it."""
    a = tf.constant(2.5, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(a)
        y = tf.math.igamma(a, tf.constant(1.5, tf.float64)) + a
    wanted = mp.diff(lambda t: lower(t, mp.mpf(1.5)) + t, mp.mpf(2.5))
    assert float(tape.gradient(y, a)) == pytest.approx(float(wanted), rel=1e-13)


@pytest.mark.parametrize("a, slopes", [(1.0, [1.0, -1.0, 1.0]), (2.0, [0.0, 1.0, -2.0]), (3.0, [0.0, 0.0, 1.0])])
def test_igamma_at_zero(a: float, slopes: Any) -> None:
    """P(1, x) = 1 - e⁻ˣ, P(2, x) = 1 - (1 + x) e⁻ˣ, P(3, x) = 1 - (1 + x + x²/2) e⁻ˣ."""
    for k, wanted in enumerate(slopes, 1):
        xs = [tf.constant(a, tf.float64), tf.constant(0.0, tf.float64)]
        assert float(nth(tf.math.igamma, xs, (1,) * k)) == pytest.approx(wanted, abs=1e-14)


def test_draws_of_a_gamma_distribution_move_with_its_parameter() -> None:
    """A draw keeps its probability: P(a, x) stays, so that dx/da = -(∂P/∂a) / (∂P/∂x)."""
    a = tf.constant([0.4, 2.5], tf.float64)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(a)
        x = tf.random.gamma([3], a, dtype=tf.float64, seed=1)
        parts = [[x[i, j] for j in range(2)] for i in range(3)]
    for i, j in itertools.product(range(3), range(2)):
        at, shape = mp.mpf(float(x[i, j])), mp.mpf(float(a[j]))
        wanted = -mp.diff(lambda t, at=at: lower(t, at), shape) / mp.diff(lambda s, shape=shape: lower(shape, s), at)
        found = tape.gradient(parts[i][j], a).numpy()
        assert found[j] == pytest.approx(float(wanted), rel=1e-10)
        assert found[1 - j] == 0.0


def test_values_that_were_constants_in_silence() -> None:
    x, one = tf.constant(0.5, tf.float64), tf.constant(1.0, tf.float64)
    cases = [
        (lambda x: tf.pad(tf.ones([2], tf.float64), [[1, 2]], constant_values=x), 3.0),
        (lambda x: tf.one_hot([0, 1], 3, on_value=x, off_value=one), 2.0),
        (lambda x: tf.range(x, 3.0 * one, one), 3.0),
        (lambda x: tf.range(one, 3.0 * one, x), 0.0 + 1 + 2 + 3),
    ]
    for f, wanted in cases:
        for function in (f, tf.function(f)):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            assert float(tape.gradient(y, x)) == wanted


# --- what nobody states ---------------------------------------------------------------------------------------------

UNSTATED = [
    ("Unique", lambda x: tf.unique(x)[0]),
    ("RandomShuffle", tf.random.shuffle),
    ("Polygamma", lambda x: tf.math.polygamma(x, tf.constant([2.0, 3.0]))),
]


@pytest.mark.parametrize("name, f", UNSTATED, ids=[name for name, _ in UNSTATED])
def test_asking_for_what_is_not_stated_is_an_error(name: str, f: Any) -> None:
    x = tf.constant([1.0, 2.0])

    def both(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x) + 3.0 * x
        return tape.gradient(y, x)

    for ask in (both, tf.function(both)):
        with pytest.raises(NoGradientError, match=f"{name} states no derivative by its input 0") as found:
            ask(x)
        assert __file__ in str(found.value)
        assert isinstance(found.value, LookupError)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
        y = 2.0 * (f(x) + 3.0 * x)
        z = 3.0 * x
    assert acc.jvp(z).numpy().tolist() == [3.0, 3.0]
    with pytest.raises(NoGradientError, match=name):
        acc.jvp(y)


def test_a_graph_says_so_when_it_is_asked() -> None:
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [3])
        y = tf.unique(x)[0]
        total = tf.reduce_sum(y) + tf.reduce_sum(x)
        with pytest.raises(NoGradientError, match="Unique") as found:
            tf.gradients(total, x)
        assert __file__ in str(found.value)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert tf.gradients(total, y)[0] is not None


def test_what_is_not_asked_for_does_no_harm() -> None:
    x, w = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
    for watched in ([w], [x, w]):
        with tf.GradientTape() as tape:
            tape.watch(watched)
            y = tf.unique(x)[0] * w
        assert tape.gradient(y, w).numpy().tolist() == [1.0, 2.0]

    def second(x: Any) -> Any:
        return nth(lambda x: tf.reduce_sum(tf.unique(tf.stop_gradient(x))[0] * x**2), [x], (0, 0))

    for f in (second, tf.function(second)):
        np.testing.assert_array_equal(f(x).numpy(), [2.0, 4.0])
