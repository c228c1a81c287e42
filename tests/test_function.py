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
