"""Segment reductions, bincount, add_n, accumulate_n, unsorted segments with negative ids: values and gradients."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


x = tf.constant([[1.0, -2.0], [3.0, 4.0], [3.0, 0.5], [0.25, 6.0]], tf.float64)
ids = tf.constant([0, 0, 2, 2])
mixed = tf.constant([1, 0, 1, -1])


def both(label, f):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
        s = tf.reduce_sum(tf.where(tf.abs(y) < 1e300, y, 0.0) * tf.constant([[1.0, 10.0]], tf.float64))
    show(label, tf.where(tf.abs(y) < 1e300, y, -99.0))
    show(label + " g", tape.gradient(s, x))


for name in ("sum", "mean", "max", "min", "prod"):
    both("segment_" + name, lambda v: getattr(tf.math, "segment_" + name)(v, ids))
    both("unsorted_segment_" + name, lambda v: getattr(tf.math, "unsorted_segment_" + name)(v, mixed, 3))
both("sqrt_n", lambda v: tf.math.unsorted_segment_sqrt_n(v, mixed, 2))
both("sparse_segment_sum", lambda v: tf.sparse.segment_sum(v, [0, 2, 3], [0, 0, 1]))
both("add_n", lambda v: tf.add_n([v, v * 2.0, v ** 2]))
both("accumulate_n", lambda v: tf.math.accumulate_n([v, v * 2.0]))
show("ties in segment_max", tf.math.segment_max([2.0, 2.0, 1.0], [0, 0, 1]))
t = tf.constant([2.0, 2.0, 1.0])
with tf.GradientTape() as tape:
    tape.watch(t)
    y = tf.math.segment_max(t, [0, 0, 1])
show("ties in segment_max g", tape.gradient(y, t))
print("bincount", tf.math.bincount([0, 1, 1, 5]).numpy().tolist(), tf.math.bincount([0, 1, 1], weights=[0.5, 1.0, 2.0]).numpy().tolist())
try:
    tf.math.segment_sum([1.0, 2.0], [1, 0])
except tf.errors.InvalidArgumentError as error:
    print("not sorted", type(error).__name__)
