"""Gradients of gradients as programs use them: an inner descent step (MAML), a gradient penalty, influence of a hyperparameter, clipping."""
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(2)
x = tf.constant(rng.randn(6, 2))
y = tf.constant(rng.randn(6, 1))
w = tf.Variable(rng.randn(2, 1), name="w")
b = tf.Variable([0.1], dtype=tf.float64, name="b")
rate = tf.Variable(0.2, dtype=tf.float64, name="rate")


def loss(w, b, x, y):
    return tf.reduce_mean(tf.square(tf.tanh(x @ w + b) - y))


with tf.GradientTape() as outer:
    with tf.GradientTape() as inner:
        train = loss(w, b, x[:3], y[:3])
    gw, gb = inner.gradient(train, [w, b])
    valid = loss(w - rate * gw, b - rate * gb, x[3:], y[3:])
gradients = outer.gradient(valid, [w, b, rate])
print("maml", "%.6f %.6f" % (train, valid), [np.round(g.numpy(), 6).ravel().tolist() for g in gradients])

with tf.GradientTape() as outer:
    with tf.GradientTape(watch_accessed_variables=False) as inner:
        inner.watch(x)
        score = tf.reduce_sum(tf.tanh(x @ w + b), axis=1)
    slopes = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(score, x)), axis=[1]))
    penalty = tf.reduce_mean((slopes - 1.0) ** 2)
print("penalty", "%.6f" % penalty, [np.round(g.numpy(), 6).ravel().tolist() for g in outer.gradient(penalty, [w, b])])

with tf.GradientTape(persistent=True) as outer:
    p = tf.identity(w)
    for _ in range(3):
        with tf.GradientTape() as inner:
            inner.watch(p)
            value = loss(p, b, x, y)
        p = p - rate * inner.gradient(value, p)
    final = loss(p, b, x, y)
print("unrolled", "%.6f" % final, "%.6f" % outer.gradient(final, rate), np.round(outer.gradient(final, w).numpy(), 6).ravel().tolist())
print("first step only", outer.gradient(final, p).shape, outer.gradient(p, rate).numpy().round(6))


@tf.function
def step():
    with tf.GradientTape() as tape:
        value = loss(w, b, x, y) + 1e-2 * tf.add_n([tf.nn.l2_loss(v) for v in (w, b)])
    gradients, norm = tf.clip_by_global_norm(tape.gradient(value, [w, b]), 0.05)
    for v, g in zip((w, b), gradients):
        v.assign_sub(rate * g)
    return value, norm


for k in range(3):
    print("clipped", k, "%.6f %.6f" % step())
accumulated = [tf.zeros_like(v) for v in (w, b)]
for k in range(3):
    with tf.GradientTape() as tape:
        value = loss(w, b, x[2 * k:2 * k + 2], y[2 * k:2 * k + 2]) / 3.0
    accumulated = [a + g for a, g in zip(accumulated, tape.gradient(value, [w, b]))]
with tf.GradientTape() as tape:
    whole = loss(w, b, x, y)
print("accumulated", all(np.allclose(a, g) for a, g in zip(accumulated, tape.gradient(whole, [w, b]))))
