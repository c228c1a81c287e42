"""The determinant of singular matrices: it is a polynomial, and has derivatives everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert as tf


def cofactors(a: Any) -> Any:
    """Return the derivative of det a by each element, from the minors."""
    n = len(a)
    found = np.empty_like(a)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(a, i, 0), j, 1)
            found[i, j] = (-1) ** (i + j) * expanded(minor)
    return found


def expanded(a: Any) -> Any:
    """Return the determinant by expansion along the first row: no division."""
    if len(a) == 0:
        return 1.0
    return sum((-1) ** j * a[0, j] * expanded(np.delete(a[1:], j, 1)) for j in range(len(a)))


def bent(a: Any) -> Any:
    """Return the second derivatives of det a: signed minors of two rows and columns less."""
    n = len(a)
    found = np.zeros((n, n, n, n))
    for i in range(n):
        for j in range(n):
            for k in range(n):
                for m in range(n):
                    if i != k and j != m:
                        minor = np.delete(np.delete(a, [i, k], 0), [j, m], 1)
                        sign = (-1) ** (i + j + k + m) * (1 if (i < k) == (j < m) else -1)
                        found[i, j, k, m] = sign * expanded(minor)
    return found


RNG = np.random.default_rng(3)
ONE = RNG.standard_normal((3, 3))
MATRICES = {
    "regular": ONE,
    "rank 2": np.vstack([ONE[:2], ONE[0] - 2.0 * ONE[1]]),
    "rank 1": np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 3.0]),
    "zero": np.zeros((3, 3)),
    "two by two": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "one by one": np.array([[0.0]]),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_orders_one_and_two(name: str, traced: bool) -> None:
    a = MATRICES[name]

    def both(x: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.linalg.det(x)
            g = tape.gradient(y, x)
        return y, g, outer.jacobian(g, x)

    y, g, h = (tf.function(both) if traced else both)(tf.constant(a))
    assert float(y) == pytest.approx(expanded(a), abs=1e-13)
    np.testing.assert_allclose(g.numpy(), cofactors(a), rtol=1e-12, atol=1e-12)
    if len(a) > 1:
        np.testing.assert_allclose(h.numpy(), bent(a), rtol=1e-12, atol=1e-12)


def test_in_forward_mode() -> None:
    a, t = MATRICES["rank 2"], RNG.standard_normal((3, 3))
    with tf.autodiff.ForwardAccumulator(x := tf.constant(a), tf.constant(t)) as acc:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.linalg.det(x)
        g = tape.gradient(y, x)
    assert float(acc.jvp(y)) == pytest.approx(float(np.sum(cofactors(a) * t)), rel=1e-12)
    np.testing.assert_allclose(acc.jvp(g).numpy(), np.einsum("ijkl,kl->ij", bent(a), t), rtol=1e-12, atol=1e-12)


def test_the_third_order_is_there_for_regular_matrices_and_an_error_for_singular_ones() -> None:
    def third(x: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as middle:
                middle.watch(x)
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = tf.linalg.det(x)
                g = tf.reduce_sum(tape.gradient(y, x) * weights)
            h = tf.reduce_sum(middle.gradient(g, x) * weights)
        return outer.gradient(h, x)

    weights = tf.constant(RNG.standard_normal((3, 3)))
    # Of det(a + t w) the second derivative at 0 is linear in a; the third along w is 6 det w.
    found = third(tf.constant(ONE))
    assert float(tf.reduce_sum(found * weights)) == pytest.approx(6.0 * expanded(weights.numpy()), rel=1e-10)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not invertible"):
        third(tf.constant(np.diag([1.0, 2.0, 0.0])))
