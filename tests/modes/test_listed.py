"""Nested tapes whose derivatives go by way of a list: the same as recorded one by one, and as exact formulas."""

from collections import OrderedDict

import numpy as np
import pytest

import wengert as tf
import wengert.modes.listed as listed
import wengert.modes.tape
from wengert.errors import NoGradientWarning


@pytest.fixture
def always(monkeypatch):
    """Hand every nested derivative to the planner, however small."""
    monkeypatch.setattr(listed, "LEAST", 0)
    monkeypatch.setattr(wengert.modes.tape, "NESTED", 1)
    monkeypatch.setattr(listed, "_lists", OrderedDict())


POINTS = np.random.default_rng(3).normal(size=(7, 1))


def nested(f, order, *more):
    """Derivatives of f by its argument up to an order, each on a tape of its own."""
    x = tf.constant(POINTS)
    tapes = [tf.GradientTape() for _ in range(order)]
    for tape in tapes:
        tape.__enter__()
        tape.watch(x)
    found = [f(x)]
    for tape in reversed(tapes):
        tape.__exit__(None, None, None)
        found.append(tape.gradient(found[-1], x))
    return found


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
def test_exact(always, order):
    found = nested(lambda x: tf.sin(2.0 * x) * tf.exp(-x), order)
    # sin(2x) exp(-x) is the imaginary part of exp((2i - 1) x)
    expected = np.imag((2j - 1) ** order * np.exp((2j - 1) * POINTS))
    np.testing.assert_allclose(found[-1].numpy(), expected, rtol=1e-12, atol=1e-12)
    assert order == 1 or any(body is not None for body, _ in listed._lists.values())


def test_the_structure_is_kept_and_the_values_are_not(always):
    def square_of(number):
        c = tf.constant(number, tf.float64)
        return nested(lambda x: c * x * x * x, 2)[-1].numpy()

    np.testing.assert_allclose(square_of(1.0), 6.0 * POINTS, rtol=1e-14)
    kept = len(listed._lists)
    np.testing.assert_allclose(square_of(5.0), 30.0 * POINTS, rtol=1e-14)
    assert len(listed._lists) == kept


def test_none_stands_where_nothing_is_left(always):
    with pytest.warns(NoGradientWarning):
        assert nested(lambda x: 3.0 * x, 2)[-1] is None


def network(x, weights):
    return tf.matmul(tf.tanh(tf.matmul(tf.tanh(tf.matmul(x, weights[0])), weights[1])), weights[2])


def residual(order, weighted):
    rng = np.random.default_rng(order)
    weights = [tf.Variable(rng.normal(size=s)) for s in ((2, 5), (5, 5), (5, 2))]
    x, t = (tf.constant(rng.normal(size=(6, 1))) for _ in range(2))
    w = tf.constant(rng.normal(size=(6, 2)))
    with tf.GradientTape(persistent=True) as last:
        tapes = [tf.GradientTape(persistent=True) for _ in range(order)]
        for tape in tapes:
            tape.__enter__()
            tape.watch([x, t])
        u = network(tf.concat([x, t], 1), weights)
        g, by_t = u, None
        for k, tape in enumerate(reversed(tapes)):
            tape.__exit__(None, None, None)
            if k == 0:
                by_t = tape.gradient(u, t)
                g = tape.gradient(u, x, output_gradients=w) if weighted else tape.gradient(u, x)
            else:
                g = tape.gradient(g, x)
        loss = tf.reduce_mean((g + by_t * u[:, 0:1]) ** 2)
    return [g.numpy(), by_t.numpy(), *(d.numpy() for d in last.gradient(loss, weights))]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_as_recorded_one_by_one(order, weighted, monkeypatch):
    expected = residual(order, weighted)
    monkeypatch.setattr(listed, "LEAST", 0)
    monkeypatch.setattr(wengert.modes.tape, "NESTED", 1)
    for found, e in zip(residual(order, weighted), expected, strict=True):
        np.testing.assert_allclose(found, e, rtol=1e-9, atol=1e-11 * np.abs(e).max())


def test_what_an_outer_tape_watches_within_is_seen(always):
    x = tf.constant(POINTS)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            m = tf.sin(x)
            outer.watch(m)
            y = m * m * x
        g = inner.gradient(y, x)  # 2 m cos(x) x + m²
    by_m = outer.gradient(g, m)
    np.testing.assert_allclose(by_m.numpy(), 2 * np.cos(POINTS) * POINTS + 2 * np.sin(POINTS), rtol=1e-12)


def test_a_custom_gradient_within_is_left_to_the_tapes(always):
    @tf.custom_gradient
    def cube(x):
        return x**3, lambda g: 3.0 * x**2 * g

    np.testing.assert_allclose(nested(lambda x: cube(x) * x, 2)[-1].numpy(), 12.0 * POINTS**2, rtol=1e-12)


def test_switched_off(always):
    with tf.config.rewrites(taylor=False):
        before = len(listed._lists)
        found = nested(lambda x: tf.cos(x) * tf.tanh(x), 2)
        assert len(listed._lists) == before
    again = nested(lambda x: tf.cos(x) * tf.tanh(x), 2)
    np.testing.assert_allclose(found[-1].numpy(), again[-1].numpy(), rtol=1e-12)
