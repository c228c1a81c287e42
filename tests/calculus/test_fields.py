"""Derivatives in functional form: `taylor`, `partial`, and fields, against formulas and mpmath, in each mode."""

import copy
import gc
import math
import weakref

import mpmath
import numpy as np
import pytest

import wengert as tf
from wengert import fields
from wengert.errors import NoGradientWarning

v1 = tf.compat.v1
MODES = ["eager", "function", "static"]


def run(mode, f, *arrays):
    """Return f of the arrays, as NumPy arrays: eagerly, in a traced function, or in a session with fed placeholders."""
    if mode == "static":
        with tf.Graph().as_default(), v1.Session() as session:
            places = [v1.placeholder(a.dtype, [None, *a.shape[1:]] if a.ndim else []) for a in arrays]
            result = f(*places)
            session.run(v1.global_variables_initializer())
            flat = session.run(tf.nest.flatten(result), dict(zip(places, arrays, strict=True)))
            return tf.nest.pack_sequence_as(result, flat)
    given = [tf.constant(a) for a in arrays]
    result = tf.function(f)(*given) if mode == "function" else f(*given)
    return tf.nest.map_structure(lambda t: t.numpy(), result)


def close(found, expected, rtol=1e-10, atol=1e-12):
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


def column(*values):
    return np.array(values, np.float64).reshape(-1, 1)


def choices(concrete):
    return [c.method for c in concrete.program.variant().lowered.choices]


X, T = column(0.3, -0.7, 1.2), column(0.5, 0.1, 1.1)


# --- taylor ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_taylor_of_a_function_of_a_tensor_of_any_shape(mode):
    x = np.array([0.3, -0.7, 1.2])
    found = run(mode, lambda x: tf.taylor(lambda z: tf.sin(3.0 * z), x, order=6), x)
    assert len(found) == 7
    for k, v in enumerate(found):
        close(v, 3.0**k * np.sin(3.0 * x + k * np.pi / 2))


@pytest.mark.parametrize("mode", MODES)
def test_taylor_along_a_direction_through_coupled_rows(mode):
    A = np.array([[0.3, -1.0], [2.0, 0.5]])
    D = np.array([[1.0, 0.5], [-2.0, 3.0]])
    found = run(mode, lambda a, d: tf.taylor(tf.linalg.det, a, d, order=3), A, D)
    cross = A[0, 0] * D[1, 1] + D[0, 0] * A[1, 1] - A[0, 1] * D[1, 0] - D[0, 1] * A[1, 0]
    for v, exact in zip(found, [np.linalg.det(A), cross, 2 * np.linalg.det(D), 0.0], strict=True):
        close(v, exact)


@pytest.mark.parametrize("mode", MODES)
def test_taylor_along_a_curve(mode):
    """exp of x + d1 ε + d2 ε²/2 + d3 ε³/6: Faà di Bruno's formula."""
    x, d1, d2, d3 = (np.array([a, b]) for a, b in [(0.2, 1.0), (0.5, -1.0), (2.0, 0.3), (-1.0, 0.7)])
    found = run(mode, lambda x, *ds: tf.taylor(tf.exp, x, list(ds), order=4), x, d1, d2, d3)
    e = np.exp(x)
    exact = [e, e * d1, e * (d2 + d1**2), e * (d3 + 3 * d1 * d2 + d1**3)]
    exact.append(e * (4 * d1 * d3 + 3 * d2**2 + 6 * d1**2 * d2 + d1**4))
    for v, w in zip(found, exact, strict=True):
        close(v, w)


@pytest.mark.parametrize("mode", MODES)
def test_taylor_of_several_tensors_and_structures(mode):
    def f(x, y):
        return {"product": x * y, "rest": [tf.floor(x), None, tf.cast(y, tf.int32)], "free": tf.constant(7.0)}

    def program(x, y):
        return [{k: tf.nest.flatten(v)[0] for k, v in row.items()} for row in tf.taylor(f, [x, y], [x, [y, y]], order=2)]

    x, y = np.array(0.5), np.array(3.0)
    found = run(mode, program, x, y)
    close(found[0]["product"], x * y)
    close(found[1]["product"], 2 * x * y)
    close(found[2]["product"], 2 * x * y + x * y)
    assert [row["rest"] for row in found] == [0.0, 0.0, 0.0]
    assert [row["free"] for row in found] == [7.0, 0.0, 0.0]


def test_taylor_keeps_none_and_integers_in_their_place():
    found = tf.taylor(lambda x: (x * x, None, tf.argmax(x)), tf.constant([1.0, 3.0]), order=1)
    assert [row[1] for row in found] == [None, None]
    assert [row[2].numpy() for row in found] == [1, 0]
    assert found[1][0].numpy().tolist() == [2.0, 6.0]


def test_taylor_scaled_gives_the_coefficients_of_the_series():
    found = tf.taylor(lambda x: 1.0 / (1.0 - x), tf.constant(0.0, tf.float64), order=9, scaled=True)
    close([v.numpy() for v in found], [1.0] * 10)


def test_taylor_of_order_zero():
    assert [v.numpy() for v in tf.taylor(tf.exp, tf.constant(0.0), order=0)] == [1.0]


def test_taylor_of_a_complex_variable():
    x = np.array([0.3 + 0.2j, -1.0 + 1.0j])
    found = tf.taylor(lambda z: tf.exp(1j * z), tf.constant(x), order=4)
    for k, v in enumerate(found):
        close(v.numpy(), 1j**k * np.exp(1j * x))


def test_what_f_captures_is_constant_even_where_it_is_x_itself():
    x = tf.constant([2.0, 3.0])
    assert tf.taylor(lambda z: z * x, x, order=2)[1].numpy().tolist() == [2.0, 3.0]
    inside = tf.function(lambda x: tf.taylor(lambda z: z * x, x, order=2))(x)
    assert [v.numpy().tolist() for v in inside] == [[4.0, 9.0], [2.0, 3.0], [0.0, 0.0]]
    with tf.Graph().as_default(), v1.Session() as session:
        c = tf.constant([2.0, 3.0])
        assert session.run(tf.taylor(lambda z: z * c, c, order=2))[1].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("mode", MODES)
def test_taylor_within_taylor(mode):
    x = np.array([1.5, -0.5])
    found = run(mode, lambda x: tf.taylor(lambda z: tf.taylor(lambda y: y**5, z, order=2)[2], x, order=2), x)
    for v, exact in zip(found, [20 * x**3, 60 * x**2, 120 * x], strict=True):
        close(v, exact)


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_taylor_through_pythons_control_flow(mode):
    def power(x):
        y = x
        if tf.reduce_sum(x) > 0.0:
            for _ in tf.range(3):
                y = y * x
        return y

    x = np.array([1.5, 0.5])
    found = run(mode, lambda x: tf.taylor(power, x, order=5), x)
    for v, exact in zip(found, [x**4, 4 * x**3, 12 * x**2, 24 * x, 24 + 0 * x, 0 * x], strict=True):
        close(v, exact)


@pytest.mark.parametrize("traced", [False, True])
def test_gradients_by_weights_through_taylor(traced):
    w = tf.Variable([0.7, -1.1], dtype=tf.float64)
    x = tf.constant([0.3, 0.4], tf.float64)

    def program():
        with tf.GradientTape() as tape:
            tape.watch(x)
            found = tf.taylor(lambda z: tf.sin(w * z), x, order=3)
            loss = tf.reduce_sum(found[3])
        return tape.gradient(loss, [w, x])

    by_w, by_x = (tf.function(program) if traced else program)()
    a, p = w.numpy(), x.numpy()
    close(by_w.numpy(), -3 * a**2 * np.cos(a * p) + a**3 * p * np.sin(a * p))
    close(by_x.numpy(), a**4 * np.sin(a * p))


def test_taylor_of_a_variable():
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        third = tf.taylor(lambda z: z**5, w, order=3)[3]
    assert third.numpy() == 240.0 and tape.gradient(third, w).numpy() == 240.0


@tf.custom_gradient
def bend(x):
    return x * x, lambda g: g * 2.0 * x


def test_taylor_says_which_custom_gradient_has_no_series():
    for program in (lambda x: tf.taylor(bend, x), tf.function(lambda x: tf.taylor(bend, x))):
        with pytest.raises(NotImplementedError, match=r"custom_gradient.*test_fields\.py:\d+"):
            program(tf.constant(2.0))
    assert tf.taylor(lambda x: x + tf.stop_gradient(bend(x)), tf.constant(2.0))[1].numpy() == 1.0


def identity(x):
    return x


ONE = tf.constant(1.0)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tf.taylor(3, ONE), TypeError, "f must be a function"),
        (lambda: tf.taylor(identity, ONE, order=-1), ValueError, "must not be negative, and is -1"),
        (lambda: tf.taylor(identity, ONE, order=1.5), TypeError, "whole number.*1.5"),
        (lambda: tf.taylor(identity, ONE, order=True), TypeError, "whole number.*True"),
        (lambda: tf.taylor(identity, 3), TypeError, "real or complex.*int32"),
        (lambda: tf.taylor(identity, None), TypeError, "x must be a tensor, not None"),
        (lambda: tf.taylor(identity, []), ValueError, "empty list"),
        (lambda: tf.taylor(identity, ONE, tf.constant([1.0, 2.0])), ValueError, r"shape \(\), and its direction \(2,\)"),
        (lambda: tf.taylor(identity, ONE, tf.constant(1.0, tf.float64)), TypeError, "float32, and its direction float64"),
        (lambda: tf.taylor(identity, [ONE], ONE), ValueError, "a list of 1 tensors"),
        (lambda: tf.taylor(identity, [ONE], [ONE, ONE]), ValueError, "not 2 directions"),
        (lambda: tf.partial(3, {0: 1}), TypeError, "must be a function"),
        (lambda: tf.partial(identity, {"y": 1}), ValueError, "no argument 'y'; its arguments are: x"),
        (lambda: tf.partial(identity, {1: 1}), ValueError, "no argument 1"),
        (lambda: tf.partial(identity, {ONE.ref(): 1}), TypeError, "named"),
        (lambda: tf.partial(identity, {"x": 1, 0: 1}), ValueError, "named twice"),
        (lambda: tf.partial(identity, {"x": 0.5}), TypeError, "whole number"),
        (lambda: tf.partial(identity, {"x": -2}), ValueError, "negative"),
        (lambda: tf.partial(identity, "x"), TypeError, "dictionary"),
        (lambda: tf.partial(identity, {"x": 1})(3), TypeError, "argument 0 must be real or complex"),
        (lambda: tf.partial(lambda x: (x, x), {"x": 1})(ONE), TypeError, "must return one tensor"),
        (lambda: tf.partial(ONE, {"x": 1}), TypeError, "by tensors and variables, not by 'x'"),
        (lambda: tf.partial(ONE, [(ONE, 1)]), RuntimeError, "nothing is recording"),
    ],
)
def test_errors_of_the_functional_form(call, error, text):
    with pytest.raises(error, match=text):
        call()


# --- partial -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("orders", [{"x": 2, "t": 1}, {0: 2, 1: 1}, [("t", 1), ("x", 2)]])
def test_partial_of_a_function(mode, orders):
    found = run(mode, tf.partial(lambda x, t: tf.sin(3.0 * x) * tf.exp(-t), orders), X, T)
    close(found, 9.0 * np.sin(3.0 * X) * np.exp(-T))


def test_partial_is_traced_once_and_has_the_arguments_of_its_function():
    calls = []

    def f(x, t=2.0, *, power=3):
        calls.append(1)
        return x**power * t

    f_xx = tf.partial(f, {"x": 2})
    assert f_xx(tf.constant(1.0)).numpy() == 12.0 == f_xx(x=tf.constant(1.0)).numpy()
    assert f_xx(tf.constant(2.0), power=2).numpy() == 4.0
    assert len(calls) == 2  # one for each power
    assert tf.partial(f, {"t": 1})(tf.constant(2.0), tf.constant(5.0)).numpy() == 8.0
    assert tf.partial(f, {"x": 0})(tf.constant(2.0)).numpy() == 16.0


def test_partial_is_zero_where_there_is_no_derivative_and_sums_over_columns():
    x = tf.constant(X)
    close(tf.partial(lambda x: 2.0 * x, {"x": 2})(x).numpy(), 0 * X)
    close(tf.partial(lambda x: tf.concat([x**2, x**3], 1), {"x": 2})(x).numpy(), 2 + 6 * X)


def test_partial_under_a_tape():
    w = tf.Variable(2.0, dtype=tf.float64)
    u_xx = tf.partial(lambda x: tf.exp(w * x), {"x": 2})
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(u_xx(tf.constant(X)))
    close(tape.gradient(value, w).numpy(), np.sum((4.0 * X + 4.0) * np.exp(2.0 * X)))


def test_partial_of_tensors():
    def program(x, t):
        return tf.partial(tf.sin(2.0 * x) * t**3, [(x, 2), (t, 1)])

    exact = -12.0 * np.sin(2.0 * X) * T**2
    close(run("static", program, X, T), exact)
    close(run("function", program, X, T), exact)
    with tf.recording():
        close(run("eager", program, X, T), exact)
    with tf.Graph().as_default(), v1.Session() as session:
        x = tf.constant(X)
        close(session.run(tf.partial(x**3, {x: 2})), 6 * X)
        with pytest.warns(NoGradientWarning):
            assert tf.partial(tf.floor(x), {x: 1}) is None


def test_partial_of_a_field_is_a_field():
    u = tf.field(lambda x, t: x**3 * t, "x t")
    assert tf.partial(u, {"x": 2, "t": 1}) is u.xxt is tf.partial(u, {0: 2, 1: 1})


# --- fields ------------------------------------------------------------------------------------------------------------


def wave(x, t):
    return tf.sin(3.0 * x) * tf.exp(-t)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("a", range(5))
@pytest.mark.parametrize("b", range(3))
def test_mixed_derivatives_of_a_wave(mode, a, b):
    u = tf.field(wave, "x t")
    found = run(mode, lambda x, t: u.d(x=a, t=b)(x, t), X, T)
    close(found, 3.0**a * np.sin(3.0 * X + a * np.pi / 2) * (-1.0) ** b * np.exp(-T))


@pytest.mark.parametrize("mode", MODES)
def test_derivatives_by_attribute(mode):
    u = tf.field(lambda x, y: x**4 * y**3, "x y")
    every = [u.x, u.yx, u.xxyy, u.x.x.y, u.xxxxx, u.d()]
    found = run(mode, lambda x, y: fields.evaluate(every, x, y), X, T)
    x, y = X, T
    for v, exact in zip(
        found, [4 * x**3 * y**3, 12 * x**3 * y**2, 72 * x**2 * y, 36 * x**2 * y**2, 0 * x, x**4 * y**3], strict=True
    ):
        close(v, exact)


def test_names_of_several_letters_are_taken_the_longest_first():
    u = tf.field(lambda x, xx, theta, th: x**2 * xx**3 * theta**4 * th**5, "x xx theta th")
    x, xx, theta, th = (np.float64(v) for v in (1.1, 1.2, 1.3, 1.4))
    at = x, xx, theta, th

    def value(f):
        return f(*at).numpy().item()

    close(value(u.xx), 3 * x**2 * xx**2 * theta**4 * th**5)
    close(value(u.xxx), 6 * x * xx**2 * theta**4 * th**5)
    close(value(u.d(x=2)), 2 * xx**3 * theta**4 * th**5)
    close(value(u.thetath), 20 * x**2 * xx**3 * theta**3 * th**4)
    # "ab" and "abc" and "cd": the longest first, and the next where the rest is no name.
    v = tf.field(lambda ab, abc, cd: ab**2 * abc**2 * cd**2, "ab abc cd")
    assert v.abcd is v.d(ab=1, cd=1)


@pytest.mark.parametrize("dims", [1, 2, 3, 6])
def test_laplacian_and_biharmonic_of_a_gaussian_bell(dims):
    names = [f"x{k}" for k in range(dims)]
    rng = np.random.default_rng(dims)
    points = rng.normal(size=(5, dims))
    u = tf.field(lambda X: tf.exp(-0.5 * tf.reduce_sum(X * X, 1, keepdims=True)), names, stacked=True)
    values = [v.numpy() for v in fields.evaluate([u, u.laplacian(), u.biharmonic(), u.laplacian().laplacian()], points)]
    s = np.sum(points**2, 1, keepdims=True)
    e = np.exp(-s / 2)
    close(values[0], e)
    close(values[1], (s - dims) * e)
    close(values[2], (s**2 - (2 * dims + 4) * s + dims * (dims + 2)) * e, rtol=1e-9, atol=1e-11)
    close(values[3], values[2])
    found = choices(u.laplacian().get_concrete_function(points))
    assert found and set(found) == {"taylor"}


def test_operators_of_some_coordinates():
    u = tf.field(lambda x, y, t: tf.sin(x) * tf.cos(2.0 * y) * t**2, "x y t")
    at = X, T, X + 2.0
    exact = np.sin(X) * np.cos(2 * T) * (X + 2.0) ** 2
    for found in (u.laplacian("x y"), u.laplacian("xy"), u.laplacian(["x", "y"]), u.laplacian("y, x"), u.xx + u.yy):
        close(found(*at).numpy(), -5 * exact)
    close(u.biharmonic("x y")(*at).numpy(), 25 * exact)
    assert u.laplacian("x y") is u.laplacian("yx")
    gradient = fields.evaluate(u.gradient("t x"), *at)
    close(gradient[0].numpy(), np.sin(X) * np.cos(2 * T) * 2 * (X + 2.0))
    close(gradient[1].numpy(), np.cos(X) * np.cos(2 * T) * (X + 2.0) ** 2)
    assert len(u.gradient()) == 3


@pytest.mark.parametrize("mode", MODES)
def test_fields_of_several_components(mode):
    v = tf.field(lambda x, y: tf.concat([x**3 * y, tf.sin(x * y), x + 0.0 * y], 1), "x y")
    every = {"x": v.x, "xy": v.xy, "one": v[:, 1:2].xx, "last": v[..., -1].x, "two": v[:, :2].y, "lap": v.laplacian()}
    every["div"] = v[:, 0:2].divergence()
    found = run(mode, lambda x, y: fields.evaluate(every, x, y), X, T)
    x, y, c, s = X, T, np.cos(X * T), np.sin(X * T)
    close(found["x"], np.concatenate([3 * x**2 * y, y * c, 1 + 0 * x], 1))
    close(found["xy"], np.concatenate([3 * x**2, c - x * y * s, 0 * x], 1))
    close(found["one"], -(y**2) * s)
    close(found["last"], 1 + 0 * x)
    close(found["two"], np.concatenate([x**3, x * c], 1))
    close(found["lap"], np.concatenate([6 * x * y, -(x**2 + y**2) * s, 0 * x], 1))
    close(found["div"], 3 * x**2 * y + x * c)


def test_complex_values():
    u = tf.field(lambda x, t: tf.exp(tf.complex(0.0 * x, 2.0 * x - 4.0 * t)), "x t")
    schroedinger = u.t * 1j + u.xx  # i u_t = -u_xx
    assert np.abs(schroedinger(X, T).numpy() + 0.0).max() < 1e-12
    close(u.xx(X, T).numpy(), -4 * np.exp(1j * (2 * X - 4 * T)))


@pytest.mark.parametrize("mode", MODES)
def test_arithmetic_with_fields_numbers_tensors_and_coordinates(mode):
    u = tf.field(wave, "x t")
    x, t = u.coordinates
    nu = tf.Variable(0.25, dtype=tf.float64)
    exact = wave_of(X, T)
    cases = {
        "burgers": (u.t + u * u.x - 0.25 * u.xx, -exact + exact * wave_of(X, T, 1) - 0.25 * wave_of(X, T, 2)),
        "variable": (nu * u.xx - u / nu, 0.25 * wave_of(X, T, 2) - 4 * exact),
        "number left": (2.0 - u, 2 - exact),
        "quotient": (1.0 / (2.0 + u), 1 / (2 + exact)),
        "power": (2.0**x - x**2, 2**X - X**2),
        "signs": (abs(-u) + +x, np.abs(exact) + X),
        "array left": (np.float64(2.0) * x + np.ones((3, 1)) * t, 2 * X + T),
        "tensor": (u * np.array([[1.0], [2.0], [3.0]]), exact * column(1, 2, 3)),
        "of an expression": ((x * u + t**2).xt, -wave_of(X, T) - X * wave_of(X, T, 1)),
        "coordinates": ((x**2 * t).xxt, 2 + 0 * X),
        "zero": (x.t, 0 * X),
        "map": (u.map(tf.exp).x, wave_of(X, T, 1) * np.exp(exact)),
        "map of two": (u.map(tf.atan2, x + 3.0), np.arctan2(exact, X + 3.0)),
    }
    if mode == "static":
        del cases["variable"]
    found = run(mode, lambda a, b: fields.evaluate({k: f for k, (f, _) in cases.items()}, a, b), X, T)
    for name, (_, value) in cases.items():
        close(found[name], value)


def wave_of(x, t, a=0):
    return 3.0**a * np.sin(3 * x + a * np.pi / 2) * np.exp(-t)


def test_tensors_and_variables_on_the_left():
    x = tf.field(lambda x: x, "x")
    close((tf.constant(2.0, tf.float64) * x - tf.Variable(1.0, dtype=tf.float64))(X).numpy(), 2 * X - 1)
    close((tf.constant(2.0, tf.float64) - x)(X).numpy(), 2 - X)
    close((tf.Variable(2.0, dtype=tf.float64) ** x / x)(X).numpy(), 2**X / X)


def test_a_variable_of_a_static_graph_in_an_expression():
    with tf.Graph().as_default(), v1.Session() as session:
        nu = v1.get_variable("nu", [], tf.float64, initializer=tf.constant_initializer(0.5))
        u = tf.field(wave, "x t")
        place = v1.placeholder(tf.float64, [None, 1])
        value = (nu * u.xx)(place, place)
        session.run(v1.global_variables_initializer())
        close(session.run(value, {place: X}), 0.5 * wave_of(X, X, 2))
        by_nu = tf.gradients(value, nu)[0]
        close(session.run(by_nu, {place: X}), np.sum(wave_of(X, X, 2)))


# How coordinates are given.


def test_ways_to_give_coordinates():
    u = tf.field(wave, "x t")
    exact = wave_of(X, T)
    for found in (
        u(X, T),
        u(tf.constant(X), tf.constant(T)),
        u(X[:, 0], T[:, 0]),
        u(np.concatenate([X, T], 1)),
        u(tf.constant(np.concatenate([X, T], 1))),
        u(t=T, x=X),
        u(X, t=T),
        u(tf.Variable(X), T),
        u(list(X[:, 0]), list(T[:, 0])),
    ):
        close(found.numpy(), exact)
    close(u(X, 0.0).numpy(), wave_of(X, 0.0))
    close(u(0.5, T).numpy(), wave_of(0.5, T))
    single = u(0.5, 1)
    assert single.shape == (1, 1) and single.dtype == "float32"
    assert u(np.float64(0.5), 1.0).dtype == "float64"
    assert u.x(np.zeros((0, 1)), np.zeros((0, 1))).shape == (0, 1)
    close(u.x(X, 0.0).numpy(), wave_of(X, 0.0, 1))


def test_stacked_or_columns_is_read_from_the_signature():
    class Net(tf.Module):
        def __call__(self, X, training=False):
            return X[:, 0:1] ** 2 * X[:, 1:2]

    def columns(*coordinates):
        return coordinates[0] ** 2 * coordinates[1]

    nets = [Net(), lambda X: X[:, 0:1] ** 2 * X[:, 1:2], lambda x, t: x**2 * t, lambda x, t, scale=1.0: scale * x**2 * t, columns]
    nets += [tf.function(lambda x, t: x**2 * t), lambda x=0.0, t=0.0: x**2 * t]
    for net in nets:
        close(tf.field(net, "x t").xx(X, T).numpy(), 2 * T)
    close(tf.field(columns, "x t", stacked=False).xx(X, T).numpy(), 2 * T)
    close(tf.field(lambda *a: a[0][:, 0:1] * a[0][:, 1:2], "x t", stacked=True).xt(X, T).numpy(), 1 + 0 * X)
    close(tf.field(tf.exp, "x").xxx(X).numpy(), np.exp(X))


def test_in_a_function_that_is_converted():
    u = tf.field(wave, "x t")

    @tf.function
    def program(x, t):
        if tf.reduce_max(x) > 0.0:
            return u.xx(x, t), tf.taylor(lambda x: wave(x, t), x, order=2)[2], tf.partial(wave, {"x": 2})(x, t)
        return x, x, x

    for found in program(X, T):
        close(found.numpy(), wave_of(X, T, 2))


def test_a_name_that_is_not_ascii():
    θ = tf.field(lambda θ: tf.sin(θ), "θ")
    close(θ.θθ(X).numpy(), -np.sin(X))


def test_forward_mode_through_a_field():
    u = tf.field(wave, "x t")
    primal, tangent = tf.constant(X), tf.constant(T)
    close(tf.jvp(lambda x: u.x(x, T), primal, tangent)[1].numpy(), wave_of(X, T, 2) * T)
    traced = tf.function(lambda x, v: tf.jvp(lambda x: u.x(x, T), x, v)[1])
    close(traced(primal, tangent).numpy(), wave_of(X, T, 2) * T)


def test_rows_numbers_and_flat_values_become_columns():
    close(tf.field(lambda X: X[:, 0] * X[:, 1], "x y").xy(X, T).numpy(), 1 + 0 * X)
    close(tf.field(lambda x, y: 3.0, "x y")(X, T).numpy(), 3 + 0 * X)
    close(tf.field(lambda x, y: 3.0, "x y").x(X, T).numpy(), 0 * X)
    u = tf.field(wave, "x t")
    close((u.map(lambda v: v[:, 0]) * u).x(X, T).numpy(), 2 * wave_of(X, T) * wave_of(X, T, 1))
    close(u.map(tf.reduce_mean)(X, T).numpy(), np.mean(wave_of(X, T)))


def test_control_flow_of_a_net_is_converted():
    def net(x):
        y = x
        for _ in tf.range(2):
            y = y * x
        return y

    close(tf.field(net, "x").xx(X).numpy(), 6 * X)


# --- one graph, one series -----------------------------------------------------------------------------------------


def test_a_burgers_residual_is_one_trace_and_one_series():
    calls = []

    def net(x, t):
        calls.append(x.shape.as_list())
        return wave(x, t)

    u = tf.field(net, "x t")
    residual = u.t + u * u.x - 0.1 * u.xx
    for _ in range(3):
        residual(X, T)
    assert calls == [[3, 1]]
    residual(X[:2], T[:2])
    residual(X[:2].astype(np.float32), T[:2].astype(np.float32))
    assert calls == [[3, 1], [2, 1], [2, 1]]
    concrete = residual.get_concrete_function(X, T)
    assert len(calls) == 3
    assert set(choices(concrete)) == {"taylor"} and len(choices(concrete)) == 3
    ops = [node.op.name for node in concrete.program.variant().lowered.nodes]
    assert (ops.count("sin"), ops.count("cos"), ops.count("exp")) == (1, 1, 1)
    for _ in range(3):  # the same expression, written again, and several at once
        (u.t + u * u.x - 0.1 * u.xx)(X, T)
        fields.evaluate([u, u.x, u.t + u * u.x - 0.1 * u.xx], X, T)
    assert len(calls) == 4


@pytest.mark.parametrize("mode", ["function", "static"])
def test_two_calls_in_a_graph_share_what_they_have_in_common(mode):
    u = tf.field(wave, "x t")
    graph = tf.Graph() if mode == "static" else None

    def lowered():
        if graph is not None:
            with graph.as_default():
                x, t = (v1.placeholder(tf.float64, [None, 1]) for _ in "xt")
                found = [u(x, t), u.xx(x, t), (u * u.x)(x, t)]
            return wengert_program(graph, found, [x, t])
        traced = tf.function(lambda x, t: [u(x, t), u.xx(x, t), (u * u.x)(x, t)])
        return traced.get_concrete_function(X, T).program.lowered

    ops = [node.op.name for node in lowered().nodes]
    assert (ops.count("sin"), ops.count("exp")) == (1, 1)


def wengert_program(graph, fetches, feeds):
    from wengert.execute.numpy import NumPyProgram

    return NumPyProgram(graph, fetches, feeds).lowered


def test_a_tape_sees_the_points_of_a_second_call():
    u = tf.field(wave, "x t")

    @tf.function
    def program(x, t):
        first = u(x, t)
        with tf.GradientTape() as tape:
            tape.watch(x)
            second = u.x(x, t)
        return first, tape.gradient(second, x)

    close(program(X, T)[1].numpy(), wave_of(X, T, 2))


def test_traces_and_fields_go_when_nobody_holds_them():
    u = tf.field(wave, "x t")
    (u.xx * 2.0)(X, T)
    gone = weakref.ref(u)
    del u
    gc.collect()
    assert gone() is None


# --- networks -----------------------------------------------------------------------------------------------------


RNG = np.random.default_rng(7)
LAYERS = [(RNG.normal(0, 1 / math.sqrt(m), (m, n)), RNG.normal(0, 0.3, n)) for m, n in [(2, 6), (6, 5), (5, 1)]]


def mlp(weights):
    def net(X):
        h = X
        for w, b in weights[:-1]:
            h = tf.tanh(h @ w + b)
        return h @ weights[-1][0] + weights[-1][1]

    return net


def mp_mlp(layers):
    def net(*coordinates):
        h = list(coordinates)
        for k, (w, b) in enumerate(layers):
            h = [mpmath.fsum([h[i] * w[i][j] for i in range(len(h))]) + b[j] for j in range(len(b))]
            h = [mpmath.tanh(v) for v in h] if k < len(layers) - 1 else h
        return h[0]

    return net


@pytest.mark.parametrize("orders", [(1, 0), (0, 2), (3, 0), (2, 1), (2, 2), (4, 1), (0, 5), (6, 0), (3, 3)])
def test_a_network_against_fifty_digits(orders):
    a, b = orders
    u = tf.field(mlp([(tf.constant(w), tf.constant(v)) for w, v in LAYERS]), "x t")
    points = np.array([[0.3, 0.5], [-0.8, 1.1]])
    found = u.d(x=a, t=b)(points).numpy()
    function = tf.partial(lambda x, t: mlp(LAYERS)(tf.concat([x, t], 1)), {"x": a, "t": b})(points[:, :1], points[:, 1:])
    with mpmath.workdps(50):
        net = mp_mlp(LAYERS)
        exact = [[float(mpmath.diff(net, (mpmath.mpf(x), mpmath.mpf(t)), (a, b)))] for x, t in points]
    close(found, exact, rtol=1e-9, atol=1e-11)
    close(function.numpy(), exact, rtol=1e-9, atol=1e-11)


def test_taylor_of_a_network_along_a_direction_against_fifty_digits():
    point, direction = np.array([[0.3, 0.5]]), np.array([[0.7, -1.2]])
    found = tf.taylor(mlp(LAYERS), tf.constant(point), tf.constant(direction), order=6)
    with mpmath.workdps(50):
        net, p, d = mp_mlp(LAYERS), point[0], direction[0]
        exact = [mpmath.diff(lambda e: net(p[0] + e * d[0], p[1] + e * d[1]), 0, k) for k in range(7)]
        exact = [float(v) for v in exact]
    close([v.numpy().item() for v in found], exact, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("mode", MODES)
def test_gradients_by_weights_of_a_burgers_loss_against_central_differences(mode):
    small = [(w[:2, :3] if w.shape[0] == 2 else w[:3, :1], b[: 3 if w.shape[0] == 2 else 1]) for w, b in (LAYERS[0], LAYERS[1])]
    points, nu = np.array([[0.4, 0.3], [-0.6, 0.9]]), 0.3

    def loss_of(net, x, t):
        u = tf.field(net, "x t")
        return tf.reduce_mean((u.t + u * u.x - nu * u.xx)(x, t) ** 2)

    def variables():
        return [(tf.Variable(w), tf.Variable(b)) for w, b in small]

    if mode == "static":

        def program(x, t):
            weights = variables()
            return tf.gradients(loss_of(mlp(weights), x, t), tf.nest.flatten(weights))

        found = run(mode, program, points[:, :1], points[:, 1:])
    else:
        weights = variables()

        def program(x, t):
            with tf.GradientTape() as tape:
                loss = loss_of(mlp(weights), x, t)
            return tape.gradient(loss, tf.nest.flatten(weights))

        found = run(mode, program, points[:, :1], points[:, 1:])

    with mpmath.workdps(60):
        layers = [([[mpmath.mpf(v) for v in row] for row in w], [mpmath.mpf(v) for v in b]) for w, b in small]

        def loss():
            net, total = mp_mlp(layers), mpmath.mpf(0)
            for x, t in points:
                at = mpmath.mpf(x), mpmath.mpf(t)
                u_t, u_x, u_xx = (mpmath.diff(net, at, n) for n in [(0, 1), (1, 0), (2, 0)])
                total += (u_t + net(*at) * u_x - mpmath.mpf(nu) * u_xx) ** 2
            return total / len(points)

        h = mpmath.mpf(10) ** -12
        rows = [row for w, b in layers for row in (*w, b)]
        exact = []
        for row in rows:
            for k in range(len(row)):
                row[k] += h
                above = loss()
                row[k] -= 2 * h
                exact.append(float((above - loss()) / (2 * h)))
                row[k] += h
    close(np.concatenate([np.ravel(g) for g in found]), exact, rtol=1e-9, atol=1e-12)


def test_training_by_fields_in_a_function():
    """A step of descent on a residual, inside of `tf.function` with a tape, as a training loop does."""
    w = tf.Variable(2.0, dtype=tf.float64)
    u = tf.field(lambda x, t: tf.sin(3.0 * x) * tf.exp(-w * t), "x t")
    heat = u.t - u.xx / 9.0

    @tf.function
    def step(x, t):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(heat(x, t) ** 2)
        w.assign_sub(2.0 * tape.gradient(loss, w))
        return loss

    losses = [step(X, T).numpy() for _ in range(200)]
    assert losses[-1] < 1e-8 * losses[0] and abs(w.numpy() - 1.0) < 1e-3


# --- errors ----------------------------------------------------------------------------------------------------------


def test_unknown_attributes_name_the_coordinates():
    u = tf.field(wave, "x t")
    with pytest.raises(AttributeError, match=r"A field of \(x, t\) has no attribute 'xy'"):
        _ = u.xy
    assert not hasattr(u, "_private") and not hasattr(u, "numpy")
    assert repr(u) == "<wengert.Field of (x, t)>"
    close(copy.copy(u).x(X, T).numpy(), wave_of(X, T, 1))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda u: tf.field(3, "x"), TypeError, "net must be a function"),
        (lambda u: tf.field(wave, 3), TypeError, "names must be a string"),
        (lambda u: tf.field(wave, "x x"), ValueError, "different"),
        (lambda u: tf.field(wave, ""), ValueError, "one at least"),
        (lambda u: tf.field(wave, ["x", "1t"]), ValueError, "Python name"),
        (lambda u: tf.field(wave, "x map"), ValueError, "'map' is a method"),
        (lambda u: tf.field(wave, "x y z"), TypeError, r"takes 2 arguments.*shape \(n, 3\)"),
        (lambda u: u.d(y=1), ValueError, "no coordinate 'y'"),
        (lambda u: u.d(x=1.5), TypeError, "whole number"),
        (lambda u: u.d(x=-1), ValueError, "negative"),
        (lambda u: u.laplacian("z"), ValueError, "no coordinate 'z'"),
        (lambda u: u.laplacian("x x"), ValueError, "each once"),
        (lambda u: u[0], TypeError, "by its components"),
        (lambda u: u[:, "a"], TypeError, "by its components"),
        (lambda u: u[:, 1](X, T), ValueError, "no component"),
        (lambda u: list(u), TypeError, "not iterable"),
        (lambda u: bool(u), TypeError, "neither true nor false"),
        (lambda u: u.divergence()(X, T), ValueError, r"by 2 coordinates, of a field of shape \(3, 1\)"),
        (lambda u: u.map(3), TypeError, "fn must be a function"),
        (lambda u: u + "a", TypeError, "unsupported operand"),
        (lambda u: u + tf.field(lambda y: y, "y"), ValueError, "do not mix"),
        (lambda u: u(X), ValueError, r"takes 2 columns, or one tensor of shape \(n, 2\), not one of shape \(3, 1\)"),
        (lambda u: u(X, T, T), TypeError, "takes 2 columns"),
        (lambda u: u(), TypeError, "takes 2 columns"),
        (lambda u: u(X, y=T), TypeError, "without"),
        (lambda u: u(X, T[:2]), ValueError, "must have one shape"),
        (lambda u: u(X, T[:, 0]), ValueError, "must have one shape"),
        (lambda u: u(np.ones((3, 2)), T), ValueError, "is a column"),
        (lambda u: u(X, T.astype(np.float32)), TypeError, "one real dtype, not float64, float32"),
        (lambda u: u(tf.constant([[1]]), tf.constant([[1]])), TypeError, "one real dtype, not int32"),
        (lambda u: fields.evaluate([u, 3.0], X, T), TypeError, "expected a field"),
        (lambda u: fields.evaluate([u, tf.field(lambda y: y, "y")], X, T), ValueError, "different coordinates"),
        (lambda u: tf.field(lambda x: tf.ones([2, 3, 4]), "x")(X), ValueError, "one row for each point"),
        (lambda u: u.map(tf.reduce_sum).x(X, T), ValueError, "number of components"),
    ],
)
def test_errors_of_fields(call, error, text):
    with pytest.raises(error, match=text):
        call(tf.field(wave, "x t"))


def test_a_net_of_unknown_width_says_so_when_it_is_differentiated():
    with tf.Graph().as_default():
        u = tf.field(lambda x: v1.placeholder(tf.float32, [None, None]) * x, "x")
        x = v1.placeholder(tf.float32, [None, 1])
        assert u(x).shape.as_list() == [None, None]
        with pytest.raises(ValueError, match="ensure_shape"):
            u.x(x)


def test_evaluating_nothing():
    assert fields.evaluate([], X) == []
