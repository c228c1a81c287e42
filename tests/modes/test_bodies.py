"""Branches and loops: a derivative uses what the forward run computed, and nothing impure runs twice.

Values are exact formulas of the numbers that the program drew or read, which it returns.
"""

import numpy as np
import pytest

import wengert as tf
from wengert.config import rewrites

tf1 = tf.compat.v1


def factors(shape=()):
    return tf.random.uniform(shape, 0.5, 1.5, tf.float64)


# Each multiplies x by numbers that it takes from the world, so that y' = y / x for those very numbers.
generator = tf.random.Generator.from_seed(7)
step = tf.Variable(1.0, dtype=tf.float64)


def a_while(x):
    return tf.while_loop(lambda i, z: i < 3, lambda i, z: (i + 1, z * factors()), [0, x])[1]


def nested(x):
    def body(i, z):
        return i + 1, tf.cond(i > 0, lambda: a_while(z) * factors(), lambda: z * factors())

    return tf.while_loop(lambda i, z: i < 3, body, [0, x])[1]


def counted_by_chance(x):
    return tf.while_loop(lambda i, z: tf.random.uniform([]) < 0.7, lambda i, z: (i + 1, z * 2.0), [0, x], maximum_iterations=9)[1]


def assigned(x):
    step.assign(1.0)

    def body(i, z):
        step.assign_add(1.0)
        return i + 1, z * step

    return tf.while_loop(lambda i, z: i < 3, body, [0, x])[1]


def read_after_assigned_in_branch(x):
    step.assign(2.0)

    def yes():
        y = x * step
        step.assign(100.0)
        return y

    return tf.cond(x > 0.0, yes, lambda: x)


def python_function(x):
    def draw():
        return np.random.rand() + 0.5

    return tf.while_loop(
        lambda i, z: i < 3, lambda i, z: (i + 1, z * tf.reshape(tf.numpy_function(draw, [], tf.float64), [])), [0, x]
    )[1]


LINEAR = {
    "cond": lambda x: tf.cond(x > 0.0, lambda: x * factors(), lambda: x),
    "the other branch": lambda x: tf.cond(x < 0.0, lambda: x * factors() * factors([2])[0], lambda: x * factors()),
    "switch_case": lambda x: tf.switch_case(tf.constant(1), [lambda: x, lambda: x * factors(), lambda: x * factors() * 2.0]),
    "while_loop": a_while,
    "scan": lambda x: tf.scan(lambda a, e: a * factors() * e, tf.ones([3], tf.float64), initializer=x)[-1],
    "reversed scan": lambda x: tf.scan(lambda a, e: a * factors() * e, tf.ones([3], tf.float64), initializer=x, reverse=True)[0],
    "map_fn": lambda x: tf.reduce_sum(tf.map_fn(lambda e: e * x * factors(), tf.ones([3], tf.float64))),
    "nested": nested,
    "a test that draws": counted_by_chance,
    "dropout": lambda x: tf.while_loop(
        lambda i, z: i < 2, lambda i, z: (i + 1, tf.nn.dropout(tf.ones([4], tf.float64), 0.3)[0] * z + z), [0, x]
    )[1],
    "generator": lambda x: tf.while_loop(
        lambda i, z: i < 3, lambda i, z: (i + 1, z * generator.uniform([], 0.5, 1.5, tf.float64)), [0, x]
    )[1],
    "shuffle": lambda x: tf.cond(x > 0.0, lambda: x * tf.random.shuffle(tf.constant([0.5, 1.5], tf.float64))[0], lambda: x),
    "assigned in the loop": assigned,
    "assigned in the branch": read_after_assigned_in_branch,
    "numpy_function": python_function,
    "recompute_grad": lambda x: tf.recompute_grad(lambda v: v * factors() * step)(x),
    "recompute_grad in recompute_grad": lambda x: tf.recompute_grad(
        lambda v: tf.recompute_grad(lambda w: w * factors())(v * factors())
    )(x),
}


def by_tapes(f, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        step.assign(1e6)  # too late for y
        g = inner.gradient(y, x)
        q = g * x * x
    return y, g, outer.gradient(q, x)


def by_gradients(f, x):
    y = f(x)
    step.assign(1e6)
    g = tf.gradients(y, x)[0]
    return y, g, tf.gradients(g * x * x, x)[0]


def forwards(f, x):
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
        y = f(x)
    g = acc.jvp(y)
    return y, g, 2.0 * g * x  # the derivative of g x², g being a number


ROADS = {
    "eagerly": by_tapes,
    "function, tapes": lambda f, x: tf.function(by_tapes)(f, x),
    "function, gradients": lambda f, x: tf.function(by_gradients)(f, x),
    "function, forwards": lambda f, x: tf.function(forwards)(f, x),
    "tape around a function": lambda f, x: by_tapes(tf.function(f), x),
}


# The rewrites are of graphs.
@pytest.mark.parametrize("road, taylor", [(r, t) for r in ROADS for t in (True, False) if t or r != "eagerly"])
@pytest.mark.parametrize("form", LINEAR)
def test_the_derivative_belongs_to_the_numbers_that_were_drawn(form, road, taylor):
    x = tf.constant(2.0, tf.float64)
    step.assign(3.0)
    with rewrites(taylor=taylor):
        y, g, h = (float(t) for t in ROADS[road](LINEAR[form], x))
    assert g == pytest.approx(y / 2.0, rel=1e-12)
    assert h == pytest.approx(2.0 * y, rel=1e-12)


# Eager variables and generators are not a static graph's.
@pytest.mark.parametrize("form", [k for k in LINEAR if k not in ("generator", "recompute_grad") and "assigned" not in k])
def test_in_a_static_graph(form):
    with tf.Graph().as_default():
        x = tf1.placeholder(tf.float64, [])
        y = LINEAR[form](x)
        g = tf.gradients(y, x)[0]
        h = tf.gradients(g * x * x, x)[0]
        with tf1.Session() as session:
            y, g, h = session.run([y, g, h], {x: 2.0})
    assert g == pytest.approx(y / 2.0, rel=1e-12) and h == pytest.approx(2.0 * y, rel=1e-12)


def test_second_derivatives_through_what_was_drawn():
    # y = sin(a x) + ..., a drawn by turn and returned
    def body(z, _):
        a = factors()
        return tf.sin(a * z[0]), a

    def f(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                values, drawn = tf.scan(body, tf.zeros([3], tf.float64), initializer=(x, tf.zeros([], tf.float64)))
                y = values[-1]
            g = inner.gradient(y, x)
        return y, g, outer.gradient(g, x), drawn

    x = tf.constant(0.7, tf.float64)
    for run in (f, tf.function(f)):
        y, g, h, drawn = run(x)
        z, d, dd = 0.7, 1.0, 0.0
        for a in drawn.numpy():
            z, d, dd = np.sin(a * z), a * np.cos(a * z) * d, a * np.cos(a * z) * dd - a * a * np.sin(a * z) * d * d
        np.testing.assert_allclose([y, g, h], [z, d, dd], rtol=1e-12)


def test_effects_of_a_body_happen_once_for_every_derivative_that_is_taken():
    count = tf.Variable(0)
    calls = []

    def body(i, z):
        count.assign_add(1)
        tf.py_function(lambda: calls.append(1), [], [])
        return i + 1, tf.sin(z)

    @tf.function
    def f(x):
        y = tf.while_loop(lambda i, z: i < 3, body, [0, x])[1]
        g = tf.gradients(y, x)[0]
        return y, g, tf.gradients(g, x)[0]

    f(tf.constant(0.5))
    assert count.numpy() == 3 and len(calls) == 3


def test_variables_enter_a_body_once_and_their_derivative_passes_through_every_read():
    a = tf.Variable(1.0, dtype=tf.float64)

    def f():
        a.assign(1.0)
        with tf.GradientTape() as tape:
            s = a * 1.0
            for _ in tf.range(3):
                a.assign_add(1.0)
                s = s * a
        a.assign(-5.0)
        return tape.gradient(s, a)

    # s = a₀ a₁ a₂ a₃ at 1, 2, 3, 4, each a read of a
    want = 24.0 * (1 + 1 / 2 + 1 / 3 + 1 / 4)
    assert float(f()) == pytest.approx(want) and float(tf.function(f)()) == pytest.approx(want)


def test_a_variable_without_a_value_may_be_named_in_the_branch_that_is_not_taken():
    with tf.Graph().as_default():
        v = tf1.get_variable("v", [], initializer=tf1.ones_initializer())
        y = tf.cond(tf1.is_variable_initialized(v), lambda: v * 2.0, lambda: tf.constant(7.0))
        with tf1.Session() as session:
            assert session.run(y) == 7.0
            with pytest.raises(tf.errors.FailedPreconditionError):
                session.run(tf.cond(tf.constant(True), lambda: v * 2.0, lambda: tf.constant(7.0)))
            session.run(tf1.global_variables_initializer())
            assert session.run(y) == 2.0


@pytest.mark.parametrize("shape", [[None, 4], [1, None], [None, None], [1, 4]])
def test_a_loop_without_turns_keeps_its_shapes(shape):
    with tf.Graph().as_default():
        x = tf1.placeholder(tf.float64, shape)
        y = tf.foldl(lambda a, r: a * tf.cos(r) + r, x)
        g = tf.gradients(y, x)[0]
        h = tf.gradients(tf.sin(g), x)[0]
        with tf1.Session() as session:
            g, h = session.run([g, h], {x: np.ones((1, 4))})
    np.testing.assert_array_equal(g, np.ones((1, 4)))
    np.testing.assert_array_equal(h, np.zeros((1, 4)))


def test_rows_of_no_turns():
    f = tf.function(
        lambda x: tf.gradients(tf.map_fn(lambda r: tf.sin(r), x), x)[0], input_signature=[tf.TensorSpec([None, None], tf.float64)]
    )
    assert f(tf.ones([0, 3], tf.float64)).shape == (0, 3)
    np.testing.assert_allclose(f(tf.ones([2, 3], tf.float64)), np.cos(np.ones((2, 3))))


def test_a_body_under_recompute_grad_is_differentiated_by_variables_and_to_any_order():
    w = tf.Variable(3.0, dtype=tf.float64)

    def derivatives(x):
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape(persistent=True) as inner:
                inner.watch(x)
                y = tf.recompute_grad(lambda v: tf.sin(v * w))(x)
            g = inner.gradient(y, [x, w])
        return [*g, outer.gradient(g[0], x), outer.gradient(g[0], w)]

    c, s = np.cos(6.0), np.sin(6.0)
    want = [3 * c, 2 * c, -9 * s, c - 6 * s]
    x = tf.constant(2.0, tf.float64)
    np.testing.assert_allclose([float(v) for v in derivatives(x)], want, rtol=1e-12)
    np.testing.assert_allclose([float(v) for v in tf.function(derivatives)(x)], want, rtol=1e-12)


def test_what_is_computed_again_changes_nothing_again():
    count = tf.Variable(0.0, dtype=tf.float64)

    def f(x):
        def counted(v):
            count.assign_add(1.0)
            return tf.sin(v * count) * generator.uniform([], 0.5, 1.5, tf.float64)

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.recompute_grad(counted)(x)
        return tape.gradient(y, x)

    x = tf.constant(0.3, tf.float64)
    for run in (f, tf.function(f)):
        generator.reset_from_seed(3)
        count.assign(1.0)
        drawn = generator.uniform([], 0.5, 1.5, tf.float64)
        generator.reset_from_seed(3)
        assert float(run(x)) == pytest.approx(2.0 * np.cos(0.6) * float(drawn), rel=1e-12)
        assert count.numpy() == 2.0
        after = generator.uniform([])
        generator.reset_from_seed(3)
        generator.uniform([], 0.5, 1.5, tf.float64)
        assert float(after) == float(generator.uniform([]))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_custom_gradients_in_bodies(order):
    @tf.custom_gradient
    def cube(x):
        return x**3, lambda dy: dy * 3.0 * x * x

    forms = [
        lambda x: tf.cond(x > 0.0, lambda: cube(x), lambda: x),
        lambda x: tf.while_loop(lambda i, z: i < 1, lambda i, z: (i + 1, cube(z)), [0, x])[1],
        lambda x: tf.scan(lambda a, e: cube(a), tf.zeros([1]), initializer=x)[-1],
        lambda x: tf.recompute_grad(cube)(x),
    ]

    def nth(f, x, n):
        return _derivative(lambda x: nth(f, x, n - 1), x) if n else f(x)

    for f in forms:
        for run in (nth, tf.function(nth)):
            assert float(run(f, tf.constant(2.0), order)) == [12.0, 12.0, 6.0][order - 1]


def _derivative(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


# --- Python functions -------------------------------------------------------------------------------------------------------

PLACES = {  # where a Python function stands, and u, u', u'' for r x^3, with the r that its calls drew
    "by itself": (lambda f, x: f(x), lambda x, r: (r[0] * x**3, 3 * r[0] * x**2, 6 * r[0] * x)),
    "in a branch": (
        lambda f, x: tf.cond(tf.reduce_sum(x) > 0, lambda: f(x), lambda: x),
        lambda x, r: (r[0] * x**3, 3 * r[0] * x**2, 6 * r[0] * x)),
    "in a loop": (
        lambda f, x: tf.while_loop(lambda i, a: i < 2, lambda i, a: (i + 1, tf.ensure_shape(f(a), [2])), [0, x])[1],
        lambda x, r: (c := r[0] ** 3 * r[1]) is not None and (c * x**9, 9 * c * x**8, 72 * c * x**7)),
    "over elements": (
        lambda f, x: tf.map_fn(lambda e: tf.ensure_shape(f(e), []), x),
        lambda x, r: (np.array(r) * x**3, 3 * np.array(r) * x**2, 6 * np.array(r) * x)),
}  # fmt: skip


@pytest.mark.parametrize("mode", ["function", "graph"])
@pytest.mark.parametrize("place", PLACES)
def test_derivatives_are_of_the_run_of_a_python_function(place, mode):
    rng, drawn = np.random.default_rng(3), []

    def draws(a):
        drawn.append(rng.random())
        return a**3 * drawn[-1]

    f, exact = PLACES[place]

    def program(x):
        y = f(lambda a: tf.py_function(draws, [a], tf.float64), x)
        first = tf.gradients(y, x)[0]
        return y, first, tf.gradients(first, x)[0]

    x = np.array([2.0, 1.5])
    if mode == "function":
        got = tf.function(program)(tf.constant(x))
    else:
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            place = tf.compat.v1.placeholder(tf.float64, [2])
            got = session.run(program(place), {place: x})
    assert len(drawn) == len(set(drawn)) == (1 if f is PLACES["by itself"][0] or f is PLACES["in a branch"][0] else 2)
    np.testing.assert_allclose(got, exact(x, drawn), rtol=1e-12)


# --- recompute_grad and what it takes from around ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["eager", "function"])
def test_recompute_grad_differentiates_by_what_the_function_takes_from_around(mode):
    v = tf.Variable(3.0, dtype=tf.float64)

    def program(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            a, w = 2.0 * x, tf.convert_to_tensor(v)

            @tf.recompute_grad
            def inner(p):
                return a * a * w * v + p * x

            g = tape.gradient(inner(x), x)  # (4 x² v² + x²)' = 8 x v² + 2 x
            y = inner(x)
        return tape.gradient(y, [x, v]), tape.gradient(g, [x, v])

    got = (tf.function(program) if mode == "function" else program)(tf.constant(3.0, tf.float64))
    np.testing.assert_allclose(got, [[222.0, 216.0], [74.0, 144.0]], rtol=1e-14)


@pytest.mark.parametrize("fold", [tf.foldl, tf.foldr])
@pytest.mark.parametrize("mode", ["eager", "function", "graph"])
def test_folding_no_elements_gives_the_initializer(fold, mode):
    def program(x):
        y = fold(lambda c, e: c * e, tf.zeros([0], tf.float64), x * x)
        return y, tf.gradients(y, x)[0] if mode == "graph" else y

    if mode == "graph":
        with tf.Graph().as_default(), tf1.Session() as session:
            place = tf1.placeholder(tf.float64, [])
            got = session.run(program(place), {place: 3.0})
        assert got == (9.0, 6.0)
    else:
        assert [float(y) for y in (tf.function(program) if mode == "function" else program)(tf.constant(3.0, tf.float64))] == [
            9.0
        ] * 2


# --- variables that are read again after something wrote them -----------------------------------------------------------------


def doubled(v):
    return v.assign_add(v, read_value=False)


WRITERS = {
    "a loop": lambda v: tf.while_loop(lambda i: i < 1, lambda i: (doubled(v), i + 1)[1:], [0]),
    "a branch": lambda v: tf.cond(v > 0, lambda: (doubled(v), 1.0)[1], lambda: 0.0),
    "a loop in a branch": lambda v: tf.cond(v > 0, lambda: WRITERS["a loop"](v)[0], lambda: 0),
    "a map": lambda v: tf.map_fn(lambda e: (doubled(v), e)[1], tf.zeros([1])),
    "a function": lambda v: tf.function(lambda: (doubled(v), 1.0)[1])(),
    "Python": lambda v: tf.py_function(lambda: (v.assign(2.0), 1.0)[1], [], tf.float32),
    "rows": lambda v: v.scatter_add(tf.IndexedSlices(1.0, 0)) if v.shape.rank else doubled(v),
}


@pytest.mark.parametrize("mode", ["eager", "function", "graph"])
@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_read_after_a_write_is_what_was_written(writer, mode):
    def program(v):
        before = v * 1.0
        made = WRITERS[writer](v)
        after = v * 1.0
        return before, after, made

    if mode == "graph":
        if writer == "Python":
            pytest.skip("the variable of a static graph has no value that Python could assign")
        with tf.Graph().as_default(), tf1.Session() as session:
            v = tf.Variable(1.0)
            fetches = program(v)
            session.run(tf1.global_variables_initializer())
            got = session.run(fetches)
    else:
        v = tf.Variable(1.0)
        got = (program if mode == "eager" else tf.function(program))(v)
    assert [float(got[0]), float(got[1])] == [1.0, 2.0]


def test_forward_mode_past_a_branch_that_gives_nothing():
    @tf.function
    def program(x):
        with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as acc:
            if tf.reduce_sum(x) > 0.0:
                tf.sin(x)
            else:
                tf.cos(x)
            y = x * x
        return acc.jvp(y)

    assert float(program(tf.constant(3.0))) == 6.0


@pytest.mark.parametrize("mode", ["reverse", "forward", "function"])
def test_what_recompute_grad_repeats_writes_nothing_again(mode):
    v = tf.Variable(1.0)

    @tf.recompute_grad
    def outer(p):
        @tf.recompute_grad
        def inner(q):
            v.assign_add(1.0)
            return q * v

        return inner(p) * p

    x = tf.constant(3.0)
    if mode == "forward":
        with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as acc:
            y = outer(x)
        slope = acc.jvp(y)
    else:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = (tf.function(outer) if mode == "function" else outer)(x)
        slope = tape.gradient(y, x)
    assert (float(y), float(slope), float(v)) == (18.0, 12.0, 2.0)  # v x² with v = 2


# --- variables that bodies of functions read, and tapes in functions around -----------------------------------------------

V0, X0 = 1.3, np.array([0.7, 0.4])


def sine(x, v):
    return tf.sin(x * v)


def through_a_function(x, v):
    return tf.function(lambda a: tf.cond(tf.reduce_sum(a) > 0, lambda: sine(a, v), lambda: a))(x)


READERS = {
    "branch": lambda x, v: tf.cond(tf.reduce_sum(x) > 0, lambda: sine(x, v), lambda: x),
    "loop": lambda x, v: tf.while_loop(lambda i, a: i < 1, lambda i, a: (i + 1, sine(a, v)), [0, x])[1],
    "rows": lambda x, v: tf.map_fn(lambda a: sine(a, v), x),
    "recompute_grad": lambda x, v: tf.recompute_grad(lambda a: sine(a, v))(x),
    "branch in a loop": lambda x, v: tf.while_loop(
        lambda i, a: i < 1, lambda i, a: (i + 1, tf.cond(i < 1, lambda: sine(a, v), lambda: a)), [0, x])[1],
    "function": through_a_function,
    "function in a branch": lambda x, v: tf.cond(tf.reduce_sum(x) > 0, lambda: through_a_function(x, v), lambda: x),
    # Read outside of the body, and written within.
    "written": lambda x, v: (sine(x, v), tf.cond(tf.reduce_sum(x) > 0, lambda: v.assign_add(0.0) * 0.0, lambda: x[0]))[0],
}  # fmt: skip


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("form", READERS)
def test_a_tape_in_a_function_sees_the_variables_that_bodies_of_functions_within_read(form, depth):
    v = tf.Variable(V0, dtype=tf.float64)
    f = lambda x: READERS[form](x, v)  # noqa: E731
    for _ in range(depth):
        f = tf.function(lambda x, f=f: f(x))

    def by_tape(x):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(f(x))
        assert tape.watched_variables() == (v,)
        return tape.gradient(y, v)

    def forwards(x):
        with tf.autodiff.ForwardAccumulator(v, tf.ones_like(v)) as accumulator:
            y = tf.reduce_sum(f(x))
        return accumulator.jvp(y)

    exact = np.sum(X0 * np.cos(X0 * V0))
    for derivative in (by_tape, forwards):
        for run in (derivative, tf.function(derivative)):
            np.testing.assert_allclose(run(tf.constant(X0)), exact, rtol=1e-12)


def test_a_variable_that_bodies_of_functions_write_alone_is_not_watched():
    v = tf.Variable(V0, dtype=tf.float64)

    @tf.function
    def inner(x):
        def write():
            v.assign(2.0)
            return x

        return tf.cond(tf.reduce_sum(x) > 0, write, lambda: x)

    @tf.function
    def outer(x):
        with tf.GradientTape() as tape:
            y = inner(x)
        assert tape.watched_variables() == ()
        return y

    np.testing.assert_allclose(outer(tf.constant(X0)), X0)
    assert float(v) == 2.0
