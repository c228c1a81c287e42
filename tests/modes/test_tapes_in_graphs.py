"""Tapes while a graph is built mean what they mean eagerly: the values, the Nones, what is watched and when."""

import warnings

import numpy as np
import pytest

import wengert as tf
from wengert.errors import NoGradientWarning

tf1 = tf.compat.v1
a = tf.Variable(2.0)
b = tf.Variable(5.0)
frozen = tf.Variable(3.0, trainable=False)
outside = tf.constant(1.5)


def tape(*watched, **keywords):
    t = tf.GradientTape(**keywords)
    t.__enter__()
    t.watch(list(watched))
    return t


def watched_before(x):
    h = tf.sin(x)
    with tf.GradientTape() as t:
        t.watch([x, h])
        z = x + h
    return t.gradient(z, [x, h])


def only_the_later_is_watched(x):
    h = a * x
    with tf.GradientTape() as t:
        t.watch(h)
        z = h * a
    return t.gradient(z, [a, x, h])


def target_made_before(x):
    y = x * x
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        z = y * x
    return t.gradient(z, x), t.gradient(y, x)


def target_is_watched(x):
    y = x * x
    with tf.GradientTape() as t:
        t.watch([x, y])
    return t.gradient(y, [x, y])


def watched_in_between(x):
    with tf.GradientTape() as t:
        t.watch(x)
        h = tf.sin(x)
        t.watch(h)
        z = h * x
    return t.gradient(z, [x, h])


def stopped(x):
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * x
        with t.stop_recording():
            w = y * x
        z = w * y
    return t.gradient(z, x)


def reset(x):
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        y = x * x
        t.reset()
        t.watch([x, y])
        z = y * x
    return t.gradient(z, [x, y])


def persistent_inside_itself(x):
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        g = t.gradient(x**3, x)
        z = g * x
    return t.gradient(z, x)


def watch_by_hand(x):
    with tf.GradientTape(watch_accessed_variables=False) as t:
        t.watch(a)
        z = a**3 * b
    return t.gradient(z, [a, b])


def not_trainable(x):
    with tf.GradientTape(persistent=True) as t:
        y = frozen**2
        t.watch(frozen)
        z = frozen**3
    return t.gradient(y, frozen), t.gradient(z, frozen)


def read_before_the_tape(x):
    r = a.value()
    with tf.GradientTape(persistent=True) as t:
        y = r * r
        z = a * r
        w = r * r
    return t.gradient(y, a), t.gradient(z, a), t.gradient(w, a)


def assigned_and_watched(x):
    a.assign(4.0)
    with tf.GradientTape(watch_accessed_variables=False) as t:
        t.watch(a)
        y = tf.identity(a) ** 2
    a.assign(2.0)
    return t.gradient(y, a)


def nested_by_hand(x):
    with tf.GradientTape(watch_accessed_variables=False) as o:
        o.watch(a)
        with tf.GradientTape(watch_accessed_variables=False) as i:
            i.watch(a)
            y = a**3
        g = i.gradient(y, a)
    return o.gradient(g, a)


def inner_gradient_outside_of_the_outer_block(x):
    with tf.GradientTape() as o:
        o.watch(x)
        with tf.GradientTape() as i:
            i.watch(x)
            y = x**3
    return o.gradient(i.gradient(y, x), x)


def in_a_branch(x):
    return tf.cond(x > 0.0, lambda: _square_slope(x) + _square_slope(a) + _square_slope(outside), lambda: x)


def in_a_loop(x):
    s = tf.constant(0.0)
    for _ in tf.range(3):
        s += _square_slope(x) * _square_slope(a)
    return s


def in_nested_bodies(x):
    def body(i, s):
        return i + 1, s + tf.cond(i > 0, lambda: _square_slope(x), lambda: _square_slope(tf.sin(x)))

    return tf.while_loop(lambda i, s: i < 3, body, [0, 0.0])[1]


def _square_slope(v):
    with tf.GradientTape() as t:
        t.watch(v)
        y = v * v
    return t.gradient(y, v, unconnected_gradients="zero")


def opened_outside_asked_in_a_branch(x):
    t = tape(x, persistent=True)
    y = tf.sin(x) * x
    r = tf.cond(x > 0.0, lambda: t.gradient(y * tf.exp(x), x), lambda: x)
    t.__exit__()
    return r


def opened_outside_asked_in_a_branch_by_a_variable(x):
    with tf.GradientTape(persistent=True) as t:
        y = a * x
        r = tf.cond(x > 0.0, lambda: t.gradient(y * a * y, a), lambda: x)
    return r


def opened_outside_stopped_on_the_way(x):
    with tf.GradientTape(persistent=True) as t:
        t.watch(x)
        with t.stop_recording():
            h = x * x
        y = h * x
        r = tf.cond(x > 0.0, lambda: t.gradient(y * h, x), lambda: x)
    return r


def read_in_a_body_and_straight(x):
    with tf.GradientTape() as t:
        y = tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * a), [0, tf.constant(1.0)])[1]
        y += a**2 + tf.cond(x > 0.0, lambda: a**3, lambda: 0.0) + tf.reduce_sum(tf.map_fn(lambda e: e * a**3, tf.ones([2])))
    return t.gradient(y, a)


def second_through_bodies(x):
    with tf.GradientTape() as o:
        with tf.GradientTape() as i:
            y = tf.cond(x > 0.0, lambda: a**3, lambda: a)
            y = tf.while_loop(lambda i, z: i < 2, lambda i, z: (i + 1, z * a), [0, y])[1]
        g = i.gradient(y, a)
    return o.gradient(g, [a, b])


def across_a_function(x):
    with tf.GradientTape() as o:
        o.watch(x)
        y = inner_function(x)
        g = slope_function(y)
    return o.gradient(g, [x, a])


inner_function = tf.function(lambda x: tf.sin(x * a))


@tf.function
def slope_function(x):
    return _square_slope(x * x)


@tf.function
def _underscored(x):
    return tf.cos(x)


def of_an_outside_tensor(x):
    with tf.GradientTape() as t:
        t.watch(outside)
        y = outside * x
    return t.gradient(y, outside)


def tuple_unused_watch(x):
    with tf.GradientTape() as t:
        y = tf.cond(x > 0.0, lambda: a * 1.0, lambda: b * 1.0)
    return len(t.watched_variables()) > 0, t.gradient(y, [a])


def accumulator_of_a_variable(x):
    with tf.autodiff.ForwardAccumulator(a, tf.constant(10.0)) as acc:
        y = a * x + tf.cond(x > 0.0, lambda: a**2, lambda: x)
    return acc.jvp(y), acc.jvp(a)


def accumulator_of_an_outside_tensor(x):
    with tf.autodiff.ForwardAccumulator(outside, tf.constant(1.0)) as acc:
        y = outside**2 * x
    return acc.jvp(y)


def accumulator_with_an_outside_direction(x):
    with tf.autodiff.ForwardAccumulator(x, outside) as acc:
        with tf.GradientTape() as t:
            t.watch(x)
            y = x**3
        g = t.gradient(y, x)
    return acc.jvp(g)


def accumulator_in_a_loop(x):
    return tf.map_fn(lambda e: accumulator_with_an_outside_direction(e * x), tf.constant([1.0, 2.0]))


PROGRAMS = [f for name, f in list(globals().items()) if getattr(f, "__module__", "") == __name__ and callable(f)
            and not name.startswith(("tape", "_", "test")) and not isinstance(f, type(inner_function))]  # fmt: skip


def values(result):
    return [None if t is None else np.asarray(t) for t in tf.nest.flatten(result)]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_a_function_gives_what_the_program_gives_eagerly(f):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        x = tf.constant(0.7)
        want, got = values(f(x)), values(tf.function(f)(x))
    assert [w is None for w in want] == [g is None for g in got]
    for w, g in zip(want, got, strict=True):
        if w is not None:
            np.testing.assert_allclose(g, w, rtol=2e-6)


# What the programs give, by hand, for x = 0.7, a = 2, b = 5, outside = 1.5: the modes might be wrong together.
X = 0.7
EXACT = {
    watched_before: [1.0, 1.0],
    only_the_later_is_watched: [2 * X, None, 2.0],
    target_made_before: [X**2, None],
    target_is_watched: [None, 1.0],
    watched_in_between: [np.sin(X) + X * np.cos(X), X],
    stopped: [2 * X * X**3],
    reset: [X**2, X],
    persistent_inside_itself: [9 * X**2],
    watch_by_hand: [60.0, None],
    not_trainable: [None, 27.0],
    assigned_and_watched: [8.0],
    nested_by_hand: [12.0],
    inner_gradient_outside_of_the_outer_block: [None],
    in_a_branch: [2 * X + 4.0 + 3.0],
    in_a_loop: [3 * 2 * X * 4.0],
    in_nested_bodies: [2 * np.sin(X) + 4 * X],
    opened_outside_asked_in_a_branch: [np.exp(X) * (np.cos(X) * X + np.sin(X) + np.sin(X) * X)],
    opened_outside_asked_in_a_branch_by_a_variable: [3 * 4.0 * X**2],
    opened_outside_stopped_on_the_way: [X**4],
    read_in_a_body_and_straight: [12.0 + 4.0 + 12.0 + 24.0],
    second_through_bodies: [20 * 8.0, None],
    across_a_function: [8 * np.sin(2 * X) * np.cos(2 * X), 4 * np.sin(2 * X) * np.cos(2 * X) * X],
    of_an_outside_tensor: [X],
    accumulator_of_a_variable: [10 * X + 40.0, 10.0],
    accumulator_of_an_outside_tensor: [3 * X],
    accumulator_with_an_outside_direction: [6 * X * 1.5],
    accumulator_in_a_loop: [[9 * X, 18 * X]],
}


@pytest.mark.parametrize("f", EXACT, ids=lambda f: f.__name__)
def test_and_what_is_right(f):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        got = values(tf.function(f)(tf.constant(X)))
    for w, g in zip(EXACT[f], got, strict=True):
        assert (w is None) == (g is None), (w, g)
        if w is not None:
            np.testing.assert_allclose(g, w, rtol=1e-5)


STATIC = [watched_before, target_made_before, target_is_watched, watched_in_between, stopped, reset, persistent_inside_itself,
          inner_gradient_outside_of_the_outer_block, in_nested_bodies, opened_outside_asked_in_a_branch,
          opened_outside_stopped_on_the_way, of_an_outside_tensor, accumulator_with_an_outside_direction]  # fmt: skip


@pytest.mark.parametrize("f", STATIC, ids=lambda f: f.__name__)
def test_in_a_static_graph(f):
    with warnings.catch_warnings(), tf.Graph().as_default():
        warnings.simplefilter("ignore", NoGradientWarning)
        x = tf1.placeholder(tf.float32, [])
        found = tf.nest.flatten(f(x))
        with tf1.Session() as session:
            got = [None if t is None else session.run(t, {x: X}) for t in found]
    for w, g in zip(EXACT[f], got, strict=True):
        assert (w is None) == (g is None), (w, g)
        if w is not None:
            np.testing.assert_allclose(g, w, rtol=1e-5)


def test_earlier_turns_of_a_loop_are_not_left_out_in_silence():
    @tf.function
    def f(x):
        with tf.GradientTape(persistent=True) as t:
            t.watch(x)
            return tf.while_loop(lambda i, z, g: i < 2, lambda i, z, g: (i + 1, z * x, t.gradient(z * x, x)), [0, x, x])[2]

    with pytest.raises(tf.errors.UnimplementedError, match="carries from turn to turn"):
        f(tf.constant(2.0))

    @tf.function
    def h(x):
        with tf.autodiff.ForwardAccumulator(x, 1.0) as acc:
            return tf.while_loop(lambda i, z, g: i < 2, lambda i, z, g: (i + 1, z * x, acc.jvp(z * x)), [0, x, x])[2]

    with pytest.raises(tf.errors.UnimplementedError, match="carries from turn to turn"):
        h(tf.constant(2.0))


def test_what_only_an_untaken_branch_connects_is_zero_around_a_traced_function():
    f = tf.function(lambda p, x: tf.cond(p, lambda: 3.0 * x, lambda: tf.constant(1.0)))
    loop = tf.function(lambda n, x: tf.while_loop(lambda i, z: i < n, lambda i, z: (i + 1, z * x), [0, tf.constant(1.0)])[1])
    x = tf.constant(2.0)
    for g, at, want in [(f, True, 3.0), (f, False, 0.0), (loop, 2, 4.0), (loop, 0, 0.0)]:
        with tf.GradientTape() as t, tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as acc:
            t.watch(x)
            y = g(tf.constant(at), x)
        assert float(acc.jvp(y)) == want and float(t.gradient(y, x)) == want
    g = tf.function(lambda p: tf.cond(p, lambda: a * 2.0, lambda: b * 3.0))
    with tf.GradientTape() as t:
        y = g(tf.constant(True))
    assert [float(v) for v in t.gradient(y, [a, b])] == [2.0, 0.0]


def test_functions_with_an_underscore_before_their_name():
    for run in (_underscored, tf.function(lambda x: _underscored(x))):
        assert float(run(tf.constant(1.0))) == pytest.approx(np.cos(1.0))
    with tf.Graph().as_default(), tf1.Session() as session:
        assert session.run(_underscored(tf.constant(1.0))) == pytest.approx(np.cos(1.0))


def test_a_bound_function_keeps_its_instance_for_the_call():
    class Module(tf.Module):
        v = None

        @tf.function
        def run(self):
            if self.v is None:
                self.v = tf.Variable([1.0, 2.0])
            with tf.autodiff.ForwardAccumulator(self.v, tf.constant([0.1, -0.2])) as acc:
                y = self.v * 2.0
            return acc.jvp(y)

    np.testing.assert_allclose(Module().run(), [0.2, -0.4])
    m = Module()
    assert m.run == m.run and m.run.experimental_get_tracing_count() == 0
    m.run()
    assert m.run.experimental_get_tracing_count() > 0


def test_custom_gradients_of_methods_and_those_that_fail():
    class Scaled:
        @tf.custom_gradient
        def product(self, u, v):
            return u * v, lambda dy: (10.0 * dy * v, dy * u)

    def f(u, v):
        with tf.GradientTape() as t:
            t.watch([u, v])
            y = Scaled().product(u, v)
        return t.gradient(y, [u, v])

    for run in (f, tf.function(f)):
        assert [float(g) for g in run(tf.constant(3.0), tf.constant(5.0))] == [50.0, 3.0]

    @tf.custom_gradient
    def fails(x):
        def grad(dy):
            raise ArithmeticError("mine")

        return x * 1.0, grad

    assert float(tf.function(lambda x: fails(x))(tf.constant(1.0))) == 1.0
    with tf.Graph().as_default():
        x = tf.constant(1.0)
        y = fails(x) * 2.0
        assert tf.gradients(y, y)[0] is not None
        with pytest.raises(ArithmeticError, match="mine"):
            tf.gradients(y, x)


# --- derivatives that a later tape takes for numbers, or for leaves ----------------------------------------------------------

AT = 0.75


def _slope(x, f):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def by_what_stands_beside_a_derivative(x):  # (sin x d)', d = 2 x a number
    d = _slope(x, lambda x: x * x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.sin(x) * d
    return tape.gradient(y, x)


def second_by_what_stands_beside_a_derivative(x):  # (sin x d)'', d = 3 x^2 a number
    d = _slope(x, lambda x: x**3)
    return _slope(x, lambda x: _slope(x, lambda x: tf.sin(x) * d))


def not_through_a_second_derivative(x):  # (x d)', d = -sin x a number
    d = _slope(x, lambda x: _slope(x, tf.sin))
    return _slope(x, lambda x: x * d)


def by_a_derivative(x):  # d (d^2) / dd, d = cos x
    d = _slope(x, tf.sin)
    with tf.GradientTape() as tape:
        tape.watch(d)
        y = d * d
    return tape.gradient(y, d)


def by_a_derivative_that_is_a_number(x):  # the same, d = 2
    d = _slope(x, lambda x: 2.0 * x)
    with tf.GradientTape() as tape:
        tape.watch(d)
        y = d * d * d
    return tape.gradient(y, d)


@pytest.mark.parametrize("taylor", [True, False])
@pytest.mark.parametrize("mode", ["eager", "function", "graph"])
@pytest.mark.parametrize(
    ("f", "right"),
    [
        (by_what_stands_beside_a_derivative, 2 * AT * np.cos(AT)),
        (second_by_what_stands_beside_a_derivative, -3 * AT**2 * np.sin(AT)),
        (not_through_a_second_derivative, -np.sin(AT)),
        (by_a_derivative, 2 * np.cos(AT)),
        (by_a_derivative_that_is_a_number, 12.0),
    ],
)
@pytest.mark.parametrize("shape", [(), (1,), (2, 1), (2, 2)])
def test_a_derivative_is_what_the_tape_takes_it_for(f, right, mode, taylor, shape):
    x = np.full(shape, AT)
    with tf.config.rewrites(taylor=taylor):
        if mode == "graph":
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                place = tf.compat.v1.placeholder(tf.float64, [None, *shape[1:]] if shape else [])
                got = session.run(f(place), {place: x})
        else:
            got = (tf.function(f) if mode == "function" else f)(tf.constant(x))
    np.testing.assert_allclose(got, np.full(shape, right), rtol=1e-12)


@pytest.mark.parametrize("gather", [lambda x: tf.gather(x, [1, 0, 1]), lambda x: tf.boolean_mask(x, [True, False])])
def test_no_derivative_leads_through_a_gather_at_which_it_stops(gather):
    def stopped(x):
        y = gather(x)
        return tf.gradients(3.0 * y, [x, y], stop_gradients=[y])

    def not_recorded(x):
        y = gather(x)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            z = 3.0 * y
        return [tape.gradient(z, x), tape.gradient(z, y)]

    x = tf.constant([[1.0], [2.0]], tf.float64)
    for program in (stopped, not_recorded):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoGradientWarning)
            none, there = tf.function(program)(x)
        assert none is None
        assert np.all(there == 3.0)


@pytest.mark.parametrize("shape", [(), (2, 1)])
def test_gradients_stop_at_derivatives(shape):
    def f(x):
        d = tf.gradients(x * x, x)[0]
        return tf.gradients(tf.sin(x) * d, x, stop_gradients=[d])[0]

    got = tf.function(f)(tf.constant(np.full(shape, AT)))
    np.testing.assert_allclose(got, np.full(shape, 2 * AT * np.cos(AT)), rtol=1e-12)


def test_forward_mode_along_a_variable_of_a_static_graph():
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        v = tf.Variable(np.array([0.5, 2.0]))
        with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, -0.25], tf.float64)) as acc:
            y = v * v
        tangents = acc.jvp(y), acc.jvp(v)
        session.run(tf.compat.v1.global_variables_initializer())
        got = session.run(tangents)
    np.testing.assert_allclose(got[0], [1.0, -1.0])
    np.testing.assert_allclose(got[1], [1.0, -0.25])


@tf.custom_gradient
def stated(x):
    return x**3, lambda dy: dy * 5.0 * x * x  # not the derivative, so that it is seen


def by_python(x):
    return tf.py_function(lambda a: a**3, [x], x.dtype)


@pytest.mark.parametrize("mode", ["eager", "function", "graph"])
@pytest.mark.parametrize(
    ("f", "first", "second"), [(stated, 5 * AT**2, 10 * AT), (by_python, 3 * AT**2, 6 * AT)], ids=["custom", "python"]
)
def test_forward_mode_through_what_states_reverse_mode_alone(f, first, second, mode):
    def both(x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as outer:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            dy = tape.gradient(y, x)
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
            y = f(x)
        return acc.jvp(y), outer.jvp(dy)

    x = np.array([AT, AT])
    if mode == "graph":
        with tf.Graph().as_default(), tf1.Session() as session:
            place = tf1.placeholder(tf.float64, [2])
            got = session.run(both(place), {place: x})
    else:
        got = (tf.function(both) if mode == "function" else both)(tf.constant(x))
    np.testing.assert_allclose(got, [[first] * 2, [second] * 2], rtol=1e-12)


# --- derivatives by an intermediate value in which they are written ------------------------------------------------------------

MATRIX = [[4.0, 1.0], [1.0, 3.0]]
MADE = {
    "cholesky": tf.linalg.cholesky, "inv": tf.linalg.inv, "pinv": tf.linalg.pinv, "det": tf.linalg.det, "sqrtm": tf.linalg.sqrtm,
    "solve": lambda x: tf.linalg.solve(x, x[:, :1]), "logdet": tf.linalg.logdet, "expm": tf.linalg.expm,
    "q": lambda x: tf.linalg.qr(x)[0], "vectors": lambda x: tf.linalg.eigh(x)[1], "values": lambda x: tf.linalg.svd(x)[0],
    "prod": tf.reduce_prod, "cumprod": tf.math.cumprod, "max": tf.reduce_max, "norm": tf.norm, "softmax": tf.nn.softmax,
    "logsumexp": tf.reduce_logsumexp, "exp": tf.exp, "tanh": tf.tanh, "sqrt": tf.sqrt, "sigmoid": tf.sigmoid,
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_a_derivative_by_what_it_is_written_in_is_there_in_each_mode(name):
    def program(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = MADE[name](x)
            d = inner.gradient(y, x)
        return outer.gradient(d, y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoGradientWarning)
        want, got = program(tf.constant(MATRIX, tf.float64)), tf.function(program)(tf.constant(MATRIX, tf.float64))
    assert (want is None) == (got is None)
    if want is not None:
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def _before_forward_mode(x):  # (a cos x)', a = x² a number
    a = x * x
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
        d = _slope(x, lambda x: a * tf.sin(x))
    return acc.jvp(d)


def _after_another_forward_mode(x):  # (d x²)'', d = -sin x a number
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as first:
        y = tf.cos(x)
    d = first.jvp(y)
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as second:
        g = _slope(x, lambda x: d * x * x)
    return second.jvp(g)


@pytest.mark.parametrize("mode", ["eager", "function", "graph"])
@pytest.mark.parametrize(
    ("f", "right"), [(_before_forward_mode, -(AT**2) * np.sin(AT)), (_after_another_forward_mode, -2 * np.sin(AT))]
)
def test_what_was_computed_before_forward_mode_stands_still(f, right, mode):
    x = np.array([[AT], [AT]])
    if mode == "graph":
        with tf.Graph().as_default(), tf1.Session() as session:
            place = tf1.placeholder(tf.float64, [None, 1])
            got = session.run(f(place), {place: x})
    else:
        got = (tf.function(f) if mode == "function" else f)(tf.constant(x))
    np.testing.assert_allclose(got, np.full((2, 1), right), rtol=1e-12)
