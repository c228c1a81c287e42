"""Random programs: eager tapes, static graphs, traced functions and forward mode must agree, values and absences alike."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as tf
from wengert.errors import NoGradientWarning

UNARY = {
    "tanh": tf.tanh,
    "sin": tf.sin,
    "exp": lambda a: tf.exp(0.3 * a),
    "square": tf.square,
    "sigmoid": tf.sigmoid,
    "softplus": tf.math.softplus,
    "log1p": lambda a: tf.math.log1p(a * a),
    "sqrt": lambda a: tf.sqrt(1.0 + a * a),
    "cube": lambda a: a**3,
    "reciprocal": lambda a: 1.0 / (2.0 + a * a),
    "negative": lambda a: -a,
    "halve": lambda a: 0.5 * a,
    "relu": tf.nn.relu,
    "erf": tf.math.erf,
    "slice": lambda a: tf.concat([a[:, 1:2], a[:, 0:1]], 1),
    "row sum": lambda a: a + tf.reduce_sum(a, axis=1, keepdims=True),
    "mean": lambda a: a - tf.reduce_mean(a),
    "transpose": lambda a: tf.matmul(tf.matmul(a, a, transpose_b=True), a) * 0.1,
    "stop": lambda a: a * tf.stop_gradient(a),
    "gather": lambda a: tf.gather(a, [1, 0], axis=1),
    "where": lambda a: tf.where(a > 0.1, a * a, 2.0 * a),
    "cumsum": lambda a: tf.cumsum(a, axis=0),
    "floor": lambda a: tf.floor(a * 3.0) + 0.25,
}
BINARY = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "subtract": lambda a, b: a - b,
    "divide": lambda a, b: a / (1.5 + b * b),
    "maximum": tf.maximum,
    "atan2": lambda a, b: tf.atan2(a, 2.0 + b * b),
    "broadcast": lambda a, b: a * b[:, :1],
}
PROGRAMS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 99)),
        st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 99), st.integers(0, 99)),
    ),
    min_size=1,
    max_size=7,
)
POINT = np.array([[0.31, -0.72], [1.13, 0.44], [-0.57, 0.86]])


def build(program, x):
    """Apply the steps of a program; each reads earlier values, chosen by number."""
    values = [x]
    for name, *operands in program:
        chosen = [values[k % len(values)] for k in operands]
        values.append(UNARY[name](*chosen) if name in UNARY else BINARY[name](*chosen))
    return values[-1]


def by_tapes(program, orders, array):
    x = tf.constant(array)

    def at(order):
        if order == 0:
            return build(program, x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = at(order - 1)
        return None if y is None else tape.gradient(y, x)

    return [at(k) for k in range(1, orders + 1)]


def nested(y, x, orders):
    found = []
    for _ in range(orders):
        y = None if y is None else tf.gradients(y, x)[0]
        found.append(y)
    return found


def by_graph(program, orders, array, rows):
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float64, [rows, array.shape[1]])
        found = nested(build(program, x), x, orders)
        with tf.compat.v1.Session() as session:
            return [None if g is None else session.run(g, {x: array}) for g in found]


def by_function(program, orders, array):
    return tf.function(lambda x: nested(build(program, x), x, orders))(tf.constant(array))


def same(a, b, what):
    assert (a is None) == (b is None), f"{what}: {a} and {b}"
    if a is not None:
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-9, err_msg=what)


@settings(max_examples=120)
@given(PROGRAMS)
def test_modes_agree(program):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        tapes = by_tapes(program, 3, POINT)
        for what, other in (
            ("static, sizes known", by_graph(program, 3, POINT, 3)),
            ("static, rows unknown", by_graph(program, 3, POINT, None)),
            ("function", by_function(program, 3, POINT)),
        ):
            for k, (a, b) in enumerate(zip(tapes, other, strict=True), 1):
                same(a, b, f"order {k}, {what}")
        with tf.recording():
            x = tf.constant(POINT)
            for k, (a, b) in enumerate(zip(tapes, nested(build(program, x), x, 3), strict=True), 1):
                same(a, b, f"order {k}, recording")


@settings(max_examples=80)
@given(PROGRAMS, st.integers(0, 2**31))
def test_forward_is_the_adjoint_of_reverse(program, seed):
    rng = np.random.default_rng(seed)
    x = tf.constant(POINT)
    v = tf.constant(rng.normal(size=POINT.shape))
    with tf.autodiff.ForwardAccumulator(x, v) as acc, tf.GradientTape() as tape:
        tape.watch(x)
        y = build(program, x)
    tangent = acc.jvp(y, unconnected_gradients="zero")
    g = tf.constant(rng.normal(size=y.shape))
    back = tape.gradient(y, x, output_gradients=g, unconnected_gradients="zero")
    left, right = np.sum(tangent.numpy() * g.numpy()), np.sum(v.numpy() * back.numpy())
    assert left == pytest.approx(right, rel=1e-10, abs=1e-10)


@settings(max_examples=60)
@given(PROGRAMS)
def test_first_order_agrees_with_differences(program):
    smooth = [step for step in program if step[0] not in ("floor", "stop", "relu", "where", "maximum")] or [("sin", 0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        (g,) = by_tapes(smooth, 1, POINT)

    def total(array):
        return float(np.sum(build(smooth, tf.constant(array)).numpy()))

    h = 1e-4
    expected = np.zeros_like(POINT)
    for i in np.ndindex(*POINT.shape):
        e = np.zeros_like(POINT)
        e[i] = h
        near = (total(POINT + e) - total(POINT - e)) / (2 * h)
        far = (total(POINT + 2 * e) - total(POINT - 2 * e)) / (4 * h)
        expected[i] = (4 * near - far) / 3
    scale = max(1.0, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(0.0 if g is None else g.numpy(), expected, rtol=2e-6, atol=2e-6 * scale)


@settings(max_examples=60)
@given(PROGRAMS)
def test_a_variable_gives_what_a_tensor_gives(program):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        (expected,) = by_tapes(program, 1, POINT)
        v = tf.Variable(POINT)
        with tf.GradientTape() as tape:
            y = build(program, v * 1.0)
        same(tape.gradient(y, v), expected, "eager variable")

        @tf.function
        def step():
            with tf.GradientTape() as inner:
                z = build(program, v * 1.0)
            return inner.gradient(z, v)

        same(step(), expected, "variable in a function")
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            w = tf.compat.v1.Variable(POINT)
            g = tf.gradients(build(program, w * 1.0), w)[0]
            session.run(w.initializer)
            same(None if g is None else session.run(g), expected, "variable in a graph")
