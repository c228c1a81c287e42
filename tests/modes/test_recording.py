"""Eager `gradients`: derivatives by whatever a recording saw, and that it forgets what no living tensor was made from."""

import gc
import weakref

import numpy as np
import pytest

import wengert as tf
from wengert.errors import NoGradientWarning
from wengert.tensor.tensor import EagerTensor

pytestmark = pytest.mark.filterwarnings("ignore::wengert.errors.NoGradientWarning")


def alive():
    return sum(isinstance(one, EagerTensor) for one in gc.get_objects())


def test_a_loop_leaves_nothing_behind():
    x, v = tf.constant(0.5, tf.float64), tf.Variable(1.0, dtype=tf.float64)

    def step(value):
        y = tf.sin(value * v) + tf.reduce_sum(tf.stack(tf.unstack(tf.stack([value, v]))))
        return y, tf.gradients(y, value)[0]

    gc.collect()
    gc.disable()  # reference counting alone is to do it
    try:
        with tf.recording():
            count = tf.constant(0)
            step(x)
            before = alive()
            for _ in range(200):
                y, slope = step(x)
                v.assign_sub(0.001 * slope)
                count += 1  # an integer has no past
            del y, slope
            assert alive() <= before + 2
    finally:
        gc.enable()
    assert count.numpy() == 200


def test_the_past_of_what_lives_is_kept():
    with tf.recording():
        x = tf.constant(2.0, tf.float64)
        middle = x * x
        y = tf.sin(middle) * x
        gone = weakref.ref(middle)
        del middle
        gc.collect()
        assert gone() is not None
        g = tf.gradients(y, x)[0]
    assert g.numpy() == pytest.approx(2 * 4 * np.cos(4.0) + np.sin(4.0), rel=1e-14)
    del y, g
    assert gone() is None


def test_a_long_past_is_freed_without_recursion():
    with tf.recording():
        x = y = tf.constant(1.0)
        for _ in range(50_000):
            y = -y
        past = weakref.ref(x)
        del x, y
        assert past() is None
        parts = tf.constant([1.0, 2.0])
        for _ in range(5_000):
            a, b = tf.split(parts, 2)
            parts = tf.concat([b, a], 0)
        del a, b, parts


def test_outputs_whose_siblings_are_gone():
    # s and r are what splitting makes; only one of them lives on. f = Σ a_i³ over the second half.
    with tf.recording():
        x = tf.constant([1.0, 2.0, 3.0, 4.0], tf.float64)
        y = tf.reduce_sum(tf.split(x * x, 2)[1] ** 2)
        g = tf.gradients(y, x)[0]
        h = tf.gradients(tf.reduce_sum(g), x)[0]
        values, _ = tf.linalg.eigh(tf.linalg.diag(x))
        trace = tf.gradients(tf.reduce_sum(values**2), x)[0]
        trace2 = tf.gradients(trace, x)[0]
    np.testing.assert_array_equal(g, [0, 0, 4 * 27, 4 * 64])
    np.testing.assert_array_equal(h, [0, 0, 12 * 9, 12 * 16])
    np.testing.assert_allclose(trace, 2 * x.numpy(), rtol=1e-13)
    np.testing.assert_allclose(trace2, [2.0] * 4, rtol=1e-12)


def test_second_and_mixed_derivatives():
    with tf.recording():
        x, t = tf.constant([[1.0], [0.5]], tf.float64), tf.constant([[0.25], [2.0]], tf.float64)
        X = tf.concat([x, t], 1)
        u = tf.sin(2.0 * X[:, 0:1]) * X[:, 1:2] ** 3
        u_x, u_t = tf.gradients(u, [x, t])
        u_xt, u_tt = tf.gradients(u_x, t)[0], tf.gradients(u_t, t)[0]
        u_xtt = tf.gradients(u_xt, t)[0]
        u_ttx = tf.gradients(u_tt, x)[0]
    a, b = x.numpy(), t.numpy()
    np.testing.assert_allclose(u_xt, 2 * np.cos(2 * a) * 3 * b**2, rtol=1e-14)
    np.testing.assert_allclose(u_xtt, 2 * np.cos(2 * a) * 6 * b, rtol=1e-14)
    np.testing.assert_allclose(u_ttx, u_xtt, rtol=1e-14)


def test_variables_as_they_were_read():
    v, w = tf.Variable(3.0), tf.Variable(10.0, trainable=False)
    with tf.recording() as tape:
        y = v * v * w
        v.assign(5.0)
        z = v * v
        assert [g.numpy() for g in tf.gradients(y, [v, w])] == [60.0, 9.0]
        assert tf.gradients(y + z, v)[0].numpy() == 70.0
        copy = tf.Variable(0.0)
        copy.assign(v * 2.0)
        assert tf.gradients(copy * 1.0, v)[0] is None  # what a variable holds has no past
        assert [one is v for one in tape.watched_variables()] == [True, False]


def test_training():
    w = tf.Variable(3.0)
    descent = tf.keras.optimizers.SGD(0.1)
    with tf.recording():
        for _ in range(3):
            w.assign_sub(0.1 * tf.gradients(w * w, w)[0])
            descent.apply_gradients([(tf.gradients(w**2, w)[0], w)])
    assert w.numpy() == pytest.approx(3.0 * 0.8**6, rel=1e-6)


def test_a_tape_inside_of_a_recording():
    x = tf.constant(2.0)
    with tf.recording():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        slope = tape.gradient(y, x)
        assert tf.gradients(slope, x)[0].numpy() == 12.0


def test_a_tape_that_opened_later_does_not_hide_a_part():
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        first = x * x
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = first + x
            assert tf.gradients(y, x)[0].numpy() == 7.0
    with tf.recording():
        first = x * x
        with tf.GradientTape() as inner:
            inner.watch(x)
            assert tf.gradients(first + x, x)[0].numpy() == 7.0


def test_stop_gradients():
    def both(run):
        with tf.recording():
            yield run()
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            yield session.run(run())

    def straight():
        x = tf.constant(3.0)
        a = 2.0 * x
        b = a + x
        y = a + b * x
        return [tf.gradients(y, [x, a, b])[0], *tf.gradients(y, [x, a, b], stop_gradients=[a, b])]

    # y = 2x + 3x²: 2 + 6x; with a and b held fixed x alone moves y by b = 9, a by 1, b by x = 3.
    for found in both(straight):
        assert [float(f) for f in found] == [20.0, 9.0, 1.0, 3.0]

    def parts():
        x = tf.constant([1.0, 2.0])
        left, right = tf.split(x * x, 2)
        return tf.gradients(left * 3.0 + right, x, stop_gradients=[right])

    with tf.recording():
        np.testing.assert_array_equal(parts()[0], [6.0, 0.0])
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        np.testing.assert_array_equal(session.run(parts())[0], [6.0, 0.0])


def test_a_recording_ends_and_begins():
    x = tf.constant(2.0)
    with tf.recording():
        early = x * x
    with tf.recording() as tape:
        late = early * 3.0
        assert tf.gradients(late, early)[0].numpy() == 3.0
        assert tf.gradients(late, x)[0] is None
        tape.reset()
        assert tf.gradients(late, early)[0] is None
        with tape.stop_recording():
            hidden = x * 5.0
        assert tf.gradients(hidden + x * 1.0, x)[0].numpy() == 1.0
    assert tape.gradient(x * 2.0, x) is None


def test_graphs_built_in_the_block_are_not_recorded():
    with tf.recording() as tape:
        with tf.Graph().as_default():
            x = tf.constant(3.0)
            g = tf.gradients(x * x, x)[0]
            assert tf.compat.v1.Session().run(g) == 6.0
        f = tf.function(lambda x: tf.gradients(x**3, x)[0])
        x = tf.constant(2.0)
        assert f(x).numpy() == 12.0 and tf.gradients(f(x), x)[0].numpy() == 12.0
        assert tape.entries == []


def test_a_custom_gradient_in_a_recording():
    @tf.custom_gradient
    def twice(x):
        return x * 2.0, lambda g: g * 7.0

    with tf.recording():
        x = tf.constant(1.5)
        assert tf.gradients(twice(x) * x, x)[0].numpy() == 7.0 * 1.5 + 3.0


def test_no_gradient_is_told_with_its_reason():
    with tf.recording(), pytest.warns(NoGradientWarning, match="Floor has no derivative"):
        x = tf.constant(2.5)
        tf.gradients(tf.floor(x), x)
