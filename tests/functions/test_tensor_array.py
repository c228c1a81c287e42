"""Tensor arrays in graphs: what is read of an array has a dense gradient, as in TensorFlow."""

import numpy as np
import pytest

import wengert as tf


def read(x):
    return 3.0 * tf.TensorArray(x.dtype, size=3).unstack(x).read(2)


def read_one_that_is_computed(x):
    return 3.0 * tf.TensorArray(x.dtype, size=3).unstack(x).read(tf.shape(x)[0] - 1)


def gathered(x):
    return tf.TensorArray(x.dtype, size=3).unstack(x).gather([2, 2, 2])


def split(x):
    return 3.0 * tf.TensorArray(x.dtype, size=2, infer_shape=False).split(x, [2, 1]).read(1)


@pytest.mark.parametrize("f", [read, read_one_that_is_computed, gathered, split])
def test_the_gradient_in_a_graph_of_what_is_read_is_dense(f):
    expected = [[0.0, 0.0], [0.0, 0.0], [3.0, 3.0]]
    at = np.arange(6.0).reshape(3, 2)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float64, [None, 2])
        g = tf.gradients(f(x), x)[0]
        assert isinstance(g, tf.Tensor)
        assert session.run(g, {x: at}).tolist() == expected
        x = tf.constant(at)
        g = tf.gradients(f(x), x)[0]
        assert isinstance(g, tf.Tensor)
        assert session.run(g).tolist() == expected
    for run in (f, tf.function(f)):
        x = tf.constant(at)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = run(x)
        assert tape.gradient(y, x).numpy().tolist() == expected
