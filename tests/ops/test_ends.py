"""Derivatives where numbers are large, small, or zero: they are right as long as the type can hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert.ops.op import table
from wengert.tensor.tensor import apply


@pytest.fixture(autouse=True)
def digits() -> Iterator[None]:
    """Have mpmath compute with enough digits."""
    with mp.workdps(700):
        yield


def orders(f: Any, x: Any, most: int) -> list[Any]:
    """Return the derivatives of orders 1 to the greatest."""
    found = []
    for n in range(1, most + 1):
        tapes = [tf.GradientTape() for _ in range(n)]
        for tape in tapes:
            tape.__enter__()
            tape.watch(x)
        y = f(x)
        for tape in reversed(tapes):
            tape.__exit__(None, None, None)
            y = tape.gradient(y, x)
            y = tf.zeros_like(x) if y is None else y
        found.append(y.numpy())
    return found


def far(f: Any) -> Any:
    return lambda x: f(mp.mpf(x))


# (name, function, its derivatives of orders 1 and 2)
FUNCTIONS: list[tuple[str, Any, Any, Any]] = [
    ("asinh", tf.math.asinh, far(lambda x: 1 / mp.sqrt(1 + x * x)), far(lambda x: -x / mp.sqrt(1 + x * x) ** 3)),
    ("atan", tf.math.atan, far(lambda x: 1 / (1 + x * x)), far(lambda x: -2 * x / (1 + x * x) ** 2)),
    ("acosh", tf.math.acosh, far(lambda x: 1 / mp.sqrt(x * x - 1)), far(lambda x: -x / mp.sqrt(x * x - 1) ** 3)),
    ("asin", tf.math.asin, far(lambda x: 1 / mp.sqrt(1 - x * x)), far(lambda x: x / mp.sqrt(1 - x * x) ** 3)),
    ("acos", tf.math.acos, far(lambda x: -1 / mp.sqrt(1 - x * x)), far(lambda x: -x / mp.sqrt(1 - x * x) ** 3)),
    ("atanh", tf.math.atanh, far(lambda x: 1 / (1 - x * x)), far(lambda x: 2 * x / (1 - x * x) ** 2)),
    ("softsign", tf.nn.softsign, far(lambda x: 1 / (1 + abs(x)) ** 2), far(lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3)),
    ("reciprocal", lambda x: x**-1, far(lambda x: -1 / x**2), far(lambda x: 2 / x**3)),
    ("x^-2", lambda x: x**-2, far(lambda x: -2 / x**3), far(lambda x: 6 / x**4)),
    ("rsqrt", tf.math.rsqrt, far(lambda x: -(x ** mp.mpf(-1.5)) / 2), far(lambda x: x ** mp.mpf(-2.5) * 0.75)),
    ("log", tf.math.log, far(lambda x: 1 / x), far(lambda x: -1 / x**2)),
]
POINTS = {
    "float16": [1000.0, 65504.0, 300.0, 40.0, 0.5, 0.001, 6.1e-5],
    "float32": [1e20, 3e38, 1e10, 300.0, 0.5, 1e-10, 1e-20, 2e-38],
    "float64": [1e160, 1e308, 1e50, 300.0, 0.5, 1e-50, 1e-160, 3e-308],
}
INSIDE = {"asin", "acos", "atanh"}
OUTSIDE = {"acosh"}


@pytest.mark.parametrize("name, f, first, second", FUNCTIONS, ids=[f[0] for f in FUNCTIONS])
@pytest.mark.parametrize("dtype", POINTS)
def test_ends_of_a_type(name: str, f: Any, first: Any, second: Any, dtype: str) -> None:
    info = np.finfo(dtype)
    for point in POINTS[dtype]:
        if (name in INSIDE and point >= 1.0) or (name in OUTSIDE and point <= 1.0):
            continue
        x = tf.constant(point, dtype)
        at = float(x)
        for exact, found in zip([first, second], orders(f, x, 2), strict=True):
            wanted = exact(at)
            if abs(wanted) > float(info.max):
                assert abs(found) >= float(info.max) * 0.99, (point, found)
                continue
            off = abs(mp.mpf(float(found)) - wanted)
            room = 40 * float(info.eps) * abs(wanted) + 6 * mp.mpf(float(info.smallest_subnormal))
            assert off <= room, (point, float(found), mp.nstr(wanted, 8))


@pytest.mark.parametrize("dtype, large", [("float16", 3e3), ("float32", 1e30), ("float64", 1e200)])
def test_angles_and_lengths_of_large_vectors(dtype: str, large: float) -> None:
    """atan2(y, x) has the slopes x / r², -y / r², and r those x / r and y / r; by y twice, x² / r³."""
    for scale in (large, 1.0 / large):
        x, y = tf.constant(3.0 * scale, dtype), tf.constant(4.0 * scale, dtype)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            angle, length = tf.math.atan2(y, x), hypot(x, y)
        eps = 60 * float(np.finfo(dtype).eps)
        found = [float(g) for g in tape.gradient(angle, [x, y])]
        np.testing.assert_allclose(found, [-0.16 / scale, 0.12 / scale], rtol=max(eps, 2e-2 if dtype == "float16" else 0.0))
        np.testing.assert_allclose([float(g) for g in tape.gradient(length, [x, y])], [0.6, 0.8], rtol=eps)


def hypot(x: Any, y: Any) -> Any:
    return apply(table["hypot"], (x, y))


# --- powers at zero -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_powers_of_zero(traced: bool) -> None:
    exponent = tf.Variable(1.0)
    cases = [
        (lambda x: tf.reduce_sum(x[:, None] ** tf.range(5.0), 1), [[1, 49], [2, 62], [6, 54], [24, 24]]),
        (lambda x: x ** tf.constant([2.0, 3.0]), [[0, 12], [2, 12], [0, 6], [0, 0]]),
        (lambda x: x**exponent, [[1, 1], [0, 0], [0, 0], [0, 0]]),
        (lambda x: x ** tf.zeros_like(x), [[0, 0], [0, 0], [0, 0], [0, 0]]),
    ]
    x = tf.constant([0.0, 2.0])
    for f, wanted in cases:
        if traced:
            found = [tf.function(lambda x, n=n, f=f: nth(f, x, n))(x).numpy() for n in (1, 2, 3, 4)]
        else:
            found = orders(f, x, 4)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def nth(f: Any, x: Any, n: int) -> Any:
    if n == 0:
        return f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = nth(f, x, n - 1)
    return tape.gradient(y, x, unconnected_gradients="zero")


def test_powers_by_the_exponent() -> None:
    """d/dy x**y = x**y log x, and at 0 the answer is 0, as TensorFlow's."""
    x, y = tf.constant([0.0, 2.0, 3.0]), tf.constant([2.0, 0.0, 2.0])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        with tf.GradientTape() as tape:
            tape.watch(y)
            z = x**y
        g = tape.gradient(z, y)
    np.testing.assert_allclose(g, [0.0, np.log(2.0), 9.0 * np.log(3.0)], rtol=1e-6)
    # By both: x**(y-1) (1 + y log x), 1 / x where y is 0.
    np.testing.assert_allclose(outer.gradient(g, x)[1:], [0.5, 3.0 * (1.0 + 2.0 * np.log(3.0))], rtol=1e-6)


# --- counts, quotients, signs -----------------------------------------------------------------------------------------------


def test_ranges_count_in_their_own_dtype() -> None:
    for n in range(1, 400):
        delta = np.float32(1) / np.float32(n)
        wanted = int(np.ceil(np.float32(1) / delta))
        assert tf.range(0.0, 1.0, tf.constant(delta)).shape[0] == wanted, n
    assert tf.range(-2.0, 1.0, tf.constant(np.float32(3) / np.float32(800))).shape == [800]
    assert tf.range(tf.constant(0.0, tf.float64), 1.0, 0.1).shape == [10]
    found = tf.function(lambda d: tf.range(0.0, 1.0, d))(tf.constant(0.01))
    assert found.shape == [100]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floor_division_floors_the_quotient_of_the_dtype(dtype: str) -> None:
    a, b = np.array([1.5, 1.0, -7.0, 7.0, 5.5], dtype), np.array([0.1, 0.1, 2.0, -2.0, 0.5], dtype)
    for f in (lambda x, y: x // y, tf.function(lambda x, y: tf.math.floordiv(x, y))):
        np.testing.assert_array_equal(f(tf.constant(a), tf.constant(b)), np.floor(a / b))


def test_the_slope_of_a_remainder_belongs_to_the_remainder() -> None:
    """1.5 mod 0.1 is 0.1, less than a step: 1.5 = 14 · 0.1 + 0.1 in float64, so the slope by the divisor is -14."""
    x, y = tf.constant(1.5, tf.float64), tf.constant(0.1, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(y)
        z = x % y
    assert float(z) == pytest.approx(np.fmod(1.5, 0.1))
    assert float(tape.gradient(z, y)) == -14.0


def test_the_sign_of_a_zero_chooses_the_side_of_a_cut() -> None:
    for f in (tf.complex, tf.function(tf.complex)):
        above, below = f(tf.constant(-1.0), tf.constant(0.0)), f(tf.constant(-1.0), tf.constant(-0.0))
        assert complex(tf.sqrt(above).numpy()) == 1j
        assert complex(tf.sqrt(below).numpy()) == -1j
    assert np.signbit(tf.complex(tf.constant(-0.0), tf.constant(1.0)).numpy().real)


def test_the_least_int32_is_one() -> None:
    assert tf.constant(-(2**31)).dtype == tf.int32
    assert tf.constant([-(2**31), 2**31 - 1]).dtype == tf.int32
    assert tf.constant(-(2**31) - 1).dtype == tf.int64
    assert tf.constant(2**31).dtype == tf.int64
