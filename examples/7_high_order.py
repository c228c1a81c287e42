"""High order: solitons that solve the Korteweg-de Vries equation, and a plate that solves Kirchhoff's.

Nested `tf.gradients`, as ever. `wengert explain examples/7_high_order.py` says how each derivative was found: coefficients of
one Taylor series, so the third derivative costs four forward passes and not 27.
"""

import numpy as np
import tensorflow as tf

tf.compat.v1.disable_eager_execution()


def D(u, *xs):
    for x in xs:
        u = tf.gradients(u, x)[0]
    return u


# u_t + 6 u u_x + u_xxx = 0: two solitons, from a logarithm (R. Hirota, 1971).
x = tf.compat.v1.placeholder(tf.float64, [None, 1], name="x")
t = tf.compat.v1.placeholder(tf.float64, [None, 1], name="t")
k1, k2 = 1.0, 1.6
e1, e2 = tf.exp(k1 * x - k1**3 * t), tf.exp(k2 * x - k2**3 * t - 1.0)
F = 1.0 + e1 + e2 + ((k1 - k2) / (k1 + k2)) ** 2 * e1 * e2
u = 2.0 * D(tf.math.log(F), x, x)
kdv = D(u, t) + 6.0 * u * D(u, x) + D(u, x, x, x)

# Δ²w = q: a simply supported plate under a load that is a product of sines.
X = tf.compat.v1.placeholder(tf.float64, [None, 2], name="X")
w = tf.sin(np.pi * X[:, 0:1]) * tf.sin(2.0 * np.pi * X[:, 1:2])


def laplacian(u):
    g = tf.gradients(u, X)[0]
    return sum(tf.gradients(g[:, i : i + 1], X)[0][:, i : i + 1] for i in range(2))


plate = laplacian(laplacian(w)) - (5.0 * np.pi**2) ** 2 * w

points = np.random.default_rng(0).uniform(-3.0, 3.0, (200, 2))
with tf.compat.v1.Session() as sess:
    feed = {x: points[:, :1], t: points[:, 1:], X: points}
    value, residual, slope = sess.run([u, kdv, D(u, t)], feed)
    load = sess.run(plate, feed)

print(f"two solitons: greatest height {value.max():.3f}, greatest residual {np.abs(residual).max():.1e}")
print(f"plate: greatest residual {np.abs(load).max():.1e} of a load of {(5 * np.pi**2) ** 2:.0f}")
assert value.max() > 1.0
assert np.abs(residual).max() < 1e-9 * np.abs(slope).max()
assert np.abs(load).max() < 1e-10 * (5 * np.pi**2) ** 2
