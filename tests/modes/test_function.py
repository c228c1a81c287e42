"""Traced functions: signatures, structures, variables, effects in order, nesting, tapes across and inside."""

import gc
import threading
import weakref

import numpy as np
import pytest

import wengert as tf

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def test_a_trace_for_each_signature():
    traces = []

    @tf.function
    def f(x, scale=1.0):
        traces.append(x)
        return x * scale

    f(tf.constant(1.0))
    f(tf.constant(2.0))
    f(x=tf.constant(3.0))
    assert len(traces) == 1
    f(tf.constant([1.0]))
    f(tf.constant(1.0, tf.float64))
    f(np.float32(2.0))
    assert len(traces) == 3
    f(tf.constant(1.0), scale=2.0)
    f(tf.constant(1.0), 2.0)
    assert len(traces) == 4


def test_input_signature():
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def f(x):
        return tf.reduce_sum(x * x, axis=1)

    np.testing.assert_array_equal(f([[1.0, 2.0]]), [5.0])
    assert f(tf.ones([7, 2])).shape == [7]
    assert f.experimental_get_tracing_count() == 1
    with pytest.raises((TypeError, ValueError), match="input_signature"):
        f(tf.ones([7, 3]))
    with pytest.raises(TypeError, match="input_signature"):
        f(tf.ones([7, 2], tf.float64))


def test_structures():
    @tf.function
    def f(pair, *, table):
        return {"sum": pair[0] + pair[1], "rest": [table["k"], None, 3]}

    found = f((tf.constant(1.0), 2.0), table={"k": np.ones(2, np.float32)})
    assert found["sum"].numpy() == 3.0 and found["rest"][1] is None
    np.testing.assert_array_equal(found["rest"][0], [1.0, 1.0])
    assert found["rest"][2].numpy() == 3


def test_effects_in_the_order_of_the_program():
    v = tf.Variable(1.0)

    @tf.function
    def f(x):
        a = v + 0.0
        v.assign(v * x)
        b = v + 0.0
        v.assign_add(1.0)
        return a, b, v.read_value()

    assert [t.numpy() for t in f(tf.constant(5.0))] == [1.0, 5.0, 6.0]
    assert v.numpy() == 6.0


def test_a_variable_made_on_the_first_call():
    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = None

        @tf.function
        def __call__(self, x):
            if self.w is None:
                self.w = tf.Variable(2.0)
            return self.w * x

    model = Model()
    assert model(tf.constant(3.0)).numpy() == 6.0
    assert len(model.trainable_variables) == 1

    @tf.function
    def again(x):
        return tf.Variable(1.0) * x

    with pytest.raises(ValueError, match="first call"):
        again(tf.constant(1.0))


def test_methods_have_traces_of_their_own_and_free_their_instance():
    class Line:
        def __init__(self, slope):
            self.slope = slope

        @tf.function
        def at(self, x):
            return self.slope * x

    one, two = Line(2.0), Line(3.0)
    assert (one.at(tf.constant(1.0)).numpy(), two.at(tf.constant(1.0)).numpy()) == (2.0, 3.0)
    kept = weakref.ref(one)
    del one
    gc.collect()
    assert kept() is None


def test_nested_functions_and_closures():
    c = tf.constant([1.0, 2.0])

    @tf.function
    def inner(x):
        return x * c

    @tf.function
    def outer(x):
        return tf.reduce_sum(inner(x) * inner(x * 2.0))

    x = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch([x, c])
        y = outer(x)
    gx, gc_ = tape.gradient(y, [x, c])
    np.testing.assert_allclose(y, 2 * (9 + 64))
    np.testing.assert_allclose(gx, 4 * x.numpy() * c.numpy() ** 2)
    np.testing.assert_allclose(gc_, 4 * x.numpy() ** 2 * c.numpy())


def test_a_captured_value_is_read_at_the_call():
    v = tf.Variable(1.0)

    @tf.function
    def f(x):
        return v * x

    x = tf.constant(3.0)
    assert f(x).numpy() == 3.0
    v.assign(2.0)
    with tf.GradientTape() as tape:
        y = f(x)
    assert y.numpy() == 6.0 and tape.gradient(y, v).numpy() == 3.0


def test_tapes_inside_to_fourth_order():
    @tf.function
    def f(x):
        with tf.GradientTape() as t3, tf.GradientTape() as t2, tf.GradientTape() as t1:
            t1.watch(x)
            t2.watch(x)
            t3.watch(x)
            y = tf.exp(2.0 * x)
            g1 = t1.gradient(y, x)
            g2 = t2.gradient(g1, x)
            g3 = t3.gradient(g2, x)
        return g1, g2, g3, tf.gradients(g3, x)[0]

    at = 0.3
    np.testing.assert_allclose([v.numpy() for v in f(tf.constant(at, tf.float64))], [2**k * np.exp(2 * at) for k in (1, 2, 3, 4)])


def test_what_was_transformed_outside():
    x = tf.constant([[1.0]])
    X = tf.concat([x, x * 2.0], 1)

    @tf.function
    def f():
        return tf.gradients(tf.reduce_sum(X * X), x)

    assert f() == [None]


def test_python_values_are_not_lost():
    @tf.function
    def f(x, how):
        return x + 1.0 if how == "up" else x - 1.0

    assert f(tf.constant(1.0), "up").numpy() == 2.0
    assert f(tf.constant(1.0), "down").numpy() == 0.0


def test_errors():
    leaked = []

    @tf.function
    def leak(x):
        leaked.append(x * 2.0)
        return x

    leak(tf.constant(1.0))
    with pytest.raises((TypeError, ValueError), match="traced function"):
        leaked[0] + 1.0

    @tf.function
    def wrong(x):
        return tf.matmul(x, x)

    with pytest.raises(ValueError, match=r"test_function.py:\d+"):
        wrong(tf.ones([2, 3]))
    with pytest.raises(TypeError):
        tf.function(lambda x: object())(tf.constant(1.0))
    with pytest.raises(TypeError):
        tf.function(3)


def test_a_run_time_error_names_the_line():
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64)])
    def f(x):
        return tf.linalg.inv(x)

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"test_function.py:\d+"):
        f(np.zeros((2, 2)))


def test_threads():
    @tf.function
    def f(x):
        return tf.gradients(x**3, x)[0]

    found = []

    def work(k):
        found.extend(f(tf.constant(float(k), tf.float64)).numpy() == 3.0 * k * k for _ in range(30))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 120 and all(found)


def test_custom_gradient_of_second_order_everywhere():
    @tf.custom_gradient
    def cube(x):
        return x**3, lambda g: g * 3.0 * x * x

    def both(x):
        y = cube(x)
        first = tf.gradients(y, x)[0]
        return first, tf.gradients(first, x)[0]

    x = tf.constant(2.0)
    assert [v.numpy() for v in tf.function(both)(x)] == [12.0, 12.0]
    with tf.recording():
        x = tf.constant(2.0)
        assert [v.numpy() for v in both(x)] == [12.0, 12.0]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        assert session.run(both(tf.constant(2.0))) == (12.0, 12.0)


def test_random_numbers_differ_between_calls_and_repeat_with_the_seed():
    @tf.function
    def f():
        return tf.random.normal([3], seed=7)

    tf.random.set_seed(1)
    a, b = f().numpy(), f().numpy()
    assert not np.array_equal(a, b)


def test_py_function_under_a_tape():
    @tf.function
    def f(x):
        y = tf.py_function(lambda t: tf.sin(t) * t, [x], tf.float64)
        return y * 2.0

    x = tf.constant(1.5, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    np.testing.assert_allclose(tape.gradient(y, x), 2 * (np.sin(1.5) + 1.5 * np.cos(1.5)))
    np.testing.assert_allclose(tf.function(lambda x: tf.gradients(f(x), x)[0])(x), 2 * (np.sin(1.5) + 1.5 * np.cos(1.5)))


def test_a_tape_watches_a_tensor_from_outside_while_a_function_is_traced():
    x = tf.constant([[3.0]])

    @tf.function
    def second():
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x
            g = inner.gradient(y, x)
        return outer.gradient(g, x)

    assert second().numpy().tolist() == [[18.0]]


def test_an_argument_that_is_captured_too_is_differentiated_by_alone():
    @tf.function
    def outer(c):
        inner = tf.function(lambda x: tf.gradients(x * c, x)[0])
        return inner(c)

    assert outer(tf.constant([2.0, 3.0])).numpy().tolist() == [2.0, 3.0]


v = tf.Variable(2.0)


def by_tape(f, x):
    with tf.GradientTape() as t:
        t.watch(x)
        y = f()
    return t.gradient(y, x)


def by_graph(f, x):
    return tf.gradients(f(), x)[0]


def twice(first):
    def derivative(f, x):
        return first(lambda: first(f, x), x)

    return derivative


# The derivative of b³ c by b (or v) within a function, whose arguments b and c depend on each other where it is called.
# By hand: the function knows nothing of that, so that it is 3 b² c (and 6 b c) however c was computed.
DEPENDENT = {
    "computed": (lambda b: b * b, 3.0, 9.0),
    "the same": (lambda b: b, 3.0, 3.0),
    "by a choice": (lambda b: tf.cond(b > 0.0, lambda: b * 2.0, lambda: b), 3.0, 6.0),
    "by a function": (tf.function(lambda b: tf.exp(b - 3.0) * 4.0), 3.0, 4.0),
    "apart": (lambda b: tf.stop_gradient(b), 3.0, 3.0),
}
WAYS = {"tape": by_tape, "gradients": by_graph, "tape, second": twice(by_tape), "gradients, second": twice(by_graph)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", DEPENDENT)
def test_a_derivative_within_a_function_is_by_its_own_argument(case, way):
    of, b, c = DEPENDENT[case]
    wanted = 6.0 * b * c if "second" in way else 3.0 * b**2 * c

    @tf.function
    def inner(b, c):
        return WAYS[way](lambda: b**3 * c, b)

    def program(b):
        return inner(b, of(b))

    x = tf.constant(b)
    assert float(tf.function(program)(x)) == pytest.approx(wanted, rel=1e-6)
    assert float(tf.function(tf.function(program))(x)) == pytest.approx(wanted, rel=1e-6)
    with tf.Graph().as_default():
        g = program(tf.constant(b))
        with tf.compat.v1.Session() as session:
            assert session.run(g) == pytest.approx(wanted, rel=1e-6)
    if "tape" in way:
        assert float(program(x)) == pytest.approx(wanted, rel=1e-6)


def test_a_derivative_of_a_derivative_within_a_function_leads_through_what_depends():
    @tf.function
    def inner(b, c):
        return by_tape(lambda: b**3 * c, b)

    def outer(b):
        return by_tape(lambda: inner(b, b * b), b)

    # inner is 3 b² c with c = b²: 12 b³.
    for x in (tf.constant(2.0), tf.constant([[1.0], [2.0], [3.0]])):
        np.testing.assert_allclose(tf.function(outer)(x), 12.0 * x.numpy() ** 3, rtol=1e-6)
        np.testing.assert_allclose(outer(x), 12.0 * x.numpy() ** 3, rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_a_derivative_within_a_function_by_a_variable_ends_at_its_arguments(way):
    @tf.function
    def inner(c, d):
        return WAYS[way](lambda: v**3 * c + d, v)

    wanted = 6.0 * 2.0 * 6.0 if "second" in way else 3.0 * 2.0**2 * 6.0
    assert float(tf.function(lambda: inner(v * 3.0, v * v))()) == pytest.approx(wanted, rel=1e-6)
    with tf.Graph().as_default():
        w = tf.compat.v1.get_variable("w", initializer=2.0)

        @tf.function
        def other(c):
            return tf.gradients(w * w * c, w)[0]

        g = other(w * 3.0)
        with tf.compat.v1.Session() as session:
            session.run(w.initializer)
            assert session.run(g) == 24.0


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("names", ["i", "j", "k", "x", "ij", "ik", "jk", "ix", "kx", "ijkx"])
def test_gradients_in_a_function_by_tensors_from_outside_that_depend_on_each_other(names, nested):
    # By hand, at a = 1 and b = 2, of i = a, j = b, k = ab, x = a.
    by_hand = {"i": (1.0, 0.0), "j": (0.0, 1.0), "k": (2.0, 1.0), "x": (1.0, 0.0)}

    @tf.function
    def outer(a, b):
        product, same = a * b, tf.identity(a)

        @tf.function
        def middle():
            held = tf.identity(same)

            def inner():
                there = {"i": tf.identity(held), "j": tf.identity(b), "k": tf.identity(product), "x": a}
                return tf.gradients([there[n] for n in names], [a, b], unconnected_gradients="zero")

            return tf.function(inner)() if nested else inner()

        return middle()

    found = [float(t) for t in outer(tf.constant(1.0), tf.constant(2.0))]
    assert found == [sum(by_hand[n][i] for n in names) for i in (0, 1)]
