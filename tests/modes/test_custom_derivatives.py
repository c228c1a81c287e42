"""Derivatives that are taken within the derivative that a `custom_gradient` states, differentiated again in every mode."""

import mpmath as mp
import numpy as np
import pytest

import wengert as tf
from wengert import config

tf1 = tf.compat.v1
W = 1.3
AT = np.array([0.7, 0.4])


@pytest.fixture
def executor(request):
    if request.param != "numpy":
        pytest.importorskip("jax")
    before = config.get_executor()
    config.set_executor(request.param)
    yield request.param
    config.set_executor(before)


def stated(f, slope):
    """A function whose derivative is g slope(x)."""

    @tf.custom_gradient
    def decorated(x):
        return f(x), lambda g: g * slope(x)

    return decorated


def by_tape(f, times=1):
    """The derivative of a function, taken by tapes."""

    def slope(x):
        if not times:
            return f(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = by_tape(f, times - 1)(x)
        return tape.gradient(y, x)

    return slope


def by_gradients(f):
    return lambda x: tf.gradients(f(x), x)[0]


def product(x):
    return tf.sin(x) * x * x


def turned(x):
    return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.sin(a) * a), [tf.constant(0), x])[1]


def chosen(x):
    return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.exp(x) * x, lambda: tf.sin(x))


def by_jacobian(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * x
    return tf.linalg.diag_part(tape.jacobian(y, x))


inner = stated(lambda x: tf.exp(x * x), by_tape(lambda x: tf.exp(x * x)))
turn = stated(lambda x: tf.sin(x) * x, by_tape(lambda x: tf.sin(x) * x))


def of_three(f):
    return lambda x: f(f(f(x)))


# (a function whose derivative is stated, what is stated as a function of one of mpmath's numbers)
PROGRAMS = {
    "tape": (stated(product, by_tape(product)), lambda x: mp.diff(lambda a: mp.sin(a) * a * a, x)),
    "gradients": (stated(product, by_gradients(product)), lambda x: mp.diff(lambda a: mp.sin(a) * a * a, x)),
    # Not the derivative of what it belongs to, so that it is seen.
    "second": (stated(tf.sin, by_tape(lambda x: tf.sin(x) * tf.exp(x), 2)), lambda x: 2 * mp.cos(x) * mp.exp(x)),
    "both": (
        stated(tf.sin, by_gradients(by_tape(lambda x: tf.sin(x) * tf.exp(x)))),
        lambda x: 2 * mp.cos(x) * mp.exp(x),
    ),
    "loop": (stated(turned, by_tape(turned)), lambda x: mp.diff(of_three(lambda a: mp.sin(a) * a), x)),
    "branch": (stated(chosen, by_tape(chosen)), lambda x: mp.exp(x) * (x + 1)),
    "jacobian": (stated(lambda x: tf.sin(x) * x, by_jacobian), lambda x: mp.cos(x) * x + mp.sin(x)),
    "nested": (
        stated(lambda x: tf.sin(inner(x)), by_tape(lambda x: tf.sin(inner(x)))),
        lambda x: mp.diff(lambda a: mp.sin(mp.exp(a * a)), x),
    ),
    "within a loop": (
        lambda x: tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, turn(a)), [tf.constant(0), x])[1],
        lambda x: mp.diff(lambda a: mp.sin(mp.sin(a) * a) * mp.sin(a) * a, x),
    ),
}


def derivative(f, x, order):
    if not order:
        return f(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = derivative(f, x, order - 1)
    return tape.gradient(y, x)


def eagerly(f, order):
    return derivative(f, tf.constant(AT), order)


def in_function(f, order):
    return tf.function(lambda x: derivative(f, x, order))(tf.constant(AT))


def of_function(f, order):
    return derivative(tf.function(f), tf.constant(AT), order)


def in_graph(f, order):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float64, [2])
        y = f(x)
        for _ in range(order):
            y = tf.gradients(y, x)[0]
        return session.run(y, {x: AT})


MODES = [eagerly, in_function, of_function, in_graph]
ROADS = [("numpy", mode) for mode in MODES] + [(e, mode) for e in ("xla", "auto") for mode in (in_function, in_graph)]


@pytest.mark.parametrize(("executor", "mode"), ROADS, indirect=["executor"])
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_within_a_stated_derivative(name, order, mode, executor):
    f, slope = PROGRAMS[name]
    if mode is eagerly and name in ("gradients", "both"):
        pytest.skip("eagerly nothing is recorded where the derivative runs; TensorFlow's raises too")
    with mp.workdps(40):
        exact = [float(mp.diff(slope, mp.mpf(a), order - 1)) for a in AT]
    np.testing.assert_allclose(mode(f, order), exact, rtol=1e-11)


def of_variable(v, tape):
    """A function that uses a variable, and states its derivatives: by a tape, or by a formula."""

    @tf.custom_gradient
    def f(x):
        def grad(g, variables=None):
            if not tape:
                return g * tf.cos(x * v) * v, [tf.reduce_sum(g * tf.cos(x * v) * x)]
            with tf.GradientTape(persistent=True) as inner:
                inner.watch(x)
                z = tf.sin(x * v)
            return inner.gradient(z, x, g), [inner.gradient(z, variables[0], g)]

        return tf.sin(x * v), grad

    return f


@pytest.mark.parametrize("tape", [False, True])
@pytest.mark.parametrize(("executor", "mode"), [r for r in ROADS if r[1] is not in_graph], indirect=["executor"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_stated_derivatives_that_read_variables(order, mode, tape, executor):
    v = tf.Variable(W, dtype=tf.float64)
    f = of_variable(v, tape)
    powers = [np.sin, np.cos, lambda a: -np.sin(a), lambda a: -np.cos(a)]
    for w in (W, 0.6):
        v.assign(w)
        np.testing.assert_allclose(mode(f, order), w**order * powers[order](w * AT), rtol=1e-12)

    def by_variable(f):
        with tf.GradientTape() as outer:
            y = derivative(f, tf.constant(AT), order - 1)
        return outer.gradient(y, v)

    run = {eagerly: lambda: by_variable(f), in_function: tf.function(lambda: by_variable(f)),
           of_function: lambda: by_variable(tf.function(f))}[mode]  # fmt: skip
    k = order - 1
    expected = np.sum(w**k * AT * powers[k + 1](w * AT) + (k * w ** (k - 1) * powers[k](w * AT) if k else 0))
    np.testing.assert_allclose(run(), expected, rtol=1e-12)
