"""cumsum and cumprod in every direction, cumulative_logsumexp, sort, top_k, reverse, roll, repeat: values, first and second derivatives."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


x = tf.constant([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]], tf.float64)
weights = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], tf.float64)


def both(label, f):
    show(label, f(x))
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
            s = tf.reduce_sum(y ** 2 * tf.reshape(weights, [-1])[: y.shape[-1]])
        g = inner.gradient(s, x)
        w = tf.reduce_sum(g * weights)
    show(label + " g", g)
    show(label + " gg", outer.gradient(w, x))


for axis in (0, 1):
    for exclusive in (False, True):
        for reverse in (False, True):
            both(f"cumsum {axis} {exclusive:d}{reverse:d}", lambda v: tf.cumsum(v, axis, exclusive=exclusive, reverse=reverse))
both("cumprod", lambda v: tf.math.cumprod(v, 1))
both("cumprod exclusive reverse", lambda v: tf.math.cumprod(v, 1, exclusive=True, reverse=True))
both("cumulative_logsumexp", lambda v: tf.math.cumulative_logsumexp(v, 1))
both("sort", lambda v: tf.sort(v, axis=1))
both("sort axis 0", lambda v: tf.sort(v, axis=0, direction="DESCENDING"))
both("top_k", lambda v: tf.math.top_k(v, k=2).values)
both("reverse", lambda v: tf.reverse(v, axis=[1]))
both("roll", lambda v: tf.roll(v, shift=1, axis=1))
both("repeat", lambda v: tf.repeat(v, [1, 0, 2], axis=1))
both("softmax", lambda v: tf.nn.softmax(v))
both("log_softmax", lambda v: tf.nn.log_softmax(v, axis=0))
