"""Functions that are smooth as a whole, at the points where their pieces meet: derivatives of orders 1 to 4."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert.functions.math import sinc


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """Have mpmath compute with enough digits."""
    with mp.workdps(60):
        yield


keras, losses, old = tf.keras, tf.keras.losses, tf.compat.v1


def nth(f: Callable[..., Any], x: Any, n: int) -> Any:
    if n == 0:
        return tf.reduce_sum(f(x))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = nth(f, x, n - 1)
    return None if y is None else tf.reduce_sum(tape.gradient(y, x, unconnected_gradients="zero"))


def constant(value: float) -> Any:
    return tf.constant(value, tf.float64)


def row(*values: Any) -> Any:
    return tf.stack([v if isinstance(v, tf.Tensor) else constant(v) for v in values])


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


def log_sum(*xs: Any) -> Any:
    return mp.log(sum(mp.exp(x) for x in xs))


def cosine(x: Any) -> Any:
    return x / mp.sqrt(1 + x * x)


def half(x: Any) -> Any:
    return mp.mpf(x) / 2


# (name, the function of one number, the same by mpmath, points, the greatest order at which it is smooth)
SMOOTH: list[tuple[str, Any, Any, list[float], int]] = [
    ("softplus", tf.nn.softplus, softplus, [0.0], 4),
    ("log_sigmoid", tf.math.log_sigmoid, lambda x: -softplus(-x), [0.0], 4),
    ("sigmoid", tf.sigmoid, lambda x: 1 / (1 + mp.exp(-x)), [0.0], 4),
    ("keras.ops.logaddexp", lambda x: keras.ops.logaddexp(x, constant(0.5)), lambda x: log_sum(x, half(1)), [0.5], 4),
    ("keras.ops.logaddexp of both", lambda x: keras.ops.logaddexp(x, x * x), lambda x: log_sum(x, x * x), [0.0, 1.0], 4),
    ("logsumexp", lambda x: tf.reduce_logsumexp(row(x, 0.5, -x)), lambda x: log_sum(x, half(1), -x), [0.5, 0.0], 4),
    (
        "cumulative_logsumexp",
        lambda x: tf.math.cumulative_logsumexp(row(x, 0.5))[1],
        lambda x: log_sum(x, half(1)),
        [0.5],
        4,
    ),
    ("log_softmax", lambda x: tf.nn.log_softmax(row(x, 0.5))[0], lambda x: -softplus(half(1) - x), [0.5], 4),
    ("softmax", lambda x: tf.nn.softmax(row(x, 0.5))[0], lambda x: 1 / (1 + mp.exp(half(1) - x)), [0.5], 4),
    (
        "sigmoid_cross_entropy",
        lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels=constant(0.25), logits=x),
        lambda x: softplus(x) - x / 4,
        [0.0],
        4,
    ),
    (
        "weighted_cross_entropy",
        lambda x: tf.nn.weighted_cross_entropy_with_logits(constant(0.25), x, 3.0),
        lambda x: 3 * softplus(-x) / 4 + 3 * softplus(x) / 4,
        [0.0],
        4,
    ),
    (
        "binary_crossentropy",
        lambda x: losses.binary_crossentropy(row(0.25), row(x), from_logits=True),
        lambda x: softplus(x) - x / 4,
        [0.0],
        4,
    ),
    ("log_cosh", lambda x: losses.log_cosh(row(0.5), row(x)), lambda x: mp.log(mp.cosh(x - half(1))), [0.5], 4),
    ("huber", lambda x: losses.huber(row(0.5), row(x)), lambda x: (x - half(1)) ** 2 / 2, [0.5], 4),
    ("huber, end", lambda x: losses.huber(row(0.5), row(x)), lambda x: (x - half(1)) ** 2 / 2, [1.5, -0.5], 1),
    ("v1 huber", lambda x: old.losses.huber_loss(row(0.5), row(x)), lambda x: (x - half(1)) ** 2 / 2, [0.5], 4),
    ("celu", keras.activations.celu, lambda x: x if x > 0 else mp.expm1(x), [0.0], 1),
    ("celu 2", lambda x: keras.activations.celu(x, 2.0), lambda x: x if x > 0 else 2 * mp.expm1(x / 2), [0.0], 1),
    ("elu", tf.nn.elu, lambda x: x if x > 0 else mp.expm1(x), [0.0], 1),
    ("keras elu", lambda x: keras.activations.elu(x, 1.0), lambda x: x if x > 0 else mp.expm1(x), [0.0], 1),
    ("softsign", tf.nn.softsign, lambda x: x / (1 + abs(x)), [0.0], 1),
    ("squareplus", keras.activations.squareplus, lambda x: (x + mp.sqrt(x * x + 4)) / 2, [0.0], 4),
    ("mish", keras.activations.mish, lambda x: x * mp.tanh(softplus(x)), [0.0], 4),
    ("silu", tf.nn.silu, lambda x: x / (1 + mp.exp(-x)), [0.0], 4),
    ("gelu", tf.nn.gelu, lambda x: x * mp.ncdf(x), [0.0], 4),
    ("spence", tf.math.special.spence, lambda x: mp.re(mp.polylog(2, 1 - x)), [1.0, 1 + 1e-7, 0.5], 4),
    ("norm of order 4", lambda x: tf.norm(row(x, 1.0), ord=4), lambda x: (1 + x**4) ** (mp.mpf(1) / 4), [0.0], 4),
    ("norm", lambda x: tf.norm(row(x, 1.0)), lambda x: mp.sqrt(1 + x * x), [0.0], 4),
    ("euclidean norm", lambda x: tf.math.reduce_euclidean_norm(row(x, 1.0)), lambda x: mp.sqrt(1 + x * x), [0.0], 4),
    (
        "norm of complex numbers",
        lambda x: tf.norm(tf.complex(row(x, 1.0), row(0.0, 0.0))),
        lambda x: mp.sqrt(1 + x * x),
        [0.0],
        2,
    ),
    ("l2_normalize", lambda x: tf.math.l2_normalize(row(x, 1.0))[0], cosine, [0.0], 4),
    ("cosine_similarity", lambda x: -losses.cosine_similarity(row(1.0, 0.0), row(x, 1.0)), cosine, [0.0], 4),
    ("power of a tensor", lambda x: x ** constant(3.0), lambda x: x**3, [0.0], 4),
    ("sinc", sinc, lambda x: mp.sinc(x), [0.0], 4),
    ("atan", tf.math.atan, mp.atan, [1.0, -1.0], 4),
]  # fmt: skip


def ids(value: Any) -> str:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("name, f, exact, points, most", SMOOTH, ids=[s[0] for s in SMOOTH])
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_where_pieces_meet(name: str, f: Any, exact: Any, points: Any, most: int, traced: bool) -> None:
    for point in points:
        for n in range(1, most + 1):

            def derivative(x: Any, n: int = n) -> Any:
                return nth(f, x, n)

            found = (tf.function(derivative) if traced else derivative)(constant(point))
            # From one side where the other is another function: what is smooth has one derivative.
            wanted = mp.diff(exact, mp.mpf(point), n) if name != "huber, end" else mp.mpf(point) - half(1)
            if most == 1 and name != "huber, end":
                wanted = mp.diff(exact, mp.mpf(point), n, direction=1)
            assert float(found) == pytest.approx(float(wanted), rel=1e-9, abs=1e-10), (point, n)


def test_logaddexp_of_equal_tensors_by_both() -> None:
    x, y = constant(1.5), constant(1.5)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            z = keras.ops.logaddexp(x, y)
        first = tape.gradient(z, [x, y])
    np.testing.assert_array_equal([float(g) for g in first], [0.5, 0.5])
    seconds = [[float(outer.gradient(g, v)) for v in (x, y)] for g in first]
    np.testing.assert_array_equal(seconds, [[0.25, -0.25], [-0.25, 0.25]])
