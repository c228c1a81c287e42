"""Operations by the names of TensorFlow's kernels, where they are more than another function's name."""

import numpy as np
import pytest

import wengert as tf

X = tf.constant([1.0, 2.0])


def guarded(x):
    return tf.raw_ops.PreventGradient(input=x, message="frozen on purpose")


def backward(x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = 2.0 * guarded(x)
    return tape.gradient(y, x)


def forward(x):
    with tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)) as accumulator:
        y = guarded(x)
    return accumulator.jvp(y)


def in_a_graph(x):
    with tf.Graph().as_default():
        place = tf.compat.v1.placeholder(x.dtype, x.shape)
        return tf.gradients(guarded(place), place)


@pytest.mark.parametrize(
    "ask", [backward, tf.function(backward), forward, in_a_graph], ids=["tape", "function", "forward", "graph"]
)
def test_prevent_gradient_says_why(ask):
    with pytest.raises(LookupError, match=r"explicitly disabled\. Reason: 'frozen on purpose'"):
        ask(X)


def test_prevent_gradient_passes_the_value_and_other_paths():
    np.testing.assert_array_equal(guarded(X), X)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = guarded(tf.stop_gradient(X)) * X
    np.testing.assert_array_equal(tape.gradient(y, X), X)
