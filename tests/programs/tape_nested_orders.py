"""Derivatives of orders one to five by nested tapes, mixed partial derivatives, and where a constant derivative ends in None."""
import numpy as np
import tensorflow as tf


def show(label, value):
    print(label, None if value is None else (np.round(np.asarray(value, np.float64), 5) + 0.0).tolist())


def orders(function, x, n):
    if n == 0:
        return [function(x)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = orders(function, x, n - 1)
        last = values[-1]
    return values + [None if last is None else tape.gradient(last, x)]


x = tf.constant([0.3, -0.7], tf.float64)
for name, f in [("tanh", tf.tanh), ("sin", tf.sin), ("exp", tf.exp), ("sigmoid", tf.sigmoid), ("softplus", tf.nn.softplus),
                ("square", tf.square), ("cube", lambda v: v ** 3), ("log1p", tf.math.log1p), ("erf", tf.math.erf),
                ("linear", lambda v: 2.0 * v + 1.0), ("relu", tf.nn.relu), ("abs", tf.abs), ("rsqrt", lambda v: tf.math.rsqrt(v + 1.0))]:
    for k, value in enumerate(orders(f, x, 4)):
        show(f"{name} {k}", value)

a = tf.constant(1.5, tf.float64)
b = tf.constant(-0.5, tf.float64)
with tf.GradientTape(persistent=True) as outer:
    outer.watch([a, b])
    with tf.GradientTape() as inner:
        inner.watch([a, b])
        f = tf.sin(a * b) + a ** 3 * b
    fa, fb = inner.gradient(f, [a, b])
show("f_a", fa)
show("f_b", fb)
show("f_aa", outer.gradient(fa, a))
show("f_ab", outer.gradient(fa, b))
show("f_ba", outer.gradient(fb, a))
show("f_bb", outer.gradient(fb, b))

with tf.GradientTape() as t3:
    t3.watch(a)
    with tf.GradientTape() as t2:
        t2.watch(a)
        with tf.GradientTape() as t1:
            t1.watch(a)
            y = a ** 5
        d1 = t1.gradient(y, a)
    d2 = t2.gradient(d1, a)
d3 = t3.gradient(d2, a)
show("a^5", [d1, d2, d3])
