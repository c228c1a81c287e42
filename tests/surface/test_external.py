"""`tf.contrib.opt`: SciPy's optimizers over the variables of a graph, against SciPy on the same function by hand."""

import numpy as np
import pytest
import scipy.optimize

import wengert.compat.v1 as tf
from wengert.ground import progress
from wengert.surface.v1.external import ExternalOptimizerInterface, ScipyOptimizerInterface


def rosenbrock(v, w):
    """Of v = (a, b) and w = ((c,),): two of Rosenbrock's valleys."""
    a, b, c = v[0], v[1], w[0, 0]
    return tf.square(1.0 - a) + 100.0 * tf.square(b - a * a) + tf.square(1.0 - b) + 100.0 * tf.square(c - b * b)


@pytest.fixture
def graph():
    with tf.Graph().as_default() as g:
        yield g


def made(dtype=np.float64):
    v = tf.Variable(np.array([-1.2, 1.0], dtype), name="v")
    w = tf.Variable(np.array([[0.7]], dtype), name="w")
    return v, w, rosenbrock(v, w)


@pytest.mark.parametrize("method", ["L-BFGS-B", "BFGS", "CG", "SLSQP", "TNC", "Newton-CG", "Nelder-Mead", "Powell"])
def test_methods(graph, method: str):
    v, w, loss = made()
    optimizer = ScipyOptimizerInterface(loss, method=method, options={"maxfun" if method == "TNC" else "maxiter": 3000})
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        optimizer.minimize(sess)
        found = np.concatenate([a.ravel() for a in sess.run([v, w])])
    jac = method not in ("Nelder-Mead", "Powell")
    expected = scipy.optimize.minimize(
        scipy.optimize.rosen, [-1.2, 1.0, 0.7], jac=scipy.optimize.rosen_der if jac else None, method=method,
        options={"maxfun" if method == "TNC" else "maxiter": 3000},
    )  # fmt: skip
    np.testing.assert_allclose(found, expected.x, atol=1e-3)


def test_the_call_of_published_programs(graph):
    x = tf.placeholder(tf.float32, shape=[None, 1])
    a = tf.Variable([[0.0]], dtype=tf.float32)
    other = tf.Variable([[7.0]], dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, a) - 3.0 * x)) + 0.0 * tf.reduce_sum(other)
    optimizer = ScipyOptimizerInterface(
        loss, var_list=[a], method="L-BFGS-B",
        options={"maxiter": 50000, "maxfun": 50000, "maxcor": 50, "maxls": 50, "ftol": 1.0 * np.finfo(float).eps},
    )  # fmt: skip
    seen, told = [], []
    watcher = lambda loss, count: told.append((loss, count))  # noqa: E731
    progress.watchers.append(watcher)
    try:
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            data = np.linspace(0.0, 1.0, 5)[:, None]
            optimizer.minimize(
                sess, feed_dict={x: data}, fetches=[loss, a],
                loss_callback=lambda value, at: seen.append((f"{value:.3e}", float(at[0, 0]))),
            )  # fmt: skip
            assert abs(float(sess.run(a)[0, 0]) - 3.0) < 1e-4 and sess.run(other)[0, 0] == 7.0
    finally:
        progress.watchers.remove(watcher)
    assert seen[0] == ("3.375e+00", 0.0) and len(seen) >= 3
    assert sum(count for _, count in told) >= 1 and told[0][0] == np.float32(3.375)


@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")  # SciPy's, of constraints that are linear
def test_bounds_and_constraints(graph):
    v = tf.Variable([3.0, 3.0], dtype=tf.float64)
    loss = tf.reduce_sum(tf.square(v))
    with tf.Session() as sess:
        for keywords, expected in (
            ({"var_to_bounds": {v: ([1.0, -np.inf], np.inf)}}, [1.0, 0.0]),
            ({"var_to_bounds": {v: (-1.0, -0.5)}}, [-0.5, -0.5]),
            ({"equalities": [v[0] + v[1] - 1.0], "method": "SLSQP"}, [0.5, 0.5]),
            ({"inequalities": [v[0] - 1.0], "method": "SLSQP"}, [1.0, 0.0]),
            ({"inequalities": [v - 2.0], "method": "trust-constr"}, [2.0, 2.0]),
        ):
            sess.run(tf.global_variables_initializer())
            ScipyOptimizerInterface(loss, **keywords).minimize(sess)
            np.testing.assert_allclose(sess.run(v), expected, atol=5e-4)


def test_ctrl_c_leaves_the_best_point(graph):
    _v, _w, loss = made()
    calls = []

    def stop(value):
        calls.append(float(value))
        if len(calls) == 12:
            raise KeyboardInterrupt

    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        optimizer = ScipyOptimizerInterface(loss)
        with pytest.raises(KeyboardInterrupt):
            optimizer.minimize(sess, fetches=[loss], loss_callback=stop)
        assert sess.run(loss) == min(calls[:-1])
        optimizer.minimize(sess)
        assert sess.run(loss) < 1e-9


def test_one_program_for_all_evaluations(graph):
    _v, _w, loss = made()
    optimizer = ScipyOptimizerInterface(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        optimizer.minimize(sess)
        first = len(sess._programs)
        for _ in range(3):
            optimizer.minimize(sess)
        assert len(sess._programs) == first


def test_ones_own(graph):
    class Descent(ExternalOptimizerInterface):
        def _minimize(self, initial_val, loss_grad_func, step_callback, optimizer_kwargs, **ignored):
            x = initial_val
            for _ in range(optimizer_kwargs["steps"]):
                x = x - 0.25 * loss_grad_func(x)[1]
                step_callback(x)
            return x

    v = tf.Variable(4.0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        points = []
        Descent(v * v, steps=2).minimize(sess, step_callback=lambda x: points.append(float(x[0])))
        assert sess.run(v) == 1.0 and points == [2.0, 1.0]


def test_what_is_wrong_is_said(graph):
    v, w, loss = made()
    with pytest.raises(TypeError, match="tensor of a graph"):
        ScipyOptimizerInterface(3.0)
    with pytest.raises(ValueError, match="scalar"):
        ScipyOptimizerInterface(v * 2.0)
    with pytest.raises(ValueError, match="no variables"):
        ScipyOptimizerInterface(loss, var_list=[])
    with pytest.raises(ValueError, match="not optimized"):
        ScipyOptimizerInterface(loss, var_list=[v], var_to_bounds={w: (0, 1)})
    with tf.Session() as sess:
        with pytest.raises(tf.errors.FailedPreconditionError):
            ScipyOptimizerInterface(loss).minimize(sess)
        sess.run(tf.global_variables_initializer())
        with pytest.raises(ValueError, match="cannot be injected"):
            ScipyOptimizerInterface(loss, jac=False).minimize(sess)
        with pytest.raises(TypeError, match="loss_callback"):
            ScipyOptimizerInterface(loss).minimize(sess, loss_callback=3)
    with pytest.raises(ValueError, match="no default session"):
        ScipyOptimizerInterface(loss).minimize()
