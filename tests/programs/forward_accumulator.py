"""ForwardAccumulator: jvp of structures, unwatched values, variables, forward over reverse, forward over forward."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


x = tf.constant([1.0, 2.0], tf.float64)
with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0], tf.float64)) as acc:
    y = tf.sin(x) * x[1]
    z = tf.ones([2], tf.float64) * 3.0
show("jvp", acc.jvp(y))
show("not connected", acc.jvp(z))
show("not connected, zero", acc.jvp(z, unconnected_gradients=tf.UnconnectedGradients.ZERO))
show("structure", [acc.jvp([y, x])[i] for i in range(2)])

w = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
b = tf.Variable([0.5, -0.5])
with tf.autodiff.ForwardAccumulator([w, b], [tf.ones([2, 2]), tf.constant([0.0, 1.0])]) as acc:
    out = tf.tanh(0.1 * (w @ w) + b)
show("variables", acc.jvp(out))


def f(v):
    return tf.reduce_sum(tf.exp(v[0] * v[1]) + v ** 3)


v = tf.constant([0.5, -1.0], tf.float64)
for direction in ([1.0, 0.0], [0.0, 1.0], [1.0, 2.0]):
    with tf.autodiff.ForwardAccumulator(v, tf.constant(direction, tf.float64)) as acc:
        with tf.GradientTape() as tape:
            tape.watch(v)
            value = f(v)
        g = tape.gradient(value, v)
    show("hvp forward over reverse", acc.jvp(g))
    show("directional", acc.jvp(value))

with tf.GradientTape() as tape:
    tape.watch(v)
    with tf.autodiff.ForwardAccumulator(v, tf.constant([1.0, 2.0], tf.float64)) as acc:
        value = f(v)
    d = acc.jvp(value)
show("hvp reverse over forward", tape.gradient(d, v))

s = tf.constant(0.7, tf.float64)
one = tf.constant(1.0, tf.float64)
with tf.autodiff.ForwardAccumulator(s, one) as outer:
    with tf.autodiff.ForwardAccumulator(s, one) as inner:
        y = tf.sin(s) ** 2
    first = inner.jvp(y)
show("first", first)
show("second", outer.jvp(first))


@tf.function
def traced(a):
    return a * tf.math.log(a)


with tf.autodiff.ForwardAccumulator(s, one) as acc:
    y = traced(s)
show("through a function", acc.jvp(y))
try:
    tf.autodiff.ForwardAccumulator(tf.constant([1.0, 2.0]), tf.constant(1.0))
except ValueError as error:
    print("ValueError", "shape" in str(error).lower())
