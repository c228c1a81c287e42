"""Hager's and Zhang's line search: what TensorFlow Probability 0.25 finds, Wolfe's conditions, batches, graphs."""

from collections import namedtuple

import numpy as np
import pytest

import wengert as tf
from wengert.probability.optimizer import converged_all, converged_any, linesearch

Point = namedtuple("Point", "x f df")


def quartic(x):
    return Point(x, (x - 3.0) ** 4 - x, 4.0 * (x - 3.0) ** 3 - 1.0)


# The steps and the counts are TensorFlow Probability's, on TensorFlow 2.21.
@pytest.mark.parametrize(
    ("start", "step", "evaluations", "iterations"),
    [(1e-3, 3.126540813355333, 9, 7), (1.0, 3.0625, 4, 2), (50.0, 1.0136859442576045, 4, 1), (1e4, 1.0092593502579983, 4, 1)],
)
def test_steps(start, step, evaluations, iterations):
    found = linesearch.hager_zhang(quartic, initial_step_size=tf.constant(start, tf.float64))
    assert bool(found.converged) and not bool(found.failed)
    np.testing.assert_allclose(found.left.x, step, rtol=1e-9)
    assert (int(found.func_evals), int(found.iterations)) == (evaluations, iterations)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function], ids=["eager", "traced"])
def test_a_batch_has_wolfe_points_in_each_row(wrap):
    centre = tf.constant([0.3, 2.0, 40.0], tf.float64)

    def along(x):
        return Point(x, tf.cosh(tf.minimum(x - centre, 50.0)) - 0.2 * x, tf.sinh(tf.minimum(x - centre, 50.0)) - 0.2)

    found = wrap(lambda s: linesearch.hager_zhang(along, initial_step_size=s))(tf.constant([1.0, 1.0, 1.0], tf.float64))
    assert found.converged.numpy().all()
    zero, at = along(tf.zeros(3, tf.float64)), along(found.left.x)
    assert (at.df >= 0.9 * zero.df).numpy().all()
    assert (at.f <= zero.f + 1e-6 * tf.abs(zero.f)).numpy().all()


def test_rows_without_a_search_stay_and_others_keep_what_comes_with_their_points():
    wide = namedtuple("Wide", "x f df full")
    found = linesearch.hager_zhang(
        lambda x: wide(*quartic(x), tf.stack([x, 2.0 * x], -1)), initial_step_size=tf.constant([1.0, 1.0], tf.float64),
        converged=[True, False],
    )  # fmt: skip
    np.testing.assert_allclose(found.right.x, [1.0, 3.0625])
    np.testing.assert_allclose(found.right.full, [[1.0, 2.0], [3.0625, 6.125]])


def test_steps_to_where_the_function_is_not_finite_become_shorter_and_no_finite_one_fails():
    found = linesearch.hager_zhang(lambda x: Point(x, 0.0 * tf.sqrt(5.0 - x) + x * x - x, 2.0 * x - 1.0), initial_step_size=7.0)
    assert bool(found.converged)
    np.testing.assert_allclose(found.left.x, 0.5, rtol=1e-6)
    nan = linesearch.hager_zhang(lambda x: Point(x, x * np.nan, x * np.nan), initial_step_size=1.0)
    assert bool(nan.failed) and not bool(nan.converged)


def test_conditions_to_stop_are_computed_in_graphs():
    stop = tf.function(lambda c, f: (converged_any(c, f), converged_all(c, f)))
    for c, f, some, every in (([True, False], [False, False], 1, 0), ([False, False], [True, True], 1, 1),
                              ([True, False], [False, True], 1, 1)):  # fmt: skip
        assert [bool(v) for v in stop(tf.constant(c), tf.constant(f))] == [some, every]


def test_steps_where_intervals_are_halved_are_those_of_tensorflow_probability():
    # Himmelblau's function along its steepest descent: steps, iterations and evaluations of TensorFlow Probability 0.25.
    def along(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            x, y = tf.unstack(start + a[:, None] * direction, axis=1)
            f = (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2
        return Point(a, f, tape.gradient(f, a))

    start = tf.constant([[1.0, 1.0], [-2.0, 2.0], [-1.0, -1.0], [1.0, -2.0]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(start)
        x, y = tf.unstack(start, axis=1)
        f = (x * x + y - 11.0) ** 2 + (x + y * y - 7.0) ** 2
    direction = -tape.gradient(f, start)
    at = tf.fill([4], tf.constant(0.2, tf.float64))
    found = linesearch.hager_zhang(along, at, along(at), along(tf.zeros_like(at)))
    assert found.iterations.numpy().tolist() == [3, 2, 2, 3] and int(found.func_evals) == 6
    np.testing.assert_allclose(found.left.x, [0.02544981, 0.01033684, 0.03952271, 0.03900213], atol=5e-9)
